"""hff of every family of paths with its interval: a dot a kind."""

from matplotlib.figure import Figure

from onnxspec.report import beside
from onnxspec.report.figures import rows, style
from onnxspec.report.figures.style import styled
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
        rows.draw(axes, kind, found)
        estimates += [one.estimate for _, one in found]
    rows.finish(axes, signal, names, estimates)
    return figure
