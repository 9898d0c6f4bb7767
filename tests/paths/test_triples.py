"""Triples: fixed order, disjoint while the data last, all of them in the end."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onnxspec.errors import DataError
from onnxspec.paths.triples import available, draw
from paths.scene import DIGEST


def labels(*sizes):
    return np.repeat(np.arange(len(sizes)), sizes)


def rows(triples):
    return np.column_stack([triples.class_of, triples.image_a, triples.image_b, triples.image_c])


@given(st.integers(0, 2**32), st.integers(1, 80), st.integers(1, 80))
@settings(max_examples=25, deadline=None)
def test_a_smaller_plan_is_a_prefix_of_a_larger_one(seed, few, more):
    some, many = sorted([few, more])
    small, large = (rows(draw(labels(9, 7, 12, 2), n, DIGEST, seed)) for n in (some, many))
    assert np.array_equal(small, large[: len(small)])


def test_images_are_used_once_and_classes_equally_while_they_last():
    triples = draw(labels(*[30] * 10), 100, DIGEST, 0)
    assert set(Counter(rows(triples)[:, 1:].ravel().tolist()).values()) == {1}
    assert set(Counter(triples.class_of.tolist()).values()) == {10}
    truth = labels(*[30] * 10)
    assert all((truth[ends] == triples.class_of).all() for ends in rows(triples)[:, 1:].T)


def test_a_plan_beyond_the_data_gets_every_triple_once():
    truth = labels(5, 2, 7, 3)
    drawn = rows(draw(truth, 10_000, DIGEST, 1))
    assert len(drawn) == len({frozenset(row[1:].tolist()) for row in drawn}) == available(truth) == 10 + 35 + 1


def test_many_small_classes_do_not_make_a_large_one_be_enumerated():
    triples = draw(labels(*[3] * 200, 2000), 1000, DIGEST, 0)
    assert len(triples) == 1000


def test_order_depends_on_seed_and_data_and_leaves_out_what_has_no_class():
    truth = labels(30, 30)
    truth[[0, 31]] = -1
    base = rows(draw(truth, 15, DIGEST, 0))
    assert not {0, 31} & set(base[:, 1:].ravel().tolist())
    assert not np.array_equal(base, rows(draw(truth, 15, DIGEST, 1)))
    assert not np.array_equal(base, rows(draw(truth, 15, "6f" * 32, 0)))


def test_two_images_a_class_make_no_ellipse():
    with pytest.raises(DataError, match=r"No class has three images \(2 classes"):
        draw(labels(2, 2), 5, DIGEST, 0)
