"""A comparison on a terminal of 80 columns: models, how they differ, in which order they stand, how alike they are."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.table import Table
from rich.text import Text

from onnxspec.comparison.comparison import Agreement, Comparison, ModelOf
from onnxspec.comparison.contrasts import DEPENDS, Contrast, Quantity
from onnxspec.report.headline import KINDS, METRICS, PERCENT, grid
from onnxspec.report.page import Page, interval_text, number
from onnxspec.report.rendering import rendered
from onnxspec.results import advised
from onnxspec.sampling import said
from onnxspec.statistics import SIGNIFICANT, Interval

NAME = 14
_STYLES = {"higher": "bold", "lower": "bold", DEPENDS: "yellow"}
_MOST_CLASSES = 8


@dataclass(frozen=True)
class View:
    """A comparison as rich prints it, fitted to the width and the encoding of the console."""

    comparison: Comparison

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        page = Page.of(options)
        yield from _opening(self.comparison, page)
        if self.comparison.series:
            yield Text()
            yield from _series(self.comparison, page)
        for kind in self.comparison.kinds:
            yield Text()
            yield from _kind(self.comparison, kind, page)
        yield Text()
        yield from _ranking(self.comparison, page)
        yield from _classes(self.comparison, page)
        yield from _agreement(self.comparison, page)
        yield from _remarks(self.comparison, page)


def as_text(comparison: Comparison, width: int = 80, encoding: str | None = None) -> str:
    """A comparison as plain text.

    Parameters
    ----------
    encoding : what the text will be written in; None takes standard output's
    """
    return rendered(View(comparison), width, encoding)


def _opening(comparison: Comparison, page: Page) -> Iterator[RenderableType]:
    """What was compared on what."""
    a, paths = comparison.attributes, min(model.paths for model in comparison.models)
    name, names = comparison.reference, _names(comparison, page)
    yield page.rows(
        [
            ("data", f"{a['data']}: {a['data_images']:,} images" + _labels(comparison)),
            ("paths", f"{a['points']} points on the same {paths:,} lines between images, seed {a['seed']}"),
            *([("names", f"{names[name]} is {name}, and so on")] if names[name] != page.plain(name) else []),
            *([("precision", f"factors of {said(a['precision'], comparison.ended)}")] if comparison.ended else []),
            (
                "scale",
                f"f_c {a['cutoff']:.3g} cycles per unit RMS distance (d_ref {a['d_ref']:.3g}), whatever the models' "
                "resolution and normalisation",
            ),
        ]
    )
    yield Text()
    wide = _names(comparison, page, 30)
    table = grid(["model", "accuracy (%)", *(f"pairs {_chosen(comparison)} {kind}" for kind in comparison.kinds)])
    for model in comparison.models:
        mark = " (reference)" if model.name == comparison.reference else ""
        pairs = (_pairs(comparison, model.name, kind) for kind in comparison.kinds)
        table.add_row(wide[model.name] + mark, _accuracy(model), *pairs)
    yield table


def _names(comparison: Comparison, page: Page, cells: int = NAME) -> dict[str, str]:
    """What the models are called where there is room for so many cells."""
    return page.names([model.name for model in comparison.models], cells)


def _pairs(comparison: Comparison, model: str, kind: str) -> str:
    """How many pairs a model gets right, and of them the reference too."""
    quantity = comparison.main_quantities[0]
    if model == comparison.reference:
        return f"{comparison.figure(model, kind, quantity.metric, quantity.signal).paths:,}"
    found = comparison.contrast(model, kind, quantity.metric, quantity.signal)
    return f"{found.own_pairs:,}, {found.pairs:,} common"


def _series(comparison: Comparison, page: Page) -> Iterator[RenderableType]:
    """The first signal's hff over the series, with accuracy beside it."""
    signal = comparison.main_quantities[0].signal
    yield page.text(f"Over the series: accuracy and {signal} hff (%), own pairs {_chosen(comparison)}", "bold")
    table = grid(["place", "accuracy (%)", *(f"hff {kind}" for kind in comparison.kinds)])
    for model in comparison.models:
        figures = (comparison.figure(model.name, kind, "hff", signal) for kind in comparison.kinds)
        table.add_row(f"{model.position:g}", _accuracy(model), *(interval_text(one, PERCENT) for one in figures))
    yield table


def _labels(comparison: Comparison) -> str:
    return "" if comparison.attributes["labelling"] == "true" else ", labelled by the reference: accuracy not measured"


def _chosen(comparison: Comparison) -> str:
    """What a pair must be to count: a model's own labels are not right or wrong."""
    return "right" if comparison.attributes["labelling"] == "true" else "as labelled"


def _accuracy(model: ModelOf) -> str:
    return model.share_right.reason or interval_text(model.share_right, PERCENT)


