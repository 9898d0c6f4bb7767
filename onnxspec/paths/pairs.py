"""Which images are joined: pairs within a class and between classes, in an order that content and seed fix.

A kind's pairs form one endless-looking list of which every run takes a prefix, so that a plan can grow and two runs
pair over what they share (method.md section 1). Both lists come from round-robin tournaments over shuffled players:
within a class the players are its images, so that every turn uses each image once and no pair comes twice; between
classes the players are the classes, so that every turn uses each class once and after all turns every pair of
classes has met equally often, however many there are. An image comes again only when all images of its class have
come, and sooner than those of a larger class.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, combinations, count, islice

import numpy as np

from onnxspec.errors import DataError
from onnxspec.images.dataset import generator
from onnxspec.paths.columns import Columns
from onnxspec.settings import KINDS

WITHIN, BETWEEN = range(len(KINDS))


@dataclass(frozen=True)
class Pairs(Columns):
    """The ends of paths, in order.

    kind : (paths,) int8, 0 within and 1 between
    class_a, class_b : (paths,) int32 classes of the data, class_a <= class_b
    image_a, image_b : (paths,) int32 indices into the data set
    """

    kind: np.ndarray
    class_a: np.ndarray
    class_b: np.ndarray
    image_a: np.ndarray
    image_b: np.ndarray

    @property
    def images(self) -> np.ndarray:
        """The distinct images used, sorted, (images,) int32."""
        return np.unique(np.concatenate([self.image_a, self.image_b]))

    @property
    def digest(self) -> str:
        """SHA-256 of all of it, hexadecimal."""
        columns = (np.ascontiguousarray(column, "<i8").tobytes() for column in self.arrays)
        return hashlib.sha256(b"".join(columns)).hexdigest()

    def spread(self, most: int) -> "Pairs":
        """Up to so many pairs of each kind, evenly over all of them."""
        kinds = [np.flatnonzero(self.kind == kind) for kind in np.unique(self.kind)]
        places = [of[np.linspace(0, len(of) - 1, min(len(of), most)).round().astype(int)] for of in kinds]
        return self[np.concatenate(places)]

    def reused(self, kind: int) -> int:
        """How many images of a kind stand in more than one of its pairs."""
        of = self[self.kind == kind]
        _, times = np.unique(np.concatenate([of.image_a, of.image_b]), return_counts=True)
        return int((times > 1).sum())


def pair_codes(kind: np.ndarray, image_a: np.ndarray, image_b: np.ndarray) -> np.ndarray:
    """A number for every pair of images of a kind, by which runs find the paths that they share, (paths,) int64."""
    of_kind, first, second = (column.astype(np.int64) for column in (kind, image_a, image_b))
    return (of_kind << 62) | (first << 31) | second


def available(labels: np.ndarray, kind: str) -> int:
    """How many different pairs of a kind (images,) int labels hold; labels below 0 are left out."""
    sizes = np.bincount(labels[labels >= 0])
    if kind == "within":
        return int((sizes * (sizes - 1) // 2).sum())
    return int((sizes.sum() ** 2 - np.square(sizes).sum()) // 2)


def draw(labels: np.ndarray, kinds: tuple[str, ...], pairs: int, digest: str, seed: int) -> Pairs:
    """The first `pairs` pairs of every kind, fewer where the data hold fewer.

    Parameters
    ----------
    labels : (images,) int, the class of every image; below 0 leaves an image out
    digest : the data set's hex digest, which fixes the order together with `seed`

    Raises
    ------
    DataError
        No class has two images (within), or there are not two classes (between).
    """
    members = members_of(labels)
    key = digest, seed
    drawn = []
    for kind in kinds:
        _require(members, kind)
        source = _within(members, key) if kind == "within" else _between(members, key)
        first = islice(source, min(pairs, available(labels, kind)))
        # Number by number: 100,000 rows as objects take twenty megabytes.
        drawn.append(np.fromiter(chain.from_iterable(first), np.int32))
    columns = np.concatenate(drawn).reshape(-1, 5).T
    return Pairs(columns[0].astype(np.int8), *columns[1:])


def members_of(labels: np.ndarray) -> dict[int, np.ndarray]:
    """Class to the indices of its images, (n,) int64 each, of (images,) int labels; below 0 leaves an image out."""
    # Sorted once: a million images of a thousand classes would be looked through a thousand times.
    order = np.argsort(labels, kind="stable")
    classes, starts = np.unique(labels[order], return_index=True)
    return {int(c): own for c, own in zip(classes, np.split(order, starts)[1:], strict=True) if c >= 0}


def tournament(players: int, turn: int) -> np.ndarray:
    """Who meets whom in a turn of a round robin (circle method), (players // 2, 2) int64.

    Over `players - 1` turns (`players` if odd) everybody meets everybody once.
    """
    seats = players + players % 2
    i = np.arange(1, seats // 2)
    meetings = np.column_stack([(turn + i) % (seats - 1), (turn - i) % (seats - 1)])
    last = [[turn % (seats - 1), seats - 1]] if players % 2 == 0 else np.empty((0, 2), np.int64)
    return np.concatenate([last, meetings]).astype(np.int64)


def turns(players: int) -> int:
    """How many turns a round robin has."""
    return players - 1 + players % 2


Row = tuple[int, ...]
Key = tuple[str, int]
"""The data set's hexadecimal digest, and the seed."""


def _within(members: dict[int, np.ndarray], key: Key) -> Iterator[Row]:
    classes = np.array([c for c in members if len(members[c]) >= 2])
    order = [int(c) for c in shuffled(classes, key, WITHIN)]
    images = {c: shuffled(members[c], key, WITHIN, c + 1) for c in order}
    for turn in range(max(turns(len(players)) for players in images.values())):
        # Everybody's turn before anybody's next: an image comes again only when all others have come.
        meetings = [
            [(WITHIN, c, c, *pair) for pair in images[c][tournament(len(images[c]), turn)].tolist()]
            for c in order
            if turn < turns(len(images[c]))
        ]
        yield from by_turns(meetings)


def by_turns(lists: list[list[Row]]) -> Iterator[Row]:
    """The first of every list, then the second of every list that has one, and so on."""
    for rank in range(max(map(len, lists))):
        yield from (rows[rank] for rows in lists if rank < len(rows))


def _between(members: dict[int, np.ndarray], key: Key) -> Iterator[Row]:
    seen: set[int] = set()
    supply: dict[int, list[int]] = {c: [] for c in members}
    for lap in count():
        for c, images in members.items():
            if len(supply[c]) < len(images):  # what the lap before has left comes first
                supply[c] = shuffled(images, key, BETWEEN, c + 1, lap).tolist() + supply[c]
        drawn = list(_lap(supply, key, lap))
        fresh = [row for row in drawn if _ends(*row[3:]) not in seen]
        seen.update(_ends(*row[3:]) for row in fresh)
        yield from fresh
        if 2 * len(fresh) < len(drawn):
            break
    yield from _unseen(members, key, seen)


def _lap(supply: dict[int, list[int]], key: Key, lap: int) -> Iterator[Row]:
    """Pairs that use up the images of every class, as far as images of other classes are left for them."""
    for cycle in count():
        classes = np.array([c for c, left in supply.items() if left])
        if len(classes) < 2:
            return
        order = shuffled(classes, key, BETWEEN, 0, lap, cycle)
        for turn in range(turns(len(order))):
            for pair in order[tournament(len(order), turn)]:
                a, b = sorted(pair.tolist())
                if supply[a] and supply[b]:
                    yield (BETWEEN, a, b, supply[a].pop(), supply[b].pop())


def _unseen(members: dict[int, np.ndarray], key: Key, seen: set[int]) -> Iterator[Row]:
    """What is left when drawing meets more old pairs than new ones: class pairs take turns, and nothing is listed."""
    images = {c: shuffled(own, key, BETWEEN, c + 1).tolist() for c, own in members.items()}
    left = list(combinations(members, 2))
    for turn in count():
        left = [(a, b) for a, b in left if turn < len(images[a]) * len(images[b])]
        if not left:
            return
        for a, b in left:
            # Every pair of the two once: along the diagonals of the table that their images span.
            diagonal, row = divmod(turn, len(images[a]))
            ends = images[a][row], images[b][(diagonal + row) % len(images[b])]
            if _ends(*ends) not in seen:
                yield (BETWEEN, a, b, *ends)


def _ends(a: int, b: int) -> int:
    """Two images as one number, which takes a third of the memory of a tuple."""
    return a << 32 | b


def shuffled(items: np.ndarray, key: Key, *tags: int) -> np.ndarray:
    """The items (n,) in an order that the key and the tags fix."""
    return generator(*key, *tags).permutation(items)


def _require(members: dict[int, np.ndarray], kind: str) -> None:
    if kind == "within" and all(len(images) < 2 for images in members.values()):
        raise DataError(
            f"No class has two images ({len(members)} classes), and a path within a class needs two.",
            "Give more images of each class, or use --kinds between.",
        )
    if kind == "between" and len(members) < 2:
        raise DataError(
            f"The images are of {len(members)} class, and a path between classes needs two.",
            "Give images of more classes, or use --kinds within.",
        )
