"""`onnxspec analyze`: a model and images in, a frequency report out."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from onnxspec.cli.arguments import Command
from onnxspec.cli.options import measuring, precision_code
from onnxspec.cli.streams import unread
from onnxspec.errors import UsageError

if TYPE_CHECKING:
    from onnxspec.report.report import Report


@click.command(cls=Command)
@click.argument("model", type=click.Path())
@click.option("-o", "report", metavar="REPORT.h5", type=click.Path(), help="The report [default: MODEL-stem.h5 here].")
@measuring
@click.option("--html", "page", metavar="PAGE.html", type=click.Path(), help="Make a page for a browser, too.")
@click.option("--no-images", "thumbnails", flag_value=False, default=None, help="Keep no small images in the report.")
@click.option("--protocol", metavar="NAME", help="A paper's own measurement instead: mool or sbp.")
@click.option("--dry-run", is_flag=True, help="Say what it will cost: open and measure all, and write nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
@click.pass_context
def analyze(
    context: click.Context,
    model: str,
    report: str | None,
    config: str | None,
    page: str | None,
    protocol: str | None,
    dry_run: bool,
    as_json: bool,
    **flags: Any,
) -> None:
    """Measure how wiggly MODEL is between images, within a class and between classes.

    Exit code 5 where --precision was asked for and not reached; the report is there all the same.
    """
    if dry_run:
        return _say_what_it_costs(model, protocol, config, as_json, flags)
    if protocol is not None:
        from onnxspec.cli.protocol import by_protocol

        return by_protocol(protocol, model, report, config, as_json, flags | {"page": page})
    from onnxspec import configuration
    from onnxspec.analysis.analyzing import analyze as run
    from onnxspec.cli.progress import TerminalProgress

    chosen = configuration.load(config, **flags)
    destination = Path(report) if report else Path(f"{Path(model).stem}.h5")
    if page is not None:
        from onnxspec.saving import require_page

        require_page(page)
    with TerminalProgress(cached=chosen.execution.cache is not None) as progress:
        result = run(model, None, chosen, output=destination, listener=progress)
    with unread():
        _print(result, as_json)
    if not as_json:
        from onnxspec.cli.plain import copyable, say_written

        say_written(destination, f" (onnxspec show {copyable(destination)} prints it again)")
    if page is not None:  # last: a full disk must not keep back what was found
        from onnxspec.report.html.page import write_page

        write_page(result, page)
    context.exit(precision_code(result.ended))


def _print(result: "Report", as_json: bool) -> None:
    if as_json:
        from onnxspec.report.export import to_json

        click.echo(to_json(result))
    else:
        from onnxspec.cli.plain import print_view
        from onnxspec.report.terminal import summary

        print_view(summary(result))


def _say_what_it_costs(
    model: str, protocol: str | None, config: str | None, as_json: bool, flags: dict[str, Any]
) -> None:
    from onnxspec import configuration
    from onnxspec.analysis.forecast import forecast
    from onnxspec.cli.plain import print_rows
    from onnxspec.cli.progress import TerminalProgress, duration
    from onnxspec.model.machine import size_text

    if protocol is not None:
        raise UsageError("--dry-run says what a report costs, and --protocol makes none.", "Leave one of them out.")
    with TerminalProgress() as progress:
        found = forecast(model, None, configuration.load(config, **flags), listener=progress)
    if as_json:
        import json

        click.echo(json.dumps(found.to_dict(), indent=2))
        return
    memory = "unknown" if found.memory_bytes is None else f"about {size_text(found.memory_bytes)}"
    most = "at most " if found.at_most else ""
    doubling = "; the pilot may double them" if found.points_open else ""
    form = f"batches of {found.batch}, workers: {found.threads}, threads inside a session: {found.session_threads}"
    print_rows(
        [
            ("paths", f"{most}{found.paths:,}, straight ones of {found.points} points{doubling}"),
            ("forward passes", f"{found.forward_passes:,}"),
            ("rate", f"{_rate(1 / found.seconds_per_image)} a second, measured: {form}"),
            ("device", found.device),
            ("time", f"about {duration(found.seconds)}"),
            ("memory", memory),
            ("report", f"about {size_text(found.report_bytes)}"),
        ],
        indent=0,
    )


def _rate(images: float) -> str:
    return f"{images:.3g}" if images < 100 else f"{images:,.0f}"
