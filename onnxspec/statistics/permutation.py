"""Many classes tested at once: a contrast counts where it goes beyond what chance alone makes of any class.

What a class adds up to is carried by a few heavy paths. One that happens to miss them looks calm and precise at once,
so that a t distribution calls it different far too often, the more so the more classes are looked at. Here the paths
themselves say what chance does: they are shuffled among the classes, or swapped between two models, and each contrast
is held against the largest that any class then shows (Westfall and Young, "Resampling-Based Multiple Testing", 1993,
step-down maxT: Holm's steps, with the joint distribution in place of his bound). A contrast is divided by its own
standard error, so that the test still holds, once paths are many, for classes that are unlike in all but their share
(Chung and Romano, "Exact and asymptotically robust permutation tests", 2013).

Paths that share an image are alike for its sake and must not be shuffled apart: `unshared` leaves such paths out. Of
what it keeps both tests are exact, and they are seeded, so that the same data give the same p.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

DRAWS = 999
LEAST_PATHS = 10
"""Of a class that is tested."""
_SEED = 0
# Of a share of one: what sums, and sums of squares, leave of zero.
_ROUNDING = 1e-12
# The same sum in another order must stay a tie.
_DECIMALS = 9
_VALUES = 1 << 15
"""Paths of the classes in as many draws as are worked on together; more would not stay in cache."""


@dataclass(frozen=True)
class Classes:
    """Which paths belong to which class; a path between two belongs to both.

    numbers : (classes,) int, ascending; paths : (members,) int64, those of the first class, then of the second, ...
    starts, sizes : (classes,) int64, where in `paths` a class begins, and how many are its own
    """

    numbers: np.ndarray
    paths: np.ndarray
    starts: np.ndarray
    sizes: np.ndarray

    @classmethod
    def touched(cls, class_a: np.ndarray, class_b: np.ndarray) -> "Classes":
        """The classes with ten paths or more among those of (paths,) int ends."""
        other = np.flatnonzero(class_a != class_b)
        paths, ends = np.concatenate([np.arange(len(class_a)), other]), np.concatenate([class_a, class_b[other]])
        order = np.argsort(ends, kind="stable")
        _, sizes = np.unique(ends, return_counts=True)
        order = order[np.repeat(sizes >= LEAST_PATHS, sizes)]
        numbers, starts, sizes = np.unique(ends[order], return_index=True, return_counts=True)
        return cls(numbers, paths[order], starts, sizes)

    def sums(self, values: np.ndarray) -> np.ndarray:
        """Of (..., members) values the sum over each class, (..., classes)."""
        return np.add.reduceat(values, self.starts, axis=-1)


def unshared(image_a: np.ndarray, image_b: np.ndarray) -> np.ndarray:
    """The paths, in order, that share no image with one that was kept before, (kept,) int64.

    Parameters
    ----------
    image_a, image_b : (paths,) int
    """
    seen: set[int] = set()
    kept = []
    for path, ends in enumerate(zip(image_a.tolist(), image_b.tolist(), strict=True)):
        if seen.isdisjoint(ends):
            seen.update(ends)
            kept.append(path)
    return np.array(kept, np.int64)


def against_the_rest(share: np.ndarray, classes: Classes) -> dict[int, float]:
    """Of each class the p, two-sided and adjusted over all, that its pooled share is that of the other paths.

    Parameters
    ----------
    share : (2, paths) float64, numerator and denominator of paths of which no two share an image

    Returns
    -------
    dict
        p by number of the class; without those whose share, or that of the others, is zero.
    """
    whole, paths = share.sum(1, keepdims=True), share.shape[1]
    if not len(classes.numbers) or not (whole > 0).all():
        return {}
    top, bottom = share / whole
    moments = np.stack([top, bottom, top * top, top * bottom, bottom * bottom])
    every = moments.sum(1)[:, None, None]

    def contrasts(orders: np.ndarray) -> np.ndarray:
        # `take` gathers the same in a third of the time that an index does.
        own = classes.sums(moments.take(orders.take(classes.paths, axis=1), axis=1))
        (value, variance), (of_rest, variance_of_rest) = _log_share(own), _log_share(every - own)
        return _studentised(value - of_rest, variance + variance_of_rest)

    rng = np.random.default_rng(_SEED)
    return _adjusted(classes, contrasts, np.arange(paths), lambda: rng.permutation(paths))


def between_models(first: np.ndarray, second: np.ndarray, classes: Classes) -> dict[int, float]:
    """Of each class the p, two-sided and adjusted over all, that two models have the same pooled share there.

    Parameters
    ----------
    first, second : (2, paths) float64, numerator and denominator under either model of paths of which no two share an
        image

    Returns
    -------
    dict
        p by number of the class; without those whose share is zero under one of the two.
    """
    if not len(classes.numbers):
        return {}
    both = np.stack([first, second])[:, :, None, classes.paths]

    def contrasts(swaps: np.ndarray) -> np.ndarray:
        shares = np.where(swaps[:, classes.paths], both[::-1], both)
        sums = classes.sums(shares)
        with np.errstate(divide="ignore", invalid="ignore"):
            (top, bottom), (other_top, other_bottom) = shares * np.repeat(1 / sums, classes.sizes, axis=-1)
            (log_top, log_bottom), (log_other_top, log_other_bottom) = np.log(sums)
            variance = classes.sums(np.square(top - bottom - (other_top - other_bottom)))
            return _studentised(log_top - log_bottom - (log_other_top - log_other_bottom), variance)

    rng = np.random.default_rng(_SEED)
    as_it_is = np.zeros(first.shape[1], bool)
    return _adjusted(classes, contrasts, as_it_is, lambda: rng.random(len(as_it_is)) < 0.5)


def _log_share(moments: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """log of a share and its linearised variance, (..., classes) each, of summed moments (5, ..., classes) of shares of one."""
    top, bottom, top_top, top_bottom, bottom_bottom = moments
    with np.errstate(divide="ignore", invalid="ignore"):
        value = np.log(np.where((top > _ROUNDING) & (bottom > _ROUNDING), top / bottom, np.nan))
        return value, top_top / top**2 - 2 * top_bottom / (top * bottom) + bottom_bottom / bottom**2


def _studentised(value: np.ndarray, variance: np.ndarray) -> np.ndarray:
    """Values over their standard errors; NaN where a value is not finite."""
    return np.where(np.isfinite(value), value / np.sqrt(np.maximum(variance, _ROUNDING**2)), np.nan).round(_DECIMALS)


def _adjusted(
    classes: Classes, contrasts: Callable[[np.ndarray], np.ndarray], found: np.ndarray, draw: Callable[[], np.ndarray]
) -> dict[int, float]:
    """p by number of the class, of the contrasts that are found among those that are drawn. Undefined ones say nothing.

    contrasts : (draws, paths) -> (draws, classes); found : (paths,), as the paths are; draw : (paths,), as chance has them
    """
    real = contrasts(found[None])[0]
    up, down = np.nan_to_num(real), np.nan_to_num(-real)
    orders = [np.argsort(side, kind="stable") for side in (up, down)]
    reached = np.ones((2, len(real)), np.int64)
    together = max(1, _VALUES // max(len(classes.paths), len(found)))
    for first in range(0, DRAWS, together):
        others = np.nan_to_num(contrasts(np.stack([draw() for _ in range(min(together, DRAWS - first))])))
        for count, side, values, order in zip(reached, (up, down), (others, -others), orders, strict=True):
            highest = np.maximum.accumulate(values[:, order], axis=1)
            count += (highest >= np.maximum.accumulate(side[order])).sum(0)
    p = np.empty_like(reached, np.float64)
    for one, count, order in zip(p, reached, orders, strict=True):
        # The largest found is left out step by step, and p never falls on the way.
        one[order] = np.maximum.accumulate(count[::-1])[::-1] / (DRAWS + 1)
    both = np.minimum(1, 2 * p.min(0))
    defined = np.isfinite(real)
    return dict(zip(classes.numbers[defined].tolist(), both[defined].tolist(), strict=True))
