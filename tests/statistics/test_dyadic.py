"""How sure a sum over paths is: against covariances written out as matrices, and against repeated draws."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from onnxspec import statistics
from onnxspec.paths.pairs import draw
from onnxspec.statistics.drawn import Drawn
from onnxspec.statistics.dyadic import Design
from oracle import pooling as oracle
from simulation import disjoint, examples, recurring

CLASSES = 10
PAIRS = np.column_stack(np.triu_indices(CLASSES, 1))


def drawn_of(strata, drawn):
    """Paths of strata of given numbers of drawn paths."""
    return Drawn(np.asarray(strata), np.asarray(drawn)[strata])


def variance(influence, image_a, image_b, drawn=None):
    """V and the effective number of paths of one figure."""
    (v,), _, (effective,) = Design(image_a, image_b, drawn).variance(np.asarray(influence, np.float64)[:, None])
    return v, effective


def within_and_across(rng, strata, images):
    """Paths of some strata over images of their own and of others, no two over the same two."""
    ends = np.array([(a, b) for a in range(images) for b in range(a + 1, images)])
    chosen = ends[rng.permutation(len(ends))[: rng.integers(2, min(len(ends), 24) + 1)]]
    return rng.integers(0, strata, len(chosen)), chosen.T


@examples
@given(st.integers(0, 2**32 - 1), st.integers(1, 5), st.integers(3, 12))
def test_variances_are_those_of_covariances_written_out(seed, strata, images):
    """Paths of few images, so that many share one in their stratum and beyond it; some of those drawn do not count."""
    rng = np.random.default_rng(seed)
    stratum, ends = within_and_across(rng, strata, images)
    of = np.bincount(stratum)[stratum] + np.array([0, 2, 1, 5, 0])[stratum]
    influence = rng.standard_normal((len(stratum), 2)) + rng.standard_normal(5)[stratum, None]
    influence += rng.standard_normal(images)[ends].sum(0)[:, None]
    v, _, effective = Design(*ends, Drawn(stratum, of)).variance(influence)
    for column in range(2):
        expected = oracle.spread_of(influence[:, column], ends.T.tolist(), stratum, of)
        assert (v[column], effective[column]) == pytest.approx((expected[0], expected[2]))
        alone = variance(influence[:, column], *ends, Drawn(stratum, of))
        assert alone == pytest.approx((v[column], effective[column]))


@examples
@given(st.integers(0, 2**32 - 1))
def test_disjoint_paths_have_the_variance_of_a_stratified_sum(seed):
    """Every drawn path in it, those that do not count as zeros (Cochran 1977, 5.3)."""
    rng = np.random.default_rng(seed)
    drawn = rng.integers(1, 12, 7)
    strata = np.concatenate([np.full(rng.integers(1, most + 1), number) for number, most in enumerate(drawn)])
    influence = rng.standard_normal(len(strata)) + rng.standard_normal(7)[strata]
    if (np.bincount(strata) > 1).any():
        found, _ = variance(influence, *disjoint(len(strata)), drawn_of(strata, drawn))
        assert found == pytest.approx(written_out(influence, strata, drawn) * (1 - 1 / len(strata)))


def written_out(influence, strata, drawn):
    """The variance of a stratified sum with every drawn path in it, those that do not count as zeros."""
    total = 0.0
    for stratum in np.unique(strata):
        own = influence[strata == stratum]
        every = np.concatenate([own, np.zeros(drawn[stratum] - len(own))])
        alone, n = len(own) == 1, len(own)
        correction = 0.0 if alone else np.square(own - own.mean()).sum() / (n - 1)
        total += np.square(own).sum() if alone else np.square(every - every.mean()).sum() + correction
    return total


def test_one_stratum_and_paths_that_are_alone_in_theirs_are_a_sample_of_all():
    influence = np.array([1.0, -2.0, 4.0, -3.0])
    for strata in ([0, 0, 0, 0], [0, 1, 2, 3]):
        assert variance(influence, *disjoint(4), drawn_of(strata, [9] * 4))[0] == pytest.approx(30)
    mixed, _ = variance(influence, *disjoint(4), drawn_of([0, 1, 1, 2], [1, 2, 1]))
    assert mixed == pytest.approx(0.75 * (1 + 2 * 18 + 9))


@pytest.mark.parametrize("design", [disjoint(8), recurring(8, 1)])
def test_paths_that_are_alike_in_their_strata_do_not_make_a_figure_certain(design):
    """Two paths of a stratum that are alike say little of those that were not drawn."""
    influence = np.repeat([1.0, -1.0, 0.3, -0.3], 2)
    alike = drawn_of(np.repeat(range(4), 2), [2] * 4)
    assert variance(influence, *design, alike) == variance(influence, *design)
    both = np.column_stack([influence, np.arange(8.0) - 3.5])
    v, _, _ = Design(*design, alike).variance(both)
    assert v == pytest.approx([variance(influence, *design)[0], variance(both[:, 1], *design, alike)[0]])


@pytest.mark.parametrize("factor", [1e-6, 1e6])
@pytest.mark.parametrize("apart", [1.0, 1e-6])
def test_the_unit_of_a_figure_does_not_matter(factor, apart):
    """Neither where paths of a stratum differ nor where they are alike but for rounding."""
    of = drawn_of(np.repeat(range(4), 2), [2] * 4)
    influence = np.repeat([1.0, -1.0, 0.3, -0.3], 2) + apart * np.random.default_rng(0).standard_normal(8)
    v, effective = variance(influence, *disjoint(8), of)
    assert variance(factor * influence, *disjoint(8), of) == pytest.approx((factor**2 * v, effective), rel=1e-9, abs=0)


@pytest.mark.parametrize("ends", [([0, 0], [1, 1]), ([0, 1], [1, 0]), ([0, 0, 2], [1, 1, 3])])
def test_paths_over_the_same_two_images_have_an_interval(ends):
    found = statistics.mean(np.array([1.0, 2.0, 4.0])[: len(ends[0])], Design(*map(np.array, ends))).interval()
    assert np.isfinite([found.low, found.high]).all() and found.low < 1 and found.high > 2


def test_three_paths_among_three_images_may_be_as_alike_as_images_can_make_them():
    """Every two share one, so that nothing tells what an image adds to both: half of all is taken for that."""
    triangle = np.array([0, 0, 1]), np.array([1, 2, 2])
    influence = np.array([1.0, 0.0, -1.0])
    # 2 = v (3 - 1 - 6 rho / 3), V = v (3 + 6 rho), less what the jackknife adds.
    assert variance(influence, *triangle)[0] == pytest.approx(2 * (3 + 6 / 2) * 2 / 3)


class Survey:
    """Paths between classes whose figures depend on the two classes, as they do between images; some do not count."""

    def __init__(self, rng, each, right):
        self.kind = np.ones(each * len(PAIRS), np.int8)
        self.a, self.b = np.repeat(PAIRS, each, axis=0).T
        self.hard = np.sin(3.0 * self.a + 5.0 * self.b)
        self.numerator = np.exp(self.hard + 0.8 * rng.standard_normal(len(self.a)))
        self.denominator = np.exp(0.3 * rng.standard_normal(len(self.a)))
        self.counts = rng.random(len(self.a)) < right
        self.images = np.arange(2 * len(self.a)).reshape(2, -1)

    def figure(self, drawn=True):
        rows = np.flatnonzero(self.counts)
        of = Drawn.whole(self.kind, self.a, self.b)[rows] if drawn else None
        return statistics.ratio(self.numerator[rows], self.denominator[rows], Design(*self.images[:, rows], of))


@pytest.mark.parametrize(("each", "right"), [(2, 1.0), (3, 0.8), (9, 0.8), (9, 0.5)])
def test_intervals_cover_when_classes_are_drawn_in_turn_and_are_wider_without(each, right):
    rng = np.random.default_rng(3)
    truth = Survey(rng, 20_000, 1.0).figure(drawn=False).value
    surveys = [Survey(rng, each, right) for _ in range(1500)]
    found = [[survey.figure(drawn).interval() for survey in surveys] for drawn in (True, False)]
    held = [np.mean([one.low <= np.exp(truth) <= one.high for one in of]) for of in found]
    widths = [np.median([one.half_width for one in of]) for of in found]
    assert 0.92 <= held[0] <= 0.97
    assert held[1] > held[0]
    assert widths[0] < (1 if right < 0.8 else 0.95) * widths[1]
    assert all(one.n_eff <= other.n_eff for one, other in zip(*found, strict=True))


@pytest.mark.parametrize("each", [8, 20])
def test_so_do_those_over_images_that_recur_and_have_effects_of_their_own(each):
    """As onnxspec draws: with 8 images of a class every one of them is an end of ten paths."""
    rng = np.random.default_rng(0)
    pairs = draw(np.repeat(np.arange(CLASSES), each), ("between",), 400, "0" * 16, seed=0)
    ends, hard = (pairs.image_a, pairs.image_b), np.sin(3.0 * pairs.class_a + 5.0 * pairs.class_b)
    whole, image, path = Drawn.whole(pairs.kind, pairs.class_a, pairs.class_b), 0.5, 0.6
    truth = np.exp(hard).mean() * np.exp((2 * image**2 + path**2) / 2)
    held = []
    for _ in range(1000):
        effects = image * rng.standard_normal(CLASSES * each)
        values = np.exp(hard + effects[ends[0]] + effects[ends[1]] + path * rng.standard_normal(400))
        rows = np.flatnonzero(rng.random(400) < 0.85)
        found = statistics.log_mean(values[rows], Design(ends[0][rows], ends[1][rows], whole[rows])).interval()
        held.append(found.low <= truth <= found.high)
    assert 0.92 <= np.mean(held) <= 0.97


@pytest.mark.parametrize("each", [8, 20])
def test_what_pairs_of_classes_differ_by_does_not_hide_what_images_add(each):
    """Where every image meets every other class, and a class's differences from its partners add up to nothing."""
    rng = np.random.default_rng(1)
    a, b = np.repeat(PAIRS, each, axis=0).T
    number = np.tile(np.arange(each), len(PAIRS))
    ends, hard = (a * each + number, b * each + number), 3 * (np.cos(0.4 * np.pi * (b - a)) + 1 / 9)
    whole = Drawn.whole(np.ones_like(a), a, b)
    assert np.abs(np.bincount(np.r_[a, b], np.r_[hard, hard])).max() < 1e-9
    held = []
    for _ in range(400):
        effects = 0.5 * rng.standard_normal(CLASSES * each)
        values = hard + effects[ends[0]] + effects[ends[1]] + 0.6 * rng.standard_normal(len(a))
        found = statistics.mean(values, Design(*ends, whole)).interval()
        held.append(found.low <= hard.mean() <= found.high)
    assert 0.92 <= np.mean(held) <= 0.98


