"""The classes: a ranking, a table that sorts and searches, and the matrix of class pairs."""

import math
from collections.abc import Iterator

from onnxspec import statistics
from onnxspec.report.figures import classes as ranked
from onnxspec.report.figures import matrix
from onnxspec.report.headline import figure as figure_of
from onnxspec.report.headline import labelled, signals_of
from onnxspec.report.html.markup import Markup, tag
from onnxspec.report.html.parts import factor_of, figure, section, signal_switch, value
from onnxspec.report.html.searching import class_table, search
from onnxspec.report.pooling import RANKED_FROM
from onnxspec.report.ranking import ranking
from onnxspec.report.report import Report
from onnxspec.statistics import SIGNIFICANT, Interval

_METRICS = ("hff", "slope")


def classes_section(report: Report) -> Markup:
    """The ranking as a figure, where there is one, and the table."""
    signals = signals_of(report) if any(ranking(report, kind) for kind in report.kinds) else []
    drawn = (
        figure(ranked.classes(report, signal), f"ranking-{signal}", f"Classes by {signal} hff", data_signal=signal)
        for signal in signals
    )
    return section(
        "classes",
        "Classes",
        "A class is compared with the rest of its kind; a star marks what differs at 5 % over all classes together, by "
        "shuffling paths that share no image among the classes. "
        f"Classes with fewer than {RANKED_FROM} paths are shown, not ranked. Between classes, all paths that touch the class count.",
        tag("div", signal_switch(signals), class_="controls"),
        tag("div", drawn, class_="wall"),
        search(len(report.classes["name"])),
        _table(report),
    )


def matrix_section(report: Report) -> Markup | None:
    """The matrix, for reports with paths between classes that count."""
    count = len(report.classes["name"])
    first, _, _ = matrix.pair_figures(report, signals_of(report)[0])
    if not len(first):
        return None
    possible = count * (count - 1) // 2
    drawn = (
        figure(
            matrix.matrix(report, signal), f"matrix-{signal}", f"{signal} hff between classes, %", data_signal=signal
        )
        for signal in signals_of(report)
    )
    return section(
        "matrix",
        "Class by class",
        "Between which classes the outputs wiggle most: a square is the pooled hff of the paths that join two classes. "
        f"{len(first):,} of {possible:,} pairs of classes have paths that count, often only one or a few each, so "
        "look for rows that stand out and not for single squares.",
        tag("div", signal_switch(signals_of(report)), class_="controls"),
        tag("div", drawn, class_="wall"),
    )


def _table(report: Report) -> Markup:
    right = ["right, %"] if labelled(report) else []
    signal = signals_of(report)[0]
    headings = [
        "class",
        "images",
        *right,
        *(f"{signal} {m}{' %' * (m == 'hff')} {k}" for m in _METRICS for k in report.kinds),
    ]
    return class_table(headings, (_row(report, number, signal) for number in range(len(report.classes["name"]))))


def _row(report: Report, number: int, signal: str) -> Iterator[Markup]:
    c = report.classes
    name, used = str(c["name"][number]), int(c["used"][number])
    yield tag("th", tag("button", name, type="button", class_="pick", data_class=number), scope="row")
    yield tag("td", f"{used:,}", data_v=used)
    if labelled(report):
        right = statistics.proportion(int(c["right"][number]), used) if used else None
        yield _cell(right, "accuracy", False) if right else tag("td", "–")
    for metric in _METRICS:
        for kind in report.kinds:
            star = metric == "hff" and report.p_holm(kind, name, signal) < SIGNIFICANT
            yield _cell(figure_of(report, kind, metric, signal, name), metric, star)


def _cell(interval: Interval, metric: str, star: bool) -> Markup:
    """A cell that sorts by its estimate; what is undefined sorts last."""
    defined = math.isfinite(interval.estimate)
    by = f"{interval.estimate * factor_of(metric):.6g}" if defined else None
    mark = tag("span", " *", class_="star", title="differs from the rest (5 % over all classes)") if star else None
    return tag("td", value(interval, metric), mark, data_v=by)
