"""Where paths were drawn from: counted over all that were drawn, kept by those that count."""

import numpy as np
import pytest

from onnxspec.statistics.drawn import Drawn, numbered


def drawn_of(strata, drawn):
    """Paths of strata of given numbers of drawn paths."""
    return Drawn(np.asarray(strata), np.asarray(drawn)[strata])


def test_all_that_was_drawn_is_counted_by_kind_and_classes():
    kind, a, b = np.array([[0, 1, 1], [0, 1, 2], [1, 1, 2], [0, 1, 1], [1, 1, 2], [1, 2, 3], [1, 1, 1]]).T
    whole = Drawn.whole(kind.astype(np.int8), a, b)
    assert whole.of.tolist() == [2, 1, 2, 2, 2, 1, 1]
    assert len(np.unique(whole.stratum)) == 5
    assert whole[np.array([2, 5])].of.tolist() == [2, 1]
    assert Drawn.whole(np.array([1, 1]), np.array([0, 1]), np.array([5, 3])).of.tolist() == [1, 1]
    assert len(Drawn.whole(*np.empty((3, 0), int)).of) == 0


def test_two_draws_have_no_stratum_in_common():
    first, second = drawn_of([0, 1, 1], [1, 2]), drawn_of([0, 0, 3], [2, 0, 0, 5])
    both = first.beside(second)
    assert len(np.unique(both.stratum)) == 4
    assert both.of.tolist() == [1, 2, 2, 2, 2, 5]
    assert first.smaller(drawn_of([0, 1, 1], [4, 1])).of.tolist() == [1, 1, 1]


@pytest.mark.parametrize("factor", [1, 10**9])
def test_numbers_are_those_of_sorted_values(factor):
    values = np.array([7, 3, 3, 9, 7]) * factor
    count, at = numbered(values)
    assert count == 3 and at.tolist() == [1, 0, 0, 2, 1]
    assert numbered(values[:0])[0] == 0
