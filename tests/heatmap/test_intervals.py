"""Intervals cover what they promise, in simulation."""

import numpy as np
import pytest

from onnxspec.heatmap import intervals

RUNS = 4000


def coverage(figures, truth):
    return ((figures.low <= truth) & (truth <= figures.high)).mean()


@pytest.mark.parametrize("images", [30, 200])
@pytest.mark.parametrize(("turned_wrong", "turned_right"), [(0.3, 0.02), (0.05, 0.02), (0.01, 0.005), (0.0, 0.0)])
def test_increases_cover_in_pairs(images, turned_wrong, turned_right):
    """Figures are runs here: of each, all images answer anew, with `before` the same in all."""
    rng = np.random.default_rng(0)
    before = (np.arange(images) < images // 10).astype(np.uint8)
    turned = rng.random((images, RUNS)) < np.where(before, turned_right * 10, turned_wrong / 0.9)[:, None]
    found = intervals.increases(before[:, None] ^ turned, before)
    truth = turned_wrong - turned_right
    assert coverage(found, truth) >= 0.94
    assert (found.high > found.low).all()


def test_a_plain_t_interval_would_not_cover_where_few_images_change():
    rng = np.random.default_rng(1)
    change = (rng.random((30, RUNS)) < 0.03).astype(float)
    reach = 2.05 * change.std(0, ddof=1) / np.sqrt(30)
    assert (abs(change.mean(0) - 0.03) <= reach).mean() < 0.7
    assert coverage(intervals.increases(change, np.zeros(30)), 0.03) >= 0.94


def test_increases_are_paired():
    """Where the images differ and their changes do not, the interval is narrow."""
    before = np.arange(200) % 2
    found = intervals.increases(before[:, None], before)
    assert found.estimate[0] == 0
    alone = intervals.rates(before[:, None])
    assert found.high[0] - found.low[0] < 0.03 < (alone.high[0] - alone.low[0]) / 4


def test_averages_over_many_waves_are_not_as_wide_as_those_of_one():
    rng = np.random.default_rng(2)
    shares = rng.beta(2, 8, (200, RUNS))
    found = intervals.increases(shares, np.zeros(200))
    assert 0.94 <= coverage(found, 0.2) <= 0.995
    assert (found.high - found.low).mean() < 0.06


@pytest.mark.parametrize("images", [40, 200])
def test_means_cover_heavy_tails(images):
    rng = np.random.default_rng(3)
    found = intervals.means(rng.lognormal(0, 1, (images, RUNS)))
    assert 0.9 <= coverage(found, np.exp(0.5)) <= 0.97


def test_rates_are_wilson_s():
    found = intervals.rates(np.array([[1, 0], [0, 0], [1, 0], [1, 0]], np.uint8))
    assert np.allclose(found.estimate, [0.75, 0])
    assert np.allclose([found.low[0], found.high[0]], [0.3006, 0.9544], atol=1e-4)
    assert found.low[1] == 0 and found.high[1] == pytest.approx(0.4899, abs=1e-4)


def test_increases_of_what_is_wrong_are_agresti_and_min_s():
    """Of 30 images 5 turn wrong and 2 right: half an image more in each of the four cells; Student's t of 29."""
    before = np.arange(30) < 10
    wrong = before ^ ((np.arange(30) < 2) | (np.arange(30) >= 25))
    found = intervals.increases(wrong[:, None], before)
    middle, reach = 3 / 32, 2.04523 * np.sqrt(8 - 9 / 32) / 32
    assert found.estimate == pytest.approx(3 / 30)
    assert (found.low[0], found.high[0]) == pytest.approx((middle - reach, middle + reach), rel=1e-5)


def test_a_change_of_probabilities_has_an_end():
    """A mean that few images carry has an interval beyond what there can be, on the log scale."""
    change = np.array([[1.0], [1e-12], [1e-12]])
    assert intervals.means(change).high[0] > 2
    assert intervals.means(change, np.sqrt(2)).high[0] == np.sqrt(2)


def test_an_increase_goes_no_further_than_there_is():
    right, wrong = np.zeros((2, 1)), np.ones((2, 1))
    assert intervals.increases(right, np.ones(2)).low == -1
    assert intervals.increases(wrong, np.zeros(2)).high == 1
    assert intervals.increases(right, np.zeros(2), least=0.0).low == 0
