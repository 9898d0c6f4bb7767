"""The headline's intervals beside those that a bootstrap gives the same paths: two ways that assume different things."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.text import Text

from onnxspec.report.headline import KINDS, METRICS, Cells, figure, grid, notes, signals_of
from onnxspec.report.page import Page
from onnxspec.report.pooling import Pooling
from onnxspec.report.repooled import repooled, scalars
from onnxspec.report.report import Report
from onnxspec.results import Rows
from onnxspec.statistics import Interval, permutation
from onnxspec.statistics.bootstrap import DRAWS, bootstrap_t

_LABEL = 15
_FEWER = (
    "Paths that share an image do not vary by themselves. Bootstrap-t takes one of them and leaves out the others; what the "
    "usual interval is over these fewer paths stands above it."
)
_MEANING = (
    "Bootstrap-t makes up the set of paths again and again, drawing with replacement from those of each class (or pair of "
    "classes), and sees how the figure varies: nothing is taken for granted about how paths are spread. Where the two "
    "disagree by much over the same paths, trust the wider one."
)


@dataclass(frozen=True)
class CrossCheck:
    """hff of a kind: as the report has it, over the paths of which no two share an image, and over these by bootstrap-t."""

    kind: str
    signal: str
    usual: Interval
    apart: Interval
    drawn: Interval

    @property
    def left(self) -> int:
        """How many paths the last two leave out."""
        return self.usual.paths - self.apart.paths


@dataclass(frozen=True)
class CrossChecks:
    """The headline of a report, checked, as rich prints it."""

    report: Report

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        page, found = Page.of(options), list(cross_checks(self.report))
        yield page.text(f"The headline's 95 % intervals, and those of bootstrap-t ({DRAWS} draws)", "bold")
        yield from self._table(page, found)
        yield Text()
        yield page.text(_MEANING)
        if any(one.left for one in found):
            yield page.text(_FEWER)

    def _table(self, page: Page, found: list[CrossCheck]) -> Iterator[RenderableType]:
        kinds, signals = self.report.kinds, signals_of(self.report)
        cells = Cells((page.width - _LABEL) // len(kinds) - 2)
        table = grid(["", *(KINDS[kind] for kind in kinds)])
        for signal in signals:
            own = [one for one in found if one.signal == signal]
            table.add_row(f"{signal} {METRICS['hff']}", *(cells.of(one.usual, "hff") for one in own))
            if any(one.left for one in own):
                table.add_row("  fewer paths", *(cells.of(one.apart, "hff") for one in own))
            table.add_row("  bootstrap-t", *(cells.of(one.drawn, "hff") for one in own))
        main = [one for one in found if one.signal == signals[0]]
        table.add_row("paths", *(f"{one.usual.paths:,}" for one in main))
        if any(one.left for one in main):
            table.add_row("  fewer", *(f"{one.apart.paths:,}" for one in main))
        yield table
        yield from notes(cells, page)


def cross_checks(report: Report) -> Iterator[CrossCheck]:
    """hff of every kind and signal over pairs whose two ends are right, as the report has it and by bootstrap-t.

    Of paths that share an image all but the first are left out, since they do not vary by themselves.
    """
    names = tuple(str(name) for name in report.classes["name"])
    pooling = repooled(report, Rows(scalars(report)), float(report.attributes["cutoff"]), names)
    kinds = {stratum.kind: rows for stratum, rows in pooling.strata.kinds()}
    for kind, rows in kinds.items():
        for signal in signals_of(report):
            usual = figure(report, kind, "hff", signal)
            yield CrossCheck(kind, signal, usual, *((usual, usual) if usual.reason else _apart(pooling, rows, signal)))


def _apart(pooling: Pooling, rows: np.ndarray, signal: str) -> tuple[Interval, Interval]:
    """hff over those of (n,) rows of a kind that count and share no image, as usual and by bootstrap-t.

    Rows that do not count were drawn all the same, and may be drawn again.
    """
    columns = pooling.rows
    counts = pooling.right[rows] & (columns["within_reach"][rows] > 0)
    alone = np.zeros(len(rows), bool)
    image_a, image_b = (columns[f"image_{end}"][rows[counts]] for end in "ab")
    alone[np.flatnonzero(counts)[permutation.unshared(image_a, image_b)]] = True
    kept = alone | ~counts
    numerator, denominator = np.where(alone, pooling.share(rows, signal), 0.0)[:, kept]
    classes = len(pooling.strata.class_names)
    stratum = columns["class_a"][rows[kept]].astype(np.int64) * classes + columns["class_b"][rows[kept]]
    return pooling.hff(rows[alone], signal).interval(), bootstrap_t(numerator, denominator, stratum, top=1.0)
