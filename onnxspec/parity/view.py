"""A protocol's result on a terminal: its figures as the papers print them, with intervals, and what to know."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.table import Table
from rich.text import Text

from onnxspec.parity.protocols import FOURIER, FOURIER_POINTS
from onnxspec.parity.result import CONSISTENT, Figure, ParityResult
from onnxspec.report.headline import grid
from onnxspec.report.page import Page, number

NAMES = {
    "within": "within a class",
    "between": "between classes",
    "amplitude": "amplitude paths",
    "phase": "phase paths",
}


@dataclass(frozen=True)
class View:
    """A result as rich prints it."""

    result: ParityResult

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        page = Page.of(options)
        yield from _opening(self.result, page)
        yield Text()
        yield _figures(self.result) if self.result.figures else _spectra(self.result)
        yield Text()
        yield page.remarks((one.text, one.hint) for one in self.result.remarks)


def _opening(result: ParityResult, page: Page) -> Iterator[RenderableType]:
    a = result.attributes
    yield page.text(f"{a['model']} by the protocol of {a['source']}", "bold")
    yield page.rows(
        [
            ("data", f"{a['data']}: {a['data_images']:,} images"),
            ("accuracy", f"{a['accuracy']:.1%} on {a['accuracy_images']:,} images at the starts of paths"),
            ("input", a["preprocess"]),
        ]
    )


def _figures(result: ParityResult) -> Table:
    table = grid(["", "hff", "95 %", "std", "paths", f"points of {FOURIER_POINTS} before a change"])
    for family in result.families:
        hff = result.figure(family)
        change = result.figure(family, CONSISTENT) if family in FOURIER else None
        table.add_row(NAMES[family], *_cells(hff), f"{hff.interval.paths:,}", _change(change))
    return table


def _cells(hff: Figure) -> list[str]:
    interval = hff.interval
    return [f"{interval.estimate:.4f}", f"{interval.low:.4f} {interval.high:.4f}", f"{hff.std:.4f}"]


def _change(figure: Figure | None) -> str:
    if figure is None:
        return ""
    return f"{figure.interval.estimate:.1f} [{figure.interval.low:.1f}, {figure.interval.high:.1f}]"


def _spectra(result: ParityResult) -> Table:
    """|fft(g)|^2 an octave a row, the mean over its bins; frequencies in cycles per unit L2 distance."""
    table = grid(["cycles per unit", *(f"|fft g|^2 {NAMES[s.family]}" for s in result.spectra)])
    for label, kept in _octaves(result.spectra[0].frequency):
        table.add_row(label, *(number(float(s.power[kept].mean())) for s in result.spectra))
    table.add_row("paths", *(f"{s.paths:,}" for s in result.spectra))
    return table


def _octaves(frequency: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
    yield "0", frequency == 0
    top = frequency[-1]
    edges = [0.0, *(top / 2**k for k in range(4, -1, -1))]
    for low, high in pairwise(edges):
        kept = (frequency > low) & (frequency <= high)
        yield (f"to {high:.4g}", kept)
