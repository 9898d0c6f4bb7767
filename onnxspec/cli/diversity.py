"""`onnxspec diversity`: the classes of a report against how diverse they are."""

from typing import TYPE_CHECKING, Any

import click

from onnxspec.cli.arguments import Command, require_one_form
from onnxspec.cli.options import evaluating, worded
from onnxspec.errors import UsageError

if TYPE_CHECKING:
    from onnxspec.diversity.found import Diversity

_OF_AN_ENCODER = {
    "preprocess": "How pixels become its input: imagenet, 0..1, ..., a file or 'mean=...;std=...' "
    "[default: what the encoder or a file beside it says].",
    "output": "The features, where the encoder has several outputs.",
    "batch": "Images per batch [default: 32].",
    "threads": "Worker threads [default: one a core].",
}


@worded(_OF_AN_ENCODER, without=("classes", "restrict_outputs", "path_graph"))
@click.command(cls=Command)
@click.argument("report", metavar="REPORT.h5", type=click.Path())
@click.option(
    "--embedding",
    metavar="ENCODER.onnx",
    type=click.Path(),
    help="Also measure diversity in the outputs of this model.",
)
@click.option("--data", metavar="PATH", help="The images that the report is of, for --embedding.")
@evaluating
@click.option("--picture", metavar="FIGURE", type=click.Path(), help="Draw a scatter: a .svg, .pdf or .png file.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead.")
@click.option("--csv", "table", metavar="TABLE", help="Print relations or classes as CSV.")
def diversity(
    report: str,
    embedding: str | None,
    config: str | None,
    picture: str | None,
    as_json: bool,
    table: str | None,
    **flags: Any,
) -> None:
    """Set hff and slope within the classes of REPORT.h5 against how diverse the classes are.

    The options from --data to --config are about the encoder and its images.
    """
    from onnxspec import configuration
    from onnxspec.cli.pictures import require_picture
    from onnxspec.cli.progress import TerminalProgress
    from onnxspec.diversity.found import require_table
    from onnxspec.diversity.relating import relate
    from onnxspec.report.report import Report

    require_one_form(as_json, table)
    if table is not None:
        require_table(table)
    if picture is not None:
        require_picture(picture)
    given = [f"--{name.replace('_', '-')}" for name, value in flags.items() if value is not None]
    if given and embedding is None:
        raise UsageError(f"{', '.join(given)} would be about the encoder, and there is none.", "Give one: --embedding.")
    opened = Report(report)
    chosen = configuration.load(config, **flags) if embedding is not None else None
    with TerminalProgress() as progress:
        found = relate(opened, embedding, None, chosen, listener=progress)
    if picture is not None:
        _draw(found, picture)
    _print(found, as_json, table)


def _draw(found: "Diversity", path: str) -> None:
    from onnxspec.cli.pictures import save_picture
    from onnxspec.diversity.picture import picture

    save_picture(picture(found), path)


def _print(found: "Diversity", as_json: bool, table: str | None) -> None:
    if as_json:
        click.echo(found.to_json())
    elif table is not None:
        from onnxspec.cli.plain import print_csv

        print_csv(found.to_csv(table))
    else:
        from onnxspec.cli.plain import print_view
        from onnxspec.diversity.view import View

        print_view(View(found))
