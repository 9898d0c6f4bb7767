"""A comparison drawn: the spectra of its models over one another, and its figures over the places of a series."""

import math
from collections import defaultdict
from collections.abc import Sequence

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from onnxspec.comparison.alignment import align, in_common
from onnxspec.comparison.class_table import label_of
from onnxspec.comparison.comparison import Comparison, ModelOf
from onnxspec.comparison.contrasts import Contrast, Quantity
from onnxspec.comparison.mean_spectra import BinOf, mean_spectra
from onnxspec.comparison.ranking import TOLD_APART
from onnxspec.errors import ReportError
from onnxspec.report.figures import series as over_places
from onnxspec.report.figures import style
from onnxspec.report.figures.spectra import band, finish, power_limits
from onnxspec.report.figures.style import COLOURS, INKS, styled
from onnxspec.report.headline import KINDS
from onnxspec.report.pooling import Stratum
from onnxspec.report.report import Report
from onnxspec.settings import KINDS as KIND_ORDER

# Of a colour map the part that is seen on white and on black.
_RANGE = (0.12, 0.85)
MOST = 8
"""Models that fit a legend, and whose factors fit a page."""
_BEYOND = 4


def spectra(comparison: Comparison, signal: str, kinds: Sequence[str] = ()) -> Figure:
    """The spectra of all models, a panel for each of the kinds (all without any), a colour a model.

    Raises
    ------
    ReportError
        There are none of the signal, or none at all: the file is from before they were kept.
    """
    held = dict.fromkeys(one.signal for one in comparison.spectra)
    if signal not in held:
        hint = f"It has {', '.join(held)}." if held else "Compare again: older versions kept none."
        raise ReportError(f"The comparison holds no spectra of {signal}.", hint)
    a = comparison.attributes
    names = [one.name for one in comparison.models]
    return _spectra(comparison.spectra, names, signal, kinds or comparison.kinds, a["d_ref"], a["cutoff"])


def spectra_of(reports: Sequence[Report], names: Sequence[str], signal: str) -> Figure:
    """The spectra of reports on the same pairs as `spectra` draws them; the first is the one that others are read as.

    Raises
    ------
    ReportError
        They cannot be compared, as `align` and `in_common` say.
    """
    first = reports[0]
    members = in_common([align(name, one, first, names[0]) for name, one in zip(names, reports, strict=True)])
    a = first.attributes
    found = mean_spectra(members, members[0])
    return _spectra(found, names, signal, first.kinds, float(a["d_ref"]), float(a["cutoff"]))


@styled
def factors(comparison: Comparison, kinds: Sequence[str] = ()) -> Figure:
    """The main figures as factors of the reference's on common pairs, a panel for each of the kinds (all without any).

    Dots are filled where a model is told apart from the reference.

    Raises
    ------
    ReportError
        No figure of any model is a factor of the reference's.
    """
    kinds, quantities = kinds or comparison.kinds, comparison.main_quantities
    shown = [one for one in comparison.contrasts if not one.stratum.class_a and one.quantity in quantities]
    shown = [one for one in shown if one.scale == "factor" and 0 < one.common.estimate < math.inf]
    if not shown:
        raise ReportError(
            f"The comparison holds no factor of a figure of {comparison.reference}.", "They are undefined."
        )
    names = [one.name for one in comparison.models]
    colours, labels = _colours(len(names)), _labels(names)
    others = [i for i, name in enumerate(names) if name != comparison.reference]
    height = 90 + len(quantities) * max(30, 13 * len(others))
    figure = Figure((400 * len(kinds) / 72, height / 72), layout="constrained")
    panels = figure.subplots(1, len(kinds), squeeze=False, sharex=True, sharey=True)[0]
    for kind, axes in zip(kinds, panels, strict=True):
        axes.axvline(1, color=COLOURS["muted"], linewidth=1)
        for row, i in enumerate(others):
            beside = 0.8 * ((row + 0.5) / len(others) - 0.5)
            of_model = [one for one in shown if (one.model, one.stratum.kind) == (names[i], kind)]
            places = [quantities.index(one.quantity) + beside for one in of_model]
            _draw_factors(axes, of_model, places, colours[i], labels[i])
        axes.set_xlabel(f"factor to {style.label(comparison.reference)}")
        if len(kinds) > 1:
            axes.set_title(KINDS[kind], fontsize=10, color=COLOURS["ink"])
    _finish_factors(panels[0], [label_of(one).removesuffix(" (%)") for one in quantities], shown)
    for axes in panels:
        axes.tick_params(axis="y", length=0, labelcolor=COLOURS["ink"])
        axes.spines["left"].set_visible(False)
        axes.grid(False, axis="y")
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return figure


