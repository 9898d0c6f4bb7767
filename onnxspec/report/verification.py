"""A report is checked before anything of it is used: that it is of this schema, whole, and as it was written.

Two digests stand in a report. `digest` is equal on equal runs, whatever the files are called, and so it leaves out the
names of model and data and the remarks, which quote them. `digest_with_names` covers those too, together with
`digest`: without it a warning could be taken out of a report, or a name put in, and nobody would see. /run is in
neither. It holds the time, the host and the like, and no figure; equal runs differ in it.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from onnxspec.errors import ReportError
from onnxspec.report import attributes, contract, schema, tables
from onnxspec.report.storage import Budget, Flaw, opened, require_scalars, require_tables

_VERSION = "schema_version"
HEAT_MAP, COMPARISON = "heatmap_schema_version", "comparison_schema_version"
NOISE, PARITY = "noise_schema_version", "parity_schema_version"


@dataclass(frozen=True)
class Kept:
    """A kind of file: what it is, what writes it, the version that it is written in and read, and what to do with it."""

    what: str
    maker: str
    version: int = 1
    use: str = "onnxspec show prints it."


OTHERS = {
    HEAT_MAP: Kept("a heat map", "onnxspec heatmap MODEL --data IMAGES -o MAP.h5"),
    COMPARISON: Kept(
        "a comparison",
        "onnxspec compare MODEL OTHER --data IMAGES -o COMPARISON.h5",
        2,
        "onnxspec show prints it, report makes a page of it, and plot, given it alone, draws its"
        " spectrum, factors or series.",
    ),
    NOISE: Kept("what noise fit measured", "onnxspec noise fit CHECKPOINT... --data IMAGES -o NOISE.h5", 2),
    PARITY: Kept(
        "what analyze --protocol measured", "onnxspec analyze MODEL --data IMAGES --protocol NAME -o NAME.h5", 2
    ),
}
"""Files of onnxspec's that are no reports, by the attribute that marks them with its version."""


def verified(path: Path) -> dict[str, Any]:
    """The attributes of a report that may be used.

    Raises
    ------
    ReportError
        It is missing, no report, of another schema, damaged, or was changed after it was written.
    """
    with opened(path) as file:
        require_version(file, path)
        found = contract.require(file, Budget(path))
        require_digests(file)
    return found


def as_written(path: Path) -> dict[str, Any]:
    """The attributes of a report that this process has just written and sealed.

    Raises
    ------
    ReportError
        It is missing, or no report of this schema.
    """
    with opened(path) as file:
        require_version(file, path)
        return attributes.of_report(file)


@contextmanager
def other(path: str | os.PathLike[str], mark: str) -> Iterator[h5py.File]:
    """A file of one of `OTHERS`, open for reading, all of whose tables may be read: it is whole, and as it was written.

    Raises
    ------
    ReportError
        It is missing, something else, of another schema version, damaged, or was changed after it was written; and
        whatever the block stumbles over is the file's fault.
    """
    place, kept = Path(path), OTHERS[mark]
    if not place.is_file():
        raise ReportError(f"There is no file {place}.", f"Make one: {kept.maker}")
    with opened(place) as file:
        if mark not in file.attrs:
            raise ReportError(f"{place} is not {kept.what}.", f"Make one: {kept.maker}")
        require_scalars(file, "/")
        if (version := file.attrs[mark]) != kept.version:
            raise ReportError(
                f"{place} is of schema version {str(version)[:20]}; this onnxspec reads {kept.version}.",
                f"Make it again: {kept.maker}",
            )
        require_tables(file, Budget(place))
        require_digests(file)
        yield file


def require_version(file: h5py.File, path: Path) -> None:
    """Refuses what is no report, or one of another schema.

    Raises
    ------
    ReportError
        With both versions, and what to do.
    """
    for mark in OTHERS.keys() & set(file.attrs):
        raise ReportError(f"{path} is {OTHERS[mark].what}, not a report.", OTHERS[mark].use)
    if _VERSION not in file.attrs:
        raise ReportError(f"{path} is an HDF5 file but not an onnxspec report.", "Make one: onnxspec analyze")
    known = file.attrs.get_id(_VERSION)
    version = file.attrs[_VERSION] if known.shape == () and known.dtype.kind == "i" else "of an unknown kind"
    if version != schema.SCHEMA_VERSION:
        writer = _scalars_or_nothing(file).get("tool_version", "unknown")
        age = "newer" if isinstance(version, np.integer) and version > schema.SCHEMA_VERSION else "other"
        raise ReportError(
            f"{path} has report schema {version}; this onnxspec reads schema {schema.SCHEMA_VERSION}.",
            f"Analyse the model again, or use the {age} version of onnxspec that wrote it ({str(writer)[:40]}).",
        )


def require_digests(file: h5py.File) -> None:
    """Refuses a file that is not as it was written.

    Raises
    ------
    Flaw
        A digest is not what the file holds.
    """
    if file.attrs["digest"] != tables.digest(file):
        raise Flaw("was changed since it was written: its digest is another")
    if file.attrs["digest_with_names"] != tables.digest_with_names(file):
        raise Flaw("was changed since it was written: its names or its remarks are others")


def _scalars_or_nothing(file: h5py.File) -> dict[str, Any]:
    """The attributes of a file of which nothing is known yet."""
    try:
        return attributes.scalars(file, "/")
    except Flaw:
        return {}
