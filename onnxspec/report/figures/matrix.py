"""How fast the outputs wiggle between each two classes: a square per pair that has paths."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure

from onnxspec.report.figures import style
from onnxspec.report.figures.style import COLOURS, styled
from onnxspec.report.report import Report
from onnxspec.settings import KINDS

SIDE = 400
NAMED = 30
WRITTEN = 12
_LEAST_SQUARE = 2.4
_POINTS = 8
_DIGIT = 0.64
"""How wide a digit is, of the height of its letters."""
_RASTER_FROM = 1500
_SHADES = 12


@styled
def matrix(report: Report, signal: str) -> Figure:
    """hff (%) between every two classes; few classes are named, and with very few the numbers are written."""
    figure, axes = style.panel(SIDE, SIDE * 1.08)
    first, second, percent = pair_figures(report, signal)
    names = report.classes["name"].tolist()
    shown = percent > 0
    low, high = _range(percent[shown])
    norm = LogNorm(low, high)
    side = max(0.8 * SIDE / len(names) * 0.82, _LEAST_SQUARE)
    squares = axes.scatter(
        np.concatenate([first, second])[np.tile(shown, 2)],
        np.concatenate([second, first])[np.tile(shown, 2)],
        s=side**2,
        c=np.tile(percent[shown], 2),
        marker="s",
        linewidths=0,
        norm=norm,
        cmap="viridis",
        rasterized=int(shown.sum()) > _RASTER_FROM,
    )
    squares.set_cmap(squares.get_cmap().resampled(_SHADES))
    axes.set(xlim=(-0.6, len(names) - 0.4), ylim=(len(names) - 0.4, -0.6), aspect="equal")
    axes.grid(False)
    _name(axes, names)
    if len(names) <= WRITTEN:
        written = [f"{value:.2g}" for value in percent]
        size = min(_POINTS, side / _DIGIT / max(map(len, written), default=1))
        for a, b, value, text in zip(first, second, percent, written, strict=True):
            # Zero has no square: it stands on paper, which is dark by night.
            colour = COLOURS["ink"] if value <= 0 else "#fefefe" if norm(value) < 0.6 else "#101010"
            look: dict[str, Any] = {"ha": "center", "va": "center", "fontsize": size, "color": colour}
            for x, y in ((a, b), (b, a)):
                axes.text(x, y, text, **look)
    looks: dict[str, Any] = {"shrink": 0.6, "pad": 0.02, "aspect": 30, "extend": _beyond(percent[shown], low, high)}
    bar = figure.colorbar(squares, ax=axes, location="top", label=f"{signal} hff, %", **looks)
    bar.outline.set_visible(False)
    ticks = np.geomspace(low, high, 4)
    bar.set_ticks(ticks.tolist(), labels=[f"{tick:.2g}" for tick in ticks])
    bar.ax.minorticks_off()
    return figure


def pair_figures(report: Report, signal: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Class numbers (pairs,) int twice, and pooled hff in percent (pairs,) float64, of all pairs with a path that counts.

    From the paths and not from the report's figures, which leave out what has no interval: with many classes most
    pairs have one path.
    """
    paths = report.paths
    counted = (paths["kind"] == KINDS.index("between")) & (paths["ends_right"] == 2) & (paths["within_reach"] > 0)
    ends = np.column_stack([paths["class_a"], paths["class_b"]])[counted]
    pairs, at = np.unique(ends, axis=0, return_inverse=True)
    high, total = (np.bincount(at, paths[f"{part}_{signal}"][counted], len(pairs)) for part in ("hf", "total"))
    moving = total > 0
    return pairs[moving, 0], pairs[moving, 1], 100 * high[moving] / total[moving]


def _range(percent: np.ndarray) -> tuple[float, float]:
    """Ends of the colour scale: nearly all values, and never a single one."""
    if not len(percent):
        return 0.1, 1.0
    low, high = np.quantile(percent, [0.02, 0.98])
    return float(low), float(max(high, low * 1.5))


def _beyond(percent: np.ndarray, low: float, high: float) -> str:
    """At which ends the colour scale goes on: an arrow there says that some values lie beyond."""
    below, above = bool((percent < low).any()), bool((percent > high).any())
    return {(False, False): "neither", (True, False): "min", (False, True): "max"}.get((below, above), "both")


def _name(axes: Axes, names: list[str]) -> None:
    if len(names) > NAMED:
        axes.set(xlabel="class number", ylabel="class number")
        return
    ticks = range(len(names))
    size = 9 if len(names) <= WRITTEN else 7
    axes.set_xticks(ticks, [style.label(name) for name in names], rotation=90, fontsize=size)
    axes.set_yticks(ticks, [style.label(name) for name in names], fontsize=size)
    axes.tick_params(length=0)
    for side in axes.spines.values():
        side.set_visible(False)
