"""The table of classes that a page's script sorts and searches; the script knows it by the ids that stand here."""

from collections.abc import Iterable

from onnxspec.report.html.markup import Child, Markup, tag


def search(classes: int) -> Markup:
    """A field that hides all classes but those whose name has what is typed, and how many there are."""
    field = tag("input", type="search", id="class-search", placeholder="class")
    count = tag("span", f"{classes:,} classes", id="class-count", class_="quiet", aria_live="polite")
    return tag("div", tag("label", "find ", field, class_="needs-script"), count, class_="controls")


def class_table(headings: Iterable[str], rows: Iterable[Child]) -> Markup:
    """The table; rows : the cells of each, where `data-v` is what a cell sorts by."""
    head = tag("thead", tag("tr", (_heading(text, column) for column, text in enumerate(headings))))
    inner = tag("table", head, tag("tbody", (tag("tr", row) for row in rows)), id="class-table")
    return tag("div", inner, class_="wide tall", tabindex="0", role="region", aria_label="classes")


def _heading(text: str, column: int) -> Markup:
    return tag("th", tag("button", text, type="button", data_sort=column), scope="col", aria_sort="none")
