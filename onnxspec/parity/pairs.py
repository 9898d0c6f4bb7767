"""Which images the published code joins: NumPy's legacy generator, class by class, then class pairs.

Known from the papers' released code, which draws
- for `mool`, after seeding the global generator once: for each class in order 200 pairs of its members without
  replacement; then for each pair of classes (0, 1), (0, 2) ... (8, 9) 200 x 2 positions without replacement, the
  first column into the one class, the second into the other; and, in another run with the same seed, 5,000 pairs of
  all images without replacement for the Fourier paths;
- for `sbp` nothing: members i and i + 1 of a class for every even i, and member i of one class with member i of
  another.
A legacy draw without replacement is the beginning of one permutation, so that fewer pairs are a prefix of more.

Assumed here: classes are counted in the order of the data's labels (CIFAR-10's own order is alphabetical, as folders
are), members in the order of the data; the published classes are equally large, and between two that are not,
positions come from the smaller one. Fourier pairs go by the order of all images, which class folders do not keep.
"""

from collections.abc import Iterator
from itertools import combinations

import numpy as np

from onnxspec.errors import DataError, UsageError
from onnxspec.parity.protocols import FOURIER, FOURIER_PER_PAIR, LINEAR, Protocol
from onnxspec.paths.pairs import BETWEEN, WITHIN, Pairs

MOST_PATHS = 1_000_000

Block = tuple[int, int, np.ndarray]


def draw(protocol: Protocol, labels: np.ndarray, kinds: tuple[str, ...], pairs: int, seed: int = 0) -> dict[str, Pairs]:
    """The pairs of every family, each in the published order.

    Parameters
    ----------
    labels : (images,) int64 classes of all images, in the order of the data; kinds : the linear families that are wanted
    pairs : of every class and every pair of classes, fewer where a class is too small; 200 as published

    Raises
    ------
    DataError
        There is no class of two images, or only one class.
    UsageError
        More paths than anybody can walk.
    """
    members = [np.flatnonzero(labels == c) for c in range(int(labels.max()) + 1)]
    _require(members, kinds, pairs, joined=2 if protocol.name == "mool" else 1)
    drawn = _drawn(members, pairs, seed) if protocol.name == "mool" else _consecutive(members, pairs)
    # Drawn in this order, wanted or not; what comes after the last that is wanted is never drawn.
    made = dict(zip(LINEAR, drawn, strict=False)) if "between" in kinds else {LINEAR[0]: next(drawn)}
    plan = {kind: _pairs(made[kind], k) for k, kind in enumerate(LINEAR) if kind in kinds}
    if FOURIER[0] in protocol.families:
        ends = _choice(np.random.RandomState(seed), len(labels), FOURIER_PER_PAIR * pairs)
        plan |= dict.fromkeys(FOURIER, _anywhere(labels, ends))
    return plan


def _drawn(members: list[np.ndarray], pairs: int, seed: int) -> Iterator[list[Block]]:
    """Within classes, then between them."""
    rng = np.random.RandomState(seed)
    yield [(c, c, own[_choice(rng, len(own), pairs)]) for c, own in enumerate(members)]
    between = []
    for a, b in combinations(range(len(members)), 2):
        at = _choice(rng, min(len(members[a]), len(members[b])), pairs)
        between.append((a, b, np.column_stack([members[a][at[:, 0]], members[b][at[:, 1]]])))
    yield between


def _consecutive(members: list[np.ndarray], pairs: int) -> Iterator[list[Block]]:
    """Within classes, then between them."""
    yield [(c, c, own[: len(own) // 2 * 2].reshape(-1, 2)[:pairs]) for c, own in enumerate(members)]
    between = []
    for a, b in combinations(range(len(members)), 2):
        count = min(len(members[a]), len(members[b]), pairs)
        between.append((a, b, np.column_stack([members[a][:count], members[b][:count]])))
    yield between


def _choice(rng: np.random.RandomState, population: int, pairs: int) -> np.ndarray:
    """Positions (pairs, 2) without replacement, fewer where the population is small; one permutation is used up."""
    return rng.choice(population, size=(min(pairs, population // 2), 2), replace=False)


def _pairs(blocks: list[Block], kind: int) -> Pairs:
    a, b = (np.repeat([block[i] for block in blocks], [len(block[2]) for block in blocks]) for i in (0, 1))
    ends = np.concatenate([block[2] for block in blocks])
    return _as_pairs(np.full(len(ends), kind), a, b, ends)


def _anywhere(labels: np.ndarray, ends: np.ndarray) -> Pairs:
    a, b = labels[ends].T
    return _as_pairs(np.where(a == b, WITHIN, BETWEEN), a, b, ends)


def _as_pairs(kind: np.ndarray, a: np.ndarray, b: np.ndarray, ends: np.ndarray) -> Pairs:
    return Pairs(kind.astype(np.int8), *(column.astype(np.int32) for column in (a, b, *ends.T)))


def _require(members: list[np.ndarray], kinds: tuple[str, ...], pairs: int, joined: int) -> None:
    sizes = [len(own) for own in members]
    if "within" in kinds and max(sizes) < 2:
        raise DataError(f"No class has two images ({len(sizes)} classes).", "Give more images of each class.")
    if "between" in kinds and sum(size > 0 for size in sizes) < 2:
        raise DataError("The images are of one class, and a path between classes needs two.", "Give images of more.")
    if (paths := sum(_counts(sizes, kinds, pairs, joined))) > MOST_PATHS:
        raise UsageError(
            f"{len(sizes):,} classes make {paths:,} paths of {pairs} pairs a class and a pair of classes; at most "
            f"{MOST_PATHS:,} are walked.",
            "Use fewer --pairs, or --kinds within.",
        )


def _counts(sizes: list[int], kinds: tuple[str, ...], pairs: int, joined: int) -> Iterator[int]:
    """Paths of every kind; joined : how many images of the smaller class a path between two takes."""
    if "within" in kinds:
        yield sum(min(pairs, size // 2) for size in sizes)
    if "between" in kinds:
        yield sum(larger * min(pairs, size // joined) for larger, size in enumerate(sorted(sizes, reverse=True)))
