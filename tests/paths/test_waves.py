"""Waves: unit norm, orthonormal, half the plane and all of it."""

import numpy as np
import pytest

from onnxspec.paths.waves import Waves, octave_range, octaves

SIZES = [(8, 8), (7, 7), (6, 9), (9, 3), (5, 4), (1, 8)]


def formula(height, width, i, j):
    """U_ij as method.md section 9 has it."""
    u, v = np.meshgrid(np.arange(height), np.arange(width), indexing="ij")
    angle = 2 * np.pi * (i * u / height + j * v / width)
    if 2 * i % height == 0 and 2 * j % width == 0:
        return np.cos(angle) / np.sqrt(height * width)
    return np.sqrt(2 / (height * width)) * np.cos(angle + np.pi / 4)


def test_images_of_32_pixels_have_514_frequencies():
    assert len(Waves.half_plane(32, 32)) == 514
    assert Waves.half_plane(32, 32).own_opposite.sum() == 4


@pytest.mark.parametrize("size", SIZES)
def test_every_frequency_is_there_once(size):
    waves = Waves.half_plane(*size)
    assert len(waves) == (size[0] * size[1] + waves.own_opposite.sum()) / 2
    seen = {tuple(sign * f % size) for f in waves.frequency for sign in (1, -1)}
    assert len(seen) == size[0] * size[1]
    assert (np.diff(waves.radius) >= 0).all()


@pytest.mark.parametrize("size", SIZES)
def test_waves_are_those_of_the_method_and_orthonormal(size):
    waves = Waves.half_plane(*size)
    drawn = waves.images()
    assert drawn.dtype == np.float32
    expected = np.array([formula(*size, *f) for f in waves.frequency])
    assert np.allclose(drawn, expected, atol=1e-6)
    flat = drawn.reshape(len(drawn), -1).astype(float)
    assert np.allclose(flat @ flat.T, np.eye(len(flat)), atol=1e-6)
    assert np.array_equal(waves.images(slice(2, 5)), drawn[2:5])


@pytest.mark.parametrize("size", SIZES)
def test_coordinates_are_inner_products(size):
    waves = Waves.half_plane(*size)
    pixels = np.random.default_rng(0).random((3, 2, *size))
    expected = np.einsum("ncuv,kuv->nck", pixels, waves.images().astype(float))
    assert np.allclose(waves.coordinates(pixels), expected, atol=1e-5)


@pytest.mark.parametrize("size", SIZES)
def test_the_plane_shows_both_halves_with_zero_in_the_middle(size):
    waves = Waves.half_plane(*size)
    plane, (rows, columns) = waves.plane(waves.radius), waves.axes
    assert plane.shape == size
    assert np.allclose(plane, np.hypot(rows[:, None], columns[None]))
    assert plane[size[0] // 2, size[1] // 2] == 0


def test_the_highest_frequencies_can_be_left_out():
    waves = Waves.half_plane(32, 48, highest=3)
    assert len(waves) == (7 * 7 + 1) // 2
    assert waves.plane(waves.radius).shape == (7, 7)
    assert abs(waves.frequency).max() == 3
    assert len(Waves.half_plane(8, 8, highest=4)) == len(Waves.half_plane(8, 8))


def test_octaves():
    assert octaves(np.array([0, 1, np.sqrt(2), 2, 3.99, 4, 16, 22.6])).tolist() == [0, 1, 1, 2, 2, 3, 5, 5]
    assert [octave_range(band) for band in (0, 1, 3)] == [(0, 0), (1, 2), (4, 8)]
