"""Rules about one report: a limit looks at the whole interval of a figure, not at its point."""

import math

from onnxspec.auditing.names import ACCURACY, resolved, value
from onnxspec.auditing.policy import Limit
from onnxspec.auditing.verdicts import MORE_PAIRS, State, Verdict, few_carry, judged
from onnxspec.report.page import interval_text
from onnxspec.report.pooling import BEYOND_POINTS
from onnxspec.report.report import Report
from onnxspec.statistics import FEW_PATHS, Interval

_ABOUT, _FAR = 2, 10
"""Times what is found: within which a hundredth of a bound is about that, and beyond which the bound itself is far off."""


def judge(limit: Limit, report: Report, more: str = MORE_PAIRS) -> Verdict:
    """What becomes of a limit on a report; `more` says what to do where there are too few pairs.

    Raises
    ------
    UsageError
        The report does not measure what the limit asks for.
    """
    found = value(resolved(limit.metric, report), report)
    if limit.metric.figure == ACCURACY and _all_used(report):
        more = "use more images"
    state, why = _state(limit, found, more)
    text = f"{shown(found)}{why}{_meant_in_percent(limit, found)}"
    gating = limit.severity == "fail"
    return Verdict(limit.metric.name, "limit", str(limit), judged(state, limit.severity), text, found, gating)


def shown(found: Interval) -> str:
    """A figure with its interval, in the unit of its rule; the reason where it is undefined."""
    return f"undefined: {found.reason}" if math.isnan(found.estimate) else interval_text(found)


def _meant_in_percent(limit: Limit, found: Interval) -> str:
    """What a bound says, where its hundredth is about the figure and it is far off: summaries have hff in percent."""
    for bound in (limit.min, limit.max):
        near = found.low / _ABOUT <= bound / 100 <= found.high * _ABOUT
        if limit.metric.figure == "hff" and math.isfinite(bound) and near and bound > _FAR * found.high:
            return f"; the limit is {bound:.3g}, which is {bound:.0%}: for {bound:.3g} % write {bound / 100:.3g}"
    return ""


def _all_used(report: Report) -> bool:
    """Whether every image of the data is an end of a path already."""
    return int(report.classes["used"].sum()) == int(report.classes["images"].sum())


def _state(limit: Limit, found: Interval, more: str) -> tuple[State, str]:
    """The state, and what else is to be said about it."""
    if found.reason == BEYOND_POINTS:
        return State.ERROR, "; use more --points"
    if math.isnan(found.estimate):
        return (State.ERROR, "") if found.paths >= 2 else (State.INCONCLUSIVE, f"; {more}")
    low, high = (found.estimate, found.estimate) if limit.strict else (found.low, found.high)
    if high < limit.min or low > limit.max:
        if not limit.strict and (few := few_carry(limit.metric, found)):
            return State.INCONCLUSIVE, f"; {few}: {more}"
        return State.FAIL, ""
    if not (limit.min <= low and high <= limit.max):
        return State.INCONCLUSIVE, f"; the interval lies on both sides of the limit: {more}"
    if not limit.strict and low == high and found.paths < FEW_PATHS:
        return State.INCONCLUSIVE, f"; {found.paths} paths that are all alike say too little: {more}"
    return State.PASS, ""
