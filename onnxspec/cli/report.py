"""`onnxspec report`: a report as an HTML page."""

from pathlib import Path

import click

from onnxspec.cli.arguments import Command


@click.command(cls=Command)
@click.argument("report", metavar="REPORT.h5", type=click.Path())
@click.option("-o", "page", metavar="PAGE.html", type=click.Path(), help="The page [default: REPORT-stem.html here].")
@click.option("--no-images", is_flag=True, help="Leave out the images that the report keeps.")
def report(report: str, page: str | None, no_images: bool) -> None:
    """Make one HTML page of REPORT.h5: figures, classes, paths and checks, in a file that needs no network.

    Also of a comparison that compare -o wrote.
    """
    from onnxspec.cli.plain import say_written
    from onnxspec.report.storage import attribute_names
    from onnxspec.report.verification import COMPARISON
    from onnxspec.saving import require_page

    if page:
        require_page(page)
    destination = Path(page) if page else Path(f"{Path(report).stem}.html")
    if COMPARISON in attribute_names(report):
        from onnxspec.comparison.page import write_page as write_comparison
        from onnxspec.comparison.reading import read

        found = read(report)
        require_page(destination)
        write_comparison(found, destination)
    else:
        from onnxspec.report.html.page import write_page
        from onnxspec.report.report import Report

        opened = Report(report)
        require_page(destination)
        write_page(opened, destination, pixels=not no_images)
    say_written(destination, " (open it in a browser)")
