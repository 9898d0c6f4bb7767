import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from onnxspec.images.distance import rms_distance

from .make import noise, property_test


@property_test
@given(st.integers(0, 1000))
def test_it_is_the_root_mean_square_in_0_to_1(seed):
    a, b = noise((5, 4, 3), seed), noise((5, 4, 3), seed + 1)
    expected = np.sqrt(np.mean((a / 255 - b / 255) ** 2))
    assert rms_distance(a, b) == pytest.approx(expected, rel=1e-12)


def test_stacks_and_extremes():
    black, white = np.zeros((3, 9, 9, 1), np.uint8), np.full((3, 9, 9, 1), 255, np.uint8)
    np.testing.assert_array_equal(rms_distance(black, white), [1, 1, 1])


def test_floating_images_in_their_own_units():
    assert rms_distance(np.zeros((2, 2, 1)), np.full((2, 2, 1), 7.0)) == 7