@pytest.mark.parametrize("kept", [10, 9])
@pytest.mark.parametrize("rounding", [0.0, 1e-7])
def test_paths_that_are_alike_but_for_rounding_do_not_make_a_figure_certain_either(kept, rounding):
    """As classes with a figure each of their own: fewer of the drawn paths are no better known."""
    classes = np.repeat(np.arange(10), 10)
    values = 1 + 0.01 * classes + rounding * np.random.default_rng(0).random(100)
    rows = np.flatnonzero(np.arange(100) % 10 < kept)
    of = drawn_of(classes, [10] * 10)
    ends = np.arange(200).reshape(2, -1)[:, rows]
    drawn, plain = (statistics.mean(values[rows], Design(*ends, one)).interval() for one in (of[rows], None))
    assert (drawn.low, drawn.high) == pytest.approx((plain.low, plain.high))


def test_one_path_that_carries_all_is_one_effective_path():
    """Beside classes that differ, which the interval does not hang on."""
    values = np.repeat(np.arange(7.0, 14.0), 20) + 0.05 * np.random.default_rng(0).standard_normal(140)
    values[3] += 4
    found = statistics.mean(values, Design(*np.arange(280).reshape(2, -1), drawn_of(np.repeat(range(7), 20), [20] * 7)))
    assert found.interval().n_eff < 2 and found.interval().carried_by_few


