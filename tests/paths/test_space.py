"""Pixels and inputs: one affine map, whose linear part is what directions take."""

import numpy as np
import pytest

from onnxspec.images.distance import rms_distance
from onnxspec.images.inputspec import InputSpec
from onnxspec.images.preprocess import Preprocess, fit
from onnxspec.paths.space import PixelSpace
from paths.scene import MEAN, STD, images, space


@pytest.mark.parametrize("layout", ["NCHW", "NHWC", "flat"])
@pytest.mark.parametrize("order", ["RGB", "BGR"])
def test_pixels_become_what_preprocessing_makes_of_them(layout, order):
    pictures = images()
    size = pictures[0].size if layout == "flat" else None
    spec, made = fit(InputSpec(layout, size=size), Preprocess(mean=MEAN, std=STD, order=order), (12, 16, 3))
    own = PixelSpace(made, spec)
    expected = made.to_input(pictures, spec)
    np.testing.assert_allclose(own.inputs(pictures.astype(float)), expected, atol=1e-6)
    assert own.shape == expected.shape[1:]
    np.testing.assert_allclose(
        own.directions(pictures[:1] * 1.0 - pictures[1:2]), expected[:1] - expected[1:2], atol=2e-6
    )
    np.testing.assert_allclose(
        own.rms(expected[:2] - expected[2:4]), rms_distance(pictures[:2], pictures[2:4]), rtol=1e-6
    )


def test_floating_images_keep_their_unit():
    pictures = images() / 7.0
    spec, made = fit(InputSpec("NHWC"), Preprocess(mean=2.0, std=3.0), (12, 16, 3), floating=True)
    own = PixelSpace(made, spec, floating=True)
    np.testing.assert_allclose(own.inputs(pictures), made.to_input(pictures, spec), atol=1e-5)
    difference = own.inputs(pictures[:1]) - own.inputs(pictures[1:2])
    np.testing.assert_allclose(own.rms(difference), rms_distance(pictures[:1], pictures[1:2]), rtol=1e-6)


def test_a_uint8_model_gets_pixels_unrounded_the_rounding_is_the_engines():
    spec, made = fit(InputSpec("NHWC", dtype=np.dtype(np.uint8)), Preprocess(), (12, 16, 3))
    assert PixelSpace(made, spec).inputs(np.full((1, 12, 16, 3), 3.25))[0, 0, 0, 0] == 3.25


def test_a_direction_ignores_the_mean():
    step = np.ones((1, 12, 16, 3))
    np.testing.assert_array_equal(space(mean=0.3, std=0.5).directions(step), space(std=0.5).directions(step))


def test_a_unit_is_the_whole_range_of_grey_levels_or_the_images_own():
    spec = InputSpec("NCHW", 2, 4, 5)
    np.testing.assert_allclose(PixelSpace(Preprocess(std=(0.5, 0.25)), spec).change, [2, 4])
    _, own = fit(spec, Preprocess(std=(0.5, 0.25)), (4, 5, 2), floating=True)
    np.testing.assert_allclose(PixelSpace(own, spec, floating=True).change, [2, 4])
    np.testing.assert_allclose(PixelSpace(Preprocess(scale=1.0), spec).change, [255, 255])
    np.testing.assert_allclose(PixelSpace(Preprocess(scale=1 / 255), spec).change, [1, 1])
