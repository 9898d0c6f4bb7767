"""Pairs: fixed order, disjoint while the data last, balanced over strata, no pair twice."""

import tracemalloc
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onnxspec.errors import DataError
from onnxspec.paths import pairs
from onnxspec.paths.pairs import BETWEEN, WITHIN, Pairs, available, draw, tournament, turns
from onnxspec.settings import KINDS

DIGEST = "5e" * 32


def labels(*sizes: int) -> np.ndarray:
    return np.repeat(np.arange(len(sizes)), sizes)


@pytest.mark.parametrize("players", [2, 3, 4, 7, 8, 51])
def test_in_a_tournament_everybody_meets_everybody_once_and_nobody_twice_a_turn(players):
    met = Counter()
    for turn in range(turns(players)):
        meetings = tournament(players, turn)
        assert len(np.unique(meetings)) == meetings.size == 2 * (players // 2)
        met.update(frozenset(pair) for pair in meetings.tolist())
    assert len(met) == players * (players - 1) // 2
    assert set(met.values()) == {1}


@given(st.integers(0, 2**32), st.integers(2, 60), st.integers(2, 60))
@settings(max_examples=25, deadline=None)
def test_a_smaller_plan_is_a_prefix_of_a_larger_one(seed, few, more):
    some, many = sorted([few, more])
    small = draw(labels(9, 7, 12, 5), KINDS, some, DIGEST, seed)
    large = draw(labels(9, 7, 12, 5), KINDS, many, DIGEST, seed)
    for kind in (WITHIN, BETWEEN):
        a, b = small[small.kind == kind], large[large.kind == kind]
        assert np.array_equal(a.image_a, b.image_a[: len(a)])
        assert np.array_equal(a.image_b, b.image_b[: len(a)])


def test_images_are_used_once_within_a_kind_while_they_last():
    pairs = draw(labels(*[80] * 10), KINDS, 400, DIGEST, 0)
    assert len(pairs) == 800
    assert pairs.reused(WITHIN) == pairs.reused(BETWEEN) == 0
    for kind in (WITHIN, BETWEEN):
        of = pairs[pairs.kind == kind]
        assert len(np.unique([of.image_a, of.image_b])) == 800


def test_ends_have_the_classes_that_the_labels_say():
    truth = np.random.default_rng(0).permutation(labels(40, 50, 60))
    pairs = draw(truth, KINDS, 90, DIGEST, 3)
    assert np.array_equal(truth[pairs.image_a], pairs.class_a)
    assert np.array_equal(truth[pairs.image_b], pairs.class_b)
    within = pairs.kind == WITHIN
    assert (pairs.class_a[within] == pairs.class_b[within]).all()
    assert (pairs.class_a[~within] < pairs.class_b[~within]).all()


def test_strata_are_balanced():
    pairs = draw(labels(*[200] * 10), KINDS, 400, DIGEST, 0)
    within = Counter(pairs.class_a[pairs.kind == WITHIN].tolist())
    between = pairs[pairs.kind == BETWEEN]
    strata = Counter(zip(between.class_a.tolist(), between.class_b.tolist(), strict=True))
    assert set(within.values()) == {40}
    assert len(strata) == 45
    assert max(strata.values()) - min(strata.values()) <= 1


@pytest.mark.parametrize("kind", [WITHIN, BETWEEN])
def test_a_small_class_is_not_worn_out_while_others_have_images_left(kind):
    pairs = draw(labels(10, *[1000] * 9), (KINDS[kind],), 400, DIGEST, 0)
    assert pairs.reused(kind) == 0
    assert len(pairs) == 400


def test_images_of_a_large_class_come_once_before_any_of_them_comes_again():
    pairs = draw(labels(1000, 100, 100), ("between",), 700, DIGEST, 0)
    images, times = np.unique(np.concatenate([pairs.image_a, pairs.image_b]), return_counts=True)
    large, small = times[images < 1000], times[images >= 1000]
    assert large.max() == 1
    assert small.max() - small.min() <= 2
    assert len(small) == 200


def test_all_pairs_are_drawn_without_waiting_for_luck():
    pairs = draw(labels(150, 150), ("between",), 22_500, DIGEST, 0)
    assert len(pairs) == len({*zip(pairs.image_a.tolist(), pairs.image_b.tolist(), strict=True)}) == 22_500


def test_many_classes_are_sampled_without_using_an_image_twice():
    pairs = draw(labels(*[50] * 1000), ("between",), 400, DIGEST, 0)
    assert pairs.reused(BETWEEN) == 0
    assert len({*zip(pairs.class_a.tolist(), pairs.class_b.tolist(), strict=True)}) == 400


@pytest.mark.parametrize("kind", KINDS)
def test_a_plan_beyond_the_data_gets_every_pair_once(kind):
    truth = labels(4, 3, 5)
    pairs = draw(truth, (kind,), 10_000, DIGEST, 0)
    met = {frozenset(ends) for ends in zip(pairs.image_a.tolist(), pairs.image_b.tolist(), strict=True)}
    assert len(pairs) == len(met) == available(truth, kind)
    assert available(truth, "within") == 6 + 3 + 10
    assert available(truth, "between") == 12 + 20 + 15


def test_the_order_depends_on_seed_and_data():
    base = draw(labels(50, 50), KINDS, 20, DIGEST, 0)
    assert not np.array_equal(base.image_a, draw(labels(50, 50), KINDS, 20, DIGEST, 1).image_a)
    assert not np.array_equal(base.image_a, draw(labels(50, 50), KINDS, 20, "6f" * 32, 0).image_a)


def test_images_without_a_class_are_left_out():
    truth = labels(10, 10)
    truth[[0, 3, 12]] = -1
    pairs = draw(truth, KINDS, 50, DIGEST, 0)
    assert not set(pairs.images.tolist()) & {0, 3, 12}


def test_one_image_a_class_has_no_path_within():
    with pytest.raises(DataError, match=r"No class has two images \(4 classes.*--kinds between"):
        draw(labels(1, 1, 1, 1), KINDS, 10, DIGEST, 0)
    assert len(draw(labels(1, 1, 1, 1), ("between",), 10, DIGEST, 0)) == 6
    assert set(draw(labels(1, 4, 1), ("within",), 10, DIGEST, 0).class_a.tolist()) == {1}


def test_one_class_has_no_path_between():
    with pytest.raises(DataError, match=r"of 1 class, .*--kinds within"):
        draw(labels(8), KINDS, 10, DIGEST, 0)


def test_some_pairs_are_spread_over_all_of_their_kind():
    pairs = draw(labels(50, 50), KINDS, 21, DIGEST, 0)
    some = pairs.spread(5)
    for kind in (WITHIN, BETWEEN):
        assert some[some.kind == kind].digest == pairs[pairs.kind == kind][[0, 5, 10, 15, 20]].digest
    assert pairs.spread(21).digest == pairs.spread(1000).digest == pairs.digest


def test_a_digest_is_that_of_the_numbers_in_every_column():
    pairs = draw(labels(9, 7), KINDS, 12, DIGEST, 0)
    columns = vars(pairs)
    last = np.arange(len(pairs)) == len(pairs) - 1
    others = [replace(pairs, **{name: column + last}) for name, column in columns.items()]
    assert len({one.digest for one in (pairs, *others)}) == 1 + len(columns)
    assert Pairs(*(column.astype(np.int64) for column in columns.values())).digest == pairs.digest


def test_images_are_counted_that_stand_in_several_pairs_of_a_kind():
    ends = np.array([[0, 1], [2, 0], [0, 3], [4, 5], [5, 4]], np.int32)
    pairs = Pairs(np.array([0, 0, 0, 1, 1], np.int8), *np.zeros((2, 5), np.int32), *ends.T)
    assert (pairs.reused(WITHIN), pairs.reused(BETWEEN)) == (1, 2)


def test_the_rest_of_the_pairs_is_drawn_without_listing_them():
    """Three hundred classes of one image beside one of fifty thousand span 15 million pairs."""
    members = {c: np.flatnonzero(labels(50_000, *[1] * 300) == c) for c in range(301)}
    tracemalloc.start()
    rest = pairs._unseen(members, ("1", 0), set())
    some = [next(rest) for _ in range(46_000)]
    assert tracemalloc.get_traced_memory()[1] < 50e6
    tracemalloc.stop()
    assert len(set(some)) == 46_000
    assert len({row[1:3] for row in some}) == 301 * 300 // 2
