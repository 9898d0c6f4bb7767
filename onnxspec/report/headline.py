"""The headline of a report as a table: a row a figure, a column a kind, and what the words mean."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from rich.columns import Columns
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from onnxspec.errors import ReportError
from onnxspec.report import drawing, schema
from onnxspec.report.page import Page, interval_text, number
from onnxspec.report.report import Report
from onnxspec.statistics import FEW_PATHS, Interval

KINDS = {"within": "within a class", "between": "between classes"}
METRICS = {"hff": "hff (%)", "slope": "slope", "excess_tv": "excess TV"}
PERCENT = 100.0
_LABEL = 14
_MEANINGS = {
    "hff": "share of fast wiggling (> f_c)",
    "slope": "change per unit RMS difference",
    "excess TV": "to and fro of probability",
    "logit": "scores less their mean, in nats",
    "label": "predicted class, one-hot",
    "distance": "way from the start of the path",
    "eff.": "paths that the hff hangs on",
    "all*": "with ends predicted wrong too",
}


@dataclass
class Cells:
    """Makes cells of figures: percent for shares, at most `width` cells a line, reasons collected as notes."""

    width: int
    notes: dict[str, str] = field(default_factory=dict)

    def of(self, interval: Interval, metric: str) -> str:
        """A figure with its interval; an undefined one with the number of the note that says why."""
        if math.isnan(interval.estimate):
            note = self.notes.setdefault(interval.reason, f"({len(self.notes) + 1})")
            return f"undefined {note}"
        return self.fold(interval_text(interval, PERCENT if metric == "hff" else 1.0), "[")

    def fold(self, text: str, before: str) -> str:
        """The text, in two lines where one is too long."""
        return text if len(text) <= self.width else text.replace(f" {before}", f"\n{before}")


def figure(report: Report, kind: str, metric: str, signal: str, class_a: str = "", **which: Any) -> Interval:
    """A figure of the report; undefined where the report has none, since there were no paths."""
    try:
        return report.figure(kind, metric, signal, class_a, **which)
    except ReportError:
        return Interval(math.nan, math.nan, math.nan, 0, math.nan, "there are no such paths")


def signals_of(report: Report) -> list[str]:
    """The signals of a report; the first is the main one."""
    return str(report.attributes["signals"]).split()


def labelled(report: Report) -> bool:
    """Whether labels are the data's own, so that right and wrong mean something."""
    return bool(report.attributes["labelling"] == "true")


def headline(report: Report, page: Page) -> Iterator[RenderableType]:
    """The figures over paths whose two ends are predicted right, and what they mean."""
    kinds, signals = report.kinds, signals_of(report)
    headings = [KINDS[kind] for kind in kinds] + [schema.RATIO] * (len(kinds) > 1)
    cells = Cells((page.width - _LABEL) // len(headings) - 2)
    table = grid(["", *headings])
    for signal, metric in rows_of(signals):
        table.add_row(f"{signal} {METRICS[metric]}", *_row(report, cells, signal, metric, "right"))
    if labelled(report):
        table.add_row(f"{signals[0]} hff, all*", *_row(report, cells, signals[0], "hff", "all"), style="dim")
    table.add_row("paths", *(_paths(report, cells, kind) for kind in kinds))
    chosen = "both ends predicted right" if labelled(report) else "ends as labelled"
    yield page.text(f"How wiggly between two images: {chosen}, 95 % intervals", "bold")
    yield table
    if said := answer(report):
        yield page.text(said, "bold")
    yield _meanings(page, signals, labelled(report))
    yield from notes(cells, page)


def answer(report: Report) -> str:
    """What the headline comes to, in a line; empty where a kind is missing or undefined."""
    signal = signals_of(report)[0]
    steep, fast = (figure(report, schema.RATIO, metric, signal) for metric in ("slope", "hff"))
    if not all(math.isfinite(one.estimate) and one.estimate > 0 for one in (steep, fast)):
        return ""
    enough = min(figure(report, kind, "hff", signal).paths for kind in KINDS) >= FEW_PATHS
    decided = [enough and (one.low > 1 or one.high < 1) for one in (steep, fast)]
    steepness = f"{number(steep.estimate)} times as steep" if decided[0] else "steepness undecided"
    wiggling = f", {number(fast.estimate)} times the fast wiggling" if decided[1] else "; fast wiggling undecided"
    return f"Between classes against within: {steepness}{wiggling}."


def rows_of(signals: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Signal and metric of every headline row."""
    for signal in signals:
        yield signal, "hff"
        yield signal, "slope"
        if signal == "prob":
            yield signal, "excess_tv"


def notes(cells: Cells, page: Page) -> Iterator[RenderableType]:
    """Why figures are undefined."""
    if cells.notes:
        yield page.rows((f"undefined {mark}", reason) for reason, mark in cells.notes.items())


def spectra(report: Report, page: Page, class_a: str = "") -> Iterator[RenderableType]:
    """The spectra of all kinds, or of one class in them, side by side."""
    signal, a = signals_of(report)[0], report.attributes
    panels, cycles = [], None
    for kind in report.kinds:
        try:
            spectrum = report.spectrum(kind, class_a, signal=signal)
        except ReportError:
            continue
        panels.append(drawing.Panel(f"{signal} spectrum {kind}", spectrum.power))
        cycles = spectrum.cycles
    if cycles is not None:
        yield drawing.draw(panels, cycles, a["cutoff"] * a["d_ref"], page.width, page.ascii_only)


def grid(headings: Sequence[str | Text]) -> Table:
    """A table without lines; its headings are dim."""
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim", show_edge=False)
    for heading in headings:
        table.add_column(heading, overflow="fold")
    return table


def _row(report: Report, cells: Cells, signal: str, metric: str, selection: str) -> list[str]:
    """A figure for every kind, and between over within: with an interval where the report has one."""
    found = [figure(report, kind, metric, signal, selection=selection) for kind in report.kinds]
    row = [cells.of(one, metric) for one in found]
    if len(found) > 1:
        pooled = figure(report, schema.RATIO, metric, signal, selection=selection)
        row.append(cells.of(pooled, "ratio") if pooled.paths else "")
    return row


def _paths(report: Report, cells: Cells, kind: str) -> str:
    """How many paths were taken, of how many, and how many of them carry the first hff."""
    signal = signals_of(report)[0]
    taken, every = (figure(report, kind, "slope", signal, selection=selection).paths for selection in ("right", "all"))
    carrying = figure(report, kind, "hff", signal).n_eff
    # The ratio has no count, and rarely takes all of its column.
    return counted(f"{taken:,} of {every:,}" if labelled(report) else f"{taken:,}", carrying, Cells(cells.width + 1))


def counted(paths: str, carrying: float, cells: Cells) -> str:
    """A count of paths with how many of them carry an hff, where that is known."""
    return paths if math.isnan(carrying) else cells.fold(f"{paths} ({number(carrying)} eff.)", "(")


def _meanings(page: Page, signals: Sequence[str], labelled: bool) -> Columns:
    words = ["hff", "slope", *(["excess TV"] if "prob" in signals else [])]
    words += [signal for signal in signals if signal in _MEANINGS]
    words += ["eff.", *(["all*"] if labelled else [])]
    return Columns([page.text(f"{word}: {_MEANINGS[word]}", "dim") for word in words], equal=True, padding=(0, 2))
