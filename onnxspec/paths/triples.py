"""Which images an ellipse runs through: three of one class, in an order that content and seed fix.

As with pairs, the triples form one long list of which every run takes a prefix. A lap of a class uses each of its
images once (but for one or two that are left over); all classes end a lap before any begins the next, so that an
image comes again only when those of the other classes have come too, and no triple comes twice.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations, count, islice
from math import comb

import numpy as np

from onnxspec.errors import DataError
from onnxspec.paths.columns import Columns
from onnxspec.paths.pairs import Key, Row, by_turns, members_of, shuffled
from onnxspec.settings import KINDS

# Beside the tags of the kinds of pairs, so that triples are drawn independently of them.
TRIPLES = len(KINDS)


@dataclass(frozen=True)
class Triples(Columns):
    """Three images a path, in order.

    class_of : (paths,) int32 class of the data; image_a, image_b, image_c : (paths,) int32 indices into the data set
    """

    class_of: np.ndarray
    image_a: np.ndarray
    image_b: np.ndarray
    image_c: np.ndarray


def available(labels: np.ndarray) -> int:
    """How many different triples (images,) int labels hold; labels below 0 are left out."""
    return sum(comb(int(size), 3) for size in np.bincount(labels[labels >= 0]))


def draw(labels: np.ndarray, triples: int, digest: str, seed: int) -> Triples:
    """The first `triples` triples, fewer where the data hold fewer.

    Parameters
    ----------
    labels : (images,) int, the class of every image; below 0 leaves an image out
    digest : the data set's hex digest, which fixes the order together with `seed`

    Raises
    ------
    DataError
        No class has three images.
    """
    members = members_of(labels)
    if not available(labels):
        raise DataError(
            f"No class has three images ({len(members)} classes), and an ellipse needs three.",
            "Give more images of each class, or leave ellipse out of --paths.",
        )
    rows = list(islice(_rows(members, (digest, seed)), triples))
    return Triples(*np.array(rows, np.int32).reshape(-1, 4).T)


def _rows(members: dict[int, np.ndarray], key: Key) -> Iterator[Row]:
    classes = np.array([c for c, images in members.items() if len(images) >= 3])
    laps = [_laps(c, members[c], key) for c in shuffled(classes, key, TRIPLES, 0).tolist()]
    while lists := [rows for rows in (next(lap, None) for lap in laps) if rows is not None]:
        yield from by_turns(lists)


def _laps(c: int, images: np.ndarray, key: Key) -> Iterator[list[Row]]:
    """Laps over the images of class `c`; when they meet more old triples than new ones, all that are left."""
    seen: set[tuple[int, ...]] = set()
    for lap in count():
        order = shuffled(images, key, TRIPLES, 1, c, lap)
        drawn = np.sort(order[: len(order) // 3 * 3].reshape(-1, 3)).tolist()
        fresh = [triple for triple in map(tuple, drawn) if triple not in seen]
        seen.update(fresh)
        yield [(c, *triple) for triple in fresh]
        if 2 * len(fresh) < len(drawn):
            break
    left = [triple for triple in combinations(images.tolist(), 3) if triple not in seen]
    yield [(c, *left[i]) for i in shuffled(np.arange(len(left)), key, TRIPLES, 2, c)]
