"""A limit looks at the interval: wholly beyond fails, wholly inside passes, across is inconclusive."""

import math

import pytest

from onnxspec.auditing import limits
from onnxspec.auditing.names import parse
from onnxspec.auditing.policy import Limit
from onnxspec.auditing.verdicts import State
from onnxspec.report.pooling import BEYOND_POINTS
from onnxspec.statistics import TOO_FEW, Interval
from report.altered import altered

NAN = math.nan


@pytest.fixture
def judged(monkeypatch):
    """What becomes of a limit on a figure with this interval."""

    def judge(found, of="within.hff", **limit):
        monkeypatch.setattr(limits, "resolved", lambda metric, report: metric)
        monkeypatch.setattr(limits, "value", lambda metric, report: found)
        return limits.judge(Limit(parse(of), **limit), None)

    return judge


def interval(low, high, paths=100):
    return Interval((low + high) / 2, low, high, paths, 50.0)


@pytest.mark.parametrize(
    ("found", "limit", "state"),
    [
        (interval(0.01, 0.03), {"max": 0.03}, State.PASS),
        (interval(0.01, 0.03), {"max": 0.02}, State.INCONCLUSIVE),
        (interval(0.01, 0.03), {"max": 0.009}, State.FAIL),
        (interval(0.01, 0.03), {"max": 0.009, "severity": "warn"}, State.WARN),
        (interval(0.01, 0.03), {"min": 0.01}, State.PASS),
        (interval(0.01, 0.03), {"min": 0.04}, State.FAIL),
        (interval(0.01, 0.03), {"min": 0.02}, State.INCONCLUSIVE),
        (interval(0.01, 0.03), {"min": 0.0, "max": 0.02}, State.INCONCLUSIVE),
        (interval(0.97, 1.0), {"min": 1.0}, State.INCONCLUSIVE),
        (interval(0.0, 0.03), {"max": 0.0}, State.INCONCLUSIVE),
        (interval(0.01, 0.03), {"max": 0.019, "strict": True}, State.FAIL),
        (interval(0.01, 0.03), {"max": 0.021, "strict": True}, State.PASS),
        (interval(0.01, 0.03, paths=3), {"max": 0.021, "strict": True}, State.PASS),
        (interval(0.01, 0.03, paths=3), {"max": 0.1}, State.PASS),
        (interval(0.0, 0.0), {"max": 0.1}, State.PASS),
        (interval(0.0, 0.0, paths=10), {"max": 0.1}, State.PASS),
        (interval(0.0, 0.0, paths=9), {"max": 0.1}, State.INCONCLUSIVE),
        (Interval(0.02, 0.0, 1.0, 2, 1.0, TOO_FEW), {"max": 0.5}, State.INCONCLUSIVE),
        (Interval(NAN, NAN, NAN, 1, NAN, "1 path"), {"max": 0.5}, State.INCONCLUSIVE),
        (Interval(NAN, NAN, NAN, 2, NAN, "the outputs do not change"), {"max": 0.5}, State.ERROR),
        (Interval(NAN, NAN, NAN, 0, NAN, BEYOND_POINTS), {"max": 0.5}, State.ERROR),
    ],
)
def test_states(judged, found, limit, state):
    assert judged(found, **limit).state is state


@pytest.mark.parametrize("of", ["class.cat.hff", "class.cat.excess_tv"])
@pytest.mark.parametrize(("n_eff", "state"), [(10.0, State.FAIL), (9.9, State.INCONCLUSIVE)])
def test_a_class_that_few_paths_carry_breaks_no_build(judged, of, n_eff, state):
    found = Interval(0.02, 0.019, 0.021, 100, n_eff)
    assert judged(found, of, max=0.018).state is state
    assert judged(found, of, max=0.018, strict=True).state is State.FAIL
    assert judged(found, of, max=0.022).state is State.PASS
    assert judged(found, "within.hff", max=0.018).state is State.FAIL


@pytest.mark.parametrize("limit", [{"max": 2.5e-1}, {"max": 0.9}, {"min": 0.5}])
def test_a_bound_that_looks_like_percent_is_spelled_out(judged, limit):
    (bound,) = limit.values()
    said = judged(interval(0.004, 0.006), **limit).text
    assert f"for {bound:g} % write {bound / 100:g}" in said


@pytest.mark.parametrize("limit", [{"max": 0.05}, {"max": 0.008}, {"min": 0.001}, {"max": 1.0}, {"min": 0.0}])
def test_a_bound_of_its_size_is_not(judged, limit):
    assert "write" not in judged(interval(0.0011, 0.0013), **limit).text


def test_what_was_found_is_told_with_its_interval_or_why_there_is_none(judged):
    assert judged(interval(0.01, 0.03), max=0.04).text == "0.020 [0.010, 0.030]"
    assert judged(Interval(NAN, NAN, NAN, 90, NAN, "nothing changes"), max=0.04).text == "undefined: nothing changes"
    beyond = judged(Interval(NAN, NAN, NAN, 90, NAN, BEYOND_POINTS), max=0.04).text
    assert beyond == f"undefined: {BEYOND_POINTS}; use more --points"


def test_a_warning_that_cannot_be_decided_breaks_no_build(judged):
    for severity, gating in (("warn", False), ("fail", True)):
        found = judged(interval(0.01, 0.03), max=0.02, severity=severity)
        assert (found.state, found.gating) == (State.INCONCLUSIVE, gating)
        assert found.said.endswith("(breaks no build: severity warn)") is not gating
        assert found.said.startswith(found.text)
    assert judged(interval(0.01, 0.03), max=0.04, severity="warn").said == judged(interval(0.01, 0.03), max=0.04).text


def test_more_pairs_do_not_help_an_accuracy_whose_images_are_all_used(bundled_report, tmp_path):
    low, high = (bundled_report.attributes[f"accuracy_{end}"] for end in ("low", "high"))
    limit = Limit(parse("accuracy"), min=(low + high) / 2)
    assert limits.judge(limit, bundled_report).text.endswith("on both sides of the limit: use more --pairs")
    exhausted = altered(bundled_report, tmp_path / "r.h5", classes__images=bundled_report.classes["used"])
    assert limits.judge(limit, exhausted).text.endswith("on both sides of the limit: use more images")
    share = Limit(parse("between.hff"), max=bundled_report.figure("between").estimate)
    assert limits.judge(share, exhausted).text.endswith("use more --pairs")
