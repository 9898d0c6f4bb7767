"""Two models on the same paths: what the paths do to both cancels, and the intervals stay honest."""

from dataclasses import replace

import numpy as np
import pytest

from onnxspec import statistics
from onnxspec.statistics import Design
from simulation import Population, disjoint, recurring


def siblings(rng, seed_paths, image_a, image_b, truth):
    """Two models' figures on the same paths: what the paths share, noise of each, and a factor of exp(truth)."""
    shared = seed_paths.survey(rng, image_a, image_b)
    none = np.zeros((2, 1 + max(image_a.max(), image_b.max())))
    own = [Population(path=0.6).survey(rng, image_a, image_b, none) for _ in range(2)]
    return [
        statistics.ratio(
            factor * shared.numerator * one.numerator,
            shared.denominator * one.denominator,
            Design(image_a, image_b),
        )
        for factor, one in zip((np.exp(truth), 1.0), own, strict=True)
    ]


@pytest.mark.parametrize("ends", [disjoint(400), recurring(200, 2)], ids=["disjoint", "recurring"])
@pytest.mark.parametrize("image", [0.0, 0.5])
def test_intervals_cover_in_95_percent_of_500_comparisons(ends, image):
    rng, truth = np.random.default_rng(3), 0.2
    found = [statistics.paired(*siblings(rng, Population(image=image), *ends, truth)).interval() for _ in range(500)]
    covered = np.mean([one.low <= np.exp(truth) <= one.high for one in found])
    assert covered == pytest.approx(0.95, abs=0.03)


def test_pairing_narrows_the_interval():
    first, second = siblings(np.random.default_rng(0), Population(), *disjoint(400), 0.0)
    assert statistics.paired(first, second).variance[0] < 0.6 * statistics.contrast(first, second).variance[0]


def test_a_figure_less_itself_is_zero_without_doubt():
    survey = Population().survey(np.random.default_rng(0), *disjoint(20))
    for numerator in (survey.numerator, np.eye(20)[0]):
        figure = statistics.ratio(numerator, survey.denominator, Design(survey.image_a, survey.image_b))
        none = statistics.paired(figure, figure)
        assert none.interval().low == none.interval().high == 1
        assert none.p_value() == 1


@pytest.mark.parametrize("carriers", [1, 2, 4])
@pytest.mark.parametrize("way", [statistics.paired, statistics.contrast])
def test_what_few_paths_carry_in_step_is_not_certain(carriers, way):
    """A path that moves by 30 % is one path, however many beside it stay at zero."""
    values = np.zeros(300)
    values[:carriers] = np.float32(0.2)
    ends = disjoint(300)
    first, second = (statistics.ratio(values * times, np.ones(300), Design(*ends)) for times in (np.float32(1.3), 1.0))
    changed = way(first, second)
    assert changed.interval().low < 0.8 and changed.interval().high > 2
    assert not changed.p_value() < 0.05


def test_few_paths_that_are_alike_settle_no_difference():
    for count, settled in ((2, False), (9, False), (10, True)):
        first, second = (statistics.log_mean(np.full(count, level), Design.apart(count)) for level in (2.0, 1.0))
        for way in (statistics.paired, statistics.contrast):
            assert (way(first, second).p_value() < 0.05) == settled
    many = statistics.log_mean(np.full(30, 5.0), Design.apart(30))
    few = statistics.log_mean(np.full(9, 1.0), Design.apart(9))
    assert not statistics.contrast(many, few).p_value() < 0.05 and not statistics.contrast(few, many).p_value() < 0.05


def test_all_that_change_alike_settle_the_change():
    numbers = np.random.default_rng(0).lognormal(size=300)
    first, second = (statistics.log_mean(numbers * times, Design.apart(300)) for times in (2.0, 1.0))
    assert statistics.paired(first, second).interval().low == pytest.approx(2)
    assert statistics.paired(first, second).p_value() < 1e-9


def test_zeros_have_no_ratio():
    ends = disjoint(5)
    zero, one = (statistics.ratio(np.full(5, top), np.ones(5), Design(*ends)) for top in (0.0, 1.0))
    assert statistics.paired(zero, one).reason == statistics.paired(one, zero).reason == "one of the two is zero"
    undefined = statistics.ratio(np.zeros(5), np.zeros(5), Design(*ends))
    assert statistics.paired(one, undefined).reason == statistics.paired(undefined, zero).reason == undefined.reason
    assert statistics.paired(zero, zero).reason == statistics.contrast(zero, zero).reason == "both are zero"
    assert statistics.contrast(zero, one).reason == "one of the two is zero"
    assert np.isnan(statistics.paired(zero, one).interval().estimate)


def test_spread_to_the_same_paths_changes_nothing():
    survey = Population().survey(np.random.default_rng(0), *recurring(50, 2))
    figure = statistics.ratio(*survey.columns)
    at = np.arange(len(survey.numerator))
    again = statistics.spread(figure, at, figure.design)
    assert again.interval() == figure.interval()


def test_figures_over_different_paths_pair_as_a_contrast():
    """Without a common path there is nothing to cancel."""
    a, b = (Population().survey(np.random.default_rng(seed), *disjoint(30)) for seed in (0, 1))
    first, second = (statistics.ratio(*one.columns) for one in (a, b))
    second = replace(second, design=second.design.unlike(first.design))
    both = first.design.beside(second.design)
    spread = [statistics.spread(one, np.arange(30) + 30 * i, both) for i, one in enumerate((first, second))]
    assert statistics.paired(*spread).interval() == statistics.contrast(first, second).interval()


def test_an_image_at_the_end_of_all_paths_of_a_figure_is_not_forgotten_among_more():
    rng = np.random.default_rng(0)
    first = statistics.log_mean(rng.lognormal(size=30), Design(np.zeros(30, int), np.arange(1, 31)))
    second = statistics.log_mean(rng.lognormal(size=40), Design(*(image + 100 for image in disjoint(40))))
    both = first.design.beside(second.design)
    spread = (statistics.spread(one, at, both) for one, at in ((first, np.arange(30)), (second, np.arange(30, 70))))
    for changed in (statistics.paired(*spread), statistics.contrast(first, second)):
        assert (changed.interval().low, changed.interval().high) == (0, np.inf)
        assert np.isnan(changed.p_value())
