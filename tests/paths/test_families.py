"""Frames: weights over anchors, exact where they can be."""

import numpy as np
import pytest

from onnxspec.paths.families import combine, line, line_at


def walked(weights: np.ndarray, anchors: np.ndarray) -> np.ndarray:
    return combine(weights, anchors, np.empty((len(weights), *anchors.shape[1:]), np.float32))


@pytest.mark.parametrize("points", [9, 33, 129])
def test_a_line_starts_and_ends_at_its_anchors_bit_for_bit(points):
    anchors = np.random.default_rng(0).normal(size=(2, 3, 5, 4)).astype(np.float32)
    path = walked(line(points), anchors)
    assert np.array_equal(path[[0, -1]], anchors)


def test_grids_are_nested():
    assert np.array_equal(line(65)[::2], line(33))


def test_a_line_is_straight():
    anchors = np.random.default_rng(1).normal(size=(2, 7)).astype(np.float32)
    path = walked(line(17), anchors).astype(float)
    t = np.arange(17)[:, None] / 16
    assert np.allclose(path, (1 - t) * anchors[0] + t * anchors[1], atol=1e-6)


def test_three_anchors_are_weighted():
    weights = np.array([[0.5, 0.25, 0.25], [0, 0, 1]], np.float32)
    anchors = np.array([[4.0, 0], [0, 8], [2, 2]], np.float32)
    assert np.array_equal(walked(weights, anchors), [[2.5, 2.5], [2, 2]])


def test_any_time_can_be_asked_for():
    assert np.allclose(line_at(np.array([[0.25, 1.0]])), [[[0.75, 0.25], [0.0, 1.0]]])
