"""A report for other programs: strict JSON, and CSV tables for spreadsheets and data frames.

Spectra come in long form, a row a bin, since the number of bins differs from report to report and long tables of
several reports can be laid one below the other. Paths come in wide form, a row a path, since a path is what scripts
filter and join; the power of its bins follows as columns named by frequency in cycles per path.
"""

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping

import numpy as np

from onnxspec.errors import UsageError, inert
from onnxspec.report.families import COLUMNS
from onnxspec.report.report import Report
from onnxspec.report.schema import describe_path_column
from onnxspec.settings import KINDS

_FIRST = (
    *("figure", "class", "path", "check", "name", "folder", "kind", "class_a", "class_b", "selection", "signal"),
    *("signal_name", "metric", "estimator", "estimate", "low", "high", "unit"),
)
# The wide forms start a formula in spreadsheets of East Asia.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")

_ROWS = 1024

Columns = dict[str, np.ndarray]


def to_json(report: Report) -> str:
    """The summary as one JSON object: what was measured on what, all figures, classes and remarks.

    Undefined numbers are null, and all text is ASCII, so that every parser reads it.
    """
    return json.dumps(report.to_dict(), indent=2, allow_nan=False)


def require_table(table: str, known: Iterable[str]) -> None:
    """Refuses a table that there is not (UsageError)."""
    if table not in known:
        raise UsageError(f"There is no table {table!r}.", f"Known: {', '.join(known)}.")


def to_csv(report: Report, table: str) -> str:
    """One table of a report as CSV with a line of headings; undefined numbers are empty.

    Text that a spreadsheet would take for a formula is preceded by an apostrophe; control characters in it are
    escaped, so that a row is a line.

    Parameters
    ----------
    table : figures, families, classes, spectra, paths or checks

    Raises
    ------
    UsageError
        There is no such table.
    """
    require_table(table, TABLES)
    columns = TABLES[table](report)
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(columns)
    # A number as text takes ten times its own bytes, and there are millions of bins.
    for start in range(0, len(next(iter(columns.values()))), _ROWS):
        block = (_cells(values[start : start + _ROWS]) for values in columns.values())
        writer.writerows(zip(*block, strict=True))
    return out.getvalue()


def _figures(report: Report) -> Columns:
    return _ordered(report.figures)


def _families(report: Report) -> Columns:
    """Other families of paths; headings alone where there are none."""
    names = ("figure", *COLUMNS, "unit")
    found = report.families or {name: np.empty(0, object) for name in names}
    return {name: found[name] for name in names}


def _classes(report: Report) -> Columns:
    return _ordered(report.classes)


def _paths(report: Report) -> Columns:
    """Scalars, kinds and classes by their names, and one column per bin of power."""
    paths, names = dict(report.paths), report.classes["name"]
    paths |= {"kind": np.array(KINDS, object)[paths["kind"]]} | {
        end: names[paths[end]] for end in ("class_a", "class_b")
    }
    frequency = paths.pop("bin")
    scalars = {name: values for name, values in paths.items() if values.ndim == 1}
    power = {
        f"{name}_{at:g}": values[:, i]
        for name, values in paths.items()
        if values.ndim == 2
        for i, at in enumerate(frequency)
    }
    return _ordered(scalars) | power


def _spectra(report: Report) -> Columns:
    """A row per stratum, signal and bin; `unit` is that of power, low and high."""
    spectra = report.spectra
    strata, bins = len(spectra["stratum"]), len(spectra["frequency"])
    signals = str(report.attributes["signals"]).split()
    of_stratum = ("kind", "class_a", "class_b", "selection")
    columns = {name: np.tile(np.repeat(spectra[name], bins), len(signals)) for name in of_stratum}
    columns["signal"] = np.repeat(np.array(signals, object), strata * bins)
    for name in ("frequency", "frequency_per_reference"):
        columns[name] = np.tile(spectra[name], strata * len(signals))
    for name, suffix in (("power", ""), ("low", "_low"), ("high", "_high")):
        columns[name] = np.concatenate([spectra[f"power_{signal}{suffix}"].ravel() for signal in signals])
    estimator = str(report.attributes["estimator"])
    units = [describe_path_column(f"power_{signal}", estimator)[0] for signal in signals]
    columns["unit"] = np.repeat(np.array(units, object), strata * bins)
    columns["paths"] = np.tile(np.repeat(spectra["paths"], bins), len(signals))
    return columns


def _checks(report: Report) -> Columns:
    """A row per kind and signal; the noise floor per bin stays in the report file."""
    rows = len(report.checks["check"])
    per_check = {name: values for name, values in report.checks.items() if values.shape == (rows,)}
    return _ordered({name: values for name, values in per_check.items() if name not in ("signal", "noise_bin")})


TABLES: Mapping[str, Callable[[Report], Columns]] = {
    "figures": _figures,
    "families": _families,
    "classes": _classes,
    "spectra": _spectra,
    "paths": _paths,
    "checks": _checks,
}


def _ordered(columns: Mapping[str, np.ndarray]) -> Columns:
    """What a row is about first, then the rest by name (HDF5 keeps no order of its own)."""
    names = [name for name in _FIRST if name in columns] + [name for name in columns if name not in _FIRST]
    return {name: columns[name] for name in names}


def _cells(values: np.ndarray) -> Iterator[str]:
    """A column (n,) as text: numbers as short as they read back, text as nothing but text."""
    if values.dtype.kind == "O":
        return (defused(inert(value)) for value in values)
    return ("" if text == "nan" else text for text in values.astype(str).tolist())


def defused(text: str) -> str:
    """Text that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(_FORMULA) else text
