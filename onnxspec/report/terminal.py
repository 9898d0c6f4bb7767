"""The summary of a report: what a person wants to see, on one screen.

Sections are functions of (report, page) that give something rich can print; what they say stands in `findings`.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.table import Table
from rich.text import Text

from onnxspec.report.beside import beside
from onnxspec.report.findings import facts, labels_note, verdicts, warnings
from onnxspec.report.headline import PERCENT, figure, grid, headline, signals_of, spectra
from onnxspec.report.page import Page, number
from onnxspec.report.ranking import classes
from onnxspec.report.rendering import rendered
from onnxspec.report.report import Report
from onnxspec.settings import ESTIMATORS


@dataclass(frozen=True)
class Summary:
    """A report's summary as rich prints it, fitted to the width and the encoding of the console."""

    report: Report

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        page = Page.of(options)
        yield from opening(self.report, page)
        yield Text()
        yield from headline(self.report, page)
        yield Text()
        yield from spectra(self.report, page)
        yield Text()
        if self.report.families:
            yield from beside(self.report, page)
            yield Text()
        yield from classes(self.report, page)
        yield Text()
        yield _estimators(self.report)
        yield _checks(self.report, page)
        yield page.remarks(warnings(self.report))


def summary(report: Report) -> Summary:
    """The summary of a report, for a rich console to print."""
    return Summary(report)


def as_text(report: Report, width: int = 80, encoding: str | None = None) -> str:
    """The summary of a report as plain text.

    Parameters
    ----------
    encoding : what the text will be written in; None takes standard output's. Without UTF-8 it is ASCII drawing.
    """
    return rendered(summary(report), width, encoding)


def opening(report: Report, page: Page) -> Iterator[RenderableType]:
    """What was measured on what."""
    if note := labels_note(report):
        yield page.text(note, "bold yellow")
    yield page.rows(facts(report))


def _estimators(report: Report) -> Table:
    """The headline under every estimator: a result that only one of them shows is that one's."""
    used = report.attributes["estimator"]
    table = grid([" / ".join(report.kinds), *(f"{name} (used)" if name == used else name for name in ESTIMATORS)])
    for signal in signals_of(report):
        by = ((figure(report, kind, "hff", signal, estimator=e) for kind in report.kinds) for e in ESTIMATORS)
        table.add_row(f"{signal} hff (%)", *(" / ".join(number(one.estimate * PERCENT) for one in row) for row in by))
    return table


def _checks(report: Report, page: Page) -> Table:
    """Whether the number is about the network, a line a check."""
    table = Table.grid(padding=(0, 2, 0, 0))
    for one in verdicts(report):
        verdict = Text("yes", style="green") if one.passed else Text("NO", style="bold red")
        table.add_row(Text(one.name, style="dim"), verdict, page.text(one.text))
    return table
