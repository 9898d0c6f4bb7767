"""Other families of paths beside straight lines, as all views show them: a line a family, lines first, and what each tells."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

from rich.console import RenderableType

from onnxspec.errors import ReportError
from onnxspec.report.headline import KINDS, PERCENT, grid, labelled, signals_of
from onnxspec.report.page import Page, interval_text, number
from onnxspec.report.report import Report
from onnxspec.settings import LINEAR
from onnxspec.statistics import Interval

MEANINGS = {
    "linear": "straight from image to image, as in the headline",
    "ellipse": "a loop through three images of a class: no ends, and off the line",
    "amplitude": "coarse contrast of another image: style changes, places stay",
    "phase": "coarse shapes of another image: what is where changes",
    "random": "noise, as far as the pair: what a way that leads nowhere shows",
    "augment": "moved around by up to two pixels in 32: what crops do to it",
    "fourier": "a wave of so many cycles per image, d_ref long: scales it sees",
}
_OWN = "a family of one's own"
_LABEL = 15


@dataclass(frozen=True)
class Line:
    """A line of the table: a family, its band of image frequency, and a kind of paths."""

    family: str
    band: str
    kind: str

    @property
    def name(self) -> str:
        """Family and band."""
        return f"{self.family} {self.band}".rstrip()

    def figure(self, report: Report, metric: str, signal: str) -> Interval:
        """A figure of it over paths whose images are predicted right."""
        try:
            return report.family(self.family, self.kind, metric, signal, self.band)
        except ReportError:
            nan = float("nan")
            return Interval(nan, nan, nan, 0, nan, "there are no such paths")


def lines(report: Report) -> list[Line]:
    """The lines of the table, kind by kind, straight lines first; none without other families."""
    found = report.families
    if not found:
        return []
    held = dict.fromkeys(zip(*(found[name].tolist() for name in ("family", "band", "kind")), strict=True))
    kinds = [kind for kind in KINDS if kind in report.kinds or any(kind == row[2] for row in held)]
    straight = [Line(LINEAR, "", kind) for kind in kinds if kind in report.kinds]
    every = [*straight, *(Line(*row) for row in held)]
    return [one for kind in kinds for one in every if one.kind == kind]


def meanings(report: Report) -> dict[str, str]:
    """What every family of the report tells, a line each."""
    return {family: MEANINGS.get(family, _OWN) for family in dict.fromkeys(line.family for line in lines(report))}


def beside(report: Report, page: Page) -> Iterator[RenderableType]:
    """The table, and what its names mean; nothing without other families."""
    if not (rows := lines(report)):
        return
    first, *others = signals_of(report)[:2]
    table = grid(["", f"{first} hff (%)", *(f"{signal} hff" for signal in others), "slope", "excess TV", "paths"])
    kind = ""
    for line in rows:
        if line.kind != kind:
            kind = line.kind
            table.add_row(page.text(KINDS[kind], "bold"))
        share = line.figure(report, "hff", first)
        rest = [line.figure(report, "hff", signal).estimate * PERCENT for signal in others]
        rest += [line.figure(report, metric, first).estimate for metric in ("slope", "excess_tv")]
        name = page.text(f" {page.name(line.name, _LABEL)}")
        table.add_row(name, interval_text(share, PERCENT), *map(number, rest), _paths(share))
    chosen = "images predicted right" if labelled(report) else "images as labelled"
    yield page.text(f"Other paths: {chosen}, 95 % intervals", "bold")
    yield table
    yield page.rows((page.name(name, _LABEL), text) for name, text in meanings(report).items())


def _paths(share: Interval) -> str:
    """How many paths count, and how many of them carry the figure where it is defined."""
    return f"{share.paths}" if math.isnan(share.n_eff) else f"{share.paths} ({number(share.n_eff)} eff.)"
