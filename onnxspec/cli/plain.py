"""Two-column answers for the terminal, in which text from files stays text."""

import os
import shlex
import sys
from collections.abc import Iterable

import click
from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from onnxspec.cli.streams import complain
from onnxspec.errors import inert


def printable(text: str) -> str:
    """`inert` text that standard output can encode."""
    encoding = getattr(sys.stdout, "encoding", None) or "ascii"
    return inert(text).encode(encoding, "backslashreplace").decode(encoding)


def copyable(path: str | os.PathLike[str]) -> str:
    """A path as a command line takes it: cmd.exe knows no quotes but double ones, which no name there has."""
    text = os.fspath(path)
    quoted = shlex.quote(text)
    return inert(f'"{text}"' if os.name == "nt" and quoted != text else quoted)


def say_written(path: str | os.PathLike[str], more: str = "") -> None:
    """Say on standard error what was written; a file's name may hold anything."""
    complain(inert(f"Written: {click.format_filename(path)}") + more)


def print_rows(rows: Iterable[tuple[str, str]], indent: int = 2) -> None:
    """Print name and value a line each to standard output; long values wrap in their column."""
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in rows:
        table.add_row(Text(" " * indent + printable(name)), Text(printable(value)))
    print_view(table)


def print_line(text: str, style: str = "") -> None:
    """Print one line to standard output; a long one is the terminal's to wrap."""
    console().print(Text(printable(text), style=style), soft_wrap=True)


def print_csv(text: str) -> None:
    """Print a table to standard output as bytes, since CSV is UTF-8 whatever the terminal is."""
    click.echo(text.encode("utf-8"), nl=False)


def print_view(view: RenderableType) -> None:
    """Print a view: as it is on a terminal, elsewhere without spaces at the ends of lines."""
    from onnxspec.report.rendering import rendered

    out = console()
    if out.is_terminal:
        out.print(view)
    else:
        click.echo(rendered(view, out.width, out.encoding))


def console() -> Console:
    """The console on standard output; NO_COLOR and terminals without colour are rich's own care."""
    return Console(highlight=False, markup=False, emoji=False)
