"""Checkpoints find their order."""

import pytest

from onnxspec.errors import UsageError
from onnxspec.series import over, positions


@pytest.mark.parametrize(
    ("names", "places"),
    [
        (["epoch-01", "epoch-30", "epoch-3"], [1, 30, 3]),
        (["resnet20-3-v2", "resnet20-9-v2"], [3, 9]),
        (["loss-.5-step-1.5", "step-2"], [1.5, 2]),
        (["3-net-v2", "9-net-v2"], [3, 9]),
        (["3-epoch-2", "3-epoch-9"], [2, 9]),
    ],
)
def test_the_number_that_moves_orders(names, places):
    assert positions(names) == places


@pytest.mark.parametrize(
    ("names", "places", "said"),
    [
        (["e-1", "e-10"], [1, 10], "checkpoint, by the number in its name"),
        (["e-1", "e-10"], [1, 2], "checkpoint, by the number given for it"),
        (["first", "last"], [1, 2], "checkpoint, by the number given for it"),
        (["last"], [1], "checkpoint"),
    ],
)
def test_what_a_series_is_over_is_said(names, places, said):
    assert over(names, places) == said


def test_given_values_order():
    assert positions(["a", "b"], [2, 1]) == [2, 1]


@pytest.mark.parametrize(
    ("names", "values", "message"),
    [
        (["best", "epoch-1"], None, "no number in the name best"),
        (["a-1", "b-1"], None, "a-1, b-1 all stand at 1"),
        (["a", "b"], [1], "1 values stand for 2 models"),
        (["a", "b"], [float("nan"), 1], "A place of the series is nan"),
        (["a", "b"], [1, float("inf")], "A place of the series is inf"),
    ],
)
def test_no_order_is_an_error(names, values, message):
    with pytest.raises(UsageError, match=message):
        positions(names, values)


def test_places_that_were_given_twice_are_not_asked_for_again():
    with pytest.raises(UsageError, match=r"a, b all stand at 2 of the series\. Give each a place of its own\."):
        positions(["a", "b"], [2, 2])
