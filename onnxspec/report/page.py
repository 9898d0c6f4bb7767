"""The page that a view of a report is written on: what it can show, and how names and numbers stand on it.

Names come from files, so they are only ever text: nothing in them is markup, and what a terminal would act on is
written as an escape.
"""

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import takewhile

from rich.cells import cell_len
from rich.console import ConsoleOptions
from rich.table import Table
from rich.text import Text

from onnxspec.errors import inert
from onnxspec.statistics import Interval

_MOST_DECIMALS = 6
_NARROWEST = 20
"""Cells below which nothing can be drawn: two spectra side by side need 9. A narrower terminal wraps or cuts."""
_LONG, _NEGLIGIBLE = 1e6, 1e-3
_BETWEEN_WORDS = "-_. /"


@dataclass(frozen=True)
class Page:
    """`width` in cells; `encoding` of whatever the page is printed on; `old` for a console of Windows with few characters."""

    width: int
    encoding: str
    old: bool = False

    @staticmethod
    def of(options: ConsoleOptions) -> "Page":
        """The page that rich is about to print on."""
        return Page(max(options.max_width, _NARROWEST), options.encoding, options.legacy_windows)

    @property
    def ascii_only(self) -> bool:
        """Whether nothing but ASCII may be drawn."""
        return self.old or not self.encoding.startswith("utf")

    def plain(self, text: str) -> str:
        """`text` without control and invisible characters, in the page's encoding; the rest becomes escapes."""
        return inert(text).encode(self.encoding, "backslashreplace").decode(self.encoding)

    def text(self, text: str, style: str = "") -> Text:
        """`plain` text that rich wraps and never reads as markup."""
        return Text(self.plain(text), style=style)

    def rows(self, rows: Iterable[tuple[str, str]]) -> Table:
        """Names and values a line each; long values wrap in their column."""
        table = Table.grid(padding=(0, 2, 0, 0))
        table.add_column(no_wrap=True, style="dim")
        table.add_column(overflow="fold")
        for name, value in rows:
            table.add_row(self.text(name), self.text(value))
        return table

    def remarks(self, remarks: Iterable[tuple[str, str]]) -> Table:
        """Texts that stand out, each with its hint, empty for none."""
        table = Table.grid(padding=(0, 1, 0, 0))
        for text, hint in remarks:
            said = self.text(text, "yellow")
            table.add_row(Text("!", style="bold yellow"), said + self.text(f" {hint}" if hint else ""))
        return table

    def name(self, name: str, cells: int) -> str:
        """A `plain` name of at most `cells` cells; a longer one loses its middle, since names differ at both ends."""
        name = self.plain(name)
        if cell_len(name) <= cells:
            return name
        gap = ".." if self.ascii_only else "…"
        kept = max(cells - len(gap), 2)
        head = _prefix(name, kept - kept // 2)
        tail = _prefix(name[::-1], kept // 2)[::-1]
        return head + gap + tail

    def names(self, names: Sequence[str], cells: int) -> dict[str, str]:
        """Each name as `name` writes it; where one is too long, all lose what they share first."""
        fits = all(cell_len(self.plain(name)) <= cells for name in names)
        shorter = names if fits else apart(names, ".." if self.ascii_only else "…")
        return {name: self.name(short, cells) for name, short in zip(names, shorter, strict=True)}


def apart(names: Sequence[str], gap: str) -> list[str]:
    """Names without the words that all of them begin and end with; `gap` stands for these."""
    words = [re.split(f"(?<=[{_BETWEEN_WORDS}])", name) for name in names]
    start = _shared(words)
    end = _shared([one[start:][::-1] for one in words])
    left = ["".join(one[start : len(one) - end]).rstrip(_BETWEEN_WORDS) for one in words]
    return [gap * bool(start) + name + gap * bool(end) for name in left] if all(left) else list(names)


def _shared(words: Sequence[Sequence[str]]) -> int:
    """How many of the first words are the same in all."""
    return sum(1 for _ in takewhile(lambda column: len(set(column)) == 1, zip(*words, strict=False)))


def interval_text(interval: Interval, factor: float = 1.0) -> str:
    """An estimate and its interval, times `factor`, with the digits that the interval leaves meaning to."""
    estimate, low, high = (value * factor for value in (interval.estimate, interval.low, interval.high))
    if math.isnan(low) or math.isnan(high):
        return number(estimate)
    decimals = _decimals(estimate, (high - low) / 2, signed=low < 0)
    if decimals > _MOST_DECIMALS:
        return f"{estimate:.1e} [{low:.0e}, {high:.0e}]"
    return f"{_written(estimate, decimals)} [{_written(low, decimals)}, {_written(high, decimals)}]"


def number(value: float) -> str:
    """A number without an interval, to two digits (or all before the point); a dash where it is undefined."""
    if math.isnan(value):
        return "-"
    decimals = _decimals(value, math.inf)
    return f"{value:.1e}" if decimals > _MOST_DECIMALS else _written(value, decimals)


def _written(value: float, decimals: int) -> str:
    """A number with so many decimals, or with an exponent where it is too long to be read; nothing has no sign."""
    if _LONG <= abs(value) < math.inf:
        return f"{value:.1e}"
    text = f"{value:,.{decimals}f}"
    return text.removeprefix("-") if not text.strip("-0.") else text


def _decimals(value: float, half_width: float, signed: bool = True) -> int:
    """Decimals that show half an interval to a digit, or two from 10 to 19, and the value to two, three or four."""
    wanted = -_exponent(half_width / 2) if 0 < half_width < math.inf else 0
    negligible = signed and math.isfinite(half_width) and abs(value) < half_width * _NEGLIGIBLE
    if value == 0 or negligible or not math.isfinite(value):
        return max(0, wanted)
    least = 1 - _exponent(value)
    return max(0, least, min(wanted, least + 2))


def _exponent(value: float) -> int:
    return math.floor(math.log10(abs(value)))


def _prefix(text: str, cells: int) -> str:
    """As much of the start of `text` as `cells` cells hold."""
    end = len(text)
    while cell_len(text[:end]) > cells:
        end -= 1
    return text[:end]
