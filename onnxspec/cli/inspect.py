"""`onnxspec inspect`: what an ONNX file holds, and whether onnxspec can analyse it."""

import json
from typing import Any

import click

from onnxspec.cli.arguments import Command
from onnxspec.cli.streams import unread
from onnxspec.errors import ExitCode


@click.command(cls=Command)
@click.argument("model", type=click.Path())
@click.option("--input", metavar="NAME", help="The image input, where the model has several.")
@click.option("--output", metavar="NAME", help="The class scores, where the model has several outputs.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead.")
@click.pass_context
def inspect(context: click.Context, model: str, input: str | None, output: str | None, as_json: bool) -> None:
    """Say what MODEL holds, what would run it, and whether onnxspec can analyse it (exit 3 when not)."""
    from onnxspec.model.summary import summarise

    summary = summarise(model, input, output)
    with unread():
        if as_json:
            click.echo(json.dumps(summary.as_dict(), indent=2))
        else:
            _print(summary)
    context.exit(ExitCode.PASS if summary.can_be_analysed else ExitCode.REFUSED)


def _print(summary: Any) -> None:
    from onnxspec.cli.plain import print_line, print_rows

    print_line(summary.path, style="bold")
    print_rows(summary.rows())
    if summary.can_be_analysed:
        print_line("onnxspec can analyse this model.", style="green")
        return
    print_line("onnxspec cannot analyse this model:", style="red")
    print_rows(("-", problem) for problem in summary.problems)
