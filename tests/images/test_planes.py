"""Inputs of every layout as planes, and the linear part of preprocessing."""

import numpy as np
import pytest

from onnxspec.images.inputspec import InputSpec
from onnxspec.images.planes import planes
from onnxspec.images.preprocess import Preprocess
from onnxspec.paths.space import PixelSpace

LAYOUTS = [("NCHW", "HWC"), ("NHWC", "HWC"), ("flat", "HWC"), ("flat", "CHW")]


@pytest.mark.parametrize(("layout", "flattened"), LAYOUTS)
@pytest.mark.parametrize("order", ["RGB", "BGR"])
def test_planes_are_the_pixels_channel_by_channel(layout, flattened, order):
    spec = InputSpec(layout, 3, 4, 5, size=60)
    preprocess = Preprocess(mean=(0.1, 0.2, 0.3), std=(0.5, 0.25, 2.0), order=order, layout=flattened)
    pixels = np.random.default_rng(0).integers(0, 256, (2, 4, 5, 3), np.uint8)
    inputs = preprocess.to_input(pixels, spec)
    channels = pixels[..., ::-1] if order == "BGR" else pixels
    expected = (channels / 255 - [0.1, 0.2, 0.3]) / [0.5, 0.25, 2.0]
    assert np.allclose(planes(inputs, spec, preprocess), np.moveaxis(expected, -1, 1), atol=1e-6)


@pytest.mark.parametrize(("layout", "flattened"), LAYOUTS)
def test_what_is_added_to_planes_is_what_pixels_would_have_changed(layout, flattened):
    spec = InputSpec(layout, 3, 4, 5, size=60)
    preprocess = Preprocess(mean=(0.1, 0.2, 0.3), std=(0.5, 0.25, 2.0), layout=flattened)
    pixels = np.random.default_rng(0).integers(0, 200, (2, 4, 5, 3), np.uint8)
    step = np.random.default_rng(1).integers(0, 50, (2, 4, 5, 3), np.uint8)
    inputs = preprocess.to_input(pixels, spec)
    change = PixelSpace(preprocess, spec).change
    planes(inputs, spec, preprocess)[:] += change[:, None, None] * np.moveaxis(step / 255, -1, 1)
    assert np.allclose(inputs, preprocess.to_input(pixels + step, spec), atol=1e-5)
