"""`onnxspec analyze --protocol`: a published measurement in place of a report."""

from pathlib import Path
from typing import Any

import click

from onnxspec.errors import UsageError


def by_protocol(
    protocol: str, model: str, result: str | None, config: str | None, as_json: bool, flags: dict[str, Any]
) -> None:
    """Measures, writes MODEL-stem-PROTOCOL.h5 here unless `result` says where, and prints."""
    from onnxspec import configuration, parity
    from onnxspec.cli.progress import TerminalProgress

    if flags.pop("page", None) is not None:
        raise UsageError("--html makes a page of a report, and --protocol makes none.", "Leave one of them out.")
    chosen = configuration.load(config, base=parity.defaults(protocol), **flags)
    destination = Path(result) if result else Path(f"{Path(model).stem}-{protocol}.h5")
    with TerminalProgress() as progress:
        found = parity.run(model, None, chosen, protocol, destination, progress)
    if as_json:
        from onnxspec.parity.storing import to_json

        click.echo(to_json(found))
        return
    from onnxspec.cli.plain import print_view, say_written
    from onnxspec.parity.view import View

    print_view(View(found))
    say_written(destination)
