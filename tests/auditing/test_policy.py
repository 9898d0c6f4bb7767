"""Policies: tables become rules, and what is no rule is said with what would be."""

import math

import numpy as np
import pytest

from onnxspec.auditing.policy import Policy, usual
from onnxspec.errors import UsageError


def limits(**rules):
    return {"limits": rules}


def regressions(**rules):
    return {"regressions": rules}


def test_a_table_becomes_rules_in_order():
    policy = Policy.of(
        limits(accuracy={"min": 0.9}, **{"within.hff": {"max": 1, "severity": "warn", "strict": True}})
        | regressions(**{"between.hff": {"factor": 0.9}})
    )
    assert [str(rule) for rule in policy.limits] == ["accuracy >= 0.9", "within.hff <= 1"]
    assert policy.limits[1].strict and policy.limits[1].severity == "warn"
    assert str(policy.regressions[0]) == "between.hff at least 0.9 of the baseline"


def test_unquoted_names_mean_the_same_as_quoted_ones():
    nested = Policy.of(limits(within={"hff": {"max": 0.1}, "logit": {"hff": {"max": 0.2}}}))
    quoted = Policy.of(limits(**{"within.hff": {"max": 0.1}, "within.logit.hff": {"max": 0.2}}))
    assert nested == quoted


def test_nothing_is_no_policy():
    assert not Policy.of({})
    assert not Policy.of({"limits": {}})


def test_without_labels_accuracy_is_held_against_nothing():
    assert [rule.metric.name for rule in usual(("within",), "prob", labelled=True)] == ["accuracy", "within.hff"]
    assert [rule.metric.name for rule in usual(("within",), "prob", labelled=False)] == ["within.hff"]


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({"limit": {}}, "Did you mean limits"),
        (limits(accuracy=0.9), "a table was expected"),
        (3, "a table was expected"),
        ({"limits": 3}, "a table of rules was expected"),
        (limits(accuracy={}), "neither min nor max"),
        (limits(accuracy={"min": 0.9, "max": 0.8}), "above max"),
        (limits(**{"within.hff": {"max": 8}}), "has max 8, which no share reaches: they go from 0 to 1. 0.08 is 8 %."),
        (limits(accuracy={"min": 95.0}), "they go from 0 to 1. 0.95 is 95 %."),
        (limits(**{"class.cat.between.hff": {"min": -1}}), "has min -1, which no share reaches"),
        (limits(accuracy={"min": float("nan")}), "a number was expected"),
        (limits(accuracy={"min": True}), "a number was expected"),
        (limits(accuracy={"max": 10**400}), "a number was expected"),
        (limits(accuracy={"min": 0.9, "strict": 1}), "true or false was expected"),
        (limits(accuracy={"min": 0.9, "severity": "warning"}), "Known: fail, warn"),
        (limits(accuracy={"factor": 2.0}), "does not exist"),
        (regressions(accuracy={"factor": 1.1}), "takes drop"),
        (regressions(**{"within.hff": {}}), "takes a factor"),
        (regressions(**{"within.hff": {"factor": 1.0}}), "takes a factor"),
        (regressions(**{"within.hff": {"factor": 1.1, "drop": 0.1}}), "takes a factor"),
        (regressions(**{"within.flips": {"factor": 1.1}}), "set a limit instead"),
    ],
)
def test_what_is_no_rule_is_said(table, said):
    with pytest.raises(UsageError) as caught:
        Policy.of(table)
    assert said in str(caught.value)


def test_numbers_of_numpy_are_numbers():
    policy = Policy.of({"limits": {"accuracy": {"min": np.float32(0.5)}, "within.hff": {"max": np.int64(1)}}})
    assert [(one.min, one.max) for one in policy.limits] == [(0.5, math.inf), (-math.inf, 1)]
