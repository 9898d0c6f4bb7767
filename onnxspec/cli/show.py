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
def show(report: str, as_json: bool, table: str | None, name: str | None) -> None:
    """Print REPORT.h5 again: the summary, one class of it, or its numbers for other programs."""
    from onnxspec.heatmap import storing
    from onnxspec.report.report import Report

    if as_json + (table is not None) + (name is not None) > 1:
        raise UsageError("--json, --csv and --class exclude each other.", "Give one of them.")
    if storing.is_heat_map(report):
        _show_heat_map(report, as_json, table, name)
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
        _print(opened, name)


def _show_heat_map(path: str, as_json: bool, table: str | None, name: str | None) -> None:
    from onnxspec.cli.plain import print_view
    from onnxspec.heatmap.reading import read
    from onnxspec.heatmap.storing import to_json
    from onnxspec.heatmap.view import View

    if table is not None or name is not None:
        raise UsageError(
            "A heat map has no --csv and no --class.", "Take --json, or read the file with h5py or xarray."
        )
    found = read(path)
    if as_json:
        click.echo(to_json(found))
    else:
        print_view(View(found))


def _print(report: Any, name: str | None) -> None:
    from onnxspec.cli.plain import print_view
    from onnxspec.report.class_view import class_summary
    from onnxspec.report.terminal import summary

    print_view(summary(report) if name is None else class_summary(report, name))
