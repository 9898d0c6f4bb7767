"""Spectra drawn in characters: bars of log power over frequency, kinds side by side on one scale."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from rich.text import Text

ROWS = 6
DECADES = 12
WIDEST = 60
_GUTTER = 7
_UNIT = " cycles/d_ref"
# Common bins are 1 / (2 d_ref) wide.
_HALF_BIN = 0.25
_FAST = "yellow"


@dataclass(frozen=True)
class Panel:
    """One spectrum of a drawing; power : (bins,) float, squared units of the signal."""

    title: str
    power: np.ndarray


@dataclass(frozen=True)
class _Scale:
    """What all panels share: decades of power from bottom to top, and the frequencies between two edges."""

    bottom: int
    top: int
    left: float
    right: float
    columns: int

    def column(self, frequency: float) -> int:
        return int((frequency - self.left) / (self.right - self.left) * self.columns)


def draw(panels: Sequence[Panel], cycles: np.ndarray, cutoff: float, width: int, ascii_only: bool = False) -> Text:
    """Panels side by side, `width` cells in all.

    Parameters
    ----------
    cycles : (bins,) centres of the common bins, cycles per d_ref; cutoff : in the same unit, marked in every panel
    ascii_only : draw with . : # instead of blocks
    """
    columns = min((width - _GUTTER - 2 * (len(panels) - 1)) // len(panels) - 1, WIDEST)
    power = [in_columns(panel.power, columns) for panel in panels]
    scale = _Scale(*_decades(power), cycles[0] - _HALF_BIN, cycles[-1] + _HALF_BIN, columns)
    marks = _Marks.ascii() if ascii_only else _Marks.blocks()
    drawn = [_bars(one, scale, cutoff, marks) for one in power]
    label = {0: f"1e{scale.top:+d}", ROWS - 1: f"1e{scale.bottom:+d}"}
    lines = [_line([Text(panel.title[: columns + 1].ljust(columns + 1)) for panel in panels], "power")]
    lines += [_line([bars[row] for bars in drawn], label.get(row, "")) for row in range(ROWS)]
    lines.append(_line([Text(_axis(scale, cutoff, marks), style="dim") for _ in panels]))
    lines.append(_line([Text(_ticks(scale, cycles, cutoff), style="dim") for _ in panels]))
    return Text("\n").join(lines)


def in_columns(power: np.ndarray, columns: int) -> np.ndarray:
    """Mean power of (bins,) equal bins in each of (columns,) equal columns over the same range."""
    edges = np.linspace(0, len(power), columns + 1)[:, None]
    first = np.arange(len(power))
    # Overlaps rather than differences of a running total, which would drown what is decades below its neighbours.
    overlap = np.minimum(edges[1:], first + 1) - np.maximum(edges[:-1], first)
    return np.maximum(overlap, 0) @ power * columns / len(power)


@dataclass(frozen=True)
class _Marks:
    """Characters: `steps` from empty to a full cell, the cut-off, the axes."""

    steps: str
    cutoff: str
    corner: str
    side: str
    floor: str
    tick: str

    @staticmethod
    def blocks() -> "_Marks":
        return _Marks(" ▁▂▃▄▅▆▇█", "┊", "└", "│", "─", "┴")

    @staticmethod
    def ascii() -> "_Marks":
        return _Marks(" .:#", "!", "+", "|", "-", "+")


def _decades(power: Sequence[np.ndarray]) -> tuple[int, int]:
    """Whole decades around all positive power, at most `DECADES` of them."""
    every = np.concatenate(power)
    positive = every[np.isfinite(every) & (every > 0)]
    if not len(positive):
        return -1, 0
    # Rounded, or an exact power of ten would now and then open a decade of its own.
    low, high = np.log10([positive.min(), positive.max()]).round(6)
    top = math.ceil(high)
    return max(min(math.floor(low), top - 1), top - DECADES), top


def _bars(power: np.ndarray, scale: _Scale, cutoff: float, marks: _Marks) -> list[Text]:
    """The rows of one panel from the top, side line included."""
    full = len(marks.steps) - 1
    shown = np.isfinite(power) & (power > 0)
    height = np.log10(power, where=shown, out=np.full(len(power), float(scale.bottom)))
    steps = np.rint((height - scale.bottom) / (scale.top - scale.bottom) * ROWS * full)
    # The least power that there is still shows, or it would look like none.
    steps = np.where(shown, np.maximum(steps, 1), 0).astype(int)
    cut = scale.column(cutoff)
    rows = []
    for row in range(ROWS):
        cells = [marks.steps[level] for level in np.clip(steps - (ROWS - 1 - row) * full, 0, full)]
        if cut < len(cells) and cells[cut] == " ":
            cells[cut] = marks.cutoff
        rows.append(
            Text(marks.side, style="dim") + Text("".join(cells[:cut])) + Text("".join(cells[cut:]), style=_FAST)
        )
    return rows


def _axis(scale: _Scale, cutoff: float, marks: _Marks) -> str:
    cells = [marks.floor] * scale.columns
    if (cut := scale.column(cutoff)) < len(cells):
        cells[cut] = marks.tick
    return marks.corner + "".join(cells)


def _ticks(scale: _Scale, cycles: np.ndarray, cutoff: float) -> str:
    """Cut-off, last and first frequency below the axis, as far as they fit beside each other in this order."""
    cells = [" "] * (scale.columns + 1)
    mark = f"f_c={cutoff:.3g}"
    if cutoff < scale.right:
        start = 1 + scale.column(cutoff) - len(mark) // 2
        _place(cells, mark, min(max(start, 1), len(cells) - len(mark)))
    else:
        _place(cells, f"{mark}{_UNIT} >", len(cells) - len(f"{mark}{_UNIT} >"))
    last = f"{cycles[-1]:g}"
    if not _place(cells, last + _UNIT, len(cells) - len(last + _UNIT)):
        _place(cells, last, len(cells) - len(last))
    _place(cells, f"{cycles[0]:g}", 1)
    return "".join(cells)


def _place(cells: list[str], text: str, start: int) -> bool:
    """Writes `text` into cells if it fits there with a space around it; says whether it did."""
    end = start + len(text)
    free = start >= 0 and end <= len(cells) and not "".join(cells[max(start - 1, 0) : end + 1]).strip()
    if free:
        cells[start:end] = text
    return free


def _line(parts: Sequence[Text], label: str = "") -> Text:
    return Text(f"{label:>{_GUTTER - 1}} ", style="dim") + Text("  ").join(parts)