def test_one_path_that_carries_all_is_not_two():
    values = np.concatenate([[1.0], np.full(59, 1e-6)])
    of = drawn_of(np.repeat(range(30), 2), [2] * 30)
    ends = np.arange(120).reshape(2, -1)
    drawn, plain = (statistics.log_mean(values, Design(*ends, one)) for one in (of, None))
    assert drawn.variance[1] == plain.variance[1]
    assert drawn.interval().n_eff == plain.interval().n_eff < 1.2


def test_bands_and_contrasts_allow_for_it_too():
    rng = np.random.default_rng(4)
    first, second = Survey(rng, 9, 0.9), Survey(rng, 9, 0.9)
    rows = np.flatnonzero(first.counts)
    of = Drawn.whole(first.kind, first.a, first.b)[rows]
    ends = first.images[:, rows]
    mean, low, high = statistics.mean_band(first.numerator[rows, None], Design(*ends, of))
    one = statistics.log_mean(first.numerator[rows], Design(*ends, of)).interval()
    np.testing.assert_allclose([mean[0], low[0], high[0]], [one.estimate, one.low, one.high])
    figures = [[survey.figure(drawn) for survey in (first, second)] for drawn in (True, False)]
    tight, loose = (statistics.contrast(*both).interval().half_width for both in figures)
    assert tight < 0.95 * loose
    apart = statistics.contrast(figures[0][0], figures[1][1])
    assert apart.design.drawn is None and apart.interval().half_width == pytest.approx(loose)


