"""`onnxspec show`: a report again, for people or for other programs."""

from typing import Any

import click

from onnxspec.errors import UsageError


@click.command()
@click.argument("report", metavar="REPORT.h5", type=click.Path())
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead.")
@click.option(
    "--csv", "table", metavar="TABLE", help="Print figures, families, classes, spectra, paths or checks as CSV."
)
@click.option("--class", "name", metavar="NAME", help="Print one class: its figures, spectra and partners.")
@click.option("--cross-check", is_flag=True, help="Print the headline's intervals beside those of a bootstrap.")
def show(report: str, as_json: bool, table: str | None, name: str | None, cross_check: bool) -> None:
    """Print REPORT.h5 again: the summary, one class of it, or its numbers for other programs."""
    from onnxspec.heatmap import storing
    from onnxspec.report.report import Report

    if as_json + (table is not None) + (name is not None) + cross_check > 1:
        raise UsageError("--json, --csv, --class and --cross-check exclude each other.", "Give one of them.")
    if storing.is_heat_map(report):
        _show_heat_map(report, as_json, plain=table is None and name is None and not cross_check)
        return
    opened = Report(report)
    if as_json:
        from onnxspec.report.export import to_json

        click.echo(to_json(opened))
    elif table is not None:
        from onnxspec.cli.plain import print_csv
        from onnxspec.report.export import to_csv

        print_csv(to_csv(opened, table))
    else:
        _print(opened, name, cross_check)


def _show_heat_map(path: str, as_json: bool, plain: bool) -> None:
    from onnxspec.cli.plain import print_view
    from onnxspec.heatmap.reading import read
    from onnxspec.heatmap.storing import to_json
    from onnxspec.heatmap.view import View

    if not plain:
        raise UsageError(
            "A heat map has no --csv, --class or --cross-check.",
            "Take --json, or read the file with h5py or xarray.",
        )
    found = read(path)
    if as_json:
        click.echo(to_json(found))
    else:
        print_view(View(found))


def _print(report: Any, name: str | None, cross_check: bool) -> None:
    from onnxspec.cli.plain import print_view
    from onnxspec.report.class_view import class_summary
    from onnxspec.report.crosscheck import CrossChecks
    from onnxspec.report.terminal import summary

    if cross_check:
        print_view(CrossChecks(report))
    else:
        print_view(summary(report) if name is None else class_summary(report, name))
