"""A family of one's own: what the function gives is walked, what it may not give is told."""

import numpy as np
import pytest

from onnxspec.errors import UsageError
from onnxspec.images.distance import rms_distance
from onnxspec.paths.own import OwnPaths
from paths.scene import MEAN, STD, images, space, walked

PICTURES = images(2)
SPACE = space(mean=MEAN, std=STD)
ENDS = SPACE.inputs(PICTURES)


def made(function, points=9, **how):
    return OwnPaths(function, lambda path: ENDS, points, 1, SPACE.shape, **how)


def straight(a, b, t):
    t = t[:, None, None, None]
    return (1 - t) * a + t * b


def around(a, b, t):
    return a + np.sin(np.pi * t)[:, None, None, None] ** 2 * (b - a)


def test_a_line_drawn_by_hand_is_a_line():
    points = walked(made(straight))
    np.testing.assert_allclose(points[[0, -1]], ENDS, atol=1e-6)
    np.testing.assert_allclose(points[4], ENDS.mean(0), atol=1e-6)
    assert made(straight).length(0, SPACE) == pytest.approx(rms_distance(*PICTURES), rel=1e-5)


def test_a_closed_path_has_no_second_end():
    walk = made(around, 16, closed=True)
    points = walked(walk)
    np.testing.assert_allclose(points[8], ENDS[1], atol=1e-6)
    assert np.abs(points[-1] - points[0]).max() > 0
    assert walk.length(0, SPACE) == pytest.approx(2 * rms_distance(*PICTURES), rel=1e-5)


def test_tensors_are_taken_as_arrays():
    class Tensor:
        def __init__(self, values):
            self.values = values

        def __array__(self, dtype=None, copy=None):
            return np.asarray(self.values, dtype)

    points = walked(made(lambda a, b, t: Tensor(straight(a, b, t).astype(np.float64))))
    np.testing.assert_allclose(points, walked(made(straight)), atol=1e-7)


@pytest.mark.parametrize(
    ("function", "told"),
    [
        (lambda a, b, t: a, r"gave \(3, 12, 16\) for 9 times; \(9, 3, 12, 16\)"),
        (lambda a, b, t: straight(a, b, t) * np.nan, "no finite real numbers"),
        (lambda a, b, t: straight(a, b, t).astype(complex), "complex128"),
        (lambda a, b, t: np.full((len(t), *a.shape), 1e39), "no finite real numbers in float32"),
        (lambda a, b, t: None, r"gave \(\)"),
    ],
)
def test_anything_else_is_told(function, told):
    with pytest.raises(UsageError, match=told):
        walked(made(function), parts=1)
