"""What a rule may look at, by name.

    accuracy                  share of the used images that are predicted right
    KIND.FIGURE               within.hff, between.slope: of the signal prob
    KIND.SIGNAL.FIGURE        within.logit.hff
    class.NAME.FIGURE         class.cat.slope: within the class, of prob
    class.NAME[.KIND][.SIGNAL].FIGURE   class.cat.between.logit.hff: paths that touch the class
    class.NAME.accuracy       of its images

A name is read from its end, so that a class may have dots in its own; where the last part of a class is a kind or a
signal (`x.within`), kind and signal are to be spelled out (class.x.within.within.prob.slope). All figures are of paths
whose two ends are predicted right, the headline of a report.
"""

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from onnxspec import statistics
from onnxspec.errors import UsageError
from onnxspec.report.headline import figure, labelled, signals_of
from onnxspec.report.report import Report
from onnxspec.settings import KINDS, SIGNALS
from onnxspec.statistics import Interval

ACCURACY = "accuracy"
SPECTRAL = ("hff", "slope")
FIGURES = (*SPECTRAL, "excess_tv", "flips", "consistent", "width")
_OF_CLASS = (*SPECTRAL, "excess_tv")
_CLASS = "class."


@dataclass(frozen=True)
class Metric:
    """A metric by its parts; `name` is what it was called, `of_class` "" for all classes."""

    name: str
    figure: str
    kind: str = ""
    signal: str = "prob"
    of_class: str = ""

    def __str__(self) -> str:
        return self.name

    @property
    def is_share(self) -> bool:
        """Whether it is a share, from 0 to 1."""
        return self.figure in (ACCURACY, "hff", "consistent")


def parse(name: str) -> Metric:
    """The metric that a name means.

    Raises
    ------
    UsageError
        There is no such metric; the nearest names are listed.
    """
    of_class, rest = "", name
    if name.startswith(_CLASS):
        of_class, rest = _split_class(name)
        if not of_class:
            raise UsageError(f"The metric {name!r} names no class.", "For example class.cat.hff.")
    if rest == ACCURACY:
        return Metric(name, ACCURACY, of_class=of_class)
    kind, *signal, last = rest.split(".") if rest.count(".") in (1, 2) else ("", "", "")
    known = kind in KINDS and all(one in SIGNALS for one in signal) and last in (_OF_CLASS if of_class else FIGURES)
    if not known or (signal and last not in SPECTRAL):
        raise UsageError(f"There is no metric {name!r}.", nearest(name, _all_names(of_class)))
    if (kind, last) == ("within", "width"):
        raise UsageError(
            f"There is no {name}: a width is that of the way from one class into another.", "Use between.width."
        )
    return Metric(name, last, kind, signal[0] if signal else "prob", of_class)


def spectral(kind: str, signal: str, figure: str) -> Metric:
    """The metric of a signal by its shortest name."""
    return parse(f"{kind}.{figure}" if signal == "prob" else f"{kind}.{signal}.{figure}")


def nearest(name: str, known: Iterable[str]) -> str:
    """A sentence that lists the names of `known` closest to `name`, or the first of them where none is close."""
    known = list(known)
    close = difflib.get_close_matches(name, known, n=3, cutoff=0.4)
    if close:
        return f"Did you mean {' or '.join(close)}?"
    return f"Known: {', '.join(known[:12])}{', ...' if len(known) > 12 else ''}."


def resolved(metric: Metric, report: Report) -> Metric:
    """The metric with its class, which may be said by its folder, under the name that a report shows.

    Raises
    ------
    UsageError
        The report does not measure it: another kind, signal or class, or no accuracy.
    """
    if metric.figure == ACCURACY and not labelled(report):
        hint = "Take the rule out, or give labelled images."
        raise UsageError(f"A rule asks for {metric}, and the labels are the model's own: it is not measured.", hint)
    require_measured(metric, report.kinds, signals_of(report))
    return replace(metric, of_class=_shown_class(metric, report)) if metric.of_class else metric


def require_measured(metric: Metric, kinds: Sequence[str], signals: Sequence[str]) -> None:
    """Refuses a metric of a kind or a signal that a run does not measure (UsageError)."""
    wanted = [(metric.kind, kinds, "--kinds"), (metric.signal, signals, "--signals")]
    for part, measured, option in wanted if metric.figure != ACCURACY else ():
        if part not in measured:
            raise UsageError(
                f"A rule asks for {metric}, and the report measures {', '.join(measured)} only.",
                f"Add {part} to {option}, or take the rule out.",
            )


def require_class(metric: Metric, shown: Sequence[str], folders: Sequence[str]) -> None:
    """Refuses a metric of a class that has none of these names; shown with its folder, as twins are, it has one."""
    if metric.of_class in (*shown, *folders) or any(metric.of_class.endswith(f" ({one})") for one in folders):
        return
    raise _no_class(metric, [*shown, *folders])


def value(metric: Metric, report: Report) -> Interval:
    """A `resolved` metric in a report, with its interval; NaN with a reason where it is undefined."""
    if metric.figure != ACCURACY:
        return figure(report, metric.kind, metric.figure, metric.signal, metric.of_class)
    if not metric.of_class:
        return report.accuracy
    at = report.classes["name"].tolist().index(metric.of_class)
    return statistics.proportion(int(report.classes["right"][at]), int(report.classes["used"][at]))


def _shown_class(metric: Metric, report: Report) -> str:
    names, folders = report.classes["name"].tolist(), report.classes["folder"].tolist()
    if metric.of_class in names:
        return metric.of_class
    if metric.of_class in folders:
        return str(names[folders.index(metric.of_class)])
    raise _no_class(metric, [*names, *folders])


def _no_class(metric: Metric, known: Sequence[str]) -> UsageError:
    text = f"A rule asks for {metric}, and the data have no class {metric.of_class!r}."
    return UsageError(text, nearest(metric.of_class, dict.fromkeys(known)))


def _split_class(name: str) -> tuple[str, str]:
    """The class in a name, and the name of the metric without it."""
    *front, last = name.removeprefix(_CLASS).split(".")
    if last == ACCURACY:
        return ".".join(front), last
    signal = [front.pop()] if len(front) > 1 and front[-1] in SIGNALS else []
    kind = front.pop() if len(front) > 1 and front[-1] in KINDS else KINDS[0]
    return ".".join(front), ".".join([kind, *signal, last])


def _all_names(of_class: str) -> list[str]:
    if of_class:
        ends = [ACCURACY, *_OF_CLASS, *(f"{kind}.{last}" for kind in KINDS for last in _OF_CLASS)]
        ends += [f"{kind}.logit.{last}" for kind in KINDS for last in SPECTRAL]
        return [f"{_CLASS}{of_class}.{end}" for end in ends]
    plain = [f"{kind}.{last}" for kind in KINDS for last in FIGURES if (kind, last) != ("within", "width")]
    return [ACCURACY, *plain, *(f"{kind}.{signal}.{last}" for kind in KINDS for signal in SIGNALS for last in SPECTRAL)]
