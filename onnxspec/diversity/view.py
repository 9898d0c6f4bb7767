"""Class diversity on a terminal of 80 columns: the classes while they are few, and how their figures go with diversity."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.text import Text

from onnxspec.diversity.found import UNDECIDED, Diversity, Relation
from onnxspec.report.headline import METRICS, PERCENT, grid
from onnxspec.report.page import Page, number

NAME = 18
LISTED = 20


@dataclass(frozen=True)
class View:
    """Class diversity as rich prints it, fitted to the width and the encoding of the console."""

    found: Diversity

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        page = Page.of(options)
        yield page.rows(_facts(self.found))
        yield Text()
        if len(self.found.classes) <= LISTED:
            yield from _classes(self.found, page)
            yield Text()
        yield from _relations(self.found, page)
        yield page.remarks((one.text, one.hint) for one in self.found.remarks)


def _facts(found: Diversity) -> list[tuple[str, str]]:
    a = found.attributes
    words = {
        "distance": "mean RMS pixel distance of the class's paths",
        "embedding": f"mean distance of its images in the output space of {a['encoder']}",
        "accuracy": "share of its images that are right (a control)",
    }
    rows = [("report", f"{a['report']}: {a['model']} on {a['data']}, {len(found.classes):,} classes")]
    return rows + [(measure, words[measure]) for measure in found.measures] + [("relations", _over(found))]


def _over(found: Diversity) -> str:
    counts = sorted({one.correlation.classes for one in found.relations})
    if not counts[-1]:
        return "none: no class has paths in both halves of its images"
    over = " to ".join(f"{count:,}" for count in dict.fromkeys((counts[0], counts[-1])))
    return f"over {over} classes: figures of half of a class's images, measures of the other half"


def _classes(found: Diversity, page: Page) -> Iterator[RenderableType]:
    """Every class with its first signal's figures, the most diverse first."""
    main = [quantity for quantity in found.quantities if quantity.signal == found.quantities[0].signal]
    headings = [f"{quantity.signal} {METRICS[quantity.metric]}" for quantity in main]
    table = grid(["within a class", "paths", *headings, *found.measures])
    by = "embedding" if "embedding" in found.measures else "distance"
    for one in sorted(found.classes, key=lambda one: (math.isnan(one.measures[by]), -one.measures[by])):
        figures = (one.figures[quantity].estimate * (PERCENT if quantity.metric == "hff" else 1) for quantity in main)
        measures = (f"{value:.3g}" for value in one.measures.values())
        table.add_row(page.name(one.name, NAME), f"{one.paths:,}", *map(number, figures), *measures)
    yield table


def _relations(found: Diversity, page: Page) -> Iterator[RenderableType]:
    yield page.text("Rank correlation over classes, 95 % intervals; given: beyond what it explains", "bold")
    table = grid(["", "given", "correlation", "p (Holm)", ""])
    for quantity in found.quantities:
        table.add_row(page.text(f"{quantity.signal} {METRICS[quantity.metric].removesuffix(' (%)')} with", "dim"))
        for one in found.relations:
            if one.quantity == quantity:
                table.add_row(*_row(one, page))
    yield table


def _row(one: Relation, page: Page) -> list[str | Text]:
    found = one.correlation
    interval = f"{found.rho:.2f} [{found.low:.2f}, {found.high:.2f}]"
    style = "" if one.verdict == UNDECIDED else "bold"
    p = "" if found.reason else f"{one.p_holm:.2g}"
    verdict = page.text("" if found.reason else one.verdict, style)
    return [f"  {one.measure}", ", ".join(one.controls), found.reason or interval, p, verdict]
