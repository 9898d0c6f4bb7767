"""A comparison drawn: the spectra of its models over one another, and its figures over the places of a series."""

import math
from collections import defaultdict
from collections.abc import Sequence

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from onnxspec.comparison.alignment import Member
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
from onnxspec.report.page import apart
from onnxspec.report.pooling import Stratum
from onnxspec.settings import KINDS as KIND_ORDER

# Of a colour map the part that is seen on white and on black.
_RANGE = (0.12, 0.85)
MOST = 20
"""Models that fit a legend, and whose factors fit a page."""
COLOURS_APART = (*(COLOURS[ink] for ink in INKS), "#3aa6b9", "#e0812f", "#8a8f3c", "#d46bb0", "#6b7280")
_ABREAST, _LONGEST, _BEYOND = 3, 32, 4
_PANEL = 400
"""Points that a panel is wide."""
# In points: of a legend's entry what is no text, and about what a letter takes.
_MARK, _LETTER = 40, 6


def spectra(comparison: Comparison, signal: str, kinds: Sequence[str] = ()) -> Figure:
    """The spectra of all models, a panel for each of the kinds (all, by their names, without any), a colour a model.

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
    drawn, titled = kinds or comparison.kinds, not kinds
    return _spectra(comparison.spectra, names, signal, drawn, a["cutoff"] * a["d_ref"], titled)


def spectra_of(members: Sequence[Member], signal: str) -> Figure:
    """The spectra of aligned reports as `spectra` draws them; the first is the one that the others are read as."""
    a = members[0].report.attributes
    names, kinds, cutoff = [one.name for one in members], members[0].report.kinds, float(a["cutoff"] * a["d_ref"])
    return _spectra(mean_spectra(members, members[0]), names, signal, kinds, cutoff, True)


@styled
def factors(comparison: Comparison, kinds: Sequence[str] = ()) -> Figure:
    """The main figures as factors of the reference's on common pairs, a panel for each of the kinds (all without any).

    Dots are filled where a model is told apart from the reference.

    Raises
    ------
    ReportError
        No figure of any model is a factor of the reference's.
    """
    titled, kinds, quantities = not kinds, kinds or comparison.kinds, comparison.main_quantities
    shown = [one for one in comparison.contrasts if not one.stratum.class_a and one.quantity in quantities]
    shown = [one for one in shown if one.scale == "factor" and 0 < one.common.estimate < math.inf]
    if not shown:
        raise ReportError(
            f"The comparison holds no factor of a figure of {comparison.reference}.", "They are undefined."
        )
    names = [one.name for one in comparison.models]
    colours, labels = _colours(len(names)), _labels(names)
    others = [i for i, name in enumerate(names) if name != comparison.reference]
    height = 70 + len(quantities) * max(30, 13 * len(others))
    figure, panels = _panels(kinds, height, [names[i] for i in others], titled)
    for kind, axes in zip(kinds, panels, strict=True):
        axes.axvline(1, color=COLOURS["muted"], linewidth=1)
        for row, i in enumerate(others):
            beside = 0.8 * ((row + 0.5) / len(others) - 0.5)
            of_model = [one for one in shown if (one.model, one.stratum.kind) == (names[i], kind)]
            places = [quantities.index(one.quantity) + beside for one in of_model]
            _draw_factors(axes, of_model, places, colours[i], labels[i])
        axes.set_xlabel(f"factor to {_short(names)[names.index(comparison.reference)]}; filled: told apart")
    _finish_factors(panels[0], [label_of(one).removesuffix(" (%)") for one in quantities], shown)
    for axes in panels:
        axes.tick_params(axis="y", length=0, labelcolor=COLOURS["ink"])
        axes.spines["left"].set_visible(False)
        axes.grid(False, axis="y")
    _legend(figure, panels[0])
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
    return over_places.Station(model.name, model.position, figures, model.share_right)


@styled
def _spectra(
    bins: Sequence[BinOf], names: Sequence[str], signal: str, kinds: Sequence[str], cutoff: float, titled: bool
) -> Figure:
    """A panel a kind; of more models than have colours of their own the lines alone, whose bands would cover them."""
    figure, panels = _panels(kinds, 280, names, titled)
    of = _by_model_and_kind(bins, signal)
    limits = power_limits([power[1:] for _, power, _, _ in of.values()])
    cycles = next(iter(of.values()))[0]
    for kind, axes in zip(kinds, panels, strict=True):
        for name, label, colour in zip(names, _labels(names), _colours(len(names)), strict=True):
            _, power, low, high = of[name, kind]
            if len(names) > len(COLOURS_APART):
                low = high = power
            band(axes, cycles, power, low, high, color=colour, label=label)
        finish(axes, cycles, cutoff, signal, limits)
    for axes in panels[1:]:
        axes.set_ylabel("")
    _legend(figure, panels[0])
    return figure


def _panels(kinds: Sequence[str], height: float, names: Sequence[str], titled: bool) -> tuple[Figure, Sequence[Axes]]:
    """A figure with a panel a kind, so high (points) above a legend of the names."""
    below = 20 * math.ceil(min(len(names), MOST) / _columns(_short(names), len(kinds)))
    figure = Figure((_PANEL * len(kinds) / 72, (height + below) / 72), layout="constrained")
    panels = figure.subplots(1, len(kinds), squeeze=False, sharex=True, sharey=True)[0]
    for kind, axes in zip(kinds, panels, strict=True):
        if titled:
            axes.set_title(KINDS[kind], fontsize=10, color=COLOURS["ink"])
    return figure, panels


def _legend(figure: Figure, axes: Axes) -> None:
    """What the axes have a label of, below all panels."""
    handles, labels = axes.get_legend_handles_labels()
    columns = _columns(labels, sum(one.get_subplotspec() is not None for one in figure.axes))
    figure.legend(handles, labels, loc="outside lower center", ncols=columns)


def _columns(labels: Sequence[str], panels: int) -> int:
    """How many entries of a legend lie beside one another below so many panels: fewer of long names."""
    fitting = _PANEL * panels // (_MARK + _LETTER * max(map(len, labels)))
    return max(1, min(_ABREAST * panels, fitting))


def _by_model_and_kind(bins: Sequence[BinOf], signal: str) -> dict[tuple[str, str], np.ndarray]:
    """Model and kind to (4, bins) float64: frequency in cycles per d_ref, power, low and high."""
    found: dict[tuple[str, str], list[tuple[float, ...]]] = defaultdict(list)
    for one in bins:
        if one.signal == signal:
            found[one.model, one.kind].append((one.frequency_per_reference, one.power, one.low, one.high))
    return {key: np.array(rows).T for key, rows in found.items()}


def _labels(names: Sequence[str]) -> list[str]:
    """What stands in the legend; of very many the first, the last and some between, whose colours say the rest."""
    every = np.linspace(0, len(names) - 1, _ABREAST * 2).round() if len(names) > MOST else range(len(names))
    # matplotlib leaves out of a legend what begins with an underscore.
    return [label.lstrip("_") if i in every else "_" for i, label in enumerate(_short(names))]


def _short(names: Sequence[str]) -> list[str]:
    """The names as labels; where one is too long, all lose what they share first."""
    shorter = names if max(map(len, names)) <= _LONGEST else apart(names, "…")
    return [style.label(name, _LONGEST) for name in shorter]


def _colours(count: int) -> list[str]:
    """A colour a model: such as are told apart while they last, then neighbours on a scale, as in a long series."""
    if count <= len(COLOURS_APART):
        return list(COLOURS_APART[:count])
    return [to_hex(one) for one in colormaps["viridis"](np.linspace(*_RANGE, count))]
