"""The papers' normalised input: what it is, and how a network of another normalisation is given the same points."""

import numpy as np
import pytest

from onnxspec.errors import DataError
from onnxspec.images.inputspec import InputSpec
from onnxspec.images.preprocess import Preprocess, fit
from onnxspec.parity.protocols import PROTOCOLS
from onnxspec.parity.space import NormalisedSpace
from onnxspec.paths.space import PixelSpace
from paths.scene import MEAN, STD, images, space

MOOL = PROTOCOLS["mool"]
PICTURES = images(2, 32, 32)


def test_the_papers_own_network_gets_the_papers_input():
    own = NormalisedSpace(MOOL, space((32, 32, 3), "NHWC", mean=MOOL.mean, std=MOOL.std))
    image = own.normalised(PICTURES[0])
    np.testing.assert_allclose(image, (PICTURES[0] / 255 - [0.491, 0.482, 0.447]) / [0.247, 0.243, 0.262])
    np.testing.assert_allclose(own.inputs(image[None])[0], image, atol=1e-6)
    assert own.distance(*PICTURES) == pytest.approx(np.linalg.norm(image - own.normalised(PICTURES[1])))
    assert own.published


@pytest.mark.parametrize("order", ["RGB", "BGR"])
def test_another_network_gets_its_own_input_at_the_same_points(order):
    pixels = space((32, 32, 3), mean=MEAN, std=STD, order=order)
    own = NormalisedSpace(MOOL, pixels)
    middle = (own.normalised(PICTURES[0]) + own.normalised(PICTURES[1])) / 2
    expected = pixels.inputs(PICTURES.mean(0)[None])
    np.testing.assert_allclose(own.inputs(middle[None]), expected, atol=1e-5)
    assert own.distance(*PICTURES) == NormalisedSpace(MOOL, space((32, 32, 3))).distance(*PICTURES)


def test_grey_takes_the_averages():
    grey = NormalisedSpace(MOOL, space((28, 28, 1)))
    assert not grey.published
    white = grey.normalised(np.full((28, 28, 1), 255, np.uint8))
    np.testing.assert_allclose(white, (1 - (0.491 + 0.482 + 0.447) / 3) / ((0.247 + 0.243 + 0.262) / 3))


def test_what_is_no_photograph_is_told():
    spec, made = fit(InputSpec("NHWC", channels=5), Preprocess(), (8, 8, 5))
    with pytest.raises(DataError, match="5 channels"):
        NormalisedSpace(MOOL, PixelSpace(made, spec))
    with pytest.raises(DataError, match="floating-point values"):
        NormalisedSpace(MOOL, space((8, 8, 3), floating=True))
