"""`onnxspec plot`: figures of reports and of comparisons for a paper or a slide."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from onnxspec.cli.arguments import Command
from onnxspec.cli.pictures import form_of, save_picture
from onnxspec.errors import UsageError, inert

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from onnxspec.report.report import Report

_WHAT = ("spectrum", "classes", "matrix", "series", "factors")
_OF_SEVERAL = ("spectrum", "series")
_OF_COMPARISONS = ("spectrum", "series", "factors")


@click.command(cls=Command)
@click.argument("reports", metavar="REPORT.h5...", nargs=-1, required=True, type=click.Path())
@click.option(
    "--what",
    default="spectrum",
    metavar="NAME",
    help="spectrum, classes, matrix, series or factors [default: spectrum].",
)
@click.option("--signal", metavar="NAME", help="One of the report's signals [default: its first].")
@click.option("--class", "name", default="", metavar="NAME", help="The spectrum of one class, beside those of all.")
@click.option("-o", "figure", metavar="FIGURE", required=True, type=click.Path(), help="A .svg, .pdf or .png file.")
def plot(reports: tuple[str, ...], what: str, signal: str | None, name: str, figure: str) -> None:
    """Draw spectra, classes or the class matrix of a report.

    Spectra of several reports on the same pairs, or of what compare -o wrote, lie over one another. A series is drawn
    from several reports, by the number in their names, or from what compare --series wrote; factors to the reference
    from what compare -o wrote.
    """
    form_of(figure)
    if what not in _WHAT:
        raise UsageError(f"--what has no {what!r}.", f"Known: {', '.join(_WHAT)}.")
    if what == "factors" and len(reports) > 1:
        raise _no_comparison()
    if len(reports) > 1 and what not in _OF_SEVERAL:
        raise UsageError(
            f"--what {what} draws one report, and {len(reports)} were given.", f"Use --what {' or '.join(_OF_SEVERAL)}."
        )
    if name and what != "spectrum":
        raise UsageError("--class is for --what spectrum.")
    save_picture(_drawn(reports, what, signal, name), figure)


def _drawn(reports: Sequence[str], what: str, signal: str | None, name: str) -> "Figure":
    from onnxspec.report.figures import classes, matrix, series, spectra
    from onnxspec.report.report import Report
    from onnxspec.report.storage import attribute_names
    from onnxspec.report.verification import COMPARISON

    if what in _OF_COMPARISONS and len(reports) == 1 and COMPARISON in attribute_names(reports[0]):
        return _of_comparison(reports[0], what, signal, name)
    if what == "factors":
        raise _no_comparison()
    opened = [Report(one) for one in reports]
    signal = _signal(opened, signal)
    if what == "series":
        return series.series(series.of_reports(opened, signal), signal)
    if len(opened) > 1:
        _require_no_class(name, "several reports")
        return _over_one_another(opened, _names(reports), signal)
    if what == "classes":
        _require_ranked(opened[0], signal)
        return classes.classes(opened[0], signal)
    if what == "matrix":
        _require_pairs(opened[0], signal)
        return matrix.matrix(opened[0], signal)
    from onnxspec.report.class_view import class_summary

    return spectra.spectrum(opened[0], signal, class_summary(opened[0], name).name if name else "")


def _no_comparison() -> UsageError:
    return UsageError("--what factors draws a comparison.", "Make one: onnxspec compare ... -o comparison.h5")


def _over_one_another(reports: "Sequence[Report]", names: Sequence[str], signal: str) -> "Figure":
    """Spectra of reports on the pairs of the first, and in words what of them is not drawn."""
    from onnxspec.cli.streams import complain
    from onnxspec.comparison import figures
    from onnxspec.comparison.alignment import align, in_common

    aligned = [align(name, one, reports[0], names[0]) for name, one in zip(names, reports, strict=True)]
    for remark in dict.fromkeys(remark for one in aligned for remark in one.remarks):
        complain(inert(remark.text))
    return figures.spectra_of(in_common(aligned), signal)


def _of_comparison(path: str, what: str, signal: str | None, name: str) -> "Figure":
    from onnxspec.comparison import figures
    from onnxspec.comparison.comparison import Comparison

    _require_no_class(name, "a comparison")
    found = Comparison.load(path)
    if what == "factors":
        if signal:
            raise UsageError("--what factors draws all signals.", "Leave out --signal.")
        return figures.factors(found)
    signal = signal or str(found.attributes["signals"]).split()[0]
    return figures.series(found, signal) if what == "series" else figures.spectra(found, signal)


def _require_no_class(name: str, what: str) -> None:
    if name:
        raise UsageError(f"--class is for the spectrum of one report, and not of {what}.")


def _names(reports: Sequence[str]) -> list[str]:
    """What reports are called in a legend: their names, or where these are not told apart all of their paths.

    Raises
    ------
    UsageError
        One is given twice.
    """
    if twice := [one for i, one in enumerate(reports) if one in reports[:i]]:
        raise UsageError(f"{twice[0]} is given twice.", "Name each report once.")
    names = [Path(one).stem for one in reports]
    return names if len(set(names)) == len(names) else list(reports)


def _require_ranked(report: "Report", signal: str) -> None:
    """Refuses to draw no class at all."""
    from onnxspec.report.pooling import RANKED_FROM
    from onnxspec.report.ranking import ranking

    if not any(ranking(report, kind, signal) for kind in report.kinds):
        raise UsageError(
            f"No class of {report.path.name} has an hff of {signal} over {RANKED_FROM} paths or more: there is none to draw.",
            "Analyse again with more --pairs.",
        )


def _require_pairs(report: "Report", signal: str) -> None:
    """Refuses to draw no pair of classes at all."""
    from onnxspec.report.figures.matrix import pair_figures

    if not len(pair_figures(report, signal)[0]):
        raise UsageError(
            f"{report.path.name} has no paths between two classes that have an hff of {signal}: there is none to draw.",
            "Analyse again with --kinds between, or with more --pairs.",
        )


def _signal(reports: "Sequence[Report]", wanted: str | None) -> str:
    """The signal to draw, which all reports must have: the first of such without a wish."""
    held = [str(report.attributes["signals"]).split() for report in reports]
    common = [one for one in held[0] if all(one in signals for signals in held)]
    signal = wanted or (common or held[0])[0]
    for report, signals in zip(reports, held, strict=True):
        if signal not in signals:
            raise UsageError(f"{report.path.name} has no signal {signal!r}.", f"It has {', '.join(signals)}.")
    return signal
