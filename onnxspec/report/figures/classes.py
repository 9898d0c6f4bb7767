"""The classes by hff with their intervals: named while there are few, else as a ranking without names."""

from matplotlib.figure import Figure

from onnxspec.report.figures import style
from onnxspec.report.figures.style import COLOURS, styled
from onnxspec.report.headline import KINDS
from onnxspec.report.ranking import ranking
from onnxspec.report.report import Report

NAMED = 40


@styled
def classes(report: Report, signal: str) -> Figure:
    """A dot and its interval for every class with paths enough to be ranked, the wiggliest on top."""
    found = {kind: ranking(report, kind, signal) for kind in report.kinds}
    order = max(found.values(), key=len)
    place = {one.name: i for i, one in enumerate(order)}
    named = len(order) <= NAMED
    figure, axes = style.panel(400, 90 + 22 * len(order) if named else 330)
    for shift, (kind, some) in enumerate(found.items()):
        for one in some:
            if one.name in place:
                y = place[one.name] + 0.3 * (shift - (len(found) - 1) / 2)
                axes.plot([one.hff.low * 100, one.hff.high * 100], [y, y], color=COLOURS[kind], alpha=0.45, linewidth=2)
        known = [one for one in some if one.name in place]
        across = [one.hff.estimate * 100 for one in known]
        up = [place[one.name] + 0.3 * (shift - (len(found) - 1) / 2) for one in known]
        axes.plot(across, up, "o", color=COLOURS[kind], markersize=5 if named else 2.5, label=KINDS[kind])
    _limit(figure, found)
    axes.set_ylim(len(order) - 0.4, -0.6)
    axes.grid(False, axis="y")
    if named:
        axes.set_yticks(range(len(order)), [style.label(one.name) for one in order])
        axes.tick_params(axis="y", length=0, labelcolor=COLOURS["ink"])
        axes.spines["left"].set_visible(False)
    else:
        axes.set_ylabel("rank")
    axes.set_xlabel(f"{signal} hff, % (95 % interval)")
    if order:
        axes.legend(loc="upper center", bbox_to_anchor=(0.5, 1.0), ncols=2, borderaxespad=-2.0)
    return figure


def _limit(figure: Figure, found: dict) -> None:
    """An axis as wide as the estimates ask for: a class that few paths carry has an interval without end."""
    axes = figure.axes[0]
    style.decades_axis(axes, "x")
    estimates = [one.hff.estimate * 100 for some in found.values() for one in some if one.hff.estimate > 0]
    if estimates:
        axes.set_xlim(min(estimates) / 4, min(max(estimates) * 4, 130))
