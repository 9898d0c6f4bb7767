"""Correlations over classes, of ranks and beyond controls, with intervals: arrays in, arrays out; NumPy and SciPy only."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special

from onnxspec.statistics import LEVEL

WIDTHS = (0.3, 0.7, 1.5)
PENALTIES = (1e-3, 1e-2, 1e-1, 1.0, 10.0)
NOTHING = 1e-4
"""The share of a variance that is taken for none."""
ALIKE = "all classes are alike"


@dataclass(frozen=True)
class Correlation:
    """A correlation with its interval and two-sided p; NaN where it is undefined, with `reason`.

    classes : how many it is over
    """

    rho: float
    low: float
    high: float
    p: float
    classes: int
    reason: str = ""


@dataclass(frozen=True)
class Estimate:
    """A correlation on Fisher's scale, where it errs alike on both sides.

    z, error : atanh of rho, finite even at 1, and its standard error; degrees : of Student's t, infinity for a normal z
    """

    rho: float
    z: float
    error: float
    degrees: float
    classes: int
    reason: str = ""

    def correlation(self) -> Correlation:
        """Back from Fisher's scale: p is below .05 exactly where the 95 % interval leaves out zero."""
        if self.reason:
            nan = float("nan")
            return Correlation(nan, nan, nan, nan, self.classes, self.reason)
        reach = special.stdtrit(self.degrees, (1 + LEVEL) / 2) * self.error
        low, high = np.tanh([self.z - reach, self.z + reach]).tolist()
        p = float(2 * special.stdtr(self.degrees, -abs(self.z) / self.error))
        return Correlation(self.rho, low, high, p, self.classes)


class Controls:
    """What may stand behind a correlation over classes, and can be taken out of anything else.

    By kernel ridge regression on the controls' normal scores: a plane and a Gaussian kernel beside it. The controls alone
    are decomposed, once for all that they are taken out of.
    """

    def __init__(self, controls: Sequence[np.ndarray]):
        self.count = len(controls)
        scores = np.column_stack([normal_scores(control) for control in controls])
        self._fits = [_Fits.of(_kernel(scores, width)) for width in WIDTHS]

    def left(self, values: np.ndarray) -> np.ndarray:
        """What the controls leave of (n,) values, each predicted from the others: of all fits the one that errs least."""
        left = np.concatenate([fits.left_out(values) for fits in self._fits])
        return left[np.square(left).sum(1).argmin()]


@dataclass(frozen=True, eq=False)
class _Fits:
    """Ridge regressions on one kernel, a penalty each.

    vectors : (m, n), the kernel's own, of the eigenvalues that no penalty drowns
    kept : (penalties, m), what a penalty keeps along each; spare : (penalties, n), 1 less the leverage of every class
    """

    vectors: np.ndarray
    kept: np.ndarray
    spare: np.ndarray

    @staticmethod
    def of(kernel: np.ndarray) -> "_Fits":
        """On a kernel (n, n)."""
        values, vectors = np.linalg.eigh(kernel)
        large = values > 1e-6 * min(PENALTIES)
        values, vectors = values[large], vectors.T[large]
        kept = values / (values + np.array(PENALTIES)[:, None])
        return _Fits(vectors, kept, 1 - kept @ np.square(vectors))

    def left_out(self, values: np.ndarray) -> np.ndarray:
        """What fits without each class leave of its value: what fits with it leave, over 1 - leverage; (penalties, n)."""
        return (values - self.kept * (self.vectors @ values) @ self.vectors) / self.spare


def rank_correlation(x: np.ndarray, y: np.ndarray, controls: Sequence[np.ndarray] = ()) -> Correlation:
    """`plain` of x and y (n,), or `beyond` with controls, (n,) each."""
    return (beyond(x, y, Controls(controls)) if len(controls) else plain(x, y)).correlation()