def test_paired_figures_keep_the_draw():
    survey = Survey(np.random.default_rng(5), 9, 0.9)
    rows = np.flatnonzero(survey.counts)
    of = Drawn.whole(survey.kind, survey.a, survey.b)[rows]
    ends = survey.images[:, rows]
    doubled = survey.numerator[rows] * np.exp(survey.hard[rows])
    for drawn in (of, None):
        figures = [statistics.log_mean(values, Design(*ends, drawn)) for values in (doubled, survey.numerator[rows])]
        found = statistics.paired(*figures)
        assert found.design.drawn is None if drawn is None else (found.design.drawn.of == of.of).all()
        if drawn is not None:
            tight = found.variance[0]
    assert tight < 0.6 * found.variance[0]


def covered(held, widths, estimates):
    """The share of intervals that hold the truth, and how wide they are beside what 1.96 standard deviations would take."""
    return np.mean(held), np.median(widths) / (2 * 1.96 * np.std(estimates))


@pytest.mark.parametrize("effects", [(1.0, 0.3, 0.3), (1.0, 0.0, 0.3), (1.0, 1.0, 1.0)])
def test_a_rare_class_whose_images_recur_may_add_more_than_the_other(effects):
    """Twenty images against two thousand: paths that share one of the twenty may be alike but for a trifle."""
    rng = np.random.default_rng(2)
    pairs = draw(np.repeat([0, 1], [20, 2000]), ("between",), 400, "0" * 16, seed=0)
    whole, ends = Drawn.whole(pairs.kind, pairs.class_a, pairs.class_b), (pairs.image_a, pairs.image_b)
    held, widths, estimates = [], [], []
    for _ in range(500):
        rare, common, own = (size * rng.standard_normal(n) for size, n in zip(effects, (20, 2020, 400), strict=True))
        found = statistics.mean(rare[ends[0]] + common[ends[1]] + own, Design(*ends, whole)).interval()
        held.append(found.low <= 0 <= found.high)
        widths.append(found.high - found.low)
        estimates.append(found.estimate)
    share, width = covered(held, widths, estimates)
    assert 0.92 <= share <= 0.99 and 0.95 < width < 1.3


@pytest.mark.parametrize(("paths", "wild"), [(280, 0), (2800, 0), (280, 1)])
def test_the_ratio_of_two_kinds_allows_for_each_as_it_is(paths, wild):
    """Kinds that share images, of which one varies four times as much as the other, with images of eight a class."""
    rng = np.random.default_rng(6)
    labels = np.repeat(np.arange(CLASSES), 8)
    plans = [draw(labels, (kind,), paths, "0" * 16, seed=0) for kind in ("within", "between")]
    held, widths, estimates = [], [], []
    for _ in range(400):
        effects, figures = 0.3 * rng.standard_normal(len(labels)), []
        for kind, plan in enumerate(plans):
            size = 0.8 if kind == wild else 0.2
            values = np.exp(
                size * (effects[plan.image_a] + effects[plan.image_b] + 0.5 * rng.standard_normal(len(plan)))
            )
            whole = Drawn.whole(plan.kind, plan.class_a, plan.class_b)
            figures.append(statistics.log_mean(values, Design(plan.image_a, plan.image_b, whole)))
        found = statistics.contrast(*figures).interval()
        truth = np.exp((0.04 - 0.64 if wild else 0.64 - 0.04) * (2 * 0.3**2 + 0.5**2) / 2)
        held.append(found.low <= truth <= found.high)
        widths.append(np.log(found.high / found.low))
        estimates.append(np.log(found.estimate))
    share, width = covered(held, widths, estimates)
    assert 0.92 <= share <= 0.98 and 0.93 < width < 1.15


def test_designs_are_put_beside_each_other_with_images_of_their_own_or_shared():
    first, second = Design(*recurring(6, 2)), Design(np.array([-3, 4]), np.array([5, -7]), drawn_of([0, 1], [3, 3]))
    apart = second.unlike(first)
    assert first.beside(second).images < first.beside(apart).images == first.images + second.images
    assert apart.drawn is second.drawn and len(first.beside(apart)) == len(first) + 2
    none = Design.apart(0)
    assert len(none.unlike(first)) == 0 and second.unlike(none).images == second.images


def test_a_draw_that_is_no_larger_leaves_the_design_as_it_is():
    """So that what was worked out for it is used again."""
    stratum = np.repeat([0, 1], 3)
    small, large = (Design(np.arange(6), np.arange(6, 12), drawn_of(stratum, of)) for of in ([3, 4], [5, 4]))
    assert small.smaller(large) is small and small.smaller(small) is small
    assert large.smaller(small) is not large and large.smaller(small).drawn.of.tolist() == small.drawn.of.tolist()
    assert small.smaller(Design.apart(6)).drawn is None
