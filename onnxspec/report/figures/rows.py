"""hff in rows: a dot and its interval for whatever stands in a row, a colour a kind, on one logarithmic axis."""

from collections.abc import Sequence

from matplotlib.axes import Axes

from onnxspec.report.figures import style
from onnxspec.report.figures.style import COLOURS
from onnxspec.report.headline import KINDS, PERCENT
from onnxspec.statistics import Interval


def draw(axes: Axes, kind: str, found: Sequence[tuple[float, Interval]], size: float = 5) -> None:
    """The figures of a kind, each with its place from the top in rows; size : of the dots, in points."""
    for y, one in found:
        axes.plot([one.low * PERCENT, one.high * PERCENT], [y, y], color=COLOURS[kind], alpha=0.45, linewidth=2)
    across, down = [one.estimate * PERCENT for _, one in found], [y for y, _ in found]
    axes.plot(across, down, "o", color=COLOURS[kind], markersize=size, label=KINDS[kind])


def finish(axes: Axes, signal: str, names: Sequence[str], estimates: Sequence[float], named: bool = True) -> None:
    """Axes as wide as the estimates above zero ask for: what few paths carry has an interval without end.

    names : of the rows from the top, from files; not written unless `named`
    """
    style.decades_axis(axes, "x")
    if shown := [PERCENT * one for one in estimates if one > 0]:
        axes.set_xlim(min(shown) / 4, min(max(shown) * 4, 130))
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.grid(False, axis="y")
    if named:
        axes.set_yticks(range(len(names)), [style.label(name) for name in names])
        axes.tick_params(axis="y", length=0, labelcolor=COLOURS["ink"])
        axes.spines["left"].set_visible(False)
    else:
        axes.set_ylabel("rank")
    axes.set_xlabel(f"{signal} hff, % (95 % interval)")
    if names:
        axes.legend(loc="upper center", bbox_to_anchor=(0.5, 1.0), ncols=2, borderaxespad=-2.0)
