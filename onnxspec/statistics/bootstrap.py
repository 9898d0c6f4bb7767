"""Another way to an interval, to hold the usual one against: bootstrap-t on the log scale (method.md section 6).

Paths are drawn again, from the stratum that each came from, and each draw is held against its own standard error (Efron
and Tibshirani, "An Introduction to the Bootstrap", 1993, 12.5), so that no distribution is assumed for the logarithm.
It knows nothing of images that paths share. Arrays in, arrays out.
"""

from collections.abc import Iterator

import numpy as np

from onnxspec.statistics import BELOW_FLOOR, FEW_PATHS, LEVEL, Interval
from onnxspec.statistics.drawn import numbered
from onnxspec.statistics.dyadic import ALIKE

DRAWS = 999
_VALUES = 1 << 20
"""Paths of all draws that are worked on together, 8 MB an array."""


def bootstrap_t(
    numerator: np.ndarray,
    denominator: np.ndarray,
    stratum: np.ndarray | None = None,
    draws: int = DRAWS,
    seed: int = 0,
    level: float = LEVEL,
    top: float = float("inf"),
) -> Interval:
    """Bootstrap-t interval of a ratio of means on the log scale.

    Parameters
    ----------
    numerator, denominator : (paths,) float64 of paths that share no image; zeros where a path was drawn and does not count
    stratum : (paths,) int, where each was drawn from; None takes them for a sample of all. Paths that are alone in
        theirs are taken for a stratum of their own
    top : the largest value that the figure can have (1 for a share)
    """
    counted, nan = int(np.count_nonzero(denominator)), float("nan")
    if np.count_nonzero(numerator) < FEW_PATHS:
        return Interval(nan, nan, nan, counted, nan, f"fewer than {FEW_PATHS} paths have something to resample")
    at = _strata(np.zeros(len(numerator), np.int64) if stratum is None else stratum)
    order = np.argsort(at, kind="stable")
    shares = np.stack([numerator, denominator]).astype(np.float64)[:, order]
    if not (shares.sum(1) > 0).all():
        return Interval(nan, nan, nan, counted, nan, BELOW_FLOOR)
    _, starts, sizes = np.unique(at[order], return_index=True, return_counts=True)
    value, error = _log_ratio(shares[:, None], starts, sizes)
    values, errors = np.concatenate([*_drawn(shares, starts, sizes, draws, seed)], axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        pivots = (values - value) / errors
    pivots = pivots[np.isfinite(pivots)]
    if not error[0] > 0 or not len(pivots):
        return Interval(nan, nan, nan, counted, nan, "the paths are all alike")
    high, low = np.quantile(pivots, [(1 - level) / 2, (1 + level) / 2])
    bounds = np.minimum(np.exp(np.minimum(value[0] - np.array([low, high]) * error[0], 700.0)), top)
    return Interval(float(np.exp(value[0])), float(bounds[0]), float(bounds[1]), counted, nan)


def _strata(stratum: np.ndarray) -> np.ndarray:
    """The strata numbered, (paths,) int, each of two paths or more."""
    strata, at = numbered(stratum)
    alone = np.bincount(at)[at] == 1
    others = at[~alone][:1] if alone.sum() == 1 else strata
    return np.where(alone, others, at)


def _drawn(
    shares: np.ndarray, starts: np.ndarray, sizes: np.ndarray, draws: int, seed: int
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """`_log_ratio` of (2, paths) drawn again and again within strata that begin at `starts`, some draws at a time."""
    rng = np.random.default_rng(seed)
    first, among = np.repeat(starts, sizes), np.repeat(sizes, sizes)
    together = max(1, _VALUES // shares.shape[1])
    for done in range(0, draws, together):
        some = first + rng.integers(among, size=(min(together, draws - done), shares.shape[1]))
        yield _log_ratio(shares[:, some], starts, sizes)


def _log_ratio(shares: np.ndarray, starts: np.ndarray, sizes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """log of the ratio of sums of (2, draws, paths) and its linearised standard error within strata, (draws,) each."""
    sums = shares.sum(-1, keepdims=True)
    with np.errstate(divide="ignore", invalid="ignore"):
        top, bottom = shares / sums
        influence = top - bottom
        squares, totals = (np.add.reduceat(u, starts, axis=-1) for u in (np.square(influence), influence))
        within = squares - np.square(totals) / sizes
        # What rounding leaves of paths that are alike in their strata says nothing.
        within[within <= ALIKE**2 * squares] = 0
        return np.log(sums[0] / sums[1])[..., 0], np.sqrt((within * (sizes / (sizes - 1))).sum(-1))
