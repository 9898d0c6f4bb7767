"""Noisy targets have the frequency, the range and the reference radius that the method says."""

import numpy as np
import pytest
from scipy import stats

from onnxspec.errors import UsageError
from onnxspec.noise import Noise, phi, radius, random_direction, soft_targets

RNG = np.random.default_rng(0)
X = RNG.standard_normal((400, 3, 8, 8)).astype(np.float32)
LABELS = RNG.integers(0, 10, len(X))


def test_phi_is_the_mean_of_the_chi_distribution():
    assert phi(3072) == pytest.approx(55.4211154768, abs=5e-11)
    for dimensions in (1, 2, 784, 150_528):
        assert phi(dimensions) == pytest.approx(stats.chi.mean(dimensions), rel=1e-14)


def test_standard_normal_inputs_lie_about_phi():
    assert abs(radius(X).mean()) < 4 * 0.71 / np.sqrt(len(X))


def test_radial_noise_is_a_sine_of_the_norm_whatever_the_layout():
    noise = Noise(0.7, 0.2)
    norms = np.linalg.norm(X.reshape(len(X), -1).astype(float), axis=1)
    expected = 0.2 * (1 + np.sin(2 * np.pi * 0.7 * (norms - stats.chi.mean(192))))
    assert noise.smoothing(X) == pytest.approx(expected, abs=1e-12)
    assert noise.smoothing(np.moveaxis(X, 1, -1)) == pytest.approx(expected, abs=1e-12)


def test_sinusoidal_noise_has_its_frequency_along_its_direction():
    u = random_direction((3, 8, 8), seed=4)
    assert np.sqrt(np.square(u).sum()) == pytest.approx(1)
    noise = Noise(2.0, 0.5, direction=10 * u)
    along = np.arange(0, 1, 1 / 64)[:, None, None, None] * u
    spectrum = np.abs(np.fft.rfft(noise.smoothing(along)))
    assert np.argmax(spectrum[1:]) + 1 == 2
    across = random_direction(u.shape, 5)
    across -= np.vdot(across, u) * u
    assert noise.smoothing(X[:1] + 3 * across) == pytest.approx(noise.smoothing(X[:1]), abs=1e-6)


def test_targets_are_distributions_around_the_label():
    s = Noise(0.7, 0.5).smoothing(X)
    targets = Noise(0.7, 0.5).targets(X, LABELS, 10)
    assert targets.shape == (400, 10) and targets.dtype == np.float32
    assert targets.sum(1) == pytest.approx(1, abs=1e-6)
    assert targets.min() >= 0
    assert targets[np.arange(400), LABELS] == pytest.approx(1 - s + s / 10, abs=1e-6)
    assert np.array_equal(soft_targets(LABELS, np.zeros(400), 10), np.eye(10, dtype=np.float32)[LABELS])


def test_a_seed_fixes_the_direction():
    assert np.array_equal(random_direction((4, 4), 1), random_direction((4, 4), 1))
    assert not np.array_equal(random_direction((4, 4), 1), random_direction((4, 4), 2))


@pytest.mark.parametrize(
    ("frequency", "amplitude", "direction", "message"),
    [
        (0, 0.1, None, "frequency is 0"),
        (float("nan"), 0.1, None, "frequency is nan"),
        (1, 0.51, None, "at most 0.5"),
        (1, 0, None, "above 0"),
        (1, 0.1, np.zeros(4), "norm 0"),
        (1, 0.1, np.array([np.nan]), "norm nan"),
    ],
)
def test_what_is_no_noise_is_refused(frequency, amplitude, direction, message):
    with pytest.raises(UsageError, match=message):
        Noise(frequency, amplitude, direction)


def test_a_direction_of_another_size_is_refused():
    with pytest.raises(UsageError, match="5 values and the input has 192"):
        Noise(1, 0.1, np.ones(5)).smoothing(X)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([0, -1, 2], "from -1 to 2"),
        ([0, 1, 3], "from 0 to 3"),
        ([[0], [1], [2]], r"shape \(3, 1\)"),
        ([0.0, 1, 2], "float64"),
    ],
)
def test_labels_that_name_no_class_are_refused(labels, message):
    with pytest.raises(UsageError, match=f"{message}.*; 3 whole numbers from 0 to 2 were expected"):
        soft_targets(np.array(labels), np.full(3, 0.1), 3)


def test_an_empty_batch_has_no_targets():
    assert Noise(1.0, 0.1).targets(np.empty((0, 3, 2, 2)), np.empty(0, int), 10).shape == (0, 10)
