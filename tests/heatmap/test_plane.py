"""Planes in characters: shades in order, both halves, ASCII where nothing else can be shown."""

import numpy as np
import pytest

from onnxspec.heatmap.plane import Panel, draw, pooled
from onnxspec.paths.waves import Waves

WAVES = Waves.half_plane(32, 32)


def drawing(values, width=80, **options):
    return draw([Panel("one", WAVES.plane(values))] * 2, WAVES.axes, width, **options).plain.splitlines()


def test_pooling_is_the_mean_of_what_there_is():
    values = np.arange(12.0).reshape(4, 3)
    assert np.allclose(pooled(values, 2, 3), [[1.5, 2.5, 3.5], [7.5, 8.5, 9.5]])
    assert np.isclose(pooled(values, 3, 2).mean(), values.mean())
    values[:2, 0] = np.nan
    assert np.isnan(pooled(values, 2, 3)[0, 0])
    assert np.isfinite(pooled(values, 1, 3)).all()


def test_a_wave_stands_in_its_two_places():
    at = next(i for i, f in enumerate(WAVES.frequency.tolist()) if f in ([0, 8], [0, -8]))
    lines = drawing((np.arange(len(WAVES)) == at).astype(float))
    marked = [line for line in lines[1:17] if "█" in line]
    assert len(marked) == 1 and marked[0].startswith("   0 ")
    assert [i - 5 - 16 for i, mark in enumerate(marked[0][:37]) if mark == "█"] == [-8, 8]


def test_it_fits_and_is_about_square():
    for width in (80, 60, 40, 24):
        lines = drawing(WAVES.radius, width)
        assert max(map(len, lines[:-1])) <= width
    assert len(drawing(WAVES.radius)) == 1 + 16 + 2


def test_shades_grow_with_the_values_and_the_scale_says_where_they_begin():
    lines = drawing(WAVES.radius)
    middle = lines[9][5 : 5 + 32]
    half = middle[16:]
    assert [" ░▒▓█".index(mark) for mark in half] == sorted(" ░▒▓█".index(mark) for mark in half)
    assert all(mark in lines[-1] for mark in "░▒▓█")


@pytest.mark.parametrize(
    ("size", "width", "labels", "ticks"),
    [
        ((32, 32), 80, ["-16", *[""] * 7, "0", *[""] * 6, "15"], f"-16{'0':>14}{'15':>15}"),
        ((7, 9), 80, ["-3", "0", "", "3"], "-4  0   4"),
        ((9, 7), 80, ["-4", "", "0", "", "4"], "-3 0  3"),
        ((8, 8), 80, ["-4", "", "0", "3"], f"-4{0:>3}{3:>3}"),
        ((4, 4), 80, ["-2", "0"], "  0"),
    ],
)
def test_the_first_and_the_last_frequency_and_zero_stand_beside_their_cells(size, width, labels, ticks):
    """As far as they fit: beside four columns there is no room for more than zero."""
    waves = Waves.half_plane(*size)
    _, *lines, below, _ = draw([Panel("one", waves.plane(waves.radius))], waves.axes, width).plain.splitlines()
    assert [line[:5].strip() for line in lines] == labels
    assert below == 5 * " " + ticks


@pytest.mark.parametrize(
    ("largest", "scale"),
    [
        (1.5, "0.00  ░ 0.30 ▒ 0.60 ▓ 0.90 █ 1.20"),
        (150, "0  ░ 30 ▒ 60 ▓ 90 █ 120"),
        (1.5e-5, "0e+00  ░ 3e-06 ▒ 6e-06 ▓ 9e-06 █ 1e-05"),
    ],
)
def test_the_scale_has_as_many_digits_as_tell_its_steps_apart(largest, scale):
    axes = np.arange(-1, 1), np.arange(-1, 1)
    drawn = draw([Panel("one", np.array([[0.0, largest]] * 2))], axes, 80).plain.splitlines()
    assert drawn[-1].strip() == scale


def test_ascii():
    lines = drawing(WAVES.radius, ascii_only=True)
    assert all(line.isascii() for line in lines)
    assert any("#" in line for line in lines)


def test_nothing_to_tell_apart():
    lines = drawing(np.full(len(WAVES), 0.25))
    assert "0.25 everywhere" in lines[-1]
    assert not any("█" in line for line in lines)
    assert "0.0 everywhere" in drawing(np.zeros(len(WAVES)))[-1]
