"""`onnxspec doctor`: what is installed, what works, and what to do about the rest."""

import json
from dataclasses import asdict

import click

from onnxspec.cli.arguments import Command
from onnxspec.cli.streams import unread
from onnxspec.errors import ExitCode


@click.command(cls=Command)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON list instead.")
@click.pass_context
def doctor(context: click.Context, as_json: bool) -> None:
    """List what is installed, find what clashes, and try a session on every execution provider."""
    from onnxspec.cli.plain import print_rows
    from onnxspec.model.doctor import examine

    findings = examine()
    with unread():
        if as_json:
            click.echo(json.dumps([asdict(finding) for finding in findings], indent=2))
        else:
            print_rows(
                (f"{finding.level:<8}{finding.subject}", ". ".join(filter(None, (finding.text, finding.hint))))
                for finding in findings
            )
    broken = any(finding.level == "error" for finding in findings)
    context.exit(ExitCode.UNAVAILABLE if broken else ExitCode.PASS)
