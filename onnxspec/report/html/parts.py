"""What several sections of the page are made of: sections, figures, tables, numbers with their intervals."""

import math
from collections.abc import Iterable, Sequence

from matplotlib.figure import Figure

from onnxspec.report.figures.inline import inline_svg
from onnxspec.report.headline import PERCENT
from onnxspec.report.html.markup import Child, Markup, tag
from onnxspec.report.page import interval_text, number
from onnxspec.statistics import Interval


def section(identity: str, title: str, lead: Child, *children: Child) -> Markup:
    """A section of the page: a heading, what is to be seen, and why it matters."""
    return tag("section", tag("h2", title), tag("p", lead, class_="lead"), *children, id=identity)


def figure(drawn: Figure, name: str, title: str, caption: Child = None, **attributes: str | None) -> Markup:
    """A figure with its title above and its explanation below; `name` is unique in the page."""
    picture = tag("div", Markup(inline_svg(drawn, name)), class_="drawing", role="img", aria_label=title)
    note = tag("p", caption, class_="caption") if caption else None
    return tag("figure", tag("figcaption", title), picture, note, **attributes)


def definitions(rows: Iterable[tuple[str, Child]]) -> Markup:
    """Names and values."""
    return tag("dl", ((tag("dt", name), tag("dd", value)) for name, value in rows))


def table(headings: Sequence[Child], rows: Iterable[Sequence[Child]]) -> Markup:
    """A table whose first column names its rows; it scrolls sideways where the page is narrow."""
    label = "table: " + ", ".join(str(one) for one in headings if one)
    head = tag("thead", tag("tr", (tag("th", one, scope="col") for one in headings)))
    body = tag(
        "tbody", (tag("tr", tag("th", row[0], scope="row"), (tag("td", one) for one in row[1:])) for row in rows)
    )
    return tag("div", tag("table", head, body), class_="wide", tabindex="0", role="region", aria_label=label)


def value(interval: Interval, metric: str, doubted: bool = True) -> Markup:
    """An estimate with its interval beside it in a quieter voice; the reason where there is none.

    doubted : whether "~" says that few paths carry it; not where a verdict stands beside it
    """
    if math.isnan(interval.estimate):
        return tag("span", "–", class_="quiet", title=interval.reason or "undefined")
    estimate, _, rest = written(interval, metric).partition(" ")
    few = doubted and interval.carried_by_few and metric != "accuracy"
    said = f"carried by few of its {interval.paths:,} paths: {number(interval.n_eff)} effective ones" if few else None
    beside = tag("span", f" {rest}{' ~' * few}", class_="quiet", title=said) if rest else None
    return tag("span", tag("b", estimate), beside, class_="value")


def written(interval: Interval, metric: str) -> str:
    """An estimate and its interval as text; shares in percent, intervals of them no wider than all there is."""
    return interval_text(interval, factor_of(metric))


def short(interval: Interval, metric: str) -> str:
    """An estimate alone, as text."""
    return number(interval.estimate * factor_of(metric))


def factor_of(metric: str) -> float:
    """What a metric is multiplied by to be shown."""
    return PERCENT if metric in ("hff", "accuracy") else 1.0


def signal_switch(signals: Sequence[str]) -> Markup | None:
    """Buttons that choose the signal, for all sections at once."""
    if len(signals) < 2:
        return None
    buttons = (
        tag("button", signal or "all", type="button", data_choose=signal, aria_pressed="false" if signal else "true")
        for signal in ("", *signals)
    )
    return tag("div", tag("span", "signal"), buttons, class_="switch needs-script", role="group", aria_label="signal")
