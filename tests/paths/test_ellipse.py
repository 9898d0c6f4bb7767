"""The ellipse: closed, through its images, its perimeter, and the physical frequency that a line finds too."""

import numpy as np
import pytest
from scipy import special

from onnxspec import spectra
from onnxspec.paths import ellipse
from onnxspec.paths.families import line_at
from paths.scene import walked

RNG = np.random.default_rng(3)


def rms(x):
    return np.sqrt(np.square(x).mean(-1))


def distances(v):
    return tuple(rms(v[i] - v[j])[None] for i, j in ((0, 1), (0, 2), (1, 2)))


def test_it_runs_through_its_three_images_and_closes():
    anchors = RNG.normal(size=(3, 5, 4)).astype(np.float32)
    walk = ellipse.ellipses(lambda path: anchors, 96, 1)
    points = walked(walk)
    np.testing.assert_allclose(points[[0, 32, 64]], anchors, atol=1e-6)
    np.testing.assert_allclose(ellipse.weights_at(np.array([0.0, 1.0]))[1], ellipse.weights(96)[0], atol=1e-7)
    np.testing.assert_allclose(ellipse.weights(64).sum(-1), 1.0, atol=1e-6)
    steps = np.linalg.norm((points - np.roll(points, 1, 0)).reshape(96, -1), axis=1)
    assert steps[0] < 1.1 * steps[1:].max()


def test_grids_are_nested():
    assert np.array_equal(ellipse.weights(64)[::2], ellipse.weights(32))


@pytest.mark.parametrize("flat", [1.0, 0.3, 1e-3, 0.0])
def test_the_perimeter_is_what_a_fine_polygon_measures(flat):
    anchors = RNG.normal(size=(3, 50))
    anchors[2] = (1 - flat) * (0.3 * anchors[0] + 0.7 * anchors[1]) + flat * anchors[2]
    turn = np.arange(20_001)[:, None] / 20_000 - np.arange(3) / 3
    points = (1 / 3 + 2 / 3 * np.cos(2 * np.pi * turn)) @ anchors
    polygon = rms(np.diff(points, axis=0)).sum()
    assert ellipse.perimeter(*distances(anchors))[0] == pytest.approx(polygon, rel=1e-6)


def test_perimeters_of_equal_images_and_of_a_circle():
    zero = np.zeros(1)
    assert ellipse.perimeter(zero, zero, zero)[0] == 0
    side = np.ones(1)
    assert ellipse.perimeter(side, side, side)[0] == pytest.approx(2 * np.pi / np.sqrt(3))


def test_ellipse_and_line_find_one_direction_at_the_same_physical_frequency():
    """sin 2 pi f <x, u>: a line along u has its peak at f; a circle, whose direction turns, reaches up to f.

    On a circle of radius r the waves are Bessel functions J_k(2 pi f r) (Jacobi and Anger), whose largest lies just
    below k = 2 pi f r, which is f cycles per unit of the perimeter.
    """
    side = 8.0
    corners = side / np.sqrt(3) * np.array([[1, 0], [-0.5, np.sqrt(0.75)], [-0.5, -np.sqrt(0.75)]])
    anchors = (corners @ np.linalg.qr(RNG.normal(size=(50, 2)))[0].T * np.sqrt(50)).astype(np.float32)
    a, b, c = distances(anchors.astype(float))
    assert a[0] == pytest.approx(side, rel=1e-5)
    u = anchors[0].astype(float) - anchors.mean(0)
    u /= np.linalg.norm(u) * np.sqrt(50)  # the coordinate along it moves by 1 per unit RMS distance
    f = 2.5

    def outputs(points):
        return np.sin(2 * np.pi * f * (points.astype(float) - anchors.mean(0)) @ u)[None, :, None]

    walk = ellipse.ellipses(lambda path: anchors, 512, 1)
    spectrum = spectra.closed(outputs(walked(walk)))
    k = np.arange(1, 257)
    exact = np.where(k % 2 == 1, 2 * special.jv(k, 2 * np.pi * f * side / np.sqrt(3)) ** 2, 0.0)
    np.testing.assert_allclose(spectrum.power[0], exact, atol=1e-5)
    turning = spectrum.frequency / ellipse.perimeter(a, b, c)[0]
    assert turning[spectrum.power[0].argmax()] == pytest.approx(f, rel=0.05)
    assert spectrum.power[0][turning > 1.1 * f].sum() < 1e-2 * spectrum.power.sum()

    length = 4.0
    ends = np.stack([anchors.mean(0), anchors.mean(0) + length * u * 50]).astype(np.float32)
    straight = spectra.sine(outputs(line_at(np.arange(257) / 256) @ ends))
    assert straight.frequency[straight.power[0].argmax()] / length == f
