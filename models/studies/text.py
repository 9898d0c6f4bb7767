"""Numbers and tables as the page writes them."""

import math


class Table:
    """A Markdown table, row by row."""

    def __init__(self, *head: str):
        self._lines = [_line(head), _line(["---"] * len(head))]
        self._columns = len(head)

    def row(self, *cells: str) -> None:
        """Adds a row of as many cells as there are headings."""
        if len(cells) != self._columns:
            raise ValueError(f"A row has {len(cells)} cells; the table has {self._columns} columns.")
        self._lines.append(_line(cells))

    def __str__(self) -> str:
        return "\n".join(self._lines)


def number(value: float) -> str:
    """Three significant digits."""
    if math.isnan(value):
        return "-"
    if math.isinf(value):
        return "inf"
    return f"{value:.3g}" if abs(value) < 1000 else f"{value:,.0f}"


def interval(value: float, low: float, high: float) -> str:
    """A figure with its 95 % interval."""
    return number(value) if math.isnan(low) else f"{number(value)} [{number(low)}, {number(high)}]"


def share(value: float) -> str:
    """A share in percent."""
    return "-" if math.isnan(value) else f"{100 * value:.1f} %"


def _line(cells: "list[str] | tuple[str, ...]") -> str:
    return f"| {' | '.join(cells)} |"
