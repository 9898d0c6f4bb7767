"""A plane of frequencies in characters: the denser a cell the larger its value, zero frequency in the middle."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from rich.text import Text

WIDEST = 34
_GUTTER = 5
_BETWEEN = 3
_BLOCKS, _ASCII = " ░▒▓█", " .+*#"


@dataclass(frozen=True)
class Panel:
    """One plane of a drawing; values : (rows, columns) float over frequencies, NaN where there is none."""

    title: str
    values: np.ndarray


def draw(panels: Sequence[Panel], axes: tuple[np.ndarray, np.ndarray], width: int, ascii_only: bool = False) -> Text:
    """Panels side by side, `width` cells in all, each with its own scale below it.

    Parameters
    ----------
    axes : frequencies of the rows and of the columns, ascending, cycles per height and per width
    ascii_only : draw with . + * # instead of blocks
    """
    room = max((width - _GUTTER - _BETWEEN * (len(panels) - 1)) // len(panels), 1)
    columns = min(room, WIDEST, len(axes[1]))
    # A character is about twice as high as it is wide.
    rows = max(1, math.ceil(columns * len(axes[0]) / len(axes[1]) / 2))
    shades = _ASCII if ascii_only else _BLOCKS
    cells = [pooled(panel.values, rows, columns) for panel in panels]
    edges = [_edges(one, len(shades)) for one in cells]
    drawn = [_shaded(one, at, shades) for one, at in zip(cells, edges, strict=True)]
    lines = [_line([panel.title for panel in panels], room)]
    lines += [_line([one[row] for one in drawn], room, _label(axes[0], row, rows)) for row in range(rows)]
    lines.append(_line([_ticks(axes[1], columns)] * len(panels), room))
    lines.append(_line([_scale(at, shades) for at in edges], room))
    return Text("\n").join(lines)


def pooled(values: np.ndarray, rows: int, columns: int) -> np.ndarray:
    """Means of what there is of (height, width) values in (rows, columns) equal cells, by overlap; NaN for nothing."""
    known = np.isfinite(values)
    down, across = _overlaps(len(values), rows), _overlaps(values.shape[1], columns)
    with np.errstate(invalid="ignore"):
        return (down @ np.where(known, values, 0) @ across.T) / (down @ known @ across.T)


def _overlaps(count: int, cells: int) -> np.ndarray:
    """How much of each of `count` equal parts lies in each of `cells` equal cells, (cells, count)."""
    edges, first = np.linspace(0, count, cells + 1)[:, None], np.arange(count)
    return np.maximum(np.minimum(edges[1:], first + 1) - np.maximum(edges[:-1], first), 0)


def _edges(values: np.ndarray, shades: int) -> np.ndarray:
    """Where each shade begins: equal steps from the least to the largest value."""
    return np.linspace(np.nanmin(values), np.nanmax(values), shades + 1)[:-1]


def _shaded(values: np.ndarray, edges: np.ndarray, shades: str) -> list[str]:
    """Rows of characters."""
    shade = np.searchsorted(edges[1:], np.nan_to_num(values, nan=-np.inf), side="right")
    # Where all are alike there is nothing to tell apart.
    shade = shade if edges[-1] > edges[0] else np.zeros_like(shade)
    return ["".join(shades[one] for one in row) for row in shade]


def _scale(edges: np.ndarray, shades: str) -> str:
    """What each shade begins at."""
    text = _digits(edges)
    if not edges[-1] > edges[0]:
        return f"{text(edges[0])} everywhere"
    return f"{text(edges[0])}  " + " ".join(
        f"{shade} {text(at)}" for shade, at in zip(shades[1:], edges[1:], strict=True)
    )


def _digits(edges: np.ndarray) -> Callable[[float], str]:
    """Writes numbers with as many digits as tell steps of the scale apart."""
    step = float(edges[1] - edges[0]) or abs(float(edges[0])) or 1.0
    decimals = max(0, 1 - math.floor(math.log10(step) + 0.3))
    return lambda value: f"{value:.{decimals}f}" if decimals < 4 else f"{value:.0e}"


def _label(frequencies: np.ndarray, row: int, rows: int) -> str:
    """First, zero and last frequency beside their rows."""
    zero = int(np.searchsorted(frequencies, 0) * rows / len(frequencies))
    shown = {0: frequencies[0], rows - 1: frequencies[-1], zero: 0}
    return f"{shown[row]:d}" if row in shown else ""


def _ticks(frequencies: np.ndarray, columns: int) -> str:
    """First, zero and last frequency below their columns, as far as they fit beside each other."""
    zero = int(np.searchsorted(frequencies, 0) * columns / len(frequencies))
    first, last = f"{frequencies[0]:d}", f"{frequencies[-1]:d}"
    text = first.ljust(zero) + "0" if len(first) < zero else "0".rjust(zero + 1)
    return text.ljust(columns - len(last)) + last if len(text) + len(last) < columns else text


def _line(parts: Sequence[str], room: int, label: str = "") -> Text:
    gap = " " * _BETWEEN
    return Text(f"{label:>{_GUTTER - 1}} ", style="dim") + Text(gap.join(part.ljust(room) for part in parts).rstrip())
