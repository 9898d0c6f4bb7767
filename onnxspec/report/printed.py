"""Results that print as the page that their command prints, in a notebook, too."""

from typing import Any


class Printed:
    """Something with a view of its own; `repr` is a line, since a result may hold a hundred thousand numbers."""

    def _view(self) -> Any:
        """What rich prints of it."""
        raise NotImplementedError

    def _line(self) -> str:
        """What it is, in a line."""
        raise NotImplementedError

    # Here and in no class below: IPython takes whichever of `__repr__` and `_repr_pretty_` it meets first on its way up.
    def __repr__(self) -> str:
        return self._line()

    def __str__(self) -> str:
        from onnxspec.report.rendering import rendered

        return rendered(self._view())

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        """What IPython shows where a cell ends in it; of one among others a line."""
        printer.text(repr(self) if len(getattr(printer, "stack", ())) > 1 else str(self))
