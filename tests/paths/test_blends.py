"""Amplitude and phase paths against a plain reading of the definition, coefficient by coefficient."""

import numpy as np
import pytest

from onnxspec.paths.blends import BlendedPaths, blended, length, low_frequencies
from oracle import mool
from paths.scene import MEAN, STD, images, space, walked

PICTURES = images(4)


COMPONENTS = ("amplitude", "phase")


@pytest.mark.parametrize("component", COMPONENTS)
def test_points_are_the_oracles(component):
    a, b = np.random.default_rng(0).normal(size=(2, 10, 13, 3))
    share = np.array([1.0, 0.7, 0.0])
    for point, part in zip(blended(a, b, share, component), share, strict=True):
        np.testing.assert_allclose(point, mool.blend(a, b, part, component), atol=1e-12)


def test_thirteen_by_thirteen_of_thirty_two():
    low = low_frequencies(32, 32)
    assert low.sum() == 169
    assert low[0, 0] and low[6, -6] and not low[7, 0] and not low[0, -7]
    assert low_frequencies(28, 32).sum() == 11**2


@pytest.mark.parametrize("component", COMPONENTS)
def test_a_path_starts_at_its_source_and_does_not_depend_on_mean_and_std(component):
    ends = np.array([0]), np.array([1])
    normalised = space(mean=MEAN, std=STD)
    walks = [BlendedPaths(component, PICTURES.__getitem__, s, *ends, 9) for s in (normalised, space())]
    points, plain = (walked(walk) for walk in walks)
    np.testing.assert_allclose(points[0], normalised.inputs(PICTURES[:1])[0], atol=1e-5)
    pixels = (plain - plain[0]) / np.array(STD)[:, None, None]
    np.testing.assert_allclose(points - points[0], pixels, atol=1e-5)
    assert np.abs(points[-1] - points[0]).max() > 0.1


def test_only_the_named_component_changes():
    a, b = PICTURES[0] / 255, PICTURES[1] / 255
    low = low_frequencies(12, 16)
    halfway = np.fft.fft2(blended(a, b, np.array([0.5]), "amplitude")[0], axes=(0, 1))
    source, target = (np.fft.fft2(image, axes=(0, 1)) for image in (a, b))
    np.testing.assert_allclose(halfway[~low], source[~low], atol=1e-10)
    np.testing.assert_allclose(abs(halfway[low]), (abs(source[low]) + abs(target[low])) / 2, atol=1e-10)
    np.testing.assert_allclose(np.exp(1j * np.angle(halfway[low])), np.exp(1j * np.angle(source[low])), atol=1e-8)


def test_equal_images_make_a_path_that_stays():
    points = blended(PICTURES[0], PICTURES[0], np.linspace(1, 0, 5), "phase")
    np.testing.assert_allclose(points, np.broadcast_to(PICTURES[0], points.shape), atol=1e-9)


def test_the_length_of_a_path_is_the_way_from_point_to_point():
    a, b = np.random.default_rng(1).normal(size=(2, 10, 13, 3))
    ends = blended(a, b, np.array([1.0, 0.0]), "amplitude")
    # Amplitudes go over in a straight line, phases in an arc, which is longer than its chord.
    assert length(a, b, "amplitude", 9) == pytest.approx(np.sqrt(np.square(ends[1] - ends[0]).mean()))
    assert length(a, b, "phase", 33) > 1.1 * length(a, b, "phase", 2)
