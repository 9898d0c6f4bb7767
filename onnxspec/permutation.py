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
    every = moments.sum(1, keepdims=True)

    def contrasts(order: np.ndarray) -> np.ndarray:
        own = classes.sums(moments[:, order[classes.paths]])
        (value, variance), (of_rest, variance_of_rest) = _log_share(own), _log_share(every - own)
        return _studentised(value - of_rest, variance + variance_of_rest)

    rng = np.random.default_rng(_SEED)
    shuffled = [contrasts(rng.permutation(paths)) for _ in range(DRAWS)]
    return _adjusted(classes, np.stack([contrasts(np.arange(paths)), *shuffled]))


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
    both = np.stack([first, second])[..., classes.paths]

    def contrasts(swap: np.ndarray) -> np.ndarray:
        shares = np.where(swap[classes.paths], both[::-1], both)
        sums = classes.sums(shares)
        with np.errstate(divide="ignore", invalid="ignore"):
            (top, bottom), (other_top, other_bottom) = shares * np.repeat(1 / sums, classes.sizes, axis=-1)
            (log_top, log_bottom), (log_other_top, log_other_bottom) = np.log(sums)
            variance = classes.sums(np.square(top - bottom - (other_top - other_bottom)))
            return _studentised(log_top - log_bottom - (log_other_top - log_other_bottom), variance)

    rng = np.random.default_rng(_SEED)
    as_it_is = np.zeros(first.shape[1], bool)
    swapped = [contrasts(rng.random(len(as_it_is)) < 0.5) for _ in range(DRAWS)]
    return _adjusted(classes, np.stack([contrasts(as_it_is), *swapped]))


def _log_share(moments: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """log of a share and its linearised variance, (classes,) each, of summed moments (5, classes) of shares of one."""
    top, bottom, top_top, top_bottom, bottom_bottom = moments
    with np.errstate(divide="ignore", invalid="ignore"):
        value = np.log(np.where((top > _ROUNDING) & (bottom > _ROUNDING), top / bottom, np.nan))
        return value, top_top / top**2 - 2 * top_bottom / (top * bottom) + bottom_bottom / bottom**2


def _studentised(value: np.ndarray, variance: np.ndarray) -> np.ndarray:
    """Values over their standard errors; NaN where a value is not finite."""
    return np.where(np.isfinite(value), value / np.sqrt(np.maximum(variance, _ROUNDING**2)), np.nan).round(_DECIMALS)


def _adjusted(classes: Classes, contrasts: np.ndarray) -> dict[int, float]:
    """p by number of the class, of (1 + draws, classes) contrasts, the first of which is found; undefined ones say nothing."""
    defined = np.isfinite(contrasts[0])
    contrasts = np.nan_to_num(contrasts, nan=0.0)
    p = np.minimum(1, 2 * np.minimum(_one_sided(contrasts), _one_sided(-contrasts)))
    return dict(zip(classes.numbers[defined].tolist(), p[defined].tolist(), strict=True))


def _one_sided(contrasts: np.ndarray) -> np.ndarray:
    """How often the largest contrast of a draw reaches that which is found, the largest found left out step by step."""
    order = np.argsort(contrasts[0], kind="stable")
    largest = np.maximum.accumulate(contrasts[:, order], axis=1)
    p = np.empty(len(order))
    p[order] = np.maximum.accumulate((largest >= largest[0]).mean(0)[::-1])[::-1]
    return p
