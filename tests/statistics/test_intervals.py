"""Intervals and contrasts of paths that share images (method.md section 6): the package against the oracle and the truth."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from onnxspec import statistics
from onnxspec.statistics import Design, Interval, dyadic, intervals
from oracle import pooling as oracle
from simulation import Population, Survey, disjoint, examples, recurring

DESIGNS = [disjoint(2), disjoint(7), disjoint(40), recurring(5, 1), recurring(7, 2), recurring(12, 3)]


def survey(design, seed):
    return Population(image=0.6, path=0.8).survey(np.random.default_rng(seed), *design)


surveys = st.builds(survey, st.sampled_from(DESIGNS), st.integers(0, 10**6))


def figures(interval: Interval):
    return interval.estimate, interval.low, interval.high, interval.n_eff


def agree(interval, expected):
    np.testing.assert_allclose(figures(interval), expected, rtol=1e-10)


@examples
@given(surveys, st.sampled_from([0.5, 0.95, 0.99]))
def test_interval_of_a_pooled_ratio_is_the_oracles(seen, level):
    found = statistics.ratio(*seen.columns).interval(level)
    agree(found, oracle.ratio_interval(seen.numerator, seen.denominator, seen.pairs, level))
    assert found.paths == len(seen.pairs) and not found.reason


@examples
@given(surveys, st.sampled_from([0.5, 0.95, 0.99]))
def test_interval_of_a_mean_is_the_oracles(seen, level):
    values = seen.numerator - seen.denominator
    found = statistics.mean(values, Design(seen.image_a, seen.image_b)).interval(level)
    expected = oracle.mean_interval(values, seen.pairs, level)
    np.testing.assert_allclose(figures(found), expected, rtol=1e-10, atol=1e-12 * np.abs(values).max())


@examples
@given(surveys)
def test_interval_of_a_mean_of_positive_values_is_taken_on_the_log_scale(seen):
    found = statistics.log_mean(seen.numerator, Design(seen.image_a, seen.image_b)).interval()
    agree(found, oracle.ratio_interval(seen.numerator, np.ones(len(seen.pairs)), seen.pairs))


@examples
@given(surveys, st.integers(0, 10**6))
def test_a_band_is_the_interval_of_every_column(seen, seed):
    values = np.random.default_rng(seed).lognormal(size=(len(seen.pairs), 3))
    bands = np.transpose(statistics.mean_band(values, Design(seen.image_a, seen.image_b)))
    for column, band in zip(values.T, bands, strict=True):
        expected = oracle.ratio_interval(column, np.ones(len(column)), seen.pairs)[:3]
        np.testing.assert_allclose(band, expected, rtol=1e-10)


def test_bands_do_not_depend_on_how_many_are_worked_on_together(monkeypatch):
    values = np.random.default_rng(5).lognormal(size=(40, 7)).astype(np.float32)
    together = statistics.mean_band(values, Design.apart(40))
    monkeypatch.setattr(intervals, "TOGETHER_VALUES", 3 * 40)
    for one, other in zip(statistics.mean_band(values, Design.apart(40)), together, strict=True):
        assert one == pytest.approx(other, rel=1e-12)


@examples
@given(surveys, surveys, st.integers(1, 400))
def test_intervals_together_are_those_of_each_figure(seen, other, together):
    """Over shared designs and others, with figures between them that are undefined or not settled."""
    one, two = seen.columns[2], other.columns[2]
    alone = statistics.mean(np.arange(len(one.image_a)) == 0, one, bottom=0.0)
    pooled = [
        statistics.ratio(*seen.columns, top=1.0),
        statistics.ratio(*other.columns),
        statistics.ratio(-seen.numerator, seen.denominator, one),
        statistics.log_mean(seen.numerator, one),
        statistics.ratio(1.0 * (np.arange(len(one)) == 0), np.ones(len(one)), one),
        statistics.mean(np.ones(len(two)), two, counts=True),
        statistics.mean(seen.denominator, one),
        alone,
    ]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(intervals, "TOGETHER_VALUES", together)
        found = list(statistics.intervals_of(enumerate(pooled), 0.9))
    assert [at for at, _ in found] == list(range(len(pooled)))
    for (_, interval), figure in zip(found, pooled, strict=True):
        expected = replace(figure).interval(0.9)
        np.testing.assert_allclose(figures(interval), figures(expected), rtol=1e-9)
        assert (interval.paths, interval.reason) == (expected.paths, expected.reason)


@examples
@given(surveys, surveys)
def test_contrast_of_two_kinds_is_the_oracles(first, second):
    """They share images, as the kinds of one plan do: every odd one of `first` stands in `second` too."""
    second = replace(second, image_a=2 * second.image_a + 1, image_b=second.image_b + 1000)
    found = statistics.contrast(statistics.ratio(*first.columns), statistics.ratio(*second.columns))
    value, low, high, effective = oracle.contrast_interval(
        (first.numerator, first.denominator, first.pairs), (second.numerator, second.denominator, second.pairs)
    )
    agree(found.interval(), (math.exp(value), math.exp(low), math.exp(high), effective))


@examples
@given(surveys, st.integers(0, 10**6))
def test_neither_the_order_of_paths_nor_the_numbering_of_images_matters(seen, seed):
    rng = np.random.default_rng(seed)
    order, names = rng.permutation(len(seen.pairs)), rng.permutation(1000)
    swapped = Survey(
        seen.numerator[order], seen.denominator[order], names[seen.image_b][order], names[seen.image_a][order]
    )
    found = statistics.ratio(*swapped.columns).interval()
    np.testing.assert_allclose(figures(found), figures(statistics.ratio(*seen.columns).interval()), rtol=1e-10)


def test_effective_paths_are_all_of_them_when_all_weigh_the_same_and_one_when_one_does():
    a, b = disjoint(50)
    alike = np.where(np.arange(50) % 2, 0.9, 1.1)
    assert statistics.mean(alike, Design(a, b)).interval().n_eff == pytest.approx(50)
    alone = 1e6 * (np.arange(50) == 3)
    found = statistics.mean(alone, Design(a, b)).interval()
    assert found.n_eff == pytest.approx(1, abs=0.05) and found.carried_by_few
    assert not statistics.mean(alike, Design(a, b)).interval().carried_by_few


def test_relative_half_width_is_what_precision_is_about():
    assert Interval(2.0, 1.5, 3.0, 9, 9.0).half_width == pytest.approx(0.375)
    assert math.isnan(Interval(0.0, 0.0, 0.0, 9, 9.0).half_width)


@pytest.mark.parametrize("paths", [0, 1])
def test_fewer_than_two_paths_have_no_interval_but_a_reason(paths):
    a, b = disjoint(paths)
    for pooled in (
        statistics.ratio(np.ones(paths), np.ones(paths), Design(a, b)),
        statistics.mean(np.ones(paths), Design(a, b)),
    ):
        found = pooled.interval()
        assert np.isnan(figures(found)).all() and str(paths) in found.reason and found.paths == paths
        assert math.isnan(pooled.p_value())


def test_two_paths_have_an_interval_that_says_how_little_they_know():
    found = statistics.ratio(np.array([1.0, 2.0]), np.array([3.0, 3.0]), Design.apart(2)).interval()
    assert found.estimate == pytest.approx(0.5)
    assert 0 < found.low < 0.25 and found.high > 1 and found.carried_by_few


def test_a_share_does_not_exceed_one():
    found = statistics.ratio(np.array([1.0, 2.0]), np.array([3.0, 3.0]), Design.apart(2), top=1.0).interval()
    assert found.high == 1.0


def test_a_ratio_over_nothing_is_undefined():
    pooled = statistics.ratio(np.zeros(5), np.zeros(5), Design.apart(5))
    assert np.isnan(figures(pooled.interval())).all() and pooled.interval().reason
    assert math.isnan(pooled.p_value())


def test_a_ratio_that_a_noise_floor_leaves_below_nothing_is_undefined():
    found = statistics.ratio(np.array([0.1, -0.3, 0.1]), np.ones(3), Design.apart(3)).interval()
    assert np.isnan(figures(found)).all() and found.reason == statistics.BELOW_FLOOR
    assert statistics.ratio(-np.ones(3), -np.ones(3), Design.apart(3)).reason == "the outputs do not change"
    assert not statistics.ratio(np.array([0.1, -0.3, 0.3]), np.ones(3), Design.apart(3)).reason


def test_a_ratio_of_nothing_is_zero_and_cannot_be_contrasted():
    a, b = disjoint(5)
    silent = statistics.ratio(np.zeros(5), np.ones(5), Design(a, b))
    assert silent.interval().estimate == 0
    other = statistics.ratio(np.arange(1.0, 6), np.ones(5), Design(a + 50, b + 50))
    for against in (statistics.contrast(silent, other), statistics.contrast(other, silent)):
        assert against.interval().reason and math.isnan(against.p_value())


def test_some_paths_over_nothing_count_as_nothing():
    a, b = disjoint(6)
    numerator, denominator = np.array([1.0, 2, 3, 0, 0, 4]), np.array([2.0, 3, 3, 0, 0, 9])
    found = statistics.ratio(numerator, denominator, Design(a, b)).interval()
    agree(found, oracle.ratio_interval(numerator, denominator, list(zip(a, b, strict=True))))


def test_one_path_that_carries_everything_leaves_the_interval_open():
    lone = 1.0 * (np.arange(8) == 2)
    pooled = statistics.ratio(lone, np.ones(8), Design.apart(8), top=1.0)
    found = pooled.interval()
    assert figures(found) == pytest.approx((1 / 8, 0.0, 1.0, 1.0), abs=1e-15)
    assert "too few paths" in found.reason and found.carried_by_few
    assert math.isnan(pooled.p_value())
    mean, low, high = statistics.mean_band(lone[:, None], Design.apart(8))
    assert (mean[0], low[0], high[0]) == (1 / 8, 0.0, np.inf)


def test_a_constant_has_an_interval_of_no_width():
    found = statistics.mean(np.full(9, 0.7), Design.apart(9))
    assert figures(found.interval()) == pytest.approx((0.7, 0.7, 0.7, 9))


@pytest.mark.parametrize(
    "figure", [statistics.ratio, lambda hits, _, ends, top: statistics.mean(hits, ends, bottom=0.0, top=top)]
)
def test_nothing_seen_is_not_known_to_be_nothing(figure):
    """None of n: up to 1 - .025^(1/n) of all may be hits (Clopper and Pearson 1934)."""
    for count, high in ((12, 0.2646), (300, 0.01222)):
        found = figure(np.zeros(count), np.ones(count), Design.apart(count), top=1.0).interval()
        assert figures(found)[:3] == pytest.approx((0.0, 0.0, high), abs=1e-4)
    again = Design(*np.tile(disjoint(5), 9))
    few = figure(np.zeros(45), np.ones(45), again, top=1.0).interval()
    assert few.high == pytest.approx(1 - 0.025 ** (1 / 5)), "ten images are five pairs"


@pytest.mark.parametrize(("share", "paths"), [(0.03, 40), (0.01, 100), (0.05, 20)])
def test_intervals_of_rare_events_cover_them(share, paths):
    rng, covered = np.random.default_rng(1), []
    for _ in range(400):
        hits = 1.0 * (rng.random(paths) < share)
        for pooled in (
            statistics.ratio(hits, np.ones(paths), Design.apart(paths), top=1.0),
            statistics.mean(hits, Design.apart(paths), bottom=0.0),
        ):
            found = pooled.interval()
            covered.append(found.low <= share <= found.high)
    assert np.mean(covered) > 0.9


@pytest.mark.parametrize("paths", [2, 3, 5])
def test_intervals_of_few_disjoint_paths_cover(paths):
    """n paths have n - 1 degrees of freedom, though they join 2 n images: with 2 n - 1, .87 of 2 paths' covered."""
    rng = np.random.default_rng(0)
    found = [statistics.mean(rng.normal(size=paths), Design.apart(paths)).interval() for _ in range(1500)]
    assert np.mean([one.low <= 0 <= one.high for one in found]) > 0.94


