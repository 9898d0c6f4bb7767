"""Rules about a report and a baseline: a regression is a change beyond the factor *and* significant.

Figures are compared over the pairs right under both (method.md section 5), paired where the two share pairs. All
regression rules of an audit are one family: their one-sided p-values are Holm-corrected, so that an audit without any
change fails by chance in at most 2.5 % of cases, however many rules it has. Many rules ask for a far tail of Student's
t, which few heavy paths do not have: a class's figure that they carry fails no rule. A rule that would not even have
found a doubling (of accuracy: a halving) could not have failed, and says so instead of passing; unless the whole
interval lies on the right side anyway. Fewer than ten pairs decide nothing.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np

from onnxspec import statistics
from onnxspec.auditing import accuracies, trainings
from onnxspec.auditing.changes import ALPHA, LARGE, MORE_TRAININGS, Change, Lacking, more_pairs, one_sided
from onnxspec.auditing.names import ACCURACY, Metric, nearest
from onnxspec.auditing.policy import Regression
from onnxspec.auditing.samples import WITHIN_REACH, Sample, identical, matched
from onnxspec.auditing.verdicts import State, Verdict, few_carry, judged
from onnxspec.errors import UsageError
from onnxspec.report.page import interval_text
from onnxspec.report.pooling import STILL, TELLING
from onnxspec.statistics import Design, Interval, Pooled

_LEAST_P = 1e-300
_BETTER = "; a better network may have more between classes: if this one is better, write a new baseline"


def judge(rules: Sequence[Regression], now: Sample, baselines: Sequence[Sample], same_data: bool) -> list[Verdict]:
    """What becomes of regressions, all in one family.

    Parameters
    ----------
    baselines : what a network left, or several trainings of one recipe
    same_data : image numbers mean the same images in all, so that pairs can be matched

    Raises
    ------
    UsageError
        A baseline does not hold what a rule asks for.
    """
    alpha = ALPHA / max(len(rules), 1)
    each = [_Compared.of(now, then, same_data) for then in baselines]
    among = [_Compared.of(first, second, same_data) for first, second in combinations(baselines, 2)]
    changes = [_overall(rule, each, among, alpha) for rule in rules]
    adjusted = statistics.holm(np.array([change.p for change in changes]))
    more = more_pairs(now, baselines[0])
    return [_verdict(rule, change, float(p), more) for rule, change, p in zip(rules, changes, adjusted, strict=True)]


@dataclass(frozen=True)
class _Compared:
    """Two samples and what all rules need to know of them: of a thousand classes each would sort all pairs again.

    both : as of `matched`; None where image numbers do not mean the same images
    same : no path of the smaller sample has changed
    """

    now: Sample
    then: Sample
    both: tuple[np.ndarray, np.ndarray] | None
    same: bool

    @classmethod
    def of(cls, now: Sample, then: Sample, same_data: bool) -> "_Compared":
        return cls(now, then, matched(now, then) if same_data else None, same_data and identical(now, then))


def _overall(rule: Regression, each: Sequence[_Compared], among: Sequence[_Compared], alpha: float) -> Change:
    """The change from one training, or from all of them."""
    changes = [_change(rule, one, alpha) for one in each]
    if len(changes) == 1:
        return changes[0]
    if same := next((change for change, one in zip(changes, each, strict=True) if one.same), None):
        return same
    apart = [_change(rule, one, alpha) for one in among]
    if rule.metric.figure == ACCURACY:
        accuracy = accuracies.overall([one.then.images(rule.metric.of_class) for one in each])
        return trainings.change(rule, changes, apart, lambda at: Design.apart(len(at)), accuracy, alpha)
    return trainings.change(rule, changes, apart, each[0].now.design, math.nan, alpha)


def _verdict(rule: Regression, change: Change, p: float, more: str) -> Verdict:
    state, why = _state(rule, change, p, more)
    text = f"{_shown(rule.metric, change)}{why}"
    gating = rule.severity == "fail"
    state = judged(state, rule.severity)
    return Verdict(rule.metric.name, "regression", str(rule), state, text, change.interval, gating, p)


def _state(rule: Regression, change: Change, p: float, more: str) -> tuple[State, str]:
    """The state, and what else is to be said about it.

    p : as `change.p`, adjusted over all rules; more : what to do where there are too few pairs
    """
    metric = rule.metric
    if math.isnan(change.interval.estimate):
        never = change.undefined and min(change.counts) >= 2  # no number of pairs makes it a figure
        return State.INCONCLUSIVE, "" if never else f"; {more}"
    if change.beyond and p <= ALPHA:
        if change.selection:
            return State.INCONCLUSIVE, f", {_p_text(p)}; depends on selection: {change.selection}"
        if few := few_carry(metric, change.interval):
            return State.INCONCLUSIVE, f", {_p_text(p)}; {few}: {more}"
        return State.FAIL, f", {_p_text(p)}{_BETTER if _may_be_better(rule) else ''}"
    if change.beyond and change.p <= ALPHA:
        among = f"; that alone would be significant, among so many rules it is not ({_p_text(p)})"
        more = MORE_TRAININGS if change.lacking is Lacking.TRAININGS else more
        return (State.PASS, among) if change.decidable else (State.INCONCLUSIVE, f"{among}: {more}")
    return (State.PASS, "") if change.decidable else (State.INCONCLUSIVE, f"; {_undecided(rule, change, more)}")


def _undecided(rule: Regression, change: Change, more: str) -> str:
    """Why a rule could not have failed, and what to do about it."""
    large = "halving" if rule.metric.figure == ACCURACY or rule.factor < 1 else "doubling"
    match change.lacking:
        case Lacking.PAIRS:
            return f"so few pairs could not have shown even a {large}: {more}"
        case Lacking.TRAININGS:
            return f"so few trainings could not have shown even a {large}: {MORE_TRAININGS}"
        case Lacking.AGREEMENT:
            return f"trainings that differ so much could not show even a {large}: are all of one recipe? If so, write a limit"


def _p_text(p: float) -> str:
    """A p-value in words; what a float has no digits for is small, and never nothing."""
    return f"p < {_LEAST_P:g}" if p < _LEAST_P else f"p = {p:.2g}"


def _may_be_better(rule: Regression) -> bool:
    """Whether a broken rule may be good news: the paper's better networks have higher frequencies between classes."""
    return rule.factor > 1 and (rule.metric.kind, rule.metric.figure) == ("between", "hff")


