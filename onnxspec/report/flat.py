"""Flat tables, lists of rows of named values, as CSV and HDF5: what every measurement beside a report is kept as."""

import csv
import io
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeVar, get_type_hints

import h5py
import numpy as np

from onnxspec.errors import inert
from onnxspec.report import tables
from onnxspec.report.attributes import held
from onnxspec.report.export import defused
from onnxspec.report.storage import Flaw
from onnxspec.report.tables import OF_HDF5
from onnxspec.results import Remark

Row = Mapping[str, Any]
Made = TypeVar("Made")


def to_csv(rows: Sequence[Row], headings: Iterable[str] = ()) -> str:
    """Rows with a line of headings, those given where there may be no row; undefined numbers are empty, formulas text."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(rows[0] if rows else headings)
    writer.writerows([_cell(value) for value in row.values()] for row in rows)
    return out.getvalue()


def to_json(content: Mapping[str, Any]) -> str:
    """One JSON object; undefined numbers are null, and all text is ASCII."""
    return json.dumps(_plain(content), indent=2, allow_nan=False)


def to_hdf5(
    content: Mapping[str, Sequence[Row]],
    attributes: Mapping[str, Any],
    long_names: Mapping[str, str],
    units: Mapping[str, str],
) -> bytes:
    """An HDF5 file of tables, a group each with a variable per column; empty tables are left out.

    The digests are those of a report. Made in memory: it is small, and meets a full disk only as bytes to write.
    """
    image = io.BytesIO()
    with h5py.File(image, "w", libver=("earliest", "v110")) as file:
        for name, rows in content.items():
            if rows:
                _write_table(file.create_group(name), rows, long_names, units)
        tables.set_attributes(file, {name: math.nan if v is None else v for name, v in attributes.items()})
        tables.seal(file)
    return image.getvalue()


def described(file: h5py.File, mark: str) -> tuple[dict[str, Any], tuple[Remark, ...]]:
    """The attributes of a file but for its digests and what marks it, numbers as Python's own; and its remarks.

    Raises
    ------
    Flaw
        The remarks are none.
    KeyError
        There are no remarks.
    """
    own = {"digest", "digest_with_names", mark} | OF_HDF5
    found = {name: file.attrs[name] for name in file.attrs if name not in own}
    plain = {name: value.item() if isinstance(value, np.generic) else value for name, value in found.items()}
    return plain, tuple(Remark(**one) for one in held(plain.pop("remarks"), "remarks"))


def rows(file: h5py.File, table: str) -> list[Row]:
    """The rows of a table as they were written; none where it was empty."""
    if table not in file:
        return []
    columns = {name: tables.read_column(file[table][name]).tolist() for name in file[table] if name != "row"}
    return [dict(zip(columns, cells, strict=True)) for cells in zip(*columns.values(), strict=True)]


def typed(wanted: Mapping[str, type], row: Row) -> dict[str, Any]:
    """The values of a row by name, each a text, a whole number or a number, as it should be.

    Raises
    ------
    Flaw
        One is of another type.
    KeyError
        One is missing.
    """
    found = {name: row[name] for name in wanted}
    for name, kind in wanted.items():
        if kind is float and type(found[name]) is int:
            found[name] = float(found[name])
        if type(found[name]) is not kind:
            raise Flaw(f"has {str(found[name])[:60]!r} as {name}, which cannot be")
    return found


def made(kind: type[Made], row: Row) -> Made:
    """A dataclass of texts and numbers from a row that has its fields; raises as `typed` does."""
    return kind(**typed(get_type_hints(kind), row))


def _write_table(
    group: h5py.Group, rows: Sequence[Row], long_names: Mapping[str, str], units: Mapping[str, str]
) -> None:
    tables.scale(group, "row", np.arange(len(rows), dtype=np.int32), "1", "number of the row")
    for name in rows[0]:
        long_name = long_names.get(name, name.replace("_", " "))
        tables.column(group, name, [row[name] for row in rows], units.get(name, "1"), long_name, ("row",))


def _cell(value: Any) -> str:
    if isinstance(value, str):
        return defused(inert(value))
    return "" if isinstance(value, float) and math.isnan(value) else str(value)


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return tables.plain(value)
