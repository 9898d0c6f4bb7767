import hashlib
from itertools import pairwise

import numpy as np
import pytest

from onnxspec.errors import UsageError
from onnxspec.images.inputspec import InputSpec
from onnxspec.images.preprocess import Preprocess
from onnxspec.images.probe import dead_leaves, probe_images, probe_shape


def stack(count: int, side: int, channels: int = 3) -> np.ndarray:
    return np.stack([dead_leaves(side, side, channels, 7, i) for i in range(count)])


def halved(images: np.ndarray) -> np.ndarray:
    n, height, width, channels = images.shape
    return images.reshape(n, height // 2, 2, width // 2, 2, channels).mean(axis=(2, 4))


def spectral_slope(images: np.ndarray) -> float:
    """Exponent of the mean radial power spectrum from 4 cycles per image to half a cycle per pixel."""
    grey = images.mean(axis=-1)
    side = grey.shape[1]
    window = np.hanning(side)[:, None] * np.hanning(side)
    power = np.square(np.abs(np.fft.fft2((grey - grey.mean(axis=(1, 2), keepdims=True)) * window))).mean(axis=0)
    radius = np.hypot(np.fft.fftfreq(side)[:, None], np.fft.fftfreq(side))
    edges = np.geomspace(4 / side, 0.5, 10)
    rings = [(radius >= low) & (radius < high) for low, high in pairwise(edges)]
    logs = np.log([[radius[ring].mean(), power[ring].mean()] for ring in rings])
    return float(np.polyfit(*logs.T, 1)[0])


@pytest.fixture(scope="module")
def images() -> np.ndarray:
    return stack(60, 64).astype(float)


def test_the_power_spectrum_is_near_one_over_f_squared(images):
    assert spectral_slope(images) == pytest.approx(-2, abs=0.2)


def test_statistics_hardly_change_with_scale(images):
    small = halved(images)
    assert spectral_slope(small) == pytest.approx(spectral_slope(images), abs=0.25)
    for axis in (1, 2):
        contrast = [np.diff(x, axis=axis).std() for x in (images, small)]
        assert contrast[1] == pytest.approx(contrast[0], rel=0.12)


def test_differences_of_neighbours_have_heavy_tails(images):
    difference = np.diff(images, axis=2)
    assert np.mean(difference**4) / np.mean(difference**2) ** 2 > 5


def test_colours_look_natural(images):
    assert 0.35 * 255 < images.mean() < 0.65 * 255
    assert 0.15 * 255 < images.std() < 0.3 * 255
    channels = np.corrcoef(images.reshape(-1, 3).T)
    assert 0.8 < channels[0, 1] < 0.97


def test_everywhere_alike(images):
    rows = images.std(axis=(0, 2, 3))
    assert rows.max() / rows.min() < 1.25


@pytest.mark.parametrize("shape", [(28, 28, 1), (32, 48, 3), (1, 1, 1), (5, 3, 2), (300, 20, 3)])
def test_any_size(shape):
    images = probe_images(2, *shape, seed=0)
    assert images.labels is None and len(images) == 2
    image, digest = images.read(1)
    assert image.shape == shape and image.dtype == np.uint8 and digest is None


def test_an_image_depends_on_seed_and_index_alone():
    few, many = probe_images(3, 16, 16, 3, seed=1), probe_images(9, 16, 16, 3, seed=1)
    np.testing.assert_array_equal(few.read(2)[0], many.read(2)[0])
    np.testing.assert_array_equal(few.read(2)[0], few.read(2)[0])
    assert (few.read(2)[0] != few.read(1)[0]).any()
    assert (few.read(2)[0] != probe_images(3, 16, 16, 3, seed=2).read(2)[0]).any()


def test_digests_say_which_probes():
    args = [(3, 16, 16, 3, 1), (4, 16, 16, 3, 1), (3, 16, 16, 3, 2), (3, 16, 16, 1, 1), (3, 16, 8, 3, 1)]
    assert len({probe_images(*a).digest for a in args}) == len(args)


def test_the_same_bits_on_every_machine():
    made = hashlib.sha256(stack(3, 32).tobytes()).hexdigest()
    assert made == "1e2951451455b05f8cf1a5217b7fefc9fa9cd83527524e4150909b73ca879671"


@pytest.mark.parametrize(
    ("spec", "preprocess", "shape"),
    [
        (InputSpec("NCHW", 1, 28, 30), Preprocess(crop=(9, 9)), (28, 30, 1)),
        (InputSpec("NHWC"), Preprocess(crop=(9, 8)), (9, 8, 3)),
        (InputSpec("NHWC"), None, (64, 64, 3)),
        (InputSpec("flat", size=784), None, (28, 28, 1)),
        (InputSpec("flat", size=3072), None, (32, 32, 3)),
    ],
)
def test_probes_have_the_models_shape(spec, preprocess, shape):
    assert probe_shape(spec, preprocess) == shape


def test_a_flat_input_that_is_no_square_has_no_probes():
    with pytest.raises(UsageError, match="takes 13 values"):
        probe_shape(InputSpec("flat", size=13), None)
