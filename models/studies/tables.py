"""Rows of plain values as CSV, six significant digits, and back."""

import csv
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any, TypeVar

Row = TypeVar("Row")


def write(kind: type, rows: Sequence[Any], path: Path) -> None:
    """Writes rows of a dataclass of str, int and float; their fields are the columns."""
    path.parent.mkdir(parents=True, exist_ok=True)
    names = [field.name for field in fields(kind)]
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(names)
        for row in rows:
            values = [getattr(row, name) for name in names]
            writer.writerow([f"{value:.6g}" if isinstance(value, float) else value for value in values])


def read(kind: type[Row], path: Path) -> list[Row]:
    """Reads what `write` wrote; a table that is not there has no rows."""
    if not path.exists():
        return []
    types = {field.name: field.type for field in fields(kind)}  # type: ignore[arg-type]
    with path.open(newline="", encoding="utf-8") as file:
        return [kind(**{name: types[name](value) for name, value in row.items()}) for row in csv.DictReader(file)]
