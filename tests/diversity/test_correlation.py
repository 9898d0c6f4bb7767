"""Rank correlations are scipy's, their partial form the textbook's, and their intervals hold."""

import numpy as np
import pytest
from scipy import stats

from onnxspec.diversity.correlation import rank_correlation, ranks, reach

RNG = np.random.default_rng(0)


def test_ranks_and_plain_correlations_are_scipys():
    for size in (5, 40):
        x, y = RNG.integers(0, 8, size), RNG.standard_normal(size)
        assert np.array_equal(ranks(x), stats.rankdata(x))
        assert rank_correlation(x, y).rho == pytest.approx(stats.spearmanr(x, y).statistic)


def test_one_control_gives_the_textbook_formula():
    z = RNG.standard_normal(50)
    x, y = z + RNG.standard_normal(50), z + RNG.standard_normal(50)
    r = {(a, b): stats.spearmanr(u, v).statistic for a, u in zip("xyz", (x, y, z), strict=True)
         for b, v in zip("xyz", (x, y, z), strict=True)}  # fmt: skip
    top = r["x", "y"] - r["x", "z"] * r["y", "z"]
    bottom = np.sqrt((1 - r["x", "z"] ** 2) * (1 - r["y", "z"] ** 2))
    assert rank_correlation(x, y, [z]).rho == pytest.approx(top / bottom)


def test_several_controls_are_taken_one_after_the_other():
    z, w = RNG.standard_normal((2, 60))
    x, y = z + w + RNG.standard_normal(60), z - w + RNG.standard_normal(60)

    def given_z(u, v):
        return rank_correlation(u, v, [z]).rho

    top = given_z(x, y) - given_z(x, w) * given_z(y, w)
    bottom = np.sqrt((1 - given_z(x, w) ** 2) * (1 - given_z(y, w) ** 2))
    assert rank_correlation(x, y, [z, w]).rho == pytest.approx(top / bottom)


@pytest.mark.parametrize("classes", [10, 30, 200])
@pytest.mark.parametrize("rho", [0.0, 0.5, 0.9])
def test_intervals_cover(classes, rho):
    """Pearson's rho of a normal pair is a rank correlation of 6 / pi asin(rho / 2)."""
    truth, runs = 6 / np.pi * np.arcsin(rho / 2), 1500
    x = RNG.standard_normal((runs, classes))
    y = rho * x + np.sqrt(1 - rho**2) * RNG.standard_normal((runs, classes))
    found = [rank_correlation(a, b) for a, b in zip(x, y, strict=True)]
    assert 0.93 <= np.mean([one.low <= truth <= one.high for one in found]) <= 0.98


@pytest.mark.parametrize("classes", [12, 100])
def test_partial_intervals_cover_where_all_is_the_control_s(classes):
    """x and y that agree by z and w alone; p is as often small as it says."""
    runs = 1500
    z, w, a, b = RNG.standard_normal((4, runs, classes))
    found = [rank_correlation(z[i] + w[i] + a[i], z[i] - w[i] + b[i], [z[i], w[i]]) for i in range(runs)]
    assert 0.93 <= np.mean([one.low <= 0 <= one.high for one in found]) <= 0.98
    assert np.mean([one.p < 0.05 for one in found]) == np.mean([not one.low <= 0 <= one.high for one in found])


def test_full_agreement_has_an_interval():
    found = rank_correlation(np.arange(10), np.arange(10) ** 3)
    assert found.rho == pytest.approx(1) and 0.9 < found.low < 1 and found.p < 1e-3


def test_what_is_undefined_has_a_reason():
    assert rank_correlation(np.arange(3), np.arange(3)).reason == "3 classes: at least 4 are needed"
    assert rank_correlation(np.arange(5), np.arange(5), [np.ones(5)] * 2).reason == "5 classes: at least 6 are needed"
    for x, y, controls in (
        (np.ones(9), np.arange(9), []),
        (np.arange(9), RNG.standard_normal(9), [np.arange(9) ** 2]),
    ):
        found = rank_correlation(x, y, controls)
        assert found.reason == "all classes are alike" and np.isnan(found.p)


def test_ten_classes_reach_far():
    assert reach(10) == pytest.approx(0.63, abs=0.005)
    assert reach(100) == pytest.approx(0.197, abs=0.005)
    assert reach(3) == 1
