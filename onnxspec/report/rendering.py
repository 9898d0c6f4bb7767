"""What rich makes of a view, as plain text."""

import io
import sys
from typing import Any

from rich.console import Console, RenderableType


def rendered(renderable: RenderableType, width: int = 80, encoding: str | None = None) -> str:
    """What rich makes of something, without colours and without spaces at the ends of lines.

    Parameters
    ----------
    encoding : what the text will be written in; None takes standard output's
    """
    # What stands in for standard output, in a service or a notebook, need not have one.
    encoding = encoding or getattr(sys.stdout, "encoding", None) or "utf-8"
    raw = io.BytesIO()
    file = io.TextIOWrapper(raw, encoding=encoding, errors="backslashreplace", newline="\n")
    off: dict[str, Any] = {"force_terminal": False, "force_jupyter": False, "highlight": False, "color_system": None}
    off["legacy_windows"] = False  # which a console is, and no text
    plain = Console(file=file, width=width, markup=False, emoji=False, **off)
    plain.print(renderable)
    file.flush()
    return "\n".join(line.rstrip() for line in raw.getvalue().decode(encoding).split("\n")).rstrip("\n")
