"""Several trainings of one recipe as a baseline: a regression must also lie beyond what these differ by.

Held against a single network, an audit finds whatever another training of the same recipe has made different. Held
against several, a new network fails where it differs from their mean over pairs, as from a single one, *and* where it is
no further training of them: a t-test of one observation against a sample (Crawford and Howell, The Clinical
Neuropsychologist 12, 1998), of log figures, and of the log odds of accuracy, whose own spread leans to one side near 1.
The first alone knows nothing of trainings; the second alone would fail a class of which every training gets all images
right, and now one is wrong.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import reduce

import numpy as np
from scipy import special

from onnxspec import statistics
from onnxspec.auditing.changes import LARGE, Change, Lacking, one_sided
from onnxspec.auditing.names import ACCURACY
from onnxspec.auditing.policy import Regression
from onnxspec.statistics import LEVEL, Design, Interval, Pooled


def change(
    rule: Regression,
    each: Sequence[Change],
    among: Sequence[Change],
    design: Callable[[np.ndarray], Design],
    accuracy: float,
    alpha: float,
) -> Change:
    """The change that a rule is about, from the mean of two trainings or more to now.

    Parameters
    ----------
    each : from every training to now; among : from the one to the other of every two trainings
    design : of the paths (of accuracy: images) at (n,) int places among those of now
    accuracy : of the trainings, which only rules of accuracy need to know
    alpha : the level at which a large change must be significant
    """
    # Where there is no figure, there is no mean; and where all are still, the first says so.
    alone = [one for one in each if not np.isfinite(one.moved.value)] + [one for one in each if one.same]
    if alone:
        return alone[0]
    by_factor = rule.metric.figure != ACCURACY
    large, unit = (math.log(LARGE), 1.0) if by_factor else (accuracy * (1 - 1 / LARGE), accuracy * (1 - accuracy))
    wrong = 1 if by_factor and rule.factor > 1 else -1
    moved, freedom = _mean(each, design), len(each) - 1
    spread = _spread(among, unit)
    error = spread * math.sqrt(1 + 1 / len(each))

    def reaches(level: float) -> tuple[float, float]:
        """How far the change may be from its estimate, by pairs and by trainings."""
        return _reach(moved, level), unit * error * float(special.stdtrit(freedom, (1 + level) / 2))

    beyond = wrong * moved.value - (abs(math.log(rule.factor)) if by_factor else rule.drop)
    shown, (by_pairs, by_trainings) = float(np.max(reaches(LEVEL))), reaches(1 - 2 * alpha)
    p_of_pairs = one_sided(moved, wrong) if by_factor else float(np.median([one.p for one in each]))
    p_of_trainings = _of_a_sample(wrong * float(np.mean([one.scaled for one in each])), error, freedom)
    counts = [count for one in each for count in one.counts]
    enough = min(counts) >= statistics.FEW_PATHS
    return Change(
        _interval(moved, shown),
        beyond=beyond > 0,
        p=float(np.max([p_of_pairs, p_of_trainings])) if enough else math.nan,
        decidable=enough and (beyond + shown <= 0 or np.max([by_pairs, by_trainings]) <= large),
        counts=(min(counts), max(counts)),
        # Trainings that share few pairs among themselves differ by that, too: of a new one it tells nothing then.
        in_common=(1, 1) if any(one.few_in_common for one in among) else _mean_in_common(each),
        own=float(np.mean([one.own for one in each])),
        moved=moved,
        trainings=len(each),
        lacking=_lacking(enough and by_trainings > by_pairs, unit * spread * special.ndtri(1 - alpha) > large),
    )


def _spread(among: Sequence[Change], unit: float) -> float:
    """The standard deviation of a training, from what every two differ by.

    Half the mean square difference of two is the variance of one; two or three may be as good by chance, so that it is
    no less than what paths (of accuracy: images) that go their own way would make.
    """
    squares = np.mean([one.scaled**2 for one in among])
    by_chance = np.mean([0.0 if one.same else one.moved.variance[0] for one in among]) / unit**2
    return math.sqrt(np.max([squares, by_chance]) / 2)


def _lacking(trainings: bool, too_far_apart: bool) -> Lacking:
    if not trainings:
        return Lacking.PAIRS
    return Lacking.AGREEMENT if too_far_apart else Lacking.TRAININGS


def _mean_in_common(each: Sequence[Change]) -> tuple[int, int]:
    common, smaller = np.mean([one.in_common for one in each], 0).round().astype(int).tolist()
    return common, smaller


def _mean(each: Sequence[Change], design: Callable[[np.ndarray], Design]) -> Pooled:
    """The mean of changes over paths of which most are the same."""
    at = reduce(np.union1d, (one.at for one in each))
    over = design(at)
    figures = [statistics.spread(one.moved, np.searchsorted(at, one.at), over) for one in each]
    value, influence = (np.mean([getattr(one, name) for one in figures], 0) for name in ("value", "influence"))
    return replace(figures[0], value=float(value), influence=influence)


def _reach(moved: Pooled, level: float) -> float:
    """Half of the interval over pairs, on the log scale where the change is a factor; infinite where it is not known."""
    found = moved.interval(level)
    with np.errstate(divide="ignore"):
        low, high = np.log([found.low, found.high]) if moved.logarithmic else (found.low, found.high)
    return float(max(high - moved.value, moved.value - low))


def _interval(moved: Pooled, reach: float) -> Interval:
    ends = np.array([moved.value, moved.value - reach, moved.value + reach])
    with np.errstate(over="ignore"):
        estimate, low, high = (np.exp(ends) if moved.logarithmic else np.clip(ends, -1, 1)).tolist()
    found = moved.interval()
    return Interval(estimate, low, high, found.paths, found.n_eff)


def _of_a_sample(worse: float, error: float, freedom: int) -> float:
    """One-sided p that something so much worse than the mean of a sample is of it."""
    return float(special.stdtr(freedom, -worse / error)) if error else float(worse <= 0)