def test_all_at_the_top_may_be_lower():
    found = statistics.mean(np.ones(20), Design.apart(20), bottom=0.0, top=1.0).interval()
    assert (found.estimate, found.high) == (1, 1) and found.low == pytest.approx(0.025 ** (1 / 20))


def test_counts_that_are_all_alike_may_differ_elsewhere():
    """As flips do where all of twenty paths cross one boundary."""
    found = statistics.mean(np.ones(20), Design.apart(20), bottom=0.0, counts=True).interval()
    unseen = 1 - 0.025 ** (1 / 20)
    assert figures(found)[:3] == pytest.approx((1, 1 - unseen, 1 + unseen))


def test_bands_of_what_is_all_alike_and_of_what_is_below_zero():
    values = np.column_stack([np.full(5, 0.3), [-1.0, -2, 0.5, 0, 0]])
    average, low, high = statistics.mean_band(values, Design.apart(5))
    assert (low[0], high[0]) == pytest.approx((0.3, 0.3))
    assert average[1] == -0.5 and np.isnan([low[1], high[1]]).all()
    average, *bounds = statistics.mean_band(values[:1], Design.apart(1))
    assert average.tolist() == [0.3, -1.0] and np.isnan(bounds).all()


@examples
@given(surveys)
def test_p_value_and_interval_agree_on_zero(seen):
    """p = .05 exactly where the 95 % interval ends."""
    ends = seen.image_a, seen.image_b
    low = statistics.mean(seen.numerator, Design(*ends)).interval().low
    assert statistics.mean(seen.numerator - low, Design(*ends)).p_value() == pytest.approx(0.05, rel=1e-8)


