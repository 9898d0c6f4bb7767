"""A report is checked before anything of it is used: that it is of this schema, whole, and as it was written.

Two digests stand in a report. `digest` is equal on equal runs, whatever the files are called, and so it leaves out the
names of model and data and the remarks, which quote them. `digest_with_names` covers those too, together with
`digest`: without it a warning could be taken out of a report, or a name put in, and nobody would see. /run is in
neither. It holds the time, the host and the like, and no figure; equal runs differ in it.
"""

from pathlib import Path
from typing import Any

import h5py
import numpy as np

from onnxspec.errors import ReportError
from onnxspec.report import attributes, contract, schema, tables
from onnxspec.report.storage import Budget, Flaw, opened

_VERSION = "schema_version"
_OTHERS = {
    "comparison_schema_version": ("a comparison", "onnxspec plot --what series draws one that was made with --series."),
    "heatmap_schema_version": ("a heat map", "onnxspec show prints it; --picture draws it as it is made."),
    "parity_schema_version": (
        "what analyze --protocol measured",
        "It was printed as it was made; h5py and xarray read it. A report is made without --protocol.",
    ),
    "noise_schema_version": ("what noise fit measured", "It was printed as it was made; h5py and xarray read it."),
}


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


def require_version(file: h5py.File, path: Path) -> None:
    """Refuses what is no report, or one of another schema.

    Raises
    ------
    ReportError
        With both versions, and what to do.
    """
    for mark in _OTHERS.keys() & set(file.attrs):
        what, hint = _OTHERS[mark]
        raise ReportError(f"{path} is {what}, not a report.", hint)
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
