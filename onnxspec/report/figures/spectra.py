"""Spectra on logarithmic axes: a line and its confidence band a kind, the cut-off, and room for one more class.

The page shows any class on demand: it moves two empty shapes a kind, for which `on_demand` gives the outlines of all
classes in the units of the drawing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch
from matplotlib.path import Path

from onnxspec.errors import ReportError
from onnxspec.report.figures import style
from onnxspec.report.figures.style import COLOURS, styled
from onnxspec.report.headline import KINDS
from onnxspec.report.report import Report, SpectrumOf

MOST_BINS = 24
UNITS = {"logit": "nats²"}


@dataclass(frozen=True)
class Outlines:
    """Spectra of classes in the units of a drawing.

    x : (bins,) int; of : kind to class number to (low, middle, high), each (bins,) int
    """

    x: list[int]
    of: dict[str, dict[int, tuple[list[int], list[int], list[int]]]]


@styled
def spectrum(report: Report, signal: str, class_a: str = "") -> Figure:
    """The spectra of all kinds, or of one class in them beside those of all (dotted)."""
    figure, axes = style.panel()
    for kind in report.kinds:
        whole = _spectrum(report, kind, signal)
        own = _spectrum(report, kind, signal, class_a) if class_a else whole
        if own is not None:
            label = f"{style.label(class_a)}, {kind}" if class_a else KINDS[kind]
            band(axes, own.cycles, own.power, own.low, own.high, color=COLOURS[kind], label=label)
        if class_a and whole is not None:
            label = f"all classes, {kind}"
            axes.plot(whole.cycles[1:], whole.power[1:], color=COLOURS[kind], linestyle=":", linewidth=1.2, label=label)
    _finish(axes, report, signal, _range(report, signal, class_a))
    return figure


@styled
def on_demand(report: Report, signal: str) -> tuple[Figure, Outlines]:
    """The spectra of all kinds, with empty shapes `on-demand-KIND-line` and `-band` and what may fill them."""
    figure = spectrum(report, signal)
    axes = figure.axes[0]
    axes.set_ylim(*_range(report, signal, classes=True))
    for kind in report.kinds:
        for part, look in (("band", {"alpha": 0.16, "linewidth": 0}), ("line", {"fill": False, "linewidth": 1.8})):
            colour = {"facecolor" if part == "band" else "edgecolor": COLOURS[kind]}
            empty = PathPatch(
                Path(np.array([[1.0, 1.0], [1.0, 1.0]])), gid=f"on-demand-{kind}-{part}", **look, **colour
            )
            if part == "line":
                empty.set_linestyle((0, (4, 2)))
            axes.add_patch(empty)
    figure.draw_without_rendering()
    # From here on nothing may move, or the outlines would lie beside the axes.
    figure.set_layout_engine("none")
    return figure, _outlines(report, signal, axes, figure.get_figheight() * 72)


@styled
def noise(report: Report, signal: str) -> Figure:
    """The spectra over the floor of rounding noise."""
    figure, axes = style.panel()
    floor = report.checks["noise_floor"][str(report.attributes["signals"]).split().index(signal)]
    cycles = report.checks["noise_bin"]
    for kind in report.kinds:
        if (found := _spectrum(report, kind, signal)) is not None:
            axes.plot(found.cycles[1:], found.power[1:], color=COLOURS[kind], label=KINDS[kind])
    shown = floor > 0
    axes.plot(cycles[shown], floor[shown], color=COLOURS["muted"], linestyle=(0, (1, 1.5)), label="rounding noise")
    powers = np.concatenate([line.get_ydata() for line in axes.lines])
    powers = powers[np.isfinite(powers) & (powers > 0)]
    limits = (float(powers.min()) / 3, float(powers.max()) * 3) if len(powers) else (1e-6, 1.0)
    _finish(axes, report, signal, limits)
    return figure


def _spectrum(report: Report, kind: str, signal: str, class_a: str = "") -> SpectrumOf | None:
    try:
        found = report.spectrum(kind, class_a, signal=signal)
    except ReportError:
        return None
    return found if np.isfinite(found.power).any() else None


def band(axes: Axes, cycles: np.ndarray, power: np.ndarray, low: np.ndarray, high: np.ndarray, **look: Any) -> None:
    """A spectrum, each (bins,), as a line of a colour and a label in its confidence band."""
    # The bin at zero has no place on a logarithmic axis.
    cycles, power, low, high = (values[1:] for values in (cycles, power, low, high))
    # Where an end is infinite matplotlib draws no band at all, as if nothing were uncertain.
    high = np.minimum(high, np.finfo(np.float32).max)
    axes.fill_between(cycles, low, high, color=look["color"], alpha=0.18, linewidth=0)
    axes.plot(cycles, power, **look)


def _finish(axes: Axes, report: Report, signal: str, limits: tuple[float, float]) -> None:
    finish(axes, report.cycles, float(report.attributes["cutoff"] * report.attributes["d_ref"]), signal, limits)
    if axes.get_legend_handles_labels()[0]:
        axes.legend(loc="best")


def finish(axes: Axes, cycles: np.ndarray, cutoff: float, signal: str, limits: tuple[float, float]) -> None:
    """Axes of frequency and power, and what counts as fast; cycles : (bins,) and cutoff in cycles per d_ref."""
    style.frequency_axis(axes, float(cycles[1]), max(float(cycles[-1]), cutoff * 1.1))
    style.decades_axis(axes)
    axes.set_ylim(*limits)
    axes.axvspan(cutoff, axes.get_xlim()[1], color=COLOURS["muted"], alpha=0.07, linewidth=0)
    axes.axvline(cutoff, color=COLOURS["muted"], linestyle=(0, (2, 2)), linewidth=1)
    axes.annotate(
        "fast →", (cutoff, 1), (4, -4), xycoords=("data", "axes fraction"), textcoords="offset points", va="top",
        color=COLOURS["muted"], fontsize=9.5,
    )  # fmt: skip
    axes.set_ylabel(f"{signal} power per bin{', ' + UNITS[signal] if signal in UNITS else ''}")


def _range(report: Report, signal: str, class_a: str = "", classes: bool = False) -> tuple[float, float]:
    """Limits of power: of all that is drawn or may be."""
    names = report.classes["name"] if classes else [class_a] if class_a else []
    found = [_spectrum(report, kind, signal, str(name)) for kind in report.kinds for name in ("", *names)]
    return power_limits([one.power[1:] for one in found if one is not None])


def power_limits(powers: Sequence[np.ndarray]) -> tuple[float, float]:
    """Limits of an axis for spectra (bins,) without their bins at zero: all of them, at most `DECADES` decades."""
    values = np.concatenate([*powers, np.empty(0)])
    values = values[np.isfinite(values) & (values > 0)]
    if not len(values):
        return 1e-6, 1.0
    top = float(values.max()) * 3
    return max(float(np.quantile(values, 0.01)) / 3, top / 10**style.DECADES), top


def _outlines(report: Report, signal: str, axes: Axes, height: float) -> Outlines:
    cycles = report.cycles
    bins = np.unique(np.geomspace(1, len(cycles) - 1, min(MOST_BINS, len(cycles) - 1)).round().astype(int))
    lowest, highest = axes.get_ylim()

    def down(power: np.ndarray) -> list[int]:
        inside = np.clip(np.nan_to_num(power[bins], nan=lowest, posinf=highest), lowest, highest)
        points = axes.transData.transform(np.column_stack([cycles[bins], inside]))
        return (height - points[:, 1]).round().astype(int).tolist()

    across = axes.transData.transform(np.column_stack([cycles[bins], np.full(len(bins), lowest)]))[:, 0]
    of: dict[str, dict[int, tuple[list[int], list[int], list[int]]]] = {}
    for kind in report.kinds:
        named = ((number, _spectrum(report, kind, signal, str(n))) for number, n in enumerate(report.classes["name"]))
        of[kind] = {i: (down(one.low), down(one.power), down(one.high)) for i, one in named if one is not None}
    return Outlines(across.round().astype(int).tolist(), of)
