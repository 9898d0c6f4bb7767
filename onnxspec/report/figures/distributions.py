"""How a figure spreads over single paths: one panel a figure, both kinds on one axis."""

from collections.abc import Callable
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from onnxspec.report import headline
from onnxspec.report.figures import style
from onnxspec.report.figures.style import COLOURS, styled
from onnxspec.report.report import Report
from onnxspec.settings import KINDS

BARS = 32
MOST_FLIPS = 5
_LEAST_SHARE = 1e-6


@styled
def shares(report: Report, signal: str) -> Figure:
    """hff of single paths, in percent; what is below a millionth stands at the left edge."""

    def percent(chosen: np.ndarray) -> np.ndarray:
        chosen = chosen[report.paths["within_reach"][chosen] > 0]
        total, high = report.paths[f"total_{signal}"][chosen], report.paths[f"hf_{signal}"][chosen]
        defined = total > 0
        return 100 * np.maximum(high[defined] / total[defined], _LEAST_SHARE)

    return _logarithmic(report, percent, f"{signal} hff of a path, %")


@styled
def slopes(report: Report, signal: str) -> Figure:
    """Slope of single paths."""
    return _logarithmic(report, lambda chosen: report.paths[f"slope_{signal}"][chosen], f"{signal} slope of a path")


@styled
def distances(report: Report) -> Figure:
    """How long the paths are, in units of the reference distance."""
    reference = float(report.attributes["d_ref"])
    figure = _logarithmic(
        report, lambda chosen: report.paths["distance"][chosen] / reference, "length of a path, d_ref"
    )
    style.octaves_axis(figure.axes[0])
    return figure


@styled
def flips(report: Report) -> Figure:
    """How often the predicted class changes on a path."""
    figure, axes = style.panel(400, 250)
    kinds = report.kinds
    counts = np.arange(MOST_FLIPS + 1)
    for place, kind in enumerate(kinds):
        found = np.minimum(report.paths["flips"][_of(report, kind)], MOST_FLIPS)
        share = np.bincount(found, minlength=len(counts)) / max(len(found), 1)
        offset = (place - (len(kinds) - 1) / 2) * 0.4
        axes.bar(counts + offset, 100 * share, 0.36, color=COLOURS[kind], label=headline.KINDS[kind])
    axes.set_xticks(counts, [*map(str, counts[:-1]), f"{MOST_FLIPS}+"])
    axes.grid(False, axis="x")
    axes.set(xlabel="changes of the predicted class on a path", ylabel="% of paths")
    axes.legend(loc="upper right")
    return figure


def _logarithmic(report: Report, values: Callable[[np.ndarray], np.ndarray], label: str) -> Figure:
    figure, axes = style.panel(400, 250)
    found = {kind: values(_of(report, kind)) for kind in report.kinds}
    found = {kind: some[np.isfinite(some) & (some > 0)] for kind, some in found.items()}
    every = np.concatenate([*found.values(), np.empty(0)])
    low, high = (every.min(), every.max()) if len(every) else (0.1, 1.0)
    edges = np.geomspace(low * 0.999, max(high, low * 1.01) * 1.001, BARS + 1).tolist()
    for kind, some in found.items():
        if len(some):
            share = np.full(len(some), 100 / len(some))
            look: dict[str, Any] = {"weights": share, "color": COLOURS[kind]}
            axes.hist(some, edges, histtype="stepfilled", alpha=0.3, label=headline.KINDS[kind], **look)
            axes.hist(some, edges, histtype="step", **look)
    style.decades_axis(axes, "x")
    axes.set(xlabel=label, ylabel="% of paths")
    if len(every):
        axes.legend(loc="upper left")
    return figure


def _of(report: Report, kind: str) -> np.ndarray:
    """The paths of a kind that the headline counts, as row indices."""
    return np.flatnonzero((report.paths["kind"] == KINDS.index(kind)) & (report.paths["ends_right"] == 2))
