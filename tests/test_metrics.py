"""What is read off a path and off a pooled spectrum (method.md section 4): the package against the oracle."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from onnxspec import metrics, signals, spectra
from oracle import common_bins, estimators, functionals
from oracle import mool as oracle_mool
from oracle import signals as oracle_signals
from simulation import CUTOFF, REFERENCE, Walk, examples, walk, walks

EXACT = ["sine", "cosine", "hann", "rfft"]


@pytest.mark.parametrize("estimator", EXACT)
@pytest.mark.parametrize("signal", list(signals.SIGNALS))
@examples
@given(case=walks, cutoff=st.floats(0, 200))
def test_high_power_is_the_oracles(signal, estimator, case, cutoff):
    followed = signals.SIGNALS[signal](case.logits, False)
    high = metrics.high_power(spectra.ESTIMATORS[estimator](followed), case.distance, cutoff)
    for path, one in enumerate(followed):
        expected = functionals.hf(*estimators.ESTIMATORS[estimator](one), cutoff * case.distance[path])
        np.testing.assert_allclose(high[path], expected, rtol=1e-10, atol=1e-18 * np.square(one).max())


@pytest.mark.parametrize(
    ("cutoff", "bins_above"), [(0.0, 7), (0.25, 7), (0.5, 6.5), (1.0, 5.5), (3.65, 0.2), (3.75, 0)]
)
def test_a_bin_counts_by_its_part_above_the_cutoff(cutoff, bins_above):
    spectrum = spectra.Spectrum(np.ones((1, 7)), np.arange(1, 8) / 2, 0.25, np.full(1, 7.0))
    assert metrics.high_power(spectrum, np.array([2.0]), cutoff / 2)[0] == pytest.approx(bins_above)


@examples
@given(case=walks, cutoff=st.floats(1, 200))
def test_paths_within_reach_are_the_oracles(case, cutoff):
    expected = [functionals.usable(case.points, cutoff * d) for d in case.distance]
    assert metrics.within_reach(case.distance, cutoff, case.points).tolist() == expected


def test_a_cutoff_at_half_the_nyquist_frequency_is_still_within_reach():
    assert metrics.within_reach(np.array([0.5, 0.501]), 16.0, 33).tolist() == [True, False]


@examples
@given(walks)
def test_slope_is_the_oracles(case):
    for name in ("prob", "logit"):
        signal = signals.SIGNALS[name](case.logits, False)
        found = metrics.slope(spectra.sine(signal).power, spectra.chord(signal), case.distance)
        expected = [functionals.slope(one, d) for one, d in zip(signal, case.distance, strict=True)]
        np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-10 * np.abs(signal).max())


def test_slope_is_the_rms_derivative_of_the_interpolant():
    """Against a derivative taken on a grid a thousand times as fine."""
    signal, t = walk("waves", points=17, paths=1).logits, np.linspace(0, 1, 16001)
    fine = estimators.chord_line(signal[0])[[0, -1]]
    fine = (1 - t[:, None]) * fine[0] + t[:, None] * fine[1]
    rest = signal[0] - estimators.chord_line(signal[0])
    k = np.arange(1, 16)
    amplitude = 2 / 16 * np.sin(np.pi * np.outer(k, np.arange(17)) / 16) @ rest
    fine = fine + np.sin(np.pi * np.outer(t, k)) @ amplitude
    derivative = np.diff(fine, axis=0) * 16000
    found = metrics.slope(spectra.sine(signal).power, spectra.chord(signal), np.array([0.25]))
    assert found[0] == pytest.approx(math.sqrt(np.square(derivative).sum(1).mean()) / 0.25, rel=1e-5)


def test_slope_of_two_equal_images_is_undefined():
    assert np.isnan(metrics.slope(np.ones((1, 7)), np.ones(1), np.zeros(1))).all()
    assert np.isnan(metrics.closed_slope(np.ones((1, 7)), np.zeros(1))).all()


@pytest.mark.parametrize("k", [1, 3, 7])
def test_slope_of_a_closed_path_is_the_rms_derivative_of_its_wave(k):
    wave = 0.2 * np.cos(2 * np.pi * k * np.arange(32) / 32)[None, :, None]
    found = metrics.closed_slope(spectra.closed(wave).power, np.array([0.5]))
    assert found == pytest.approx([0.2 * 2 * np.pi * k / math.sqrt(2) / 0.5])


def test_power_that_a_noise_floor_leaves_below_nothing_has_no_slope():
    """And a little that is above has its own."""
    power, length = np.array([[-1e-3, 0.0], [2e-6, 0.0]]), np.full(2, 0.5)
    small = np.pi * math.sqrt(2e-6) / 0.5
    assert metrics.slope(power, np.zeros(2), length) == pytest.approx([0.0, small], rel=1e-12, abs=0)
    assert metrics.closed_slope(power, length) == pytest.approx([0.0, 2 * small], rel=1e-12, abs=0)


@examples
@given(walks)
def test_figures_of_the_prediction_are_the_oracles(case):
    probs = signals.prob(case.logits, False)
    labels = signals.labels(case.logits)
    np.testing.assert_allclose(metrics.excess_tv(probs), [functionals.excess_tv(p) for p in probs], atol=1e-12)
    assert metrics.flips(labels).tolist() == [functionals.flips(p) for p in probs]
    np.testing.assert_allclose(metrics.consistent(labels), [functionals.consistent(p) for p in probs], rtol=1e-14)
    widths = [functionals.width(p, d) for p, d in zip(probs, case.distance, strict=True)]
    np.testing.assert_allclose(metrics.width(probs, labels, case.distance), widths, rtol=1e-10)


@examples
@given(seed=st.integers(0, 10**6), points=st.sampled_from([17, 33, 129]))
def test_widths_of_smooth_decisions_are_the_oracles(seed, points):
    case = walk("decisions", points=points, paths=4, seed=seed, scale=4.0)
    probs = signals.prob(case.logits, False)
    expected = [functionals.width(p, d) for p, d in zip(probs, case.distance, strict=True)]
    assert np.isfinite(expected).any()
    np.testing.assert_allclose(metrics.width(probs, signals.labels(case.logits), case.distance), expected, rtol=1e-10)


def test_width_of_a_logistic_decision_is_its_ten_to_ninety_range():
    t = np.linspace(0, 1, 1025)
    b = 1 / (1 + np.exp(-(t - 0.4) / 0.02))
    probs = np.stack([0.9 * (1 - b), 0.9 * b, np.full_like(t, 0.1)], axis=-1)[None]
    found = metrics.width(probs, probs.argmax(-1), np.array([0.3]))
    assert found[0] == pytest.approx(0.3 * 0.02 * 2 * math.log(9), rel=1e-3)


def test_width_is_undefined_without_exactly_one_flip_or_short_of_nine_tenths():
    two, never, shy = np.array(
        [[[0.9, 0.1], [0.1, 0.9], [0.9, 0.1]], [[0.9, 0.1]] * 3, [[0.95, 0.05], [0.4, 0.6], [0.2, 0.8]]]
    )
    probs = np.stack([two, never, shy, shy[::-1]])
    assert np.isnan(metrics.width(probs, probs.argmax(-1), np.ones(4))).all()


def test_width_of_a_decision_in_the_first_or_the_last_step():
    first = np.array([[0.95, 0.05], [0.03, 0.97], [0.02, 0.98], [0.01, 0.99], [0.0, 1.0]])
    probs = np.stack([first, first[::-1]])
    np.testing.assert_allclose(metrics.width(probs, probs.argmax(-1), np.ones(2)), 0.8 / 0.92 / 4, rtol=1e-12)


def test_an_island_is_two_flips_and_all_of_its_variation_is_excess():
    case = walk("islands", points=33, classes=2, scale=100.0)
    labels = signals.labels(case.logits)
    assert metrics.flips(labels).tolist() == [2, 2]
    np.testing.assert_allclose(metrics.excess_tv(signals.prob(case.logits, False)), 2.0, rtol=1e-12)
    np.testing.assert_allclose(metrics.consistent(labels), 14.5 / 32)


def test_a_monotone_decision_has_no_excess_variation_and_a_constant_one_is_consistent_to_the_end():
    case = walk("decisions", points=33, classes=2)
    np.testing.assert_allclose(metrics.excess_tv(signals.prob(case.logits, False)), 0.0, atol=1e-14)
    assert metrics.consistent(np.zeros((1, 33), int)).tolist() == [1.0]


def pooled_oracle(case: Walk, estimator="sine"):
    """Every path's power in the common bins, by the oracle, and the bins' frequencies."""
    signal = signals.prob(case.logits, False)
    count = common_bins.count(case.points, case.distance, REFERENCE)
    spread = [
        common_bins.spread(estimators.ESTIMATORS[estimator](one)[1], d, REFERENCE, count)
        for one, d in zip(signal, case.distance, strict=True)
    ]
    return np.array(spread), np.arange(count) / (2 * REFERENCE)


@pytest.mark.parametrize("estimator", ["sine", "cosine"])
@examples
@given(case=walks)
def test_common_bins_are_the_oracles_and_lose_nothing(estimator, case):
    spectrum = spectra.ESTIMATORS[estimator](signals.prob(case.logits, False))
    bins = metrics.Bins.common(case.distance, case.points, REFERENCE)
    expected, frequency = pooled_oracle(case, estimator)
    np.testing.assert_allclose(bins.frequency, frequency, rtol=1e-14)
    found = metrics.rebinned(spectrum.power, spectrum.frequency, spectrum.half_width, case.distance, bins)
    tolerance = 1e-12 * spectrum.power.sum(1).max() + 1e-18
    np.testing.assert_allclose(found[:, :-1], expected, rtol=1e-10, atol=tolerance)
    np.testing.assert_allclose(found.sum(1), spectrum.power.sum(1), rtol=1e-12, atol=1e-30)


def test_common_bins_may_be_asked_for_some_at_a_time():
    case = walk("noise")
    spectrum = spectra.sine(signals.prob(case.logits, False))
    bins = metrics.Bins.common(case.distance, case.points, REFERENCE)
    given = spectrum.power, spectrum.frequency, spectrum.half_width, case.distance, bins
    every = metrics.rebinned(*given)
    for size in (1, 3, bins.count, bins.count + 1):
        spans = [slice(start, min(start + size, bins.count + 1)) for start in range(0, bins.count + 1, size)]
        np.testing.assert_array_equal(np.hstack([metrics.rebinned(*given, span) for span in spans]), every)


def test_paths_between_images_that_are_nearly_the_same_have_no_more_bins_for_it():
    assert metrics.Bins.common(np.array([1e-9 * REFERENCE]), 33, REFERENCE).count == 4 * 33


@pytest.mark.parametrize("estimator", list(spectra.ESTIMATORS))
def test_power_stays_at_its_frequency_in_common_bins(estimator):
    spectrum = spectra.ESTIMATORS[estimator](np.zeros((1, 33, 1)))
    bins = metrics.Bins.common(np.array([REFERENCE]), 33, REFERENCE)
    for k in (3, 8):
        one_bin = 1.0 * (np.arange(len(spectrum.frequency)) == k)
        found = metrics.rebinned(one_bin[None], spectrum.frequency, spectrum.half_width, np.array([REFERENCE]), bins)
        cycles = metrics.centroid(found[0, :-1], bins, REFERENCE) * REFERENCE
        assert cycles == pytest.approx(spectrum.frequency[k], abs=spectrum.half_width / 2)


def test_a_path_of_reference_length_keeps_its_bins():
    power = spectra.sine(walk("noise", paths=1).logits)
    bins = metrics.Bins.common(np.array([REFERENCE]), 33, REFERENCE)
    found = metrics.rebinned(power.power, power.frequency, power.half_width, np.array([REFERENCE]), bins)
    assert bins.count == 32
    np.testing.assert_allclose(found[0, 1:-1], power.power[0], rtol=1e-10)
    np.testing.assert_allclose(found[0, [0, -1]], 0, atol=1e-12 * power.power.sum())


@examples
@given(
    seed=st.integers(0, 10**6), shape=st.sampled_from(["noise", "waves", "decisions"]), points=st.sampled_from([33, 65])
)
def test_figures_of_the_pooled_spectrum_are_the_oracles(seed, shape, points):
    case = walk(shape, points=points, paths=3, seed=seed)
    spread, frequency = pooled_oracle(case)
    power, bins = spread.mean(0), metrics.Bins(1 / (2 * REFERENCE), len(frequency))
    expected = common_bins.centroid(frequency, power, 16 / REFERENCE)
    np.testing.assert_allclose(metrics.centroid(power, bins, REFERENCE), expected, rtol=1e-10)
    np.testing.assert_allclose(metrics.rolloff(power, bins), common_bins.rolloff(frequency, power), rtol=1e-10)
    expected = common_bins.decay(frequency, power, CUTOFF, nyquist=frequency[-1] + 1 / (2 * REFERENCE))
    np.testing.assert_allclose(metrics.decay(power, bins, CUTOFF), expected, rtol=1e-9)


def test_figures_of_plain_spectra():
    bins = metrics.Bins(0.5, 64)
    one_bin = 1.0 * (np.arange(64) == 10)
    assert metrics.centroid(one_bin, bins, 1.0) == 5.0
    assert metrics.rolloff(one_bin, bins) == pytest.approx(4.75 + 0.95 * 0.5)
    assert metrics.rolloff(1.0 * (np.arange(64) == 0), bins) == pytest.approx(0.95 * 0.25)
    assert metrics.rolloff(one_bin, bins, above=0.04) == pytest.approx(4.75 + 0.95 * 1.04 * 0.5)
    assert math.isnan(metrics.rolloff(one_bin, bins, above=0.06))
    beyond = one_bin + (np.arange(64) == 40)
    assert metrics.centroid(beyond, bins, 1.0) == 5.0
    falling = np.concatenate([[0.0], bins.frequency[1:] ** -3.0])
    assert metrics.decay(falling, bins, 4.0) == pytest.approx(-3)


@pytest.mark.parametrize("factor", [1e-6, 1e6])
def test_the_unit_of_distance_is_that_of_the_figures_and_changes_nothing_else(factor):
    power = np.random.default_rng(0).lognormal(size=64) / (1 + np.arange(64.0)) ** 2
    bins, other = metrics.Bins(0.5, 64), metrics.Bins(0.5 * factor, 64)
    assert metrics.decay(power, other, 4.0 * factor) == pytest.approx(metrics.decay(power, bins, 4.0))
    assert metrics.rolloff(power, other) == pytest.approx(factor * metrics.rolloff(power, bins))
    centroids = metrics.centroid(power, other, 1 / factor), metrics.centroid(power, bins, 1.0)
    assert centroids[0] == pytest.approx(factor * centroids[1])


def test_figures_of_nothing_are_undefined():
    bins = metrics.Bins(0.5, 64)
    silent = np.zeros(64)
    assert math.isnan(metrics.centroid(silent, bins, 1.0))
    assert math.isnan(metrics.rolloff(silent, bins))
    assert math.isnan(metrics.decay(silent, bins, 4.0))


@examples
@given(walks)
def test_high_share_of_models_out_of_line_is_the_oracles(case):
    spectrum = spectra.mool(signals.prob(case.logits, False))
    found = metrics.mool_high_power(spectrum.power) / spectrum.total
    expected = [
        oracle_mool.high_share(oracle_mool.magnitude(oracle_signals.probabilities(z)[:-1])) for z in case.logits
    ]
    np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-14)


def test_what_is_far_below_the_rest_is_not_drowned_in_common_bins():
    power = (10.0 ** -np.arange(0, 31, 1.0))[None]
    frequency = np.arange(1, 32) / 2
    bins = metrics.Bins.common(np.array([REFERENCE]), 33, REFERENCE)
    found = metrics.rebinned(power, frequency, 0.25, np.array([REFERENCE]), bins)
    np.testing.assert_allclose(found[0, 1:-1], power[0], rtol=1e-6)


@pytest.mark.parametrize("reference", [1 / 3, 0.331, 1.0, 85.7])
@pytest.mark.parametrize("last", [3, 17, 31])
def test_a_bin_that_ends_at_the_lowest_nyquist_frequency_is_the_last(reference, last):
    longest = np.array([reference * 32 / (last + 0.5)])
    assert metrics.Bins.common(longest, 33, reference).count == last + 1
    assert metrics.Bins.common(1.001 * longest, 33, reference).count == last


def test_one_path_that_is_very_long_leaves_a_bin_to_draw():
    assert metrics.Bins.common(np.array([1.0, 1000.0]), 33, 1.0).count == 2


@pytest.mark.parametrize("needed", [1.0, 7.9, 8.1, 31.9, 32.0, 32.1, 100.0])
def test_enough_points_are_the_fewest_of_a_nested_grid(needed):
    """method.md section 7: 2^m + 1 >= 8 f_c d + 1, and 9."""
    grids = [2**m + 1 for m in range(3, 12)]
    assert metrics.enough_points(0.25, needed / 2) == min(grid for grid in grids if grid >= needed + 1)


def test_cut_offs_at_the_ends_of_numbers_are_only_numbers():
    bins = metrics.Bins(0.5, 40)
    assert np.isfinite(metrics.decay(np.ones(40), bins, 1e-12))
    assert metrics.enough_points(1.0, 1e308) > metrics.enough_points(1.0, 1e6)
    assert metrics.enough_points(1.0, 5e-324) == 9
