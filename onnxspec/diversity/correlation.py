"""Rank correlations over classes, plain and partial, with intervals: arrays in, arrays out; NumPy and SciPy only."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special

LEVEL = 0.95


@dataclass(frozen=True)
class Correlation:
    """Spearman's rho with its interval and two-sided p; NaN where it is undefined, with `reason`.

    classes : how many it is over
    """

    rho: float
    low: float
    high: float
    p: float
    classes: int
    reason: str = ""


def rank_correlation(x: np.ndarray, y: np.ndarray, controls: Sequence[np.ndarray] = ()) -> Correlation:
    """Spearman's correlation of x and y (n,); with controls (n,) each, that of what their ranks leave of both.

    Interval and p are Fisher's z with the variance of Bonett and Wright (2000), (1 + rho^2 / 2) / (n - 3 - k) for k
    controls; p is from the same z, so that it is below .05 exactly where the 95 % interval leaves out zero.
    """
    n, k, nan = len(x), len(controls), float("nan")
    degrees = n - 3 - k
    if degrees < 1:
        return Correlation(nan, nan, nan, nan, n, f"{n} classes: at least {4 + k} are needed")
    design = np.column_stack([np.ones(n), *(ranks(control) for control in controls)])
    a, b = (_residual(ranks(values), design) for values in (x, y))
    scale = np.sqrt(np.square(a).sum() * np.square(b).sum())
    if scale == 0:
        return Correlation(nan, nan, nan, nan, n, "all classes are alike")
    rho = float(np.clip((a * b).sum() / scale, -1, 1))
    # Ranks that agree throughout stand for a correlation below 1 by less than their smallest step.
    most = 1 - 6 / (n * (n**2 - 1))
    z, error = np.arctanh(np.clip(rho, -most, most)), np.sqrt((1 + rho**2 / 2) / degrees)
    low, high = np.tanh(z + np.array([-1, 1]) * special.ndtri((1 + LEVEL) / 2) * error)
    return Correlation(rho, float(low), float(high), float(2 * special.ndtr(-abs(z) / error)), n)


def ranks(values: np.ndarray) -> np.ndarray:
    """Ranks 1 to n of (n,) values, ties sharing their mean, float64."""
    _, at, counts = np.unique(values, return_inverse=True, return_counts=True)
    return (np.cumsum(counts) - (counts - 1) / 2)[at]


def reach(classes: int, controls: int = 0) -> float:
    """How far from zero the interval of a correlation of zero goes."""
    degrees = classes - 3 - controls
    return float(np.tanh(special.ndtri((1 + LEVEL) / 2) / np.sqrt(degrees))) if degrees >= 1 else 1.0


def _residual(values: np.ndarray, design: np.ndarray) -> np.ndarray:
    left = values - design @ np.linalg.lstsq(design, values, rcond=None)[0]
    # What a control determines is left with rounding alone.
    return left if np.abs(left).max() > 1e-9 * len(left) else np.zeros(len(left))
