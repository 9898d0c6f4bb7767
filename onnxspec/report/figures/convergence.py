"""Would more points change the figure? hff of the pilot at half, at the chosen and at twice the points."""

from matplotlib.figure import Figure

from onnxspec.report.figures import style
from onnxspec.report.figures.style import COLOURS, styled
from onnxspec.report.headline import KINDS
from onnxspec.report.report import Report
from onnxspec.results import GRIDS, TOLERANCE

_LINES = {"prob": "-", "logit": (0, (4, 2)), "label": (0, (1, 1)), "distance": (0, (6, 1, 1, 1))}


@styled
def convergence(report: Report) -> Figure:
    """Change of hff from grid to grid, in percent of its value on the finest; the band is what is allowed."""
    figure, axes = style.panel(400, 280)
    checks, points = report.checks, int(report.attributes["points"])
    grids = [(points + 1) // 2, points, 2 * points - 1]
    for i, (kind, signal) in enumerate(zip(checks["kind"], checks["signal_name"], strict=True)):
        values = [float(checks[f"hff_{grid}"][i]) for grid in GRIDS]
        if values[-1] > 0:
            change = [100 * (value / values[-1] - 1) for value in values]
            label = f"{signal} {KINDS[str(kind)]}"
            axes.plot(grids, change, "o", linestyle=_LINES[str(signal)], color=COLOURS[str(kind)], label=label)
    allowed = 100 * TOLERANCE["hff"]
    axes.axhspan(-allowed, allowed, color=COLOURS["muted"], alpha=0.1, linewidth=0)
    axes.set_xscale("log", base=2)
    axes.set_xticks(grids, [f"{grids[0]}", f"{grids[1]}\n(used)", f"{grids[2]}"])
    axes.minorticks_off()
    least = 2 * allowed
    low, high = axes.get_ylim()
    axes.set_ylim(min(low, -least), max(high, least))
    axes.set(xlabel="points on a path", ylabel="change of hff, %")
    if axes.lines:
        axes.legend(loc="best", fontsize=9)
    return figure