def _shown(metric: Metric, change: Change) -> str:
    interval = change.interval
    if change.trainings > 1:
        return _shown_of_trainings(metric, change)
    if change.same:
        return "the same as the baseline"
    if math.isnan(interval.estimate):
        return f"undefined: {interval.reason}"
    if metric.figure == ACCURACY:
        return f"changed by {interval_text(interval)}"
    return f"{interval_text(interval)} times the baseline ({' against '.join(map(str, change.counts))} pairs)"


def _shown_of_trainings(metric: Metric, change: Change) -> str:
    mean = f"the mean of {change.trainings} trainings"
    if metric.figure == ACCURACY:
        return f"changed by {interval_text(change.interval)} from {mean}"
    counts = " to ".join(map(str, sorted(set(change.counts))))
    return f"{interval_text(change.interval)} times {mean} ({counts} pairs)"


def _change(rule: Regression, compared: _Compared, alpha: float) -> Change:
    """The change that a rule is about, from one training."""
    metric, now, then = rule.metric, compared.now, compared.then
    _require(metric, then)
    if compared.same:
        if metric.figure == ACCURACY:
            return Change.none(len(now.images(metric.of_class)), neutral=0.0)
        return Change.none(int(_usable(metric, now).sum()), neutral=1.0)
    if metric.figure == ACCURACY:
        paired = compared.both is not None
        return accuracies.change(rule, now.images(metric.of_class), then.images(metric.of_class), paired, alpha)
    return _of_figure(rule, compared, alpha)


