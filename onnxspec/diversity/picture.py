"""Class diversity drawn: a dot a class, hff above and slope below, a column a measure."""

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from onnxspec.diversity.found import Diversity, Quantity
from onnxspec.report.figures import style
from onnxspec.report.figures.style import COLOURS, styled

NAMED = 12
_MEASURES = {"distance": "mean pixel distance", "embedding": "mean distance in the encoder", "accuracy": "accuracy, %"}
_UNITS = {"hff": "within hff, %", "slope": "within slope"}


@styled
def picture(found: Diversity) -> Figure:
    """The first signal's figures of every class against every measure, each over all of the class.

    Correlations above are those of halves, as everywhere.
    """
    signal = found.quantities[0].signal
    quantities = [quantity for quantity in found.quantities if quantity.signal == signal]
    figure = Figure(((40 + 250 * len(found.measures)) / 72, 220 * len(quantities) / 72), layout="constrained")
    panels = figure.subplots(len(quantities), len(found.measures), sharex="col", sharey="row", squeeze=False)
    for row, quantity in enumerate(quantities):
        for column, measure in enumerate(found.measures):
            _panel(panels[row, column], found, quantity, measure)
        panels[row, 0].set_ylabel(f"{signal} {_UNITS[quantity.metric]}")
        if quantity.metric == "hff":
            style.decades_axis(panels[row, 0])
    for column, measure in enumerate(found.measures):
        panels[-1, column].set_xlabel(_MEASURES[measure])
    return figure


def _panel(axes: Axes, found: Diversity, quantity: Quantity, measure: str) -> None:
    across, up = (100.0 if name in ("accuracy", "hff") else 1.0 for name in (measure, quantity.metric))
    x = [one.measures[measure] * across for one in found.classes]
    y = [one.figures[quantity].estimate * up for one in found.classes]
    axes.plot(x, y, "o", color=COLOURS["within"], alpha=0.8, markersize=5 if len(x) <= NAMED else 3)
    if len(x) <= NAMED:
        for one, a, b in zip(found.classes, x, y, strict=True):
            axes.annotate(
                style.label(one.name), (a, b), (3, 3), textcoords="offset points", fontsize=7, color=COLOURS["muted"]
            )
    r = found.relation(measure, quantity.metric, quantity.signal).correlation
    if not r.reason:
        axes.set_title(f"{r.rho:+.2f} [{r.low:+.2f}, {r.high:+.2f}]", fontsize=9.5, color=COLOURS["muted"])
