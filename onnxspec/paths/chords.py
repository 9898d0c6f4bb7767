"""A chord of a pair's length from its first image in a random direction: what a path is worth if it leads nowhere.

The direction is white noise of the model's pixels, so that it says nothing of the data; it takes only the linear
part of preprocessing.
"""

from collections.abc import Callable

import numpy as np

from onnxspec.images.dataset import generator
from onnxspec.paths.families import NUMBERED, Frames, Where, line
from onnxspec.paths.space import PixelSpace
from onnxspec.settings import KINDS

# Beside the tags of the kinds of pairs and of triples.
CHORDS = len(KINDS) + 1


def direction(shape: tuple[int, ...], digest: str, seed: int, image_a: int, image_b: int) -> np.ndarray:
    """The direction of a pair, (h, w, c) float64 with a root mean square of 1: the data, the seed and the pair fix it."""
    rng = generator(digest, seed, CHORDS, image_a, image_b)
    noise = rng.standard_normal(shape)
    return noise / np.sqrt(np.square(noise).mean())


def chords(
    pixels: Callable[[int], np.ndarray],
    space: PixelSpace,
    image_a: np.ndarray,
    image_b: np.ndarray,
    distance: np.ndarray,
    points: int,
    digest: str,
    seed: int,
    where: Where = NUMBERED,
) -> Frames:
    """Straight paths from image_a (paths,) int, each `distance` (paths,) float64 RMS long, both ends included.

    Parameters
    ----------
    pixels : an image's index to its pixels (h, w, c); digest, seed : see `direction`; where : see `Where`
    """

    def anchors(path: int) -> np.ndarray:
        a, b = int(image_a[path]), int(image_b[path])
        start = pixels(a)
        step = distance[path] * space.unit * direction(start.shape, digest, seed, a, b)
        return np.concatenate([space.inputs(start[None]), space.directions(step[None])])

    t = line(points)[:, 1]
    return Frames(anchors, np.stack([np.ones_like(t), t], -1), len(image_a), where)
