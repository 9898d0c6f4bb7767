"""Letters say which models are tied, and nothing else."""

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onnxspec.comparison.ranking import tie_letters
from simulation import examples


@pytest.mark.parametrize(
    ("count", "apart", "letters"),
    [
        (0, set(), []),
        (3, set(), ["a", "a", "a"]),
        (3, {(0, 1), (0, 2), (1, 2)}, ["a", "b", "c"]),
        (3, {(0, 2)}, ["a", "ab", "b"]),
        (4, {(0, 2), (0, 3), (1, 3)}, ["a", "ab", "bc", "c"]),
    ],
)
def test_letters(count, apart, letters):
    assert tie_letters(count, apart) == letters


def test_letters_go_on_after_z():
    letters = tie_letters(53, {*combinations(range(53), 2)})
    assert [letters[at] for at in (0, 25, 26, 27, 51, 52)] == ["a", "z", "a1", "b1", "z1", "a2"]
    assert len({*letters}) == 53


@examples
@given(
    st.integers(2, 7).flatmap(lambda n: st.tuples(st.just(n), st.sets(st.sampled_from([*combinations(range(n), 2)]))))
)
def test_two_share_a_letter_exactly_if_they_are_not_apart(graph):
    count, apart = graph
    letters = tie_letters(count, apart)
    for a, b in combinations(range(count), 2):
        assert bool(set(letters[a]) & set(letters[b])) == ((a, b) not in apart)
    groups = [[i for i in range(count) if letter in letters[i]] for letter in sorted(set("".join(letters)))]
    assert groups == sorted(groups), "a is the letter of the lowest"
    assert not any(set(a) <= set(b) or set(b) <= set(a) for a, b in combinations(groups, 2)), "no letter says nothing"


def test_models_stand_in_the_order_of_their_figures(four):
    for kind in four.kinds:
        places = [one for one in four.ranking if one.kind == kind and one.quantity.metric == "hff"]
        assert {one.model for one in places} == {"pytorch", "twin", "perturbed", "sklearn"}
        for signal in ("prob", "logit"):
            of_signal = [one for one in places if one.quantity.signal == signal]
            estimates = [one.estimate for one in of_signal]
            assert estimates == sorted(estimates)
            assert [one.place for one in of_signal] == [1, 2, 3, 4]


def test_two_exports_share_their_letters(four):
    by_model = {}
    for one in four.ranking:
        by_model.setdefault((one.kind, one.quantity), {})[one.model] = one.letters
    assert all(letters["pytorch"] == letters["twin"] for letters in by_model.values())