def plain(x: np.ndarray, y: np.ndarray) -> Estimate:
    """Spearman's correlation of x and y (n,); its error is Bonett and Wright's (2000), (1 + rho^2 / 2) / (n - 3)."""
    degrees = len(x) - 3
    if degrees < 1:
        return _undefined(len(x), f"{len(x)} classes: at least 4 are needed")
    a, b = (ranks(values) - (len(x) + 1) / 2 for values in (x, y))
    if not (a.any() and b.any()):
        return _undefined(len(x), ALIKE)
    rho = _cosine(a, b)
    return Estimate(rho, _z(rho, len(x)), float(np.sqrt((1 + rho**2 / 2) / degrees)), float("inf"), len(x))


def beyond(x: np.ndarray, y: np.ndarray, controls: Controls) -> Estimate:
    """The correlation of what controls leave of the normal scores of x and y (n,).

    Its error is from the influence of every class, which needs neither a normal distribution nor errors of one size. At
    zero it is the generalised covariance measure of Shah and Peters (2020, doi:10.1214/19-AOS1857), which is normal
    where both regressions find their target, though each but slowly.
    """
    degrees = len(x) - 2 - controls.count
    if degrees < 2:
        return _undefined(len(x), f"{len(x)} classes: at least {4 + controls.count} are needed")
    scores = [normal_scores(values) for values in (x, y)]
    if not all(values.any() for values in scores):
        return _undefined(len(x), ALIKE)
    a, b = (controls.left(values) for values in scores)
    if any(np.square(left).sum() < NOTHING * np.square(all_).sum() for left, all_ in zip((a, b), scores, strict=True)):
        return _undefined(len(x), "the controls say all of it")
    z = _z(rho := _cosine(a, b), len(x))
    return Estimate(
        rho, z, float(np.sqrt(np.square(_influence(a, b, float(np.tanh(z)))).mean() / degrees)), degrees, len(x)
    )


def averaged(first: Estimate, second: Estimate) -> Estimate:
    """The mean of two, however they hang together: its error is at most the mean of their errors, which it is given."""
    if first.reason or second.reason:
        return first if first.reason else second
    z, error = (first.z + second.z) / 2, (first.error + second.error) / 2
    return Estimate(float(np.tanh(z)), z, error, min(first.degrees, second.degrees), min(first.classes, second.classes))


def ranks(values: np.ndarray) -> np.ndarray:
    """Ranks 1 to n of (n,) values, ties sharing their mean, float64."""
    _, at, counts = np.unique(values, return_inverse=True, return_counts=True)
    return (np.cumsum(counts) - (counts - 1) / 2)[at]


def normal_scores(values: np.ndarray) -> np.ndarray:
    """Where (n,) values of these ranks would stand in a normal distribution, float64."""
    return special.ndtri((ranks(values) - 0.5) / len(values))


def reach(classes: int) -> float:
    """How far from zero the interval of a plain correlation of zero goes."""
    return float(np.tanh(special.ndtri((1 + LEVEL) / 2) / np.sqrt(classes - 3))) if classes > 3 else 1.0


def _kernel(scores: np.ndarray, width: float) -> np.ndarray:
    """How alike the controls (n, k) of two classes are, (n, n): a constant, a plane, and what is near."""
    squares = np.square(scores).sum(1)
    apart = np.maximum(squares[:, None] + squares - 2 * scores @ scores.T, 0)
    return 1 + scores @ scores.T + np.exp(-apart / (2 * width**2))


def _influence(a: np.ndarray, b: np.ndarray, rho: float) -> np.ndarray:
    """What each of (n,) residuals a and b adds to Fisher's z of their correlation rho, times n."""
    a, b = (left / np.sqrt(np.square(left).mean()) for left in (a, b))
    return (a * b - rho * (a**2 + b**2) / 2) / (1 - rho**2)


def _cosine(a: np.ndarray, b: np.ndarray) -> float:
    return float((a * b).sum() / np.sqrt(np.square(a).sum() * np.square(b).sum()))


def _z(rho: float, n: int) -> float:
    # Ranks that agree throughout stand for a correlation below 1 by less than their smallest step.
    most = 1 - 6 / (n * (n**2 - 1))
    return float(np.arctanh(np.clip(rho, -most, most)))


def _undefined(classes: int, reason: str) -> Estimate:
    nan = float("nan")
    return Estimate(nan, nan, nan, nan, classes, reason)
