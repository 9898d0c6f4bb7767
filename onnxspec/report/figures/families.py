"""hff of every family of paths with its interval: a dot a kind."""

from matplotlib.figure import Figure

from onnxspec.report import beside
from onnxspec.report.figures import style
from onnxspec.report.figures.style import COLOURS, styled
from onnxspec.report.headline import KINDS, PERCENT
from onnxspec.report.report import Report

_SHIFT = 0.15


@styled
def shares(report: Report, signal: str) -> Figure:
    """hff over families in percent, straight lines on top, on a logarithmic axis."""
    lines = beside.lines(report)
    names = list(dict.fromkeys(line.name for line in lines))
    figure, axes = style.panel(400, 90 + 22 * len(names))
    kinds = dict.fromkeys(line.kind for line in lines)
    estimates = []
    for shift, kind in zip((-_SHIFT, _SHIFT), kinds, strict=False):
        of_kind = [(names.index(one.name) + shift, one) for one in lines if one.kind == kind]
        found = [(y, one.figure(report, "hff", signal)) for y, one in of_kind]
        found = [(y, one) for y, one in found if one.estimate > 0]
        for y, one in found:
            ends = [one.low * PERCENT, one.high * PERCENT]
            axes.plot(ends, [y, y], color=COLOURS[kind], alpha=0.45, linewidth=2)
        across = [one.estimate * PERCENT for _, one in found]
        axes.plot(across, [y for y, _ in found], "o", color=COLOURS[kind], markersize=5, label=KINDS[kind])
        estimates += across
    style.decades_axis(axes, "x")
    if estimates:
        axes.set_xlim(min(estimates) / 4, min(max(estimates) * 4, 130))
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.grid(False, axis="y")
    axes.set_yticks(range(len(names)), [style.label(name) for name in names])
    axes.tick_params(axis="y", length=0, labelcolor=COLOURS["ink"])
    axes.spines["left"].set_visible(False)
    axes.set_xlabel(f"{signal} hff, % (95 % interval)")
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, 1.0), ncols=2, borderaxespad=-2.0)
    return figure
