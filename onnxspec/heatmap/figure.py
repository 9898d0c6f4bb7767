"""The picture of a heat map: error and change of the outputs per frequency, and both against |frequency| and cut-off."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from onnxspec.heatmap.filters import HIGH, LOW
from onnxspec.heatmap.intervals import Estimates
from onnxspec.heatmap.result import HeatMap
from onnxspec.report.figures import style
from onnxspec.report.figures.style import COLOURS, styled
from onnxspec.report.headline import PERCENT

WIDTH, HEIGHT = 560, 480
_INKS = {LOW: COLOURS["first"], HIGH: COLOURS["second"]}


@styled
def picture(found: HeatMap) -> Figure:
    """Two planes, zero frequency in the middle and both halves filled, above two curves with 95 % intervals."""
    figure = Figure((WIDTH / 72, HEIGHT / 72), layout="constrained")
    (left, right), (below, beside) = figure.subplots(2, 2, height_ratios=(5, 3))
    wrong = "error" if found.labelled else "changed answers"
    _plane(figure, left, found, found.error.estimate * PERCENT, f"{wrong}, %")
    _plane(figure, right, found, found.mean_change["logit"].estimate, "change of logit, nats")
    _rings(below, found, wrong)
    _filters(beside, found)
    return figure


def _plane(figure: Figure, axes: Axes, found: HeatMap, values: np.ndarray, label: str) -> None:
    rows, columns = found.waves.axes
    extent = (columns[0] - 0.5, columns[-1] + 0.5, rows[-1] + 0.5, rows[0] - 0.5)
    shown = axes.imshow(found.waves.plane(values), extent=extent, interpolation="nearest", cmap="viridis")
    axes.grid(False)
    axes.set(xlabel="cycles per width", ylabel="cycles per height")
    bar = figure.colorbar(shown, ax=axes, location="top", aspect=30, pad=0.02, label=label)
    bar.outline.set_visible(False)


def _rings(axes: Axes, found: HeatMap, wrong: str) -> None:
    """Increase of the error by octave, each drawn at its mean |frequency|."""
    rings, radius = found.rings, found.waves.radius
    drawn = np.flatnonzero(rings.high > 0)
    at = np.array([radius[(radius >= rings.low[i]) & (radius < rings.high[i])].mean() for i in drawn])
    _curve(axes, at, rings.increase, drawn, COLOURS["ink"], "")
    style.octaves_axis(axes)
    axes.axhline(0, color=COLOURS["muted"], linewidth=0.7)
    axes.set(xlabel="|frequency| of the wave, cycles per image", ylabel=f"{wrong}: increase, points")


def _filters(axes: Axes, found: HeatMap) -> None:
    """Accuracy by cut-off, and that on the images as they are."""
    for kind, colour in _INKS.items():
        which = np.flatnonzero([one.kind == kind for one in found.filters])
        at = np.array([found.filters[i].cutoff for i in which])
        _curve(axes, at, found.filtered_accuracy, which, colour, kind)
    axes.axhline(found.accuracy.estimate * PERCENT, color=COLOURS["muted"], linestyle=(0, (2, 2)), linewidth=1)
    style.octaves_axis(axes)
    label = "accuracy, %" if found.labelled else "same answer, %"
    axes.set(xlabel="cut-off, cycles per image", ylabel=label, ylim=(0, 102))
    axes.legend(loc="best")


def _curve(axes: Axes, x: np.ndarray, figures: Estimates, which: np.ndarray, colour: str, label: str) -> None:
    middle, low, high = (PERCENT * values[which] for values in (figures.estimate, figures.low, figures.high))
    axes.fill_between(x, low, high, color=colour, alpha=0.16, linewidth=0)
    axes.plot(x, middle, "o-", color=colour, markersize=4, label=label)
