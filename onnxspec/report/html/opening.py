"""The top of the page: what was measured, the figures that matter, what they mean, and what to be warned of."""

import math
import re
from collections.abc import Iterator, Sequence

from onnxspec.report import schema
from onnxspec.report.findings import facts, labels_note, warnings
from onnxspec.report.headline import KINDS, METRICS, answer, figure, labelled, rows_of, signals_of
from onnxspec.report.html.markup import Child, Markup, tag
from onnxspec.report.html.parts import definitions, section, short, table, value, written
from onnxspec.report.page import number
from onnxspec.report.report import Report
from onnxspec.statistics import Interval

_FLAG = re.compile(r"(--[\w-]+(?: \d+)?)")
_WORDS = {
    "hff": "Of all that the outputs do along a path, the share that wiggles faster than the cut-off f_c. A network that "
    "goes straight or bends gently from one answer to the next has 0. It is relative: blind to how much the outputs move.",
    "slope": "How much the outputs change per unit of pixel difference. Absolute: a confident, sharp network is steep.",
    "excess TV": "Probability that is moved to and fro, beyond the change that is due between the two ends.",
    "prob": "The class probabilities, what a user of the network sees.",
    "logit": "The raw scores less their mean: what the network computes where its probabilities are flat.",
    "within a class": "Paths between two images of one class. The answer should not change at all, so wiggling there is "
    "a network that is restless near its own examples.",
    "between classes": "Paths between images of two classes. The answer has to change, and fine structure there is what "
    "trained capacity looks like.",
    "the brackets": "95 % intervals; with ~ fewer than ten effective paths carry the figure, as they often do within a "
    "class, and the interval may well be too narrow: more pairs are the cure.",
}


def header(report: Report) -> Markup:
    """Title and warnings."""
    a = report.attributes
    told = [(labels_note(report), "")] if labels_note(report) else []
    shown = [tag("li", text, tag("span", " ", _flags(hint))) for text, hint in [*told, *warnings(report)]]
    return tag(
        "header",
        tag("p", "onnxspec frequency report", class_="kicker"),
        tag("h1", a["model"]),
        tag("p", "on ", tag("b", a["data"]), f", {str(a.get('run_started', ''))[:10]}", class_="on"),
        tag("p", _sentence(report), class_="sentence"),
        _cards(report),
        tag("ul", shown, class_="warnings") if shown else None,
    )


def headline(report: Report) -> Markup:
    """Every figure of the headline with its interval, and the dictionary."""
    kinds, signals = report.kinds, signals_of(report)
    rows: list[Sequence[Child]] = []
    for signal, metric in rows_of(signals):
        found = [figure(report, kind, metric, signal) for kind in kinds]
        cells = [value(one, metric) for one in found]
        rows.append([f"{signal} {METRICS[metric]}", *cells, *_ratio(report, metric, signal)])
    if labelled(report):
        every = [figure(report, kind, "hff", signals[0], selection="all") for kind in kinds]
        cells = [value(one, "hff") for one in every]
        rows.append([f"{signals[0]} hff (%), all paths", *cells, *_ratio(report, "hff", signals[0], "all")])
    rows.append(["paths", *(_paths(report, kind) for kind in kinds), *[""] * (len(kinds) > 1)])
    chosen = (
        "Paths count where the network gets both ends right: a path within a class one end of which it gets wrong must "
        "cross a boundary, so that figures over all paths mostly measure accuracy."
        if labelled(report)
        else "All paths count: the labels are the model's own, so that no end is wrong."
    )
    headings = ["", *(KINDS[kind] for kind in kinds), *(["between / within"] if len(kinds) > 1 else [])]
    return section(
        "figures",
        "The figures",
        chosen,
        table(headings, rows),
        tag("details", tag("summary", "What the words mean"), definitions(_WORDS.items()), open=True),
        tag("details", tag("summary", "What was measured on what"), definitions(facts(report)), open=True),
    )


def _sentence(report: Report) -> Iterator[Child]:
    """The result in one sentence for somebody who has never heard of it."""
    signal = signals_of(report)[0]
    outputs = {"prob": "class probabilities", "logit": "class scores"}.get(signal, f"outputs ({signal})")
    found = {kind: figure(report, kind, "hff", signal) for kind in report.kinds}
    yield "On straight lines from image to image, fast wiggling makes up "
    for i, (kind, one) in enumerate(found.items()):
        yield " and " if i else ""
        yield tag("b", f"{short(one, 'hff')} %") if math.isfinite(one.estimate) else _undefined(one)
        yield f" of all that the {outputs} do" if not i else ""
        yield f" {KINDS[kind]}"
    yield "."
    if said := answer(report):
        yield f" {said}"


def _undefined(one: Interval) -> str:
    return "an undefined share" + (f" ({one.reason})" if one.reason else "")


def _flags(hint: str) -> list[Child]:
    """Advice in which no command-line flag is broken over two lines."""
    return [tag("span", part, class_="flag") if i % 2 else part for i, part in enumerate(_FLAG.split(hint))]


def _cards(report: Report) -> Markup:
    signal = signals_of(report)[0]
    cards = []
    if labelled(report):
        cards.append(_card("accuracy", report.accuracy, "accuracy", "%", f"on {report.accuracy.paths:,} images used"))
    for metric, unit in (("hff", "%"), ("slope", "")):
        for kind in report.kinds:
            cards.append(
                _card(
                    f"{metric} {KINDS[kind]}", figure(report, kind, metric, signal), metric, unit, _note(metric), kind
                )
            )
    return tag("div", cards, class_="cards")


def _note(metric: str) -> str:
    return "share of fast wiggling" if metric == "hff" else "change per unit pixel difference"


def _card(title: str, interval: Interval, metric: str, unit: str, note: str, kind: str = "") -> Markup:
    _, _, rest = written(interval, metric).partition(" ")
    estimate = written(interval, metric).split(" ")[0]
    return tag(
        "div",
        tag("h3", title),
        tag("p", estimate, tag("small", f" {unit}") if unit and estimate != "-" else None, class_="big"),
        tag("p", rest or "undefined" if estimate == "-" else rest, class_="range"),
        tag("p", note, class_="note"),
        class_=f"card {kind}".strip(),
    )


def _ratio(report: Report, metric: str, signal: str, selection: str = "right") -> Iterator[Child]:
    """Between over within, where both were measured."""
    if len(report.kinds) == 2:
        pooled = figure(report, schema.RATIO, metric, signal, selection=selection)
        yield value(pooled, "ratio") if pooled.paths else ""


def _paths(report: Report, kind: str) -> str:
    signal = signals_of(report)[0]
    taken, every = (figure(report, kind, "slope", signal, selection=s).paths for s in ("right", "all"))
    carrying = figure(report, kind, "hff", signal).n_eff
    count = f"{taken:,} of {every:,}" if labelled(report) else f"{taken:,}"
    return count + ("" if carrying != carrying else f", hff carried by {number(carrying)}")