def _draw_factors(axes: Axes, found: Sequence[Contrast], places: Sequence[float], colour: str, label: str) -> None:
    """The factors of a model, each at its place from the top."""
    for y, one in zip(places, found, strict=True):
        axes.plot([one.common.low, one.common.high], [y, y], color=colour, alpha=0.45, linewidth=2)
        inside = colour if one.verdict in TOLD_APART else COLOURS["paper"]
        axes.plot(one.common.estimate, y, "o", color=colour, markerfacecolor=inside, markersize=5)
    axes.plot([], [], "o", color=colour, markersize=5, label=label)


def _finish_factors(axes: Axes, rows: Sequence[str], shown: Sequence[Contrast]) -> None:
    """Axes that hold the intervals, but of one without end no more than the estimates ask for."""
    estimates = [one.common.estimate for one in shown]
    low = max(min(one.common.low for one in shown), min(estimates) / _BEYOND)
    high = min(max(one.common.high for one in shown), max(estimates) * _BEYOND)
    axes.set_xlim(min(low, 1) / 1.2, max(high, 1) * 1.2)
    style.decades_axis(axes, "x")
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.set_yticks(range(len(rows)), rows)


def series(comparison: Comparison, signal: str) -> Figure:
    """hff, slope and accuracy over the places of the models.

    Raises
    ------
    ReportError
        It is no series, or some model has no figures of the signal.
    """
    kinds = [kind for kind in KIND_ORDER if _drawable(comparison, kind, signal)]
    if not comparison.series or not kinds:
        raise ReportError(f"The comparison holds no series of {signal}.", "Make one: onnxspec compare ... --series")
    return over_places.series([_station(comparison, model, kinds, signal) for model in comparison.models], signal)


def _drawable(comparison: Comparison, kind: str, signal: str) -> bool:
    """Whether every model has the figures that a series draws."""
    wanted = {(Stratum(kind), Quantity(signal, metric)) for metric in over_places.METRICS}
    found = [one for one in comparison.figures if (one.stratum, one.quantity) in wanted]
    return len(found) == len(wanted) * len(comparison.models) and all(math.isfinite(f.interval.estimate) for f in found)


def _station(comparison: Comparison, model: ModelOf, kinds: Sequence[str], signal: str) -> over_places.Station:
    figures = {(k, m): comparison.figure(model.name, k, m, signal) for k in kinds for m in over_places.METRICS}
    return over_places.Station(model.position, figures, model.share_right)


@styled
def _spectra(
    bins: Sequence[BinOf], names: Sequence[str], signal: str, kinds: Sequence[str], d_ref: float, cutoff: float
) -> Figure:
    figure = Figure((400 * len(kinds) / 72, 280 / 72), layout="constrained")
    panels = figure.subplots(1, len(kinds), squeeze=False, sharey=True)[0]
    of = _by_model_and_kind(bins, signal)
    limits = power_limits([power[1:] for _, power, _, _ in of.values()])
    cycles = next(iter(of.values()))[0] * d_ref
    labels, colours = _labels(names), _colours(len(names))
    for kind, axes in zip(kinds, panels, strict=True):
        for name, label, colour in zip(names, labels, colours, strict=True):
            _, power, low, high = of[name, kind]
            band(axes, cycles, power, low, high, color=colour, label=label)
        finish(axes, cycles, cutoff * d_ref, signal, limits)
        if len(kinds) > 1:
            axes.set_title(KINDS[kind], fontsize=10, color=COLOURS["ink"])
    for axes in panels[1:]:
        axes.set_ylabel("")
        axes.get_legend().remove()
    return figure


def _by_model_and_kind(bins: Sequence[BinOf], signal: str) -> dict[tuple[str, str], np.ndarray]:
    """Model and kind to (4, bins) float64: frequency, power, low and high."""
    found: dict[tuple[str, str], list[tuple[float, ...]]] = defaultdict(list)
    for one in bins:
        if one.signal == signal:
            found[one.model, one.kind].append((one.frequency, one.power, one.low, one.high))
    return {key: np.array(rows).T for key, rows in found.items()}


def _labels(names: Sequence[str]) -> list[str]:
    """What stands in the legend; of a long series the first, the last and some between, whose colours say the rest."""
    shown = range(len(names)) if len(names) <= MOST else np.linspace(0, len(names) - 1, len(INKS)).round()
    # matplotlib leaves out of a legend what begins with an underscore.
    return [style.label(name).lstrip("_") if i in shown else "_" for i, name in enumerate(names)]


def _colours(count: int) -> list[str]:
    """A colour a model: the palette's while it lasts, then neighbours on a scale, as in a long series."""
    if count <= len(INKS):
        return [COLOURS[ink] for ink in INKS[:count]]
    return [to_hex(one) for one in colormaps["viridis"](np.linspace(*_RANGE, count))]
