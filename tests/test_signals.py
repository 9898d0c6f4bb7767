"""Logits become signals (method.md section 2): the package against the oracle."""

import numpy as np
import pytest
from hypothesis import given

from onnxspec import signals
from oracle import signals as oracle
from simulation import examples, walk, walks


def of_every_path(measure, stack):
    return np.array([measure(one) for one in stack])


def agree(actual, expected):
    np.testing.assert_allclose(actual, expected, rtol=1e-10, atol=1e-13 * max(np.abs(expected).max(), 1e-300))


@examples
@given(walks)
def test_signals_of_logits_are_the_oracles(case):
    probs = of_every_path(oracle.probabilities, case.logits)
    agree(signals.prob(case.logits, False), probs)
    agree(signals.logit(case.logits, False), of_every_path(oracle.centred, case.logits))
    agree(signals.label(case.logits, False), of_every_path(oracle.labels, case.logits))
    np.testing.assert_allclose(
        signals.distance(case.logits, False), of_every_path(oracle.distance, probs), rtol=1e-10, atol=1e-14
    )


@examples
@given(walks)
def test_signals_of_a_model_that_ends_in_softmax_are_the_oracles(case):
    probs = of_every_path(oracle.probabilities, case.logits)
    np.testing.assert_array_equal(signals.prob(probs, True), probs)
    agree(signals.logit(probs, True), of_every_path(oracle.log_probabilities, probs))
    agree(signals.label(probs, True), of_every_path(oracle.labels, probs))
    agree(signals.distance(probs, True), of_every_path(oracle.distance, probs))


def test_a_vanished_probability_counts_as_the_smallest_normal_float32():
    gone = np.array([[[1.0, 0.0], [0.5, 0.5]]])
    np.testing.assert_allclose(signals.logit(gone, True)[0, 0, 0], 126 * np.log(2) / 2, rtol=1e-14)


def test_only_differences_between_logits_matter():
    logits = walk("noise").logits
    shifted = logits + np.linspace(-50, 50, logits.shape[1])[:, None]
    for name in ("prob", "logit", "distance"):
        np.testing.assert_allclose(
            signals.SIGNALS[name](shifted, False), signals.SIGNALS[name](logits, False), rtol=1e-10, atol=1e-12
        )


def test_labels_are_blind_to_temperature():
    logits = walk("waves").logits
    np.testing.assert_array_equal(signals.label(logits, False), signals.label(logits / 100, False))
    assert not np.allclose(signals.prob(logits, False), signals.prob(logits / 100, False))


def test_float32_logits_are_followed_in_float64():
    logits = walk("noise").logits.astype(np.float32)
    for measure in signals.SIGNALS.values():
        assert measure(logits, False).dtype == np.float64
    agree(signals.prob(logits, False), of_every_path(oracle.probabilities, logits.astype(np.float64)))


@pytest.mark.parametrize("columns", [np.array([0, 2]), np.array([3, 1, 0])])
def test_restricting_probabilities_is_restricting_logits(columns):
    logits = walk("noise").logits
    of_logits = signals.prob(signals.restricted(logits, columns, False), False)
    of_probs = signals.restricted(signals.prob(logits, False), columns, True)
    agree(of_probs, of_logits)
    assert signals.restricted(logits, None, False) is logits


def test_tiny_probabilities_are_made_to_sum_to_one_too():
    kept = signals.restricted(np.array([1e-40, 3e-40, 1.0], np.float32), np.array([0, 1]), True)
    assert kept.sum() == pytest.approx(1.0, rel=1e-3)
    assert (signals.restricted(np.array([0.0, 0.0, 1.0], np.float32), np.array([0, 1]), True) == 0).all()
