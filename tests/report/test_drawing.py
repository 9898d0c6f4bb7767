"""The drawing against spectra whose picture is known."""

import numpy as np
import pytest

from onnxspec.report import drawing
from onnxspec.report.drawing import ROWS, Panel, draw, in_columns

CYCLES = np.arange(20) / 2
GUTTER = 8
WIDTH = GUTTER + 20


def drawn(power, cutoff=4.0, width=WIDTH, ascii_only=False, cycles=CYCLES):
    """Lines of bars, gutter cut off, and the whole text; `WIDTH` has one column a bin."""
    text = draw([Panel("title", np.asarray(power))], cycles, cutoff, width, ascii_only).plain
    return [line[GUTTER:] for line in text.split("\n")[1 : ROWS + 1]], text


def heights(bars, steps=" ▁▂▃▄▅▆▇█"):
    """Height of every column, in cells."""
    return [sum(max(steps.find(row[i]), 0) for row in bars) / (len(steps) - 1) for i in range(len(bars[0]))]


def test_heights_are_decades():
    power = 10.0 ** -np.repeat(np.arange(5), 4)
    bars, text = drawn(power / 10)
    assert heights(bars)[::4] == pytest.approx([6, 4.5, 3, 1.5, 0.125])
    assert text.split("\n")[1].lstrip().startswith("1e-1 ")
    assert text.split("\n")[ROWS].lstrip().startswith("1e-5 ")


def test_a_single_frequency_stands_in_its_place():
    for at in (0, 7, 19):
        power = np.zeros(20)
        power[at] = 1e-3
        found = heights(drawn(power)[0])
        assert np.flatnonzero(found).tolist() == [at]


def test_the_cutoff_is_marked_between_slow_and_fast():
    bars, text = drawn(np.zeros(20), cutoff=4.0)
    assert {row.find("┊") for row in bars} == {8}
    axis, ticks = text.split("\n")[-2:]
    assert axis[GUTTER:].index("┴") == 8
    assert "f_c=4" in ticks
    assert ticks.endswith("9.5")


def test_bars_hide_the_mark_where_they_reach():
    bars, _ = drawn(10.0 ** -np.repeat([0, 1, 2, 3], 5))
    assert [row[8] for row in bars] == ["┊", "┊", "█", "█", "█", "█"]


def test_a_cutoff_beyond_the_spectrum_is_told():
    bars, text = drawn(np.ones(20), cutoff=12.0, width=60)
    assert "┊" not in "".join(bars)
    assert text.endswith("f_c=12 cycles/d_ref >")


def test_panels_share_one_scale():
    text = draw([Panel("low", np.full(20, 1e-6)), Panel("high", np.full(20, 1.0))], CYCLES, 4.0, 80).plain
    lines = text.split("\n")
    assert all(len(line) <= 80 for line in lines)
    assert lines[1].count("█") == lines[1].rstrip().count("█") > 20
    assert "█" not in lines[1][:40]
    assert lines[0].split() == ["power", "low", "high"]


def test_ascii():
    bars, text = drawn(10.0 ** -np.linspace(0, 5, 20), ascii_only=True)
    assert text.isascii()
    found = heights(bars, " .:#")
    assert found == sorted(found, reverse=True)


def test_columns_keep_the_mean_power():
    power = np.random.default_rng(0).random(20)
    for columns in (7, 20, 33, 60):
        assert in_columns(power, columns).mean() == pytest.approx(power.mean())
    assert in_columns(power, 20) == pytest.approx(power)
    assert in_columns(power, 10) == pytest.approx(power.reshape(10, 2).mean(1))


def test_no_power_and_undefined_power_draw_nothing():
    for value in (0.0, np.nan):
        assert set("".join(drawn(np.full(20, value))[0])) <= {" ", "┊"}


def test_far_below_the_top_is_the_floor():
    power = np.full(20, 1.0)
    power[10:] = 1e-30
    bars, text = drawn(power)
    assert heights(bars)[15] == 1 / 8
    assert f"1e-{drawing.DECADES}" in text


def test_one_bin():
    _, text = drawn(np.ones(1), cycles=CYCLES[:1])
    assert "█" in text
