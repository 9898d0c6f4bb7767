"""Signals become spectra (method.md section 3): the package against the oracle, and what each estimator promises."""

import numpy as np
import pytest
from hypothesis import given

from onnxspec import metrics, signals, spectra
from oracle import estimators as oracle
from oracle import functionals, mool
from simulation import examples, walk, walks

EXACT = ["sine", "cosine", "hann", "rfft"]


def squared(signal):
    """The scale on which powers of a signal round: nothing below 1e-18 of it is told apart from nothing."""
    return 1e-18 * max(np.abs(signal).max() ** 2, 1e-300)


@pytest.mark.parametrize("estimator", EXACT)
@pytest.mark.parametrize("signal", list(signals.SIGNALS))
@examples
@given(case=walks)
def test_power_is_the_oracles(signal, estimator, case):
    followed = signals.SIGNALS[signal](case.logits, False)
    spectrum = spectra.ESTIMATORS[estimator](followed)
    for path, one in enumerate(followed):
        frequency, power = oracle.ESTIMATORS[estimator](one)
        np.testing.assert_allclose(spectrum.frequency, frequency, rtol=1e-14)
        np.testing.assert_allclose(2 * spectrum.half_width, np.diff(frequency), rtol=1e-12)
        np.testing.assert_allclose(spectrum.power[path], power, rtol=1e-10, atol=squared(one))
        everything = functionals.everything(estimator, power, one)
        np.testing.assert_allclose(spectrum.total[path], everything, rtol=1e-10, atol=squared(one))


@examples
@given(walks)
def test_magnitudes_of_models_out_of_line_are_the_oracles(case):
    probs = signals.prob(case.logits, False)
    spectrum = spectra.mool(probs)
    for path, one in enumerate(probs):
        magnitude = mool.magnitude(one[:-1])
        np.testing.assert_allclose(spectrum.power[path], magnitude, rtol=1e-10, atol=1e-12)
        np.testing.assert_allclose(spectrum.total[path], magnitude.sum(), rtol=1e-10)
        np.testing.assert_array_equal(spectrum.frequency, np.arange(len(magnitude)))


@examples
@given(walks)
def test_chord_and_residual_are_the_oracles(case):
    for one, chord, rest in zip(case.logits, spectra.chord(case.logits), spectra.residual(case.logits), strict=True):
        np.testing.assert_allclose(chord, functionals.chord(one), rtol=1e-10)
        np.testing.assert_allclose(rest, one - oracle.chord_line(one), atol=1e-13 * np.abs(one).max())
        assert not rest[[0, -1]].any()


@examples
@given(walks)
def test_power_sums_to_the_mean_square_over_the_path(case):
    """Parseval, for every estimator in its own measure of the path."""
    for one in case.logits:
        stack, rest = one[None], one - oracle.chord_line(one)
        window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(case.points - 1) / (case.points - 1))
        windowed = window[:, None] * rest[:-1]
        middle = one - [oracle.trapezoid_mean(column) for column in one.T]
        due = {
            "sine": functionals.wiggle(one),
            "cosine": oracle.trapezoid_mean(np.square(middle).sum(1)),
            "hann": (np.square(windowed).sum(1).mean() - np.square(windowed.mean(0)).sum()) / 0.375,
            "rfft": one.var(0).sum(),
        }
        for name, mean_square in due.items():
            total = spectra.ESTIMATORS[name](stack).power.sum()
            np.testing.assert_allclose(total, mean_square, rtol=1e-10, atol=squared(one))


def test_a_ramp_has_no_wiggle():
    ramp = walk("ramps").logits
    scale = np.square(ramp).max()
    assert spectra.sine(ramp).power.max() < 1e-28 * scale
    assert spectra.hann(ramp).power.max() < 1e-28 * scale
    assert spectra.rfft(ramp).power.max() > 1e-3 * scale


@examples
@given(walks)
def test_between_the_grid_points_the_signal_is_its_chord_and_half_waves(case):
    """The oracle's transform, evaluated wave by wave at points off the grid; on the grid it is the signal itself."""
    t = np.random.default_rng(case.points).random((len(case.logits), 8))
    found = spectra.sine_interpolant(case.logits, t)
    last = case.points - 1
    for one, times, values in zip(case.logits, t, found, strict=True):
        rest = one - oracle.chord_line(one)
        due = np.outer(1 - times, one[0]) + np.outer(times, one[-1])
        for k in range(1, last):
            amplitude = 2 / last * np.sin(np.pi * k * np.arange(last + 1) / last) @ rest
            due += np.outer(np.sin(np.pi * k * times), amplitude)
        np.testing.assert_allclose(values, due, rtol=1e-10, atol=1e-12 * np.abs(one).max())
    grid = np.broadcast_to(np.arange(case.points) / last, case.logits.shape[:2])
    on_grid = spectra.sine_interpolant(case.logits, grid)
    np.testing.assert_allclose(on_grid, case.logits, atol=1e-12 * np.abs(case.logits).max())


@pytest.mark.parametrize("k", [1, 2, 13, 31])
def test_a_half_wave_on_a_ramp_is_one_bin_of_half_its_squared_amplitude(k):
    t = np.linspace(0, 1, 33)
    signal = (7 - 3 * t + 0.2 * np.sin(np.pi * k * t))[None, :, None]
    spectrum = spectra.sine(signal)
    assert spectrum.frequency[k - 1] == k / 2
    np.testing.assert_allclose(spectrum.power[0], 0.02 * (np.arange(1, 32) == k), atol=1e-16)
    np.testing.assert_allclose(spectrum.total, 0.02 + 9 / 12)


