"""Pictures beside a result: a place and a form that are known to do before any work is done."""

from pathlib import Path
from typing import TYPE_CHECKING

from onnxspec.errors import UsageError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FORMS = ("svg", "pdf", "png")
_SHOWN = 20


def form_of(path: str) -> str:
    """What the ending of a picture's name says to draw (UsageError where it says nothing)."""
    form = Path(path).suffix.lower().removeprefix(".")
    if form not in FORMS:
        raise UsageError(f"{Path(path).name} has no ending that says what to draw.", "Use .svg, .pdf or .png.")
    return form


def require_picture(path: str) -> None:
    """Refuses a picture that could not be written, before any work is done (UsageError)."""
    from onnxspec.saving import require_place

    form_of(path)
    require_place(path)


def save_picture(figure: "Figure", path: str) -> None:
    """Writes a figure under its name, whole, and says so."""
    from onnxspec.cli.plain import say_written
    from onnxspec.cli.streams import complain
    from onnxspec.report.figures import style
    from onnxspec.saving import replacing

    with replacing(path) as file:
        missing = style.save(figure, str(file), form_of(path))
    if missing:
        some = missing if len(missing) <= _SHOWN else f"{missing[:_SHOWN]}…"
        complain(f"No font here has {some}: boxes stand for them. Install one that has, such as Noto Sans CJK.")
    say_written(path)
