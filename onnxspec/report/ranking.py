"""Which classes are the most and the least wiggly, for a terminal: five of each, however many there are."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest

import numpy as np
from rich.cells import cell_len
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from onnxspec.report.headline import KINDS, PERCENT, figure, signals_of
from onnxspec.report.page import Page, interval_text
from onnxspec.report.pooling import RANKED_FROM
from onnxspec.report.report import Report
from onnxspec.statistics import SIGNIFICANT, Interval

SHOWN = 5
_SHORTEST_NAME = 12


@dataclass(frozen=True)
class Ranked:
    """A class with its hff; p_holm compares it with the rest of its kind."""

    name: str
    hff: Interval
    p_holm: float

    @property
    def significant(self) -> bool:
        """Whether the class differs from the others even allowing for how many were looked at."""
        return self.p_holm < SIGNIFICANT

    def __str__(self) -> str:
        return interval_text(self.hff, PERCENT) + (" *" if self.significant else "")


def ranking(report: Report, kind: str, signal: str | None = None) -> list[Ranked]:
    """The classes with paths enough to be ranked, the wiggliest first, by the first signal unless one is named."""
    f, signal = report.figures, signal or signals_of(report)[0]
    wanted = {"kind": kind, "class_b": "", "selection": "right", "signal": signal, "metric": "hff"}
    here = np.all([f[name] == value for name, value in wanted.items()], axis=0) & (f["class_a"] != "")
    at = np.flatnonzero(here & (f["paths"] >= RANKED_FROM) & np.isfinite(f["estimate"]))
    names = [str(name) for name in f["class_a"][at[np.argsort(-f["estimate"][at], kind="stable")]]]
    return [
        Ranked(name, figure(report, kind, "hff", signal, name), report.p_holm(kind, name, signal)) for name in names
    ]


def classes(report: Report, page: Page) -> Iterator[RenderableType]:
    """The most and the least wiggly classes within a class (else between), and how many are not ranked."""
    kind = "within" if "within" in report.kinds else report.kinds[0]
    ranked = ranking(report, kind)
    heading = f"Classes by {signals_of(report)[0]} hff (%) {KINDS[kind]}"
    yield page.text("; ".join([heading, *_notes(ranked, len(report.classes["name"]) - len(ranked))]), "bold")
    if ranked:
        shown = min(SHOWN, math.ceil(len(ranked) / 2))
        yield _table(ranked[:shown], ranked[shown:][-SHOWN:][::-1], page)


def _notes(ranked: list[Ranked], others: int) -> Iterator[str]:
    if any(one.significant for one in ranked):
        yield "* differs from the rest (5 % over all)"
    elif not all(math.isnan(one.p_holm) for one in ranked):
        yield "no significant differences"
    elif ranked:
        yield "not compared with each other"
    few = sum(one.hff.carried_by_few for one in ranked)
    if few:
        yield f"few paths carry {'each' if few == len(ranked) else f'{few:,} of {len(ranked):,}'}"
    if others:
        yield f"{others:,} with fewer than {RANKED_FROM} paths not ranked"


def _table(most: list[Ranked], least: list[Ranked], page: Page) -> Table:
    """Both lists side by side, or one below the other where that would shorten a name."""
    value = max(len(str(one)) for one in most + least)
    room = page.width // 2 - value - 4
    table = Table.grid(padding=(0, 2, 0, 0))
    if all(cell_len(page.plain(one.name)) <= room for one in most + least):
        table.add_row(Text("most", style="dim"), "", Text("least", style="dim"))
        for one, other in zip_longest(most, least):
            second = (page.text(other.name), str(other)) if other else ()
            table.add_row(page.text(one.name), str(one), *second)
        return table
    room = max(page.width - value - len("least") - 4, _SHORTEST_NAME)
    for word, some in (("most", most), ("least", least)):
        for i, one in enumerate(some):
            table.add_row(Text("" if i else word, style="dim"), page.text(page.name(one.name, room)), str(one))
    return table
