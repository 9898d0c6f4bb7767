"""Names of metrics: each finds its figure, and what is no name is answered with the nearest."""

import pytest

from onnxspec.auditing.names import ACCURACY, Metric, parse, resolved, value
from onnxspec.errors import UsageError


@pytest.mark.parametrize(
    ("name", "figure", "kind", "signal", "of_class"),
    [
        ("accuracy", ACCURACY, "", "prob", ""),
        ("within.hff", "hff", "within", "prob", ""),
        ("between.logit.slope", "slope", "between", "logit", ""),
        ("within.excess_tv", "excess_tv", "within", "prob", ""),
        ("class.cat.slope", "slope", "within", "prob", "cat"),
        ("class.cat.between.hff", "hff", "between", "prob", "cat"),
        ("class.cat.logit.hff", "hff", "within", "logit", "cat"),
        ("class.cat.between.logit.hff", "hff", "between", "logit", "cat"),
        ("class.cat.accuracy", ACCURACY, "", "prob", "cat"),
        ("class.T-shirt/top v1.2.hff", "hff", "within", "prob", "T-shirt/top v1.2"),
        ("class.within.hff", "hff", "within", "prob", "within"),
        ("class.x.between.within.prob.hff", "hff", "within", "prob", "x.between"),
    ],
)
def test_a_name_has_its_parts(name, figure, kind, signal, of_class):
    assert parse(name) == Metric(name, figure, kind, signal, of_class)


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("acuracy", "accuracy"),
        ("withn.hff", "within.hff"),
        ("within.logits.hff", "within.logit.hff"),
        ("between.flip", "between.flips"),
        ("class.cat.slop", "class.cat.slope"),
        ("within.logit.flips", "within.flips"),
        ("", "Known: accuracy"),
        ("class.hff", "class.cat.hff"),
    ],
)
def test_what_is_no_name_lists_the_nearest(name, near):
    with pytest.raises(UsageError) as caught:
        parse(name)
    assert near in caught.value.hint


def test_values_are_those_of_the_report(bundled_report):
    def found(name):
        return value(resolved(parse(name), bundled_report), bundled_report)

    assert found("within.hff") == bundled_report.figure("within", "hff")
    assert found("between.logit.slope") == bundled_report.figure("between", "slope", "logit")
    assert found("class.Bag.hff") == bundled_report.figure("within", "hff", class_a="Bag")
    assert found("accuracy").estimate == bundled_report.accuracy.estimate
    right, used = (bundled_report.classes[name][8] for name in ("right", "used"))
    assert bundled_report.classes["name"][8] == "Bag"
    assert found("class.Bag.accuracy").estimate == right / used


def test_a_width_is_between_classes():
    assert parse("between.width").figure == "width"
    with pytest.raises(UsageError, match=r"no within\.width.*Use between\.width"):
        parse("within.width")