def _kind(comparison: Comparison, kind: str, page: Page) -> Iterator[RenderableType]:
    """Every headline quantity of a kind: figures of all models, and each against the reference."""
    reference = _names(comparison, page)[comparison.reference]
    yield page.text(f"{KINDS[kind].capitalize()}: own figure, and the factor to {reference} on common pairs", "bold")
    table = grid(["", f"own pairs {_chosen(comparison)}", "factor", "own", "verdict"])
    for quantity in comparison.main_quantities:
        table.add_row(page.text(f"{quantity.signal} {METRICS[quantity.metric]}", "dim"))
        for model in comparison.models:
            table.add_row(*_row(comparison, model.name, kind, quantity, page))
    yield table


def _row(comparison: Comparison, model: str, kind: str, quantity: Quantity, page: Page) -> list[str | Text]:
    interval = comparison.figure(model, kind, quantity.metric, quantity.signal)
    text = interval_text(interval, PERCENT if quantity.metric == "hff" else 1.0)
    name = _names(comparison, page)[model]
    if model == comparison.reference:
        return [name, text, "", "", ""]
    found = comparison.contrast(model, kind, quantity.metric, quantity.signal)
    verdict = page.text(found.verdict, _STYLES.get(found.verdict, ""))
    return [name, text, _factor(found.common), number(found.own.estimate), verdict]


def _factor(interval: Interval) -> str:
    if math.isnan(interval.estimate):
        return interval.reason
    # Where a thousandth is all that moves, more digits would show rounding.
    close = max(abs(value - 1) for value in (interval.estimate, interval.low, interval.high)) < 5e-4
    return "1.000" if close else interval_text(interval)


def _ranking(comparison: Comparison, page: Page) -> Iterator[RenderableType]:
    """Models in order, with letters for ties."""
    yield page.text("In order, lowest first; models that share a letter are not told apart", "bold")
    names = _names(comparison, page)
    table = Table.grid(padding=(0, 2, 0, 0))
    for kind in comparison.kinds:
        for quantity in comparison.main_quantities:
            places = [one for one in comparison.ranking if (one.kind, one.quantity) == (kind, quantity)]
            label = f"{kind} {quantity.signal} {METRICS[quantity.metric].split(' (')[0]}"
            order = "  ".join(f"{names[one.model]} {one.letters}" for one in places)
            table.add_row(page.text(label, "dim"), page.text(order))
    yield table


def _classes(comparison: Comparison, page: Page) -> Iterator[RenderableType]:
    """Classes whose hff differs even allowing for how many were looked at; the largest factors first."""
    main, names = comparison.main_quantities[0], _names(comparison, page)
    rows = []
    for model in comparison.models:
        for kind in comparison.kinds:
            differing = [one for one in comparison.contrasts if _differs(one, model.name, kind, main)]
            differing.sort(key=lambda one: -abs(math.log(one.common.estimate)))
            words = [f"{page.name(one.stratum.class_a, NAME)} {one.common.estimate:.2f}" for one in differing]
            if words:
                more = f" and {len(words) - _MOST_CLASSES} more" if len(words) > _MOST_CLASSES else ""
                rows.append((f"{names[model.name]} {kind}", ", ".join(words[:_MOST_CLASSES]) + more))
    if rows:
        yield Text()
        yield page.text(f"Classes that differ in {main.signal} {main.metric} (factor; 5 % over all)", "bold")
        yield page.rows(rows)


def _differs(one: Contrast, model: str, kind: str, quantity: Quantity) -> bool:
    """Whether a contrast is of a class, and holds after the correction."""
    same = (one.model, one.stratum.kind, one.quantity) == (model, kind, quantity)
    return bool(same and one.stratum.class_a and one.p_holm < SIGNIFICANT and one.common.estimate > 0)


def _agreement(comparison: Comparison, page: Page) -> Iterator[RenderableType]:
    """How alike the models are as functions."""
    if not comparison.agreement:
        return
    yield Text()
    names = _names(comparison, page)
    yield page.text(f"As functions, beside {names[comparison.reference]} along the same paths", "bold")
    for one in comparison.agreement:
        yield page.rows([(names[one.model], f"{one.verdict}")])
        yield page.rows((f"  {name}", value) for name, value in _details(one))


def _details(one: Agreement) -> Iterator[tuple[str, str]]:
    yield (
        "outputs",
        (
            f"probabilities {number(one.distance)} apart (total variation; 95 % of paths under {number(one.distance_95)}); "
            f"logits {number(one.logit_difference)} nats RMS, rounding {one.noise:.1e}"
        ),
    )
    yield (
        "decisions",
        (f"the same at {one.same_points:.2%} of points; the same flips on {one.same_flips:.1%} of {one.paths:,} paths"),
    )
    if one.split:
        yield "difference", one.split


def _remarks(comparison: Comparison, page: Page) -> Iterator[RenderableType]:
    """Warnings; those that say the same of several models share their advice."""
    if comparison.remarks:
        yield Text()
        yield page.remarks(advised(comparison.remarks))
