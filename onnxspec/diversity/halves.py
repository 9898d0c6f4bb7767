"""Every class in two halves that share no image: the figures of one half are set against the measures of the other.

Over the same paths the two would go together by chance alone: a path that happens to be long counts in both.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from onnxspec.settings import KINDS

NEITHER = -1


@dataclass(frozen=True, eq=False)
class Half:
    """Half of the images of every class.

    images : (n,) int, ascending indices into the data; paths : (m,) int, the rows of the paths among them
    """

    images: np.ndarray
    paths: np.ndarray


def halved(paths: Mapping[str, np.ndarray]) -> tuple[Half, Half]:
    """The halves of the images that a report's paths within classes join; paths : its columns.

    The paths of a class take turns, and take with them those of their images that no path had before. A path between
    images of both halves is in neither; where no image comes twice there is none.
    """
    within = np.flatnonzero(paths["kind"] == KINDS.index("within"))
    ends = np.column_stack([paths["image_a"][within], paths["image_b"][within]])
    images, first, at = np.unique(ends, return_index=True, return_inverse=True)
    of_image = _turns(paths["class_a"][within])[first // 2] % 2
    of_path = _agreed(of_image[at].reshape(ends.shape))
    first_half, second_half = (Half(images[of_image == half], within[of_path == half]) for half in (0, 1))
    return first_half, second_half


def _turns(classes: np.ndarray) -> np.ndarray:
    """How many before each of (n,) classes are of that class, (n,) int64."""
    order = np.argsort(classes, kind="stable")
    _, counts = np.unique(classes, return_counts=True)
    turns = np.empty(len(classes), np.int64)
    turns[order] = np.arange(len(classes)) - np.repeat(np.cumsum(counts) - counts, counts)
    return turns


def _agreed(of_ends: np.ndarray) -> np.ndarray:
    """The half of both ends (n, 2), or NEITHER, (n,) int64."""
    return np.where(of_ends[:, 0] == of_ends[:, 1], of_ends[:, 0], NEITHER)
