"""Translation loops: an image comes back to itself, whole pixels are plain shifts, the length is the way it goes."""

import numpy as np
import pytest

from onnxspec.paths.translation import RADIUS, TranslationLoops, shift, shift_rate
from paths.scene import MEAN, STD, images, space, walked


def mirrored(signal, by):
    """A signal moved by whole samples, mirrored at its ends."""
    return np.pad(signal, abs(by), mode="symmetric")[abs(by) - by : abs(by) - by + len(signal)]


@pytest.mark.parametrize("by", [-3, -1, 0, 1, 2])
def test_whole_pixels_are_plain_shifts_of_the_mirrored_image(by):
    signal = np.random.default_rng(0).normal(size=11)
    np.testing.assert_allclose(shift(11, [by])[0] @ signal, mirrored(signal, by), atol=1e-12)


def test_half_a_pixel_twice_is_a_wave_moved_by_a_whole_one():
    k = np.pi * 3 / 16
    wave = np.cos(k * (np.arange(16) + 0.5))
    np.testing.assert_allclose(shift(16, [0.5])[0] @ wave, np.cos(k * np.arange(16)), atol=1e-12)


def test_the_rate_is_the_derivative():
    step = 1e-5
    numeric = (shift(9, [0.3 + step]) - shift(9, [0.3 - step])) / (2 * step)
    np.testing.assert_allclose(shift_rate(9, [0.3]), numeric, atol=1e-6)


@pytest.mark.parametrize("floating", [False, True])
def test_a_loop_closes_at_the_image(floating):
    pictures = images(2) / 9.0 if floating else images(2)
    own = space(floating=floating, mean=MEAN, std=STD)
    walk = TranslationLoops(pictures.__getitem__, own, np.array([1, 0]), 64)
    points = walked(walk, 0)
    np.testing.assert_allclose(points[0], own.inputs(pictures[1:2])[0], atol=1e-5)
    steps = own.rms(np.diff(points, axis=0, append=points[:1]))
    assert steps[-1] < 1.1 * steps[:-1].max()
    fine = walked(TranslationLoops(pictures.__getitem__, own, np.array([1]), 1024))
    polygon = own.rms(np.diff(fine, axis=0, append=fine[:1])).sum()
    assert walk.length(0) == pytest.approx(polygon, rel=1e-3)
    assert steps.sum() == pytest.approx(walk.length(0), rel=0.02)


def test_the_far_point_is_two_radii_away():
    side = 32
    pictures = images(1, side, side)
    own = space((side, side, 3))
    points = walked(TranslationLoops(pictures.__getitem__, own, np.array([0]), 16))
    moved = np.apply_along_axis(mirrored, 0, pictures[0], round(2 * RADIUS * side))
    np.testing.assert_allclose(points[8], own.inputs(moved[None])[0], atol=1e-5)
