"""The classes by hff with their intervals: named while there are few, else as a ranking without names."""

from matplotlib.figure import Figure

from onnxspec.report.figures import rows, style
from onnxspec.report.figures.style import styled
from onnxspec.report.ranking import ranking
from onnxspec.report.report import Report

NAMED = 40


@styled
def classes(report: Report, signal: str) -> Figure:
    """A dot and its interval for every class with paths enough to be ranked, the wiggliest on top."""
    found = {kind: ranking(report, kind, signal) for kind in report.kinds}
    order = [one.name for one in max(found.values(), key=len)]
    place = {name: i for i, name in enumerate(order)}
    named = len(order) <= NAMED
    figure, axes = style.panel(400, 90 + 22 * len(order) if named else 330)
    for shift, (kind, some) in enumerate(found.items()):
        beside = 0.3 * (shift - (len(found) - 1) / 2)
        shown = [(place[one.name] + beside, one.hff) for one in some if one.name in place]
        rows.draw(axes, kind, shown, 5 if named else 2.5)
    rows.finish(axes, signal, order, [one.hff.estimate for some in found.values() for one in some], named)
    return figure