def test_what_is_zero_has_no_distance_from_another_figure():
    """Its logarithm is beyond all numbers, and a p of nought would be taken for a finding."""
    some = statistics.log_mean(np.arange(1.0, 13), Design.apart(12))
    assert some.p_value(some.value) == pytest.approx(1) and some.p_value(some.value + 9) < 0.05
    assert math.isnan(some.p_value(-math.inf)) and math.isnan(some.p_value(math.nan))


def uniform(p_values):
    return stats.kstest(p_values, "uniform").pvalue > 0.01


def test_p_values_are_uniform_where_there_is_nothing_to_find():
    rng = np.random.default_rng(11)
    design = disjoint(100)
    assert uniform([statistics.mean(rng.standard_normal(100), Design(*design)).p_value() for _ in range(800)])
    population, other = Population(path=0.5), tuple(image + 500 for image in design)
    assert uniform(
        [
            statistics.contrast(
                statistics.ratio(*population.survey(rng, *design).columns),
                statistics.ratio(*population.survey(rng, *other).columns),
            ).p_value()
            for _ in range(800)
        ]
    )


def contrast_coverage(within, between, shared_effects, repeats=800, images=600):
    """How often the interval of the ratio of two kinds holds the truth; every image stands once in each kind."""
    rng = np.random.default_rng(7)
    truth = math.exp(between.truth - within.truth)
    held = 0
    for _ in range(repeats):
        effects = [within.effects(rng, images) for _ in range(2)]
        other = rng.permutation(images).reshape(2, -1)
        pairs = within.survey(rng, *disjoint(images // 2), effects=effects[0])
        mixed = between.survey(rng, *other, effects=effects[0 if shared_effects else 1])
        found = statistics.contrast(statistics.ratio(*mixed.columns), statistics.ratio(*pairs.columns)).interval()
        held += found.low <= truth <= found.high
    return held / repeats


def test_contrast_of_two_kinds_over_the_same_images_covers():
    within, between = Population(image=0.4, path=0.6), Population(image=0.5, path=0.8)
    assert 0.92 <= contrast_coverage(within, between, shared_effects=False) <= 0.97


def test_contrast_is_not_too_narrow_where_an_image_raises_both_kinds():
    """What the two have in common cancels in truth; the lower bound on the variance keeps the interval from using it."""
    within, between = Population(image=0.4, path=0.6), Population(image=0.5, path=0.8)
    assert 0.92 <= contrast_coverage(within, between, shared_effects=True) <= 0.995


def rejected(p, level):
    """Holm's procedure as he stated it: from the smallest p on, against level / (tests not yet rejected)."""
    known = {test: value for test, value in enumerate(p) if not math.isnan(value)}
    gone = set()
    while len(gone) < len(known):
        smallest = min(known.keys() - gone, key=known.get)
        if known[smallest] > level / (len(known) - len(gone)):
            break
        gone.add(smallest)
    return gone


@examples
@given(
    st.lists(st.one_of(st.floats(0, 1), st.integers(0, 20).map(lambda i: i / 100), st.just(math.nan)), max_size=12),
)
def test_holm_rejects_what_the_procedure_rejects(p):
    """At levels just under and just over every adjusted value."""
    adjusted = statistics.holm(np.array(p))
    for level in np.outer(adjusted[adjusted < 1], [0.999, 1.001]).ravel():
        assert set(np.flatnonzero(adjusted <= level)) == rejected(p, level)
    assert np.isnan(adjusted).tolist() == [math.isnan(value) for value in p]
    assert not (adjusted > 1).any()


@pytest.mark.parametrize(("successes", "trials"), [(0, 10), (10, 10), (3, 40), (917, 1000)])
def test_a_proportion_has_wilsons_interval(successes, trials):
    z, share = stats.norm.ppf(0.975), successes / trials
    middle = (share + z**2 / (2 * trials)) / (1 + z**2 / trials)
    half = z / (1 + z**2 / trials) * math.sqrt(share * (1 - share) / trials + z**2 / (4 * trials**2))
    found = statistics.proportion(successes, trials)
    assert (found.estimate, found.low, found.high) == pytest.approx((share, middle - half, middle + half), abs=1e-12)


def test_a_proportion_of_nothing_is_undefined():
    assert math.isnan(statistics.proportion(0, 0).estimate) and statistics.proportion(0, 0).reason


@pytest.mark.parametrize(("top", "high"), [(float("inf"), np.inf), (1.0, 0.0092), (100.0, 0.92)])
def test_what_was_zero_throughout_may_be_anything_of_its_own_unit_elsewhere(top, high):
    found = statistics.mean(np.zeros(400), Design(np.arange(400), np.arange(400, 800)), bottom=0.0, top=top).interval()
    assert (found.estimate, found.low) == (0.0, 0.0)
    assert found.high == pytest.approx(high, rel=0.01)


def test_an_image_at_the_end_of_all_paths_leaves_no_interval():
    """Its effect is in every path alike: 20 classes of one image each, an effect of an image of .6, nominal .95."""
    rng = np.random.default_rng(0)
    values, others = np.exp(rng.normal(size=200)), np.arange(1, 201)
    pooled = statistics.log_mean(values, Design(np.zeros(200, int), others))
    found = pooled.interval()
    assert (found.low, found.high, found.n_eff, found.reason) == (0.0, np.inf, 1.0, statistics.ONE_IMAGE)
    assert np.isnan(pooled.p_value())
    plain = statistics.mean(values, Design(np.zeros(200, int), others), bottom=0.0).interval()
    assert (plain.low, plain.high) == (0.0, np.inf)  # of what cannot be negative
    against = statistics.contrast(pooled, statistics.log_mean(values, Design(others + 500, others + 1000)))
    assert against.interval().high == np.inf
    assert statistics.log_mean(values, Design(np.arange(200) % 2, others + 1)).interval().high < np.inf


def test_an_image_at_the_end_of_all_paths_leaves_no_band():
    """As it leaves no interval of each figure in it."""
    values = np.random.default_rng(0).lognormal(size=(dyadic.HINGED_PATHS, 2))
    one, others = np.full(3, 3), np.arange(10, 13)
    for ends in ((one, others), (others, one)):
        average, low, high = statistics.mean_band(values, Design(*ends))
        assert average == pytest.approx(values.mean(0)) and (low == 0).all() and (high == np.inf).all()
    assert np.isfinite(statistics.mean_band(values[:2], Design(one[:2], others[:2]))).all()


def test_zeros_bound_nothing_that_has_no_end():
    found = statistics.mean(np.zeros(9), Design.apart(9), bottom=0.0).interval()
    assert (found.estimate, found.low, found.high) == (0.0, 0.0, np.inf) and "same on all paths" in found.reason