@pytest.mark.parametrize("k", [1, 5, 15])
def test_a_whole_wave_is_one_bin_of_every_periodic_estimator(k):
    """N samples of a wave that turns k times over them; the samples span N steps, not N - 1."""
    sampled = np.cos(2 * np.pi * k * np.arange(33) / 33)[None, :, None]
    spectrum = spectra.rfft(sampled)
    np.testing.assert_allclose(spectrum.power[0], 0.5 * (np.arange(1, 17) == k), atol=1e-15)
    np.testing.assert_allclose(spectrum.frequency[k - 1], k * 32 / 33)
    turn = np.sin(2 * np.pi * k * np.arange(33) / 32)[None, :, None]
    np.testing.assert_allclose(spectra.mool(turn).power[0], 16 * (np.arange(17) == k), atol=1e-12)
    cosine = spectra.cosine(np.cos(np.pi * 2 * k * np.arange(33) / 32)[None, :, None])
    np.testing.assert_allclose(cosine.power[0], 0.5 * (np.arange(1, 33) == 2 * k), atol=1e-15)


def test_the_grid_is_nested_every_second_point_keeps_a_slow_wave():
    t = np.linspace(0, 1, 65)
    signal = (t + np.sin(3 * np.pi * t))[None, :, None]
    fine, coarse = spectra.sine(signal), spectra.sine(signal[:, ::2])
    np.testing.assert_allclose(coarse.power[0], fine.power[0, :31], atol=1e-15)


@pytest.mark.parametrize("estimator", list(spectra.ESTIMATORS))
def test_paths_do_not_see_each_other_and_inputs_are_left_alone(estimator):
    signal = walk("noise", paths=3).logits
    before = signal.copy()
    together = spectra.ESTIMATORS[estimator](signal).power
    alone = [spectra.ESTIMATORS[estimator](one[None]).power[0] for one in signal]
    np.testing.assert_allclose(together, alone, rtol=1e-13)
    np.testing.assert_array_equal(signal, before)


@pytest.mark.parametrize("points", [8, 9, 10, 11])
@pytest.mark.parametrize("estimator", [*spectra.ESTIMATORS.values(), spectra.closed])
def test_every_bin_of_any_number_of_points_has_its_frequency(estimator, points):
    spectrum = estimator(np.random.default_rng(0).normal(size=(2, points, 3)))
    assert spectrum.power.shape == (2, len(spectrum.frequency))


@pytest.mark.parametrize("estimator", spectra.ESTIMATORS)
def test_bins_are_those_of_paths_and_of_none(estimator):
    shape, spectrum = spectra.bins(estimator, 33), spectra.ESTIMATORS[estimator](walk("noise").logits)
    assert shape.power.shape == (0, spectrum.power.shape[1]) and len(shape.total) == 0
    np.testing.assert_array_equal(shape.frequency, spectrum.frequency)
    assert shape.half_width == spectrum.half_width


GOLDEN = {
    "constant": (np.zeros(75), 0.0),
    "hard step": (np.arange(75) >= 37, 0.3396),
    "ramp": (np.arange(75) / 75, 0.3383),
    "half step of 60": (np.arange(60) >= 30, 0.2785),
    "ramp of 60": (np.arange(60) / 60, 0.3191),
    "half step of 100": (np.arange(100) >= 50, 0.2749),
    "ramp of 100": (np.arange(100) / 100, 0.3080),
    "bump": ((np.arange(75) >= 36) & (np.arange(75) <= 38), 0.4723),
}


@pytest.mark.parametrize("name", GOLDEN)
def test_golden_values_of_models_out_of_line(name):
    """method.md section 8: two active classes of ten; the far end, given too, is not looked at."""
    samples, expected = GOLDEN[name]
    probs = np.zeros((1, len(samples) + 1, 10))
    probs[0, :-1, 3], probs[0, :-1, 8] = samples, 1 - samples.astype(float)
    probs[0, -1] = 1e6
    spectrum = spectra.mool(probs)
    share = metrics.mool_high_power(spectrum.power)[0] / spectrum.total[0]
    assert share == pytest.approx(expected, abs=5e-5)
    assert mool.high_share(mool.magnitude(probs[0, :-1])) == pytest.approx(expected, abs=5e-5)


@examples
@given(walks)
def test_a_closed_path_has_the_power_of_its_waves(case):
    """Parseval, and the oracle's sums."""
    signal = case.logits[:, :-1]
    spectrum = spectra.closed(signal)
    for path, one in enumerate(signal):
        frequency, power = oracle.one_sided(one)
        np.testing.assert_array_equal(spectrum.frequency, frequency)
        np.testing.assert_array_equal(2 * spectrum.half_width, np.diff(frequency))
        np.testing.assert_allclose(spectrum.power[path], power, rtol=1e-10, atol=squared(one))
        np.testing.assert_allclose(spectrum.total[path], one.var(0).sum(), rtol=1e-10, atol=squared(one))


@pytest.mark.parametrize("k", [1, 5, 15, 16])
def test_a_wave_on_a_closed_path_is_one_bin_and_no_end_is_seen(k):
    phase = 0.0 if k == 16 else 0.7
    signal = np.cos(2 * np.pi * k * np.arange(32) / 32 + phase)[None, :, None]
    spectrum = spectra.closed(signal)
    np.testing.assert_allclose(spectrum.power[0], (1 if k == 16 else 0.5) * (np.arange(1, 17) == k), atol=1e-15)
