"""Figures against a number: the checkpoints of a training run, say, with accuracy below.

A series comes from several reports, or from a comparison (`comparison.figures`).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from onnxspec.errors import UsageError
from onnxspec.report import headline
from onnxspec.report.figures.style import COLOURS, styled
from onnxspec.report.report import Report
from onnxspec.series import over, positions
from onnxspec.settings import KINDS
from onnxspec.statistics import Interval

METRICS = ("hff", "slope")
# A figure that few paths carry has an interval without end, which would flatten all the rest.
_MOST, _BEYOND = 2.5, 1e3


@dataclass(frozen=True)
class Station:
    """One model of a series: what it is called, where it stands, its figures by kind and metric, and its accuracy."""

    name: str
    place: float
    figures: dict[tuple[str, str], Interval]
    accuracy: Interval


@styled
def series(stations: Sequence[Station], signal: str) -> Figure:
    """hff, slope and accuracy over the places of a series."""
    ordered = sorted(stations, key=lambda one: one.place)
    figure = Figure((400 / 72, 440 / 72), layout="constrained")
    top, middle, bottom = figure.subplots(3, 1, sharex=True, height_ratios=(3, 3, 2))
    for kind, metric in ordered[0].figures:
        axes, factor = (top, 100.0) if metric == "hff" else (middle, 1.0)
        found = [(one.place, one.figures[kind, metric]) for one in ordered]
        _draw(axes, found, factor, COLOURS[kind], headline.KINDS[kind])
    if all(math.isfinite(one.accuracy.estimate) for one in ordered):
        _draw(bottom, [(one.place, one.accuracy) for one in ordered], 100.0, COLOURS["ink"], "accuracy")
    top.set_ylabel(f"{signal} hff, %")
    middle.set_ylabel(f"{signal} slope")
    bottom.set(ylabel="accuracy, %", xlabel=over([one.name for one in ordered], [one.place for one in ordered]))
    for axes in (top, middle):
        positive = [value for line in axes.lines for value in line.get_ydata() if value > 0]
        axes.set_ylim(0, min(axes.get_ylim()[1], _MOST * max(positive)) if positive else None)
    top.legend(loc="best")
    return figure


def of_reports(reports: Sequence[Report], signal: str) -> list[Station]:
    """Reports as a series, ordered by their names as `series.positions` does.

    Raises
    ------
    UsageError
        There are fewer than two, or no kind of paths in all of them, or as `series.positions`.
    """
    if len(reports) < 2:
        raise UsageError("A series needs two reports or more.", "onnxspec plot epoch-*.h5 --what series -o series.svg")
    kinds = [kind for kind in KINDS if all(kind in report.kinds for report in reports)]
    if not kinds:
        measured = "; ".join(f"{report.path.name} has {', '.join(report.kinds)}" for report in reports)
        raise UsageError(
            f"The reports have no kind of paths in common: {measured}.", "Measure all with the same --kinds."
        )
    names = [report.path.stem for report in reports]
    return [
        Station(
            name,
            place,
            {(kind, metric): report.figure(kind, metric, signal) for kind in kinds for metric in METRICS},
            report.accuracy,
        )
        for report, name, place in zip(reports, names, positions(names), strict=True)
    ]


def _draw(axes: Axes, found: Sequence[tuple[float, Interval]], factor: float, colour: str, label: str) -> None:
    x = [at for at, _ in found]
    middle, low, high = ([factor * getattr(one, end) for _, one in found] for end in ("estimate", "low", "high"))
    # Where an end is infinite matplotlib draws no band at all, as if nothing were uncertain.
    beyond = _BEYOND * max((value for value in middle if value > 0), default=1.0)
    axes.fill_between(x, low, np.minimum(high, beyond), color=colour, alpha=0.16, linewidth=0)
    axes.plot(x, middle, "o-", color=colour, markersize=4, label=label)
