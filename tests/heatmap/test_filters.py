"""Filters keep what they say, and the mean, and can be applied before or after preprocessing."""

import numpy as np
import pytest

from onnxspec.heatmap.filters import HIGH, LOW, Filter, Filtered, filters
from onnxspec.images.inputspec import InputSpec
from onnxspec.images.planes import planes
from onnxspec.images.preprocess import Preprocess
from onnxspec.paths.waves import Waves

SIZES = [(8, 8), (7, 9), (6, 5)]


def filtered(image, some, layout="NCHW", preprocess=None):
    """Image (1, ...) under each of some filters."""
    spec = InputSpec(layout, 3, *image.shape[2 if layout == "NCHW" else 1 :][:2])
    view = lambda x: planes(x, spec, preprocess or Preprocess())  # noqa: E731
    walk = Filtered(some, spec.shape[:2], lambda path: image[path], view, ["x"])
    out = np.empty((walk.points, *walk.shape), np.float32)
    walk.fill(0, slice(None), out)
    return out


@pytest.mark.parametrize("size", SIZES)
def test_both_kinds_share_the_frequencies_between_them(size):
    image = np.random.default_rng(0).random((1, 3, *size)).astype(np.float32)
    low, high = filtered(image, [Filter(LOW, 2.0), Filter(HIGH, 2.0)])
    mean = image[0].mean((1, 2), keepdims=True)
    assert np.allclose(low + high - mean, image[0], atol=1e-5)
    assert np.allclose(low.mean((1, 2)), mean[:, 0, 0], atol=1e-6)
    assert np.allclose(high.mean((1, 2)), mean[:, 0, 0], atol=1e-6)


@pytest.mark.parametrize("size", SIZES)
def test_what_is_left_stands_on_one_side_of_the_cutoff(size):
    image = np.random.default_rng(1).random((1, 3, *size)).astype(np.float32)
    waves = Waves.half_plane(*size)
    low, high = waves.coordinates(filtered(image, [Filter(LOW, 2.0), Filter(HIGH, 2.0)]).astype(float))
    before = waves.coordinates(image[0].astype(float))
    for kept, left in ((waves.radius <= 2, low), ((waves.radius > 2) | (waves.radius == 0), high)):
        assert np.allclose(left, np.where(kept, before, 0), atol=1e-5)


@pytest.mark.parametrize("layout", ["NCHW", "NHWC"])
def test_to_filter_the_input_is_to_filter_the_pixels(layout):
    spec, preprocess = InputSpec(layout, 3, 8, 8), Preprocess(mean=(0.1, 0.2, 0.3), std=(0.5, 0.25, 2.0))
    pixels = np.random.default_rng(2).integers(0, 256, (1, 8, 8, 3), np.uint8)
    some = [Filter(LOW, 3.0), Filter(HIGH, 1.0)]
    inputs = filtered(preprocess.to_input(pixels, spec), some, layout, preprocess)
    plain = filtered(np.moveaxis(pixels / 255, -1, 1).astype(np.float32), some)
    expected = (np.moveaxis(plain, 1, -1) - [0.1, 0.2, 0.3]) / [0.5, 0.25, 2.0]
    assert np.allclose(planes(inputs, spec, preprocess), np.moveaxis(expected, -1, 1), atol=1e-5)


def test_cutoffs_stay_below_the_highest_frequency():
    assert [one.cutoff for one in filters(32, 32) if one.kind == LOW] == [1, 2, 3, 4, 6, 8, 12, 16]
    assert filters(224, 224)[-1] == Filter(HIGH, 128.0)
    for one in filters(5, 9):
        assert 0 < one.gain(5, 9).sum() < one.gain(5, 9).size
