"""Random chords: straight, from the image, as long as the pair, the same every time."""

import numpy as np
import pytest

from onnxspec.images.distance import rms_distance
from onnxspec.paths.chords import chords, direction
from paths.scene import DIGEST, MEAN, STD, images, space, walked

PICTURES = images(6)
A, B = np.array([0, 2, 4]), np.array([1, 3, 5])
DISTANCE = rms_distance(PICTURES[A], PICTURES[B])


def made(own, seed=0, points=9):
    return chords(PICTURES.__getitem__, own, A, B, DISTANCE, points, DIGEST, seed)


@pytest.mark.parametrize("layout", ["NCHW", "NHWC"])
def test_it_starts_at_the_image_and_is_as_long_as_the_pair(layout):
    own = space(layout=layout, mean=MEAN, std=STD)
    for path in range(3):
        points = walked(made(own), path)
        np.testing.assert_allclose(points[0], own.inputs(PICTURES[A[path : path + 1]])[0], atol=1e-6)
        assert own.rms(points[-1:] - points[:1])[0] == pytest.approx(DISTANCE[path], rel=1e-5)
        np.testing.assert_allclose(np.diff(points, 2, axis=0), 0, atol=2e-6)


def test_the_pair_and_the_seed_fix_it():
    own = space()
    assert np.array_equal(walked(made(own), 1), walked(made(own), 1))
    assert not np.array_equal(walked(made(own), 1), walked(made(own, seed=1), 1))
    assert not np.array_equal(walked(made(own), 1), walked(made(own), 2))


def test_mean_and_std_do_not_turn_it():
    own = space(mean=MEAN, std=STD)
    points, plain = walked(made(own)), walked(made(space()))
    np.testing.assert_allclose((points[-1] - points[0]) * np.array(STD)[:, None, None], plain[-1] - plain[0], atol=1e-5)


def test_directions_are_white():
    one, other = (direction((12, 16, 3), DIGEST, 0, 0, b) for b in (1, 2))
    assert np.square(one).mean() == pytest.approx(1)
    assert abs((one * other).mean()) < 4 / np.sqrt(one.size)
