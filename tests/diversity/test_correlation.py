"""Plain correlations are scipy's; what controls leave is what refits leave; intervals hold, of nothing and of something."""

from dataclasses import astuple

import numpy as np
import pytest
from scipy import stats

from onnxspec.diversity.correlation import (
    ALIKE,
    PENALTIES,
    WIDTHS,
    Controls,
    averaged,
    beyond,
    normal_scores,
    plain,
    rank_correlation,
    ranks,
    reach,
)

RNG = np.random.default_rng(0)


def test_ranks_and_plain_correlations_are_scipys():
    for size in (5, 40):
        x, y = RNG.integers(0, 8, size), RNG.standard_normal(size)
        assert np.array_equal(ranks(x), stats.rankdata(x))
        assert rank_correlation(x, y).rho == pytest.approx(stats.spearmanr(x, y).statistic)


def test_normal_scores_have_the_ranks_of_what_they_are_of():
    values = RNG.integers(0, 8, 60)
    assert normal_scores(values) == pytest.approx(stats.norm.ppf((stats.rankdata(values) - 0.5) / 60))


def refitted(values, controls, width, penalty):
    """What kernel ridge regression leaves of each value when it is fitted to the others."""
    c = np.column_stack([stats.norm.ppf((stats.rankdata(one) - 0.5) / len(one)) for one in controls])
    kernel = 1 + c @ c.T + np.exp(-((c[:, None] - c) ** 2).sum(-1) / (2 * width**2))
    left = np.empty(len(values))
    for i in range(len(values)):
        others = np.arange(len(values)) != i
        weights = np.linalg.solve(kernel[np.ix_(others, others)] + penalty * np.eye(len(values) - 1), values[others])
        left[i] = values[i] - kernel[i, others] @ weights
    return left


@pytest.mark.parametrize("count", [1, 2])
def test_what_controls_leave_is_what_refits_without_each_class_leave(count):
    controls = [RNG.standard_normal(40), RNG.integers(0, 6, 40)][:count]
    for values in (RNG.standard_normal(40), np.sin(2 * controls[0]) + 0.1 * RNG.standard_normal(40)):
        every = [refitted(values, controls, width, penalty) for width in WIDTHS for penalty in PENALTIES]
        best = min(every, key=lambda left: np.square(left).sum())
        assert Controls(controls).left(values) == pytest.approx(best, abs=1e-5)


@pytest.mark.parametrize("classes", [10, 30, 200])
@pytest.mark.parametrize("rho", [0.0, 0.5, 0.9])
def test_intervals_cover(classes, rho):
    """Pearson's rho of a normal pair is a rank correlation of 6 / pi asin(rho / 2)."""
    truth, runs = 6 / np.pi * np.arcsin(rho / 2), 1500
    x = RNG.standard_normal((runs, classes))
    y = rho * x + np.sqrt(1 - rho**2) * RNG.standard_normal((runs, classes))
    found = [rank_correlation(a, b) for a, b in zip(x, y, strict=True)]
    assert 0.93 <= np.mean([one.low <= truth <= one.high for one in found]) <= 0.98


CONFOUNDERS = {
    "linear": lambda z, w, noise: z + 0.5 * noise,
    "cubic": lambda z, w, noise: z**3 + noise,
    "quadratic": lambda z, w, noise: z**2 + noise,
    "product": lambda z, w, noise: z * w + noise,
    "errors of other sizes": lambda z, w, noise: z + np.exp(z) * noise,
}


def test_what_is_the_controls_own_is_rarely_found():
    """x and y agree by z and w alone. Controls that a line takes out of ranks let 7, 43, 100, 100 and 27 % through."""
    rng, found = np.random.default_rng(1), {form: [] for form in CONFOUNDERS}
    for _ in range(30):
        z, w, *noise = rng.standard_normal((4, 100))
        controls = Controls([z, w])
        for form, values in CONFOUNDERS.items():
            found[form].append(beyond(*(values(z, w, one) for one in noise), controls).correlation())
    for some in found.values():
        assert np.mean([one.p < 0.05 for one in some]) <= 0.2
        assert all((one.p < 0.05) == (not one.low <= 0 <= one.high) for one in some)


def test_what_is_there_beyond_controls_is_found_and_covered():
    rng, rho, found = np.random.default_rng(2), 0.5, []
    for _ in range(30):
        z, a, b = rng.standard_normal((3, 100))
        found.append(rank_correlation(z + a, z**2 / 2 + z + rho * a + np.sqrt(1 - rho**2) * b, [z]))
    assert np.mean([one.p < 0.05 for one in found]) > 0.9
    assert np.mean([one.low <= rho <= one.high for one in found]) > 0.85
    assert np.mean([one.rho for one in found]) == pytest.approx(rho, abs=0.06)


def test_two_ways_of_one_question_are_no_surer_than_one():
    """Halves with chance of their own that moves figure and measure alike: alone they go together, crossed they do not."""
    rng, same, both = np.random.default_rng(3), [], []
    for _ in range(400):
        chance, noise = rng.standard_normal((2, 2, 60))
        figures, measures = chance, 0.8 * chance + 0.6 * noise
        same.append(plain(figures[0], measures[0]).correlation().p < 0.05)
        ways = plain(figures[0], measures[1]), plain(figures[1], measures[0])
        both.append(averaged(*ways).correlation().p < 0.05)
    assert np.mean(same) > 0.9 and np.mean(both) <= 0.06


def test_an_average_is_between_the_two_and_errs_as_they_do():
    x, y = RNG.standard_normal((2, 30))
    once, less = plain(x, y), plain(x[:20], y[:20])
    assert astuple(averaged(once, once)) == pytest.approx(astuple(once))
    found = averaged(once, less)
    assert (found.z, found.error) == ((once.z + less.z) / 2, (once.error + less.error) / 2)
    assert found.classes == 20
    missing = plain(x[:3], y[:3])
    assert averaged(once, missing) == averaged(missing, once) == missing


def test_full_agreement_has_an_interval():
    x = np.arange(10)
    for found in (rank_correlation(x, x**3), rank_correlation(x, x**3, [RNG.standard_normal(10)])):
        assert found.rho == pytest.approx(1) and 0.9 < found.low < 1 and found.p < 1e-3


def test_full_agreement_stands_for_half_of_its_smallest_step_less():
    """Which is what two neighbours that change places make."""
    x, swapped = np.arange(10), np.array([0, 1, 2, 4, 3, 5, 6, 7, 8, 9])
    for sign in (1, -1):
        assert np.tanh(plain(x, sign * x).z) == pytest.approx(sign * (1 + plain(x, swapped).rho) / 2)


def test_what_is_undefined_has_a_reason():
    assert rank_correlation(np.arange(3), np.arange(3)).reason == "3 classes: at least 4 are needed"
    assert rank_correlation(np.arange(5), np.arange(5), [np.ones(5)] * 2).reason == "5 classes: at least 6 are needed"
    assert rank_correlation(np.ones(0), np.ones(0), [np.ones(0)]).reason == "0 classes: at least 5 are needed"
    for controls in ([], [RNG.standard_normal(9)]):
        found = rank_correlation(np.ones(9), np.arange(9), controls)
        assert found.reason == ALIKE and np.isnan(found.p)
    told = rank_correlation(np.arange(30), RNG.standard_normal(30), [np.arange(30) ** 2])
    assert told.reason == "the controls say all of it" and np.isnan(told.rho)


def test_ten_classes_reach_far():
    assert reach(10) == pytest.approx(0.63, abs=0.005)
    assert reach(100) == pytest.approx(0.197, abs=0.005)
    assert reach(3) == 1
