"""`onnxspec compare`: models and reports side by side on the same pairs."""

from pathlib import Path
from typing import Any

import click

from onnxspec.cli.arguments import Command, numbers, require_one_form
from onnxspec.cli.options import measuring, precision_code
from onnxspec.cli.streams import unread


@click.command(cls=Command)
@click.argument("models", nargs=-1, metavar="MODEL_OR_REPORT...", type=click.Path())
@click.option(
    "--model",
    "specs",
    multiple=True,
    metavar="NAME=PATH,...",
    help="One more model, with preprocess=, classes=, input=, output= or restrict_outputs= of its own.",
)
@click.option(
    "--reference",
    metavar="NAME",
    help="What the others are compared to [default: the first; those of --model come last].",
)
@click.option("--series", is_flag=True, help="Show the models in the order of the numbers in their names.")
@click.option("--at", "places", metavar="LIST", help="As --series, by these numbers, one a model.")
@click.option("--agreement", is_flag=True, help="Say how alike the models are as functions, point by point.")
@click.option("-o", "destination", metavar="COMPARISON.h5", type=click.Path(), help="Write all tables to this file.")
@click.option("--reports", metavar="FOLDER", type=click.Path(), help="Keep the reports of measured models there.")
@measuring
@click.option("--no-images", "thumbnails", flag_value=False, default=None, help="Keep no small images in reports.")
@click.option("--html", "page", metavar="PAGE.html", type=click.Path(), help="Make a page for a browser, too.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead.")
@click.option(
    "--csv", "table", metavar="TABLE", help="Print models, figures, contrasts, ranking, spectra or agreement as CSV."
)
@click.pass_context
def compare(
    context: click.Context,
    models: tuple[str, ...],
    specs: tuple[str, ...],
    reference: str | None,
    series: bool,
    places: str | None,
    agreement: bool,
    destination: str | None,
    reports: str | None,
    config: str | None,
    page: str | None,
    as_json: bool,
    table: str | None,
    **flags: Any,
) -> None:
    """Measure models on the same pairs of images and say how they differ; reports (.h5) count as models.

    Exit code 5 where --precision was asked for, which is of the differences here, and not reached.
    """
    from onnxspec import configuration
    from onnxspec.cli.plain import say_written
    from onnxspec.cli.progress import TerminalProgress
    from onnxspec.comparison import candidates, storing
    from onnxspec.comparison.comparing import compare as run
    from onnxspec.comparison.measuring import ADOPTED

    require_one_form(as_json, table)
    if table is not None:
        storing.require_table(table, agreement)
    if destination is not None:
        storing.require_writable(Path(destination))
    if page is not None:
        from onnxspec.saving import require_page

        require_page(page)
    given = _sources(models, specs, config)
    candidates.require_measuring(given, _measuring_flags(context, flags | {"reports": reports}))
    chosen = configuration.load(config, **flags)
    said = {name: value for name, value in chosen.flat().items() if name in ADOPTED and flags.get(name) is not None}
    with TerminalProgress(cached=chosen.execution.cache is not None) as progress:
        found = run(
            given,
            None,
            chosen,
            reference=reference,
            in_series=numbers("--at", places, "1,3,10,30") if places is not None else series,
            with_agreement=agreement,
            reports=reports,
            listener=progress,
            **said,
        )
    with unread():
        _print(found, as_json, table)
    if destination is not None:  # files last: a full disk must not keep back what was found
        storing.write(found, destination)
        say_written(destination, " (onnxspec show prints it again)")
    if page is not None:
        from onnxspec.comparison.page import write_page

        write_page(found, page)
        say_written(page, " (open it in a browser)")
    context.exit(precision_code(found.ended))


def _sources(models: tuple[str, ...], specs: tuple[str, ...], config: str | None) -> list[Any]:
    """What is compared: the command line's models, or those of the configuration where it names none."""
    from onnxspec import configuration
    from onnxspec.comparison import candidates

    tables = configuration.project_table(config).get("models", {})
    given = [*models, *(candidates.from_flag(spec) for spec in specs)]
    return candidates.with_tables(candidates.candidates(given), tables) if given else candidates.from_tables(tables)


def _measuring_flags(context: click.Context, given: dict[str, Any]) -> list[str]:
    """The flags on the command line that say how to measure, as they are written."""
    return [option.opts[0] for option in context.command.params if given.get(str(option.name)) is not None]


def _print(found: Any, as_json: bool, table: str | None) -> None:
    from onnxspec.comparison import storing

    if as_json:
        click.echo(storing.to_json(found))
    elif table is not None:
        from onnxspec.cli.plain import print_csv

        print_csv(storing.to_csv(found, table))
    else:
        from onnxspec.cli.plain import print_view
        from onnxspec.comparison.view import View

        print_view(View(found))
