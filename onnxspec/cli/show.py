"""`onnxspec show`: what onnxspec wrote again, for people or for other programs."""

from importlib import import_module
from types import ModuleType
from typing import Any

import click

from onnxspec.cli.arguments import Command
from onnxspec.errors import UsageError


@click.command(cls=Command)
@click.argument("report", metavar="REPORT.h5", type=click.Path())
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead.")
@click.option(
    "--csv", "table", metavar="TABLE", help="Print figures, families, classes, spectra, paths or checks as CSV."
)
@click.option("--class", "name", metavar="NAME", help="Print one class: its figures, spectra and partners.")
@click.option("--cross-check", is_flag=True, help="Print the headline's intervals beside those of a bootstrap.")
def show(report: str, as_json: bool, table: str | None, name: str | None, cross_check: bool) -> None:
    """Print REPORT.h5 again: the summary, one class of it, or its numbers for other programs.

    Also what compare, heatmap, noise fit and analyze --protocol wrote: the summary, --json, and tables where they have
    some.
    """
    from onnxspec.report.storage import attribute_names
    from onnxspec.report.verification import OTHERS

    if as_json + (table is not None) + (name is not None) + cross_check > 1:
        raise UsageError("--json, --csv, --class and --cross-check exclude each other.", "Give one of them.")
    mark = next(iter(attribute_names(report) & OTHERS.keys()), None)
    if mark is None:
        _show_report(report, as_json, table, name, cross_check)
    elif name is not None or cross_check:
        raise UsageError(
            f"{report} is {OTHERS[mark].what}; --class and --cross-check are of reports.",
            "Leave them out, or take --json.",
        )
    else:
        _show_other(report, mark, as_json, table)


def _show_other(path: str, mark: str, as_json: bool, table: str | None) -> None:
    from onnxspec.cli.plain import print_csv, print_view

    storing, found = _part(mark, "storing"), _part(mark, "reading").read(path)
    if as_json:
        click.echo(storing.to_json(found))
    elif table is None:
        print_view(_part(mark, "view").View(found))
    elif hasattr(storing, "to_csv"):
        print_csv(storing.to_csv(found, table))
    else:
        raise UsageError(f"{path} has no --csv.", "Take --json, or read the file with h5py or xarray.")


def _part(mark: str, part: str) -> ModuleType:
    """A file of the room that writes what is marked so."""
    from onnxspec.report import verification

    rooms = {
        verification.HEAT_MAP: "heatmap",
        verification.COMPARISON: "comparison",
        verification.NOISE: "noise",
        verification.PARITY: "parity",
    }
    return import_module(f"onnxspec.{rooms[mark]}.{part}")


def _show_report(path: str, as_json: bool, table: str | None, name: str | None, cross_check: bool) -> None:
    from onnxspec.report.report import Report

    opened = Report(path)
    if as_json:
        from onnxspec.report.export import to_json

        click.echo(to_json(opened))
    elif table is not None:
        from onnxspec.cli.plain import print_csv
        from onnxspec.report.export import to_csv

        print_csv(to_csv(opened, table))
    else:
        _print(opened, name, cross_check)


def _print(report: Any, name: str | None, cross_check: bool) -> None:
    from onnxspec.cli.plain import print_view
    from onnxspec.report.class_view import class_summary
    from onnxspec.report.crosscheck import CrossChecks
    from onnxspec.report.terminal import summary

    if cross_check:
        print_view(CrossChecks(report))
    else:
        print_view(summary(report) if name is None else class_summary(report, name))
