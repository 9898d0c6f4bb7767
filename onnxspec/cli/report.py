"""`onnxspec report`: a report as an HTML page."""

from pathlib import Path

import click


@click.command()
@click.argument("report", metavar="REPORT.h5", type=click.Path())
@click.option("-o", "page", metavar="PAGE.html", type=click.Path(), help="The page [default: REPORT-stem.html here].")
@click.option("--no-images", is_flag=True, help="Leave out the images that the report keeps.")
def report(report: str, page: str | None, no_images: bool) -> None:
    """Make one HTML page of REPORT.h5: figures, classes, paths and checks, in a file that needs no network."""
    from onnxspec.cli.plain import say_written
    from onnxspec.report.html.page import write_page
    from onnxspec.report.report import Report
    from onnxspec.saving import require_page

    if page:
        require_page(page)
    opened = Report(report)
    destination = Path(page) if page else Path(f"{opened.path.stem}.html")
    require_page(destination)
    write_page(opened, destination, pixels=not no_images)
    say_written(destination, " (open it in a browser)")
