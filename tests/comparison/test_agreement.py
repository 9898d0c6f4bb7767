"""Whether two models are the same function."""

import time

import numpy as np
import pytest

from onnxspec.comparison.agreement import DIFFERENT, IDENTICAL, SAME_DECISIONS, _bands, verdict
from onnxspec.comparison.comparing import compare
from onnxspec.errors import UsageError
from onnxspec.listening import Silence


def of(four, name):
    return next(one for one in four.agreement if one.model == name)


def test_two_exports_of_the_same_weights_are_identical(four):
    twin = of(four, "twin")
    assert twin.verdict == IDENTICAL
    assert twin.logit_difference < 3 * twin.noise
    assert twin.same_flips == 1


def test_one_weight_is_found(four):
    moved = of(four, "perturbed")
    assert moved.verdict != IDENTICAL
    assert moved.logit_difference > 100 * moved.noise


def test_another_network_is_another_function(four):
    other = of(four, "sklearn")
    assert other.verdict == DIFFERENT
    assert 0.05 < other.distance < other.distance_95 < 1


def test_the_bands_are_all_of_the_difference(four):
    for one in four.agreement:
        shares = (one.constant, one.slow, one.middle, one.fast, one.fastest)
        assert sum(shares) == pytest.approx(1)
        assert min(shares) >= 0


def linear(scale):
    weights = np.random.default_rng(0).normal(size=(784, 10)).astype(np.float32) / 28
    return lambda batch: scale * (batch.reshape(len(batch), -1) @ weights)


def test_another_temperature_is_the_same_decisions(digits):
    found = compare(
        {"plain": linear(10), "hot": linear(5), "itself": linear(10)},
        digits,
        preprocess="0..1",
        pairs=10,
        points=33,
        with_agreement=True,
    )
    assert of(found, "hot").verdict == SAME_DECISIONS
    assert of(found, "itself").verdict == IDENTICAL
    assert of(found, "itself").logit_difference == 0
    assert np.isnan(of(found, "itself").constant)


def steps(scale):
    """Ten plateaus of brightness, with no slope on any."""
    places = np.eye(10, dtype=np.float32)
    return lambda batch: np.float32(scale) * places[(9.9 * batch.mean((1, 2, 3)) + 0.0137).astype(int)]


def test_outputs_that_do_not_feel_the_least_move_still_round(digits):
    own = {"steps": steps(10), "again": steps(np.nextafter(np.float32(10), np.float32(11))), "more": steps(10.1)}
    found = compare(own, digits, preprocess="0..1", pairs=10, with_agreement=True)
    assert of(found, "again").logit_difference > 0
    assert of(found, "again").verdict == IDENTICAL
    assert of(found, "more").verdict == SAME_DECISIONS


@pytest.mark.parametrize(("distance", "bands"), [(1.0, [0, 1, 1, 2, 3, 4]), (2.0, [0, 1, 1, 1, 2, 3])])
def test_a_difference_is_told_by_its_speed(distance, bands):
    """A cosine of k half waves has k / (2 d) cycles per unit distance; the cut-off is at four."""
    t = np.linspace(0, 1, 33)
    waves = [np.cos(np.pi * k * t) for k in (0, 1, 2, 4, 8, 9)]
    found = _bands(np.stack([waves, np.negative(waves)], -1), np.full(len(waves), distance), 4.0)
    power = [2, 1, 1, 1, 1, 1]
    assert np.allclose(found, np.eye(5)[bands] * np.transpose([power]))


class Counting:
    """A listener that keeps what the last plan said and what came."""

    def stage(self, name):
        pass

    def plan(self, ahead):
        self.planned, self.of, self.done = ahead.images, ahead.of, 0

    def images(self, count):
        self.done += count


def test_its_passes_are_all_announced(digits):
    heard = Counting()
    both = {"plain": linear(10), "hot": linear(5)}
    compare(both, digits, preprocess="0..1", pairs=10, points=33, threads=1, with_agreement=True, listener=heard)
    assert heard.done == heard.planned > 2 * 20 * 33
    assert heard.of == "agreement"


@pytest.mark.parametrize(
    ("difference", "points", "flips", "words"),
    [
        (5e-7, 1.0, 1.0, IDENTICAL),
        (1e-3, 0.995, 0.995, SAME_DECISIONS),
        (1e-3, 1.0, 0.98, DIFFERENT),
        (1e-3, 0.31, 1.0, DIFFERENT),
    ],
)
def test_words(difference, points, flips, words):
    assert verdict(difference, 1e-7, points, flips) == words


def test_reports_keep_no_outputs(reports):
    with pytest.raises(UsageError, match="pytorch is a report"):
        compare([report.path for report in reports.values()], with_agreement=True)


class Slowing(Silence):
    """Has a model take its time once outputs are compared."""

    seconds = 0.0

    def stage(self, name):
        self.seconds = 0.08 if name == "comparing outputs" else 0.0


def test_a_model_beside_the_reference_may_take_as_long_as_that(digits):
    """Every batch that ends is an answer, whichever model it is of: a shard of one takes longer than the others wait."""
    listener, net = Slowing(), linear(10)

    def slow(batch):
        time.sleep(listener.seconds)
        return net(batch)

    how = {"preprocess": "0..1", "pairs": 10, "points": 33, "batch": 32, "timeout": 1.0, "device": "cpu"}
    found = compare({"plain": net, "slow": slow}, digits, with_agreement=True, listener=listener, **how)
    assert of(found, "slow").verdict == IDENTICAL