def _of_figure(rule: Regression, compared: _Compared, alpha: float) -> Change:
    metric, now, then, both = rule.metric, compared.now, compared.then, compared.both
    own = _usable(metric, now), _usable(metric, then)
    if both:
        own = _walked(own[0], both[0]), _walked(own[1], both[1])
    first, second = _common(*both, *own) if both else (np.flatnonzero(own[0]), np.flatnonzero(own[1]))
    figures = _pooled(metric, now, first), _pooled(metric, then, second)
    moved = statistics.paired(*figures) if both else _apart(*figures)
    both_still = {figure.reason for figure in figures} == {STILL} or moved.reason == statistics.BOTH_ZERO
    if both_still and min(map(len, (first, second))) >= statistics.FEW_PATHS:
        return Change.none(len(first), neutral=1.0)
    wrong = 1 if rule.factor > 1 else -1
    # A handful that happens to move alike looks sure of anything.
    enough = min(map(len, (first, second))) >= statistics.FEW_PATHS
    return Change(
        moved.interval(),
        beyond=wrong * (moved.value - math.log(rule.factor)) > 0,
        p=one_sided(moved, wrong) if enough else math.nan,
        decidable=enough and (_kept(rule, moved.interval()) or _would_show(moved.interval(1 - 2 * alpha))),
        counts=(len(first),) if both else (len(first), len(second)),
        moved=moved,
        scaled=moved.value,
        at=first,
        in_common=(len(first), int(min(own[0].sum(), own[1].sum()))) if both else (1, 1),
        own=_own(metric, now, then, own) if both else math.nan,
        undefined=any(figure.reason for figure in figures),
    )


def _kept(rule: Regression, shown: Interval) -> bool:
    """Whether the interval lies on the right side: that of one rule, since many passes need no correction."""
    return shown.high <= rule.factor if rule.factor > 1 else shown.low >= rule.factor


def _would_show(found: Interval) -> bool:
    """Whether a doubling or halving would have been significant among all rules."""
    return found.high <= LARGE * found.estimate


def _usable(metric: Metric, sample: Sample) -> np.ndarray:
    """Which paths a figure is pooled over, (paths,) bool: right at both ends, and defined."""
    chosen = sample.selected(metric.kind, metric.of_class) & sample.right
    if metric.figure == "hff":
        chosen &= (sample["status"] & WITHIN_REACH) > 0
        moving = chosen & (sample[f"total_{metric.signal}"] > TELLING * sample.floor[metric.signal])
        # A path that does not move has no share of its own; where none moves, that is what is told of them.
        return moving if sample.estimator == "mool" and moving.any() else chosen
    return chosen & np.isfinite(sample[f"slope_{metric.signal}"])


def _walked(usable: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Of (paths,) bool those at (pairs,) positions, which the other sample has walked, too."""
    found = np.zeros_like(usable)
    found[at] = usable[at]
    return found


def _common(
    first: np.ndarray, second: np.ndarray, mine: np.ndarray, theirs: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Positions in both, of (pairs,) int64 each, of the pairs of images that are usable in both, (paths,) bool each."""
    kept = mine[first] & theirs[second]
    return first[kept], second[kept]


def _pooled(metric: Metric, sample: Sample, rows: np.ndarray) -> Pooled:
    """A figure over some paths (n,), on the log scale."""
    design = sample.design(rows)
    if metric.figure == "slope":
        return statistics.log_mean(sample[f"slope_{metric.signal}"][rows], design)
    high, total = (sample[f"{name}_{metric.signal}"][rows].astype(np.float64) for name in ("hf", "total"))
    if len(rows) and total.mean() <= sample.floor[metric.signal]:
        return replace(statistics.ratio(high, total, design), reason=STILL)
    if sample.estimator == "mool":
        return statistics.log_mean(high / np.where(total > 0, total, np.inf), design)
    return statistics.ratio(high, total, design)


def _apart(first: Pooled, second: Pooled) -> Pooled:
    """The contrast of figures over different images, whose numbers must not meet."""
    return statistics.contrast(first, replace(second, design=second.design.unlike(first.design)))


def _own(metric: Metric, now: Sample, then: Sample, own: tuple[np.ndarray, np.ndarray]) -> float:
    """The change over the pairs that each gets right itself."""
    first, second = (
        _pooled(metric, sample, np.flatnonzero(rows)) for sample, rows in zip((now, then), own, strict=True)
    )
    return first.value - second.value


def _require(metric: Metric, then: Sample) -> None:
    if metric.figure != ACCURACY and (metric.kind not in then.kinds or metric.signal not in then.signals):
        measured = ", ".join((*then.kinds, *then.signals))
        raise UsageError(f"A rule asks for {metric}, and the baseline holds {measured} only.", "Take the rule out.")
    if metric.of_class and metric.of_class not in then.class_names:
        hint = nearest(metric.of_class, then.class_names)
        raise UsageError(f"A rule asks for {metric}, and the baseline has no class {metric.of_class!r}.", hint)
