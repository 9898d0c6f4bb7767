"""One class of a report for a terminal: its figures beside those of all, its spectra, and its partners."""

import difflib
import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.text import Text

from onnxspec import statistics
from onnxspec.errors import UsageError
from onnxspec.report.headline import (
    KINDS,
    METRICS,
    PERCENT,
    Cells,
    counted,
    figure,
    grid,
    labelled,
    notes,
    rows_of,
    signals_of,
    spectra,
)
from onnxspec.report.page import Page, interval_text
from onnxspec.report.pooling import RANKED_FROM
from onnxspec.report.report import Report
from onnxspec.settings import KINDS as KIND_CODES
from onnxspec.statistics import SIGNIFICANT, Interval

SHOWN = 5
_LISTED = 10
_LABEL = 19
_PARTNER = 41


@dataclass(frozen=True)
class Partner:
    """Another class, and the paths that join it to this one; distance : mean RMS distance of their ends."""

    name: str
    distance: float
    hff: Interval
    slope: Interval


@dataclass(frozen=True)
class ClassSummary:
    """One class as rich prints it; `number` is its place in the report's classes."""

    report: Report
    number: int

    @property
    def name(self) -> str:
        """The class as it is shown."""
        return str(self.report.classes["name"][self.number])

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        page = Page.of(options)
        yield page.text(f"{self.name}, a class of {self.report.attributes['data']}", "bold")
        yield page.rows(self._facts())
        yield Text()
        yield from self._figures(page)
        yield Text()
        yield from spectra(self.report, page, self.name)
        yield from self._partners(page)

    def _facts(self) -> Iterator[tuple[str, str]]:
        report, own = self.report, {name: values[self.number] for name, values in self.report.classes.items()}
        yield "model", f"{report.attributes['model']}, output {own['output']}"
        yield "images", f"{own['images']:,} in the data, {own['used']:,} used"
        if labelled(report) and own["used"]:
            right = statistics.proportion(int(own["right"]), int(own["used"]))
            yield "accuracy", f"{interval_text(right, PERCENT)} % on the images used"
        for kind in report.kinds:
            yield kind, _compared(report, kind, self.name)

    def _figures(self, page: Page) -> Iterator[RenderableType]:
        """The class's figures, and for comparison those of all classes."""
        report, signals = self.report, signals_of(self.report)
        cells = Cells((page.width - _LABEL) // len(report.kinds) - 2)
        table = grid(["", *(KINDS[kind] for kind in report.kinds)])
        for name, style in ((self.name, ""), ("", "dim")):
            for signal, metric in rows_of(signals if name else signals[:1]):
                found = (figure(report, kind, metric, signal, name) for kind in report.kinds)
                label = f"{'' if name else 'every class: '}{signal} {METRICS[metric]}"
                table.add_row(label, *(cells.of(one, metric) for one in found), style=style)
        taken = [figure(report, kind, "slope", signals[0], self.name).paths for kind in report.kinds]
        carrying = [figure(report, kind, "hff", signals[0], self.name).n_eff for kind in report.kinds]
        counts = zip(taken, carrying, strict=True)
        table.add_row("paths", *(counted(f"{paths:,}", eff, cells) for paths, eff in counts))
        yield table
        yield from notes(cells, page)

    def _partners(self, page: Page) -> Iterator[RenderableType]:
        """The classes that it is wiggliest towards, and those that lie closest."""
        if "between" not in self.report.kinds:
            return
        found = list(partners(self.report, self.number))
        yield Text()
        yield page.text(f"Towards other classes: {len(found)} with two paths or more", "bold")
        if not found:
            return
        signal = signals_of(self.report)[0]
        table = grid(["", "", "paths", "distance", f"{signal} hff (%)", f"{signal} slope"])
        lists = {"wiggliest": sorted(found, key=lambda one: -one.hff.estimate)}
        if len(found) > 2 * SHOWN:
            closest = sorted(found, key=lambda one: one.distance)[:SHOWN]
            lists = {"wiggliest": lists["wiggliest"][:SHOWN], "closest": closest}
        cells = Cells((page.width - _PARTNER) // 2)
        for word, some in lists.items():
            for i, one in enumerate(some):
                name = page.text(page.name(one.name, max(page.width - 2 * cells.width - 32, 12)))
                figures = cells.of(one.hff, "hff"), cells.of(one.slope, "slope")
                table.add_row("" if i else word, name, str(one.hff.paths), f"{one.distance:.3f}", *figures)
        yield table
        yield from notes(cells, page)


def class_summary(report: Report, name: str) -> ClassSummary:
    """One class of a report, by its name or its folder in any case, for a rich console to print.

    Raises
    ------
    UsageError
        The report has no such class; the nearest names are listed.
    """
    for alike in (str, str.casefold):
        for column in ("name", "folder"):
            found = [i for i, known in enumerate(report.classes[column]) if alike(known) == alike(name)]
            if found:
                return ClassSummary(report, found[0])
    raise UsageError(f"The report has no class {name!r}.", _nearest(name, report.classes["name"].tolist()))


def partners(report: Report, number: int) -> Iterator[Partner]:
    """The other classes that two right-ended paths or more join to a class."""
    name, signal = str(report.classes["name"][number]), signals_of(report)[0]
    f, distance = report.figures, _distances(report, number)
    wanted = {"kind": "between", "selection": "right", "signal": signal, "metric": "hff"}
    here = np.all([f[key] == value for key, value in wanted.items()], axis=0) & (f["class_b"] != "")
    for at in np.flatnonzero(here & ((f["class_a"] == name) | (f["class_b"] == name)) & np.isfinite(f["estimate"])):
        ends = str(f["class_a"][at]), str(f["class_b"][at])
        other = ends[1] if ends[0] == name else ends[0]
        hff, slope = (report.figure("between", metric, signal, *ends) for metric in ("hff", "slope"))
        yield Partner(other, distance[other], hff, slope)


def _distances(report: Report, number: int) -> dict[str, float]:
    """Name of every class to the mean distance of the right-ended paths that join it to this one."""
    paths, names = report.paths, report.classes["name"]
    a, b = paths["class_a"], paths["class_b"]
    joins = (
        (paths["kind"] == KIND_CODES.index("between")) & (paths["ends_right"] == 2) & ((a == number) | (b == number))
    )
    others, distance = np.where(a == number, b, a)[joins], paths["distance"][joins]
    return {str(names[other]): float(distance[others == other].mean()) for other in np.unique(others)}


def _compared(report: Report, kind: str, name: str) -> str:
    """Whether the class's hff differs from that of the others, or why nobody can tell."""
    signal = signals_of(report)[0]
    p_holm = report.p_holm(kind, name, signal)
    if not math.isnan(p_holm):
        verdict = "differs" if p_holm < SIGNIFICANT else "is not shown to differ"
        return f"{verdict} from the other classes in hff (p = {p_holm:.2g} over all classes)"
    own, every = (figure(report, kind, "slope", signal, one).paths for one in (name, ""))
    if own < RANKED_FROM:
        return f"too few paths to be compared with the other classes: {own}, of {RANKED_FROM}"
    if own == every:
        return "not compared with the other classes: there are no paths without this one"
    few = f"fewer than {RANKED_FROM} of its paths share no image, or hff is 0 in it or in them"
    return f"not compared with the other classes: {figure(report, kind, 'hff', signal, name).reason or few}"


def _nearest(name: str, known: list[str]) -> str:
    folded = {one.casefold(): one for one in known}
    close = [folded[one] for one in difflib.get_close_matches(name.casefold(), folded, n=5, cutoff=0.4)]
    if close:
        return f"Did you mean {', '.join(close)}?"
    return f"It has {', '.join(known[:_LISTED])}{', ...' if len(known) > _LISTED else ''}."
