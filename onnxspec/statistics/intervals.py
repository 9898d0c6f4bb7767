"""Spectra become statistics: intervals and contrasts that hold when paths share images (method.md section 6).

Arrays in, arrays out; NumPy and SciPy only. A pooled figure is described by its *influences*: how much each path
moves it. Everything else, intervals, contrasts, effective numbers, follows from those and from which images each
path joins, so that a figure needs no resampling and the same data give the same interval.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TypeVar

import numpy as np
from scipy import special

from onnxspec.statistics.dyadic import Design

LEVEL = 0.95
SIGNIFICANT = 0.05
"""p below which a family of tests has found something: 1 - LEVEL."""
FEW_PATHS = 10
BOTH_ZERO = "both are zero"
TOO_FEW = "too few paths carry the figure"
BELOW_FLOOR = "what is above the cut-off is below the noise floor"
ONE_IMAGE = "one image is an end of all paths"
ALL_ALIKE = "it is the same on all paths"
"""Which says nothing of others where a figure can be of any size."""
ROUNDING = 1e-6
"""Of influences whose numbers were kept as float32."""
TOGETHER_VALUES = 1 << 16
"""Of figures that are worked on together: of 100,000 paths a copy of all would take tens of megabytes."""

Key = TypeVar("Key")


@dataclass(frozen=True)
class Interval:
    """A pooled figure with its confidence interval.

    estimate, low, high : in the figure's unit; NaN where it is undefined, with `reason`, which ends of
    an interval that are nowhere have as well
    paths : how many were pooled; n_eff : 1 / (2 kappa), the effective number of paths that the interval hangs on
    """

    estimate: float
    low: float
    high: float
    paths: int
    n_eff: float
    reason: str = ""

    @property
    def half_width(self) -> float:
        """Half of the interval relative to the estimate."""
        return (self.high - self.low) / 2 / abs(self.estimate) if self.estimate else float("nan")

    @property
    def carried_by_few(self) -> bool:
        """Whether fewer than ten effective paths carry the figure."""
        return self.n_eff < FEW_PATHS


@dataclass(frozen=True)
class Pooled:
    """A pooled figure before its interval: value (its log where `logarithmic`) and the influence of every path.

    influence : (paths,) float64; design : which images the paths share, and where they come from
    bottom, top : what the figure itself cannot go beyond
    carrying : how many paths add something to it; counts : whether it is the mean of whole numbers
    """

    value: float
    influence: np.ndarray
    design: Design
    logarithmic: bool = False
    reason: str = ""
    bottom: float = -float("inf")
    top: float = float("inf")
    carrying: int = 0
    counts: bool = False

    def interval(self, level: float = LEVEL) -> Interval:
        """The confidence interval: value +- t_nu sqrt(V), back from the log where it was taken."""
        return self._interval(self.variance, level) if self.settled else self._unknown()

    def _unknown(self) -> Interval:
        """The interval of a figure that is undefined, or whose influences do not say how well it is known."""
        paths, nan = len(self.influence), float("nan")
        if self.reason:
            return Interval(nan, nan, nan, paths, nan, self.reason)
        bounds = (0.0 if self.logarithmic else self.bottom, self.top)
        return Interval(self._estimate, *bounds, paths, 1.0, ONE_IMAGE if self.design.hinged else TOO_FEW)

    def _interval(self, variance: tuple[float, float, float], level: float) -> Interval:
        paths, estimate, (v, kappa, n_eff) = len(self.influence), self._estimate, variance
        if v == 0:
            # Where all paths count the same, or are at the end of the scale, some may be elsewhere that were not seen,
            # say by one.
            elsewhere = self.counts or estimate in (self.bottom, self.top)
            scale = 1.0 if self.counts else self.top - self.bottom
            reach = scale * _share_unseen(min(paths, self.design.images / 2), level) if elsewhere else 0.0
            low, high = max(estimate - reach, self.bottom), min(estimate + reach, self.top)
            n_eff, reason = (
                float("nan") if self.value == -np.inf else float(paths),
                ALL_ALIKE if reach == np.inf else "",
            )
            return Interval(estimate, low, high, paths, n_eff, reason)
        reach = float(special.stdtrit(_degrees(kappa, self.design), (1 + level) / 2)) * np.sqrt(v)
        low, high = self.value - reach, self.value + reach
        if self.logarithmic:
            low, high = np.exp(low), np.exp(min(high, 700.0))
        return Interval(estimate, max(float(low), self.bottom), min(float(high), self.top), paths, n_eff)

    def p_value(self, other: float = 0.0) -> float:
        """Two-sided p that the value (or its log) is another; NaN where it is undefined."""
        if not self.settled or not np.isfinite(self.value - other):
            return float("nan")
        v, kappa, _ = self.variance
        if v == 0:
            return 1.0 if self.value == other else 0.0
        return float(2 * special.stdtr(_degrees(kappa, self.design), -abs(self.value - other) / np.sqrt(v)))

    @property
    def _estimate(self) -> float:
        return float(np.exp(self.value)) if self.logarithmic else self.value

    @cached_property
    def settled(self) -> bool:
        """Whether the figure is defined and its influences say how well it is known."""
        return not self.reason and not self.design.hinged and bool(np.isfinite(self.influence).all())

    @cached_property
    def variance(self) -> tuple[float, float, float]:
        """Variance of the value, kappa, and the effective number of paths: see `dyadic`."""
        return _variances([self])[0]


def intervals_of(figures: Iterable[tuple[Key, Pooled]], level: float = LEVEL) -> Iterator[tuple[Key, Interval]]:
    """The interval of each figure, beside what stands beside the figure; those over one design are worked out together.

    They are asked for as they are needed, a few at a time: of many paths each takes much memory.
    """
    held: list[tuple[Key, Pooled]] = []
    for one in figures:
        held.append(one)
        if sum(len(figure.influence) for _, figure in held) >= TOGETHER_VALUES:
            yield from _intervals(held, level)
            held = []
    yield from _intervals(held, level)


def _intervals(figures: Sequence[tuple[Key, Pooled]], level: float) -> Iterator[tuple[Key, Interval]]:
    by_design: dict[int, list[int]] = {}
    for at, (_, figure) in enumerate(figures):
        if figure.settled:
            by_design.setdefault(id(figure.design), []).append(at)
    known: dict[int, tuple[float, float, float]] = {}
    for places in by_design.values():
        known |= zip(places, _variances([figures[at][1] for at in places]), strict=True)
    for at, (key, figure) in enumerate(figures):
        yield key, figure._interval(known[at], level) if figure.settled else figure._unknown()


def _variances(figures: Sequence[Pooled]) -> list[tuple[float, float, float]]:
    """`Pooled.variance` of figures over one design."""
    found = figures[0].design.variance(np.stack([figure.influence for figure in figures], 1))
    return list(zip(*(of.tolist() for of in found), strict=True))


def ratio(
    numerator: np.ndarray,
    denominator: np.ndarray,
    design: Design,
    *,
    top: float = float("inf"),
) -> Pooled:
    """The ratio of means, sum numerator / sum denominator, on the log scale with jackknife influences.

    Parameters
    ----------
    numerator, denominator : (paths,) float64, negative only where a noise floor was subtracted
    design : of these paths, as for the other figures below
    top : the largest value that the figure can have (1 for a share)
    """
    numerator, denominator = np.asarray(numerator, np.float64), np.asarray(denominator, np.float64)
    top_sum, bottom_sum = numerator.sum(), denominator.sum()
    reason = _undefined(len(numerator)) or ("the outputs do not change" if bottom_sum <= 0 else "")
    if top_sum < 0 and not reason:
        reason = BELOW_FLOOR
    if reason or top_sum <= 0:
        empty = np.zeros(len(numerator))
        return Pooled(-np.inf, empty, design, True, reason, 0.0, top)
    with np.errstate(divide="ignore", invalid="ignore"):
        without = np.log((top_sum - numerator) / (bottom_sum - denominator))
        value = float(np.log(top_sum / bottom_sum))
        influence = value - without
        influence -= influence.mean()
    carrying = int(np.count_nonzero(numerator))
    return Pooled(value, influence, design, True, "", 0.0, top, carrying)


def mean(
    values: np.ndarray,
    design: Design,
    *,
    bottom: float = -float("inf"),
    top: float = float("inf"),
    counts: bool = False,
) -> Pooled:
    """The mean of (paths,) values within `bottom` and `top`.

    counts : whether values are whole numbers, of which another may be anywhere
    """
    values = np.asarray(values, np.float64)
    reason = _undefined(len(values))
    influence = (values - values.mean()) / (len(values) - 1) if not reason else np.zeros(len(values))
    value = float(values.mean()) if len(values) else np.nan
    carrying = int(np.count_nonzero(values))
    return Pooled(value, influence, design, False, reason, bottom, top, carrying, counts)


def log_mean(values: np.ndarray, design: Design) -> Pooled:
    """The mean of (paths,) float64 values that are not negative, on the log scale."""
    return ratio(values, np.ones(len(values)), design)


def mean_band(
    values: np.ndarray,
    design: Design,
    level: float = LEVEL,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Means of many not negative quantities over the same paths, each with its interval on the log scale.

    Parameters
    ----------
    values : (paths, quantities) float

    Returns
    -------
    mean, low, high : (quantities,) float64; NaN without a path, low and high with fewer than 2 and of a mean below zero,
    as a noise floor that was subtracted may leave it; 0 and infinity where one path is all, or one image an end of all
    """
    paths, quantities = values.shape
    together = max(1, TOGETHER_VALUES // max(1, paths))
    spans = [slice(start, start + together) for start in range(0, quantities, together)]
    parts = [_mean_band(values[:, span].astype(np.float64), design, level) for span in spans]
    mean, low, high = (np.concatenate([np.empty(0), *part]) for part in zip(*parts, strict=True))
    return mean, low, high


def _mean_band(values: np.ndarray, design: Design, level: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    paths, quantities = values.shape
    total = values.sum(0)
    average = total / paths if paths else np.full(quantities, np.nan)
    if paths < 2:
        return average, np.full(quantities, np.nan), np.full(quantities, np.nan)
    with np.errstate(divide="ignore", invalid="ignore"):
        # The log of each mean without a path; what all of them share, as the number of paths, goes when they are centred.
        u = total - values
        np.subtract(np.log(u, out=u).mean(0), u, out=u)
        v, kappa, _ = design.variance(u)
        reach = np.where(v == 0, 0.0, special.stdtrit(_degrees(kappa, design), (1 + level) / 2) * np.sqrt(v))
        alone = ~np.isfinite(reach) | design.hinged
        none = np.where(total < 0, np.nan, 0.0)
        low = np.where(total > 0, np.where(alone, 0.0, average * np.exp(-reach)), none)
        high = np.where(total > 0, np.where(alone, np.inf, average * np.exp(reach)), none)
        return average, low, high


def contrast(first: Pooled, second: Pooled) -> Pooled:
    """`first` less `second` (for logarithmic figures the log of their ratio), over different paths.

    The two may share images, and are then the less certain for it; the same paths under two models are not for this.
    """
    reason = first.reason or second.reason
    if not reason and not (np.isfinite(first.value) and np.isfinite(second.value)):
        reason = BOTH_ZERO if first.value == second.value else "one of the two is zero"
    influence = np.concatenate([first.influence, -second.influence])
    if first.design.hinged or second.design.hinged or _unsettled(first, second, influence):
        influence = np.full_like(influence, np.nan)
    design = first.design.beside(second.design)
    return Pooled(first.value - second.value, influence, design, first.logarithmic, reason)


def paired(first: Pooled, second: Pooled) -> Pooled:
    """`first` less `second` (for logarithmic figures the log of their ratio) over the same paths in the same order.

    What a path does to both figures cancels, so that the interval is narrower than that of `contrast`. Figures over
    paths of which only some are the same are brought to the same paths by `spread`. Where all paths change alike, that
    settles the change only if enough of them carry the figures; equal figures of equal influences are the same.
    """
    influence = np.zeros_like(first.influence)
    reason = first.reason or second.reason
    if not reason and not (np.isfinite(first.value) and np.isfinite(second.value)):
        reason = BOTH_ZERO if first.value == second.value else "one of the two is zero"
    if reason:
        return Pooled(np.nan, influence, first.design, first.logarithmic, reason)
    if not np.array_equal(first.influence, second.influence, equal_nan=True):
        with np.errstate(invalid="ignore"):
            influence = first.influence - second.influence
    if _unsettled(first, second, influence):
        influence = np.full_like(influence, np.nan)
    return Pooled(first.value - second.value, influence, first.design.smaller(second.design), first.logarithmic)


def _unsettled(first: Pooled, second: Pooled, influence: np.ndarray) -> bool:
    """Whether two figures that differ, by as much on every path, are carried by too few for that to be all."""
    if first.value == second.value or min(first.carrying, second.carrying) >= FEW_PATHS:
        return False
    own = max(np.abs(one.influence).max(initial=0.0) for one in (first, second))
    return not np.abs(influence).max(initial=0.0) > ROUNDING * own


def spread(figure: Pooled, at: np.ndarray, design: Design) -> Pooled:
    """The same figure over more paths, of which those outside `at` have no influence on it.

    Parameters
    ----------
    at : (paths of the figure,) int, their places among all, which are of `design`
    """
    influence = np.zeros(len(design))
    # One image at the end of all of its paths is not to be seen among more.
    influence[at] = np.nan if figure.design.hinged else figure.influence
    return replace(figure, influence=influence, design=design)


def holm(p: np.ndarray) -> np.ndarray:
    """Holm's step-down adjustment of (tests,) p-values; NaN stays NaN and does not count."""
    p = np.asarray(p, np.float64)
    adjusted = np.full_like(p, np.nan)
    known = np.flatnonzero(~np.isnan(p))
    order = known[np.argsort(p[known], kind="stable")]
    factors = len(order) - np.arange(len(order))
    adjusted[order] = np.minimum(np.maximum.accumulate(factors * p[order]), 1.0)
    return adjusted


def proportion(successes: int, trials: int, level: float = LEVEL) -> Interval:
    """A share with its Wilson interval."""
    if trials == 0:
        return Interval(float("nan"), float("nan"), float("nan"), 0, float("nan"), "nothing was counted")
    share, z = successes / trials, special.ndtri((1 + level) / 2)
    middle = (2 * successes + z**2) / (2 * (trials + z**2))
    reach = z / (2 * (trials + z**2)) * np.sqrt(4 * successes * (1 - share) + z**2)
    low = float(middle - reach) if successes else 0.0
    high = float(middle + reach) if successes < trials else 1.0
    return Interval(share, low, high, trials, float(trials))


def _undefined(paths: int) -> str:
    return "" if paths >= 2 else f"{paths} path{'s' * (paths != 1)}: at least 2 are needed"


def _share_unseen(paths: float, level: float) -> float:
    """The largest share of paths that may be unlike all of those seen: 1 - ((1 - level) / 2)^(1 / paths)."""
    return float(-np.expm1(np.log((1 - level) / 2) / paths))


def _degrees(kappa: float | np.ndarray, design: Design) -> np.ndarray:
    """Degrees of freedom, 1 / (kappa - 1 / images); never as many as there are images, or paths, of which 2 have 1."""
    with np.errstate(divide="ignore"):
        # Where what paths add to their images cancels, there is no kappa.
        return np.clip(1 / np.fmax(kappa - 1 / design.images, 0.0), 1, min(design.images, len(design)) - 1)
