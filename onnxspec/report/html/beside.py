"""Other families of paths beside straight lines: a figure, a table, and what each family tells."""

from onnxspec.report import beside
from onnxspec.report.figures import families
from onnxspec.report.headline import KINDS, signals_of
from onnxspec.report.html.markup import Child, Markup, tag
from onnxspec.report.html.parts import definitions, figure, section, signal_switch, table, value
from onnxspec.report.report import Report


def beside_section(report: Report) -> Markup | None:
    """The section; None without other families."""
    lines, signals = beside.lines(report), signals_of(report)
    if not lines:
        return None
    headings = ["", "", *(f"{signal} hff (%)" for signal in signals), *(f"{signal} slope" for signal in signals)]
    rows: list[list[Child]] = [
        [
            line.name,
            KINDS[line.kind],
            *(value(line.figure(report, metric, signal), metric) for metric in ("hff", "slope") for signal in signals),
            value(line.figure(report, "excess_tv", "prob"), "excess_tv"),
            line.figure(report, "hff", signals[0]).paths,
        ]
        for line in lines
    ]
    drawn = [
        figure(families.shares(report, signal), f"beside-{signal}", f"{signal} hff by family", data_signal=signal)
        for signal in signals
    ]
    return section(
        "beside",
        "Other paths",
        "A straight line is one way from image to image among many. What shows on every way is the network's; what shows "
        "on straight lines alone may be the line's. Fast means the same on all: so many cycles per unit of pixel difference.",
        tag("div", signal_switch(signals), class_="controls"),
        tag("div", drawn, class_="wall"),
        table([*headings, "excess TV", "paths"], rows),
        definitions(beside.meanings(report).items()),
    )
