"""Intervals over images hold, and explained noise is 0 and 1 where it should be."""

import numpy as np
import pytest

from onnxspec.noise.losses import LogLikelihood, perfect, uniform
from onnxspec.noise.measuring import concentration, measure, ratio

A, C = 0.1, 10


def sample(rng, n):
    """Smoothing and a heavy-tailed, over-confident network that follows the noise a little."""
    s = A * (1 + np.sin(rng.uniform(0, 2 * np.pi, n)))
    right = -(rng.exponential(0.3, n) ** 2) - 0.2 * s
    return s, LogLikelihood(right, -rng.gamma(2, 2, n) - 0.4 + 2 * s)


def test_intervals_cover():
    rng = np.random.default_rng(0)
    s, found = sample(rng, 1_000_000)
    truth = {quantity: one.value for quantity, one in measure(found, s, A, C).items()}
    hits = dict.fromkeys(truth, 0)
    runs = 500
    for _ in range(runs):
        s, found = sample(rng, 200)
        for quantity, one in measure(found, s, A, C).items():
            interval = one.interval()
            hits[quantity] += interval.low <= truth[quantity] <= interval.high
    for quantity, count in hits.items():
        assert 0.92 <= count / runs <= 0.98, quantity


def test_explained_noise_is_zero_and_one_for_the_two_networks_of_theory():
    s = A * (1 + np.sin(np.random.default_rng(0).uniform(0, 6.28, 50)))
    for network, expected in ((uniform(A, C, 50), 0), (perfect(s, C), 1)):
        explained = measure(network, s, A, C)["explained"].interval()
        assert (explained.estimate, explained.low, explained.high) == pytest.approx((expected,) * 3, abs=1e-9)


def test_what_has_no_denominator_is_undefined():
    assert ratio(np.ones(3), np.zeros(3)).interval().reason == "all images have the same noise"
    assert "at least 2" in ratio(np.ones(1), np.ones(1)).interval().reason


def test_concentration_goes_from_uniform_to_alike():
    position = np.arange(1000) / 1000
    assert concentration(position, 1.0) == pytest.approx(0, abs=1e-12)
    assert concentration(position, 1e-6) == pytest.approx(1, abs=1e-9)
