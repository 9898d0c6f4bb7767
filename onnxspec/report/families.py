"""Families of paths beside straight lines in a report: one long table of figures, and a group of rows for each.

    /families        every pooled figure: family, band of image frequency, kind, selection, signal, metric (figure)
    /paths_FAMILY    a row per path of a family, and its power per signal (path, bin)

Both are there only where a run was asked for such paths.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import h5py
import numpy as np

from onnxspec.report import schema, tables
from onnxspec.report.columns import Column, checked, endless, real, text, whole
from onnxspec.report.storage import Budget, Flaw
from onnxspec.report.writer import ReportWriter
from onnxspec.results import Rows
from onnxspec.settings import KINDS
from onnxspec.statistics import Interval

GROUP = "families"
ROWS = re.compile(r"paths_([a-z][a-z0-9_]{0,31})")
ESTIMATORS = ("sine", "closed")
METRICS = ("hff", "slope", "excess_tv", "flips", "length", "spread")
BANDED = "fourier"
_TEXTS = {
    "family": "family of paths",
    "band": "cycles per image from, and up to but not at; empty where there are no bands",
    "kind": "within or between",
    "selection": "right: the images that count are predicted right; all: every path",
    "signal": "signal that was measured, empty where it is none",
    "metric": "what was measured",
    "estimator": "estimator of the spectrum: sine of open paths, closed of closed ones",
    "reason": "why the figure is undefined, empty where it is defined",
}
COLUMNS = ("family", "band", "kind", "selection", "signal", "metric", "estimator", *schema.INTERVAL_COLUMNS, "reason")
_ROW_COLUMNS = {
    "class_a": ("1", "class of the path, or of its first image, index into /classes"),
    "class_b": ("1", "class of the second image, index into /classes"),
    "image_a": ("1", "image that the path starts at or runs through, index into the data set"),
    "image_b": ("1", "second image that it is made of, -1 where there is none"),
    "image_c": ("1", "third image that it is made of, -1 where there is none"),
    "ends_right": ("1", "how many of the images that count are predicted right"),
    "length": (schema.DISTANCE_UNIT, "length of the path"),
    "band": ("1", "octave of image frequency: 0 for zero, k from 2^(k-1) up to 2^k cycles per image"),
    "spread": (schema.DISTANCE_UNIT, "standard deviation of the images along the wave of the path"),
}


@dataclass(frozen=True)
class FamilyFigure:
    """One pooled number of a family with its interval; `band` as in the table."""

    family: str
    band: str
    kind: str
    selection: str
    signal: str
    metric: str
    estimator: str
    interval: Interval

    def row(self) -> dict[str, Any]:
        """The figure as flat columns."""
        own = {name: getattr(self, name) for name in ("family", "band", "kind", "selection", "signal", "metric")}
        return own | {"estimator": self.estimator} | asdict(self.interval)


@dataclass(frozen=True)
class FamilyTable:
    """What a report keeps of a family: rows with their bins (bins,) float64 in cycles per path, and figures."""

    name: str
    rows: Rows
    frequency: np.ndarray
    figures: Sequence[FamilyFigure]


def write(writer: ReportWriter, found: Sequence[FamilyTable]) -> None:
    """The figures of all families, and the rows of each."""
    group = writer.group(GROUP)
    rows = [figure.row() for one in found for figure in one.figures]
    tables.scale(group, "figure", np.arange(len(rows), dtype=np.int32), "1", "number of the figure")
    texts = {name: ("1", long_name) for name, long_name in _TEXTS.items()}
    for name, (unit, long_name) in (texts | schema.INTERVAL_COLUMNS).items():
        tables.column(group, name, [row[name] for row in rows], unit, long_name, ("figure",))
    for one in found:
        _write_rows(writer.group(f"paths_{one.name}"), one)


def _write_rows(group: h5py.Group, family: FamilyTable) -> None:
    tables.scale(group, "path", np.arange(len(family.rows), dtype=np.int32), "1", "number of the path in its family")
    tables.scale(group, "bin", family.frequency, schema.PATH_FREQUENCY_UNIT, "frequency of a bin")
    for name, values in family.rows.columns.items():
        unit, long_name = _ROW_COLUMNS.get(name) or schema.describe_path_column(name)
        tables.column(group, name, values, unit, long_name, ("path", "bin")[: values.ndim])


def names_of(groups: Sequence[str]) -> list[str]:
    """The families that have rows, of the names of all groups."""
    return [found[1] for found in map(ROWS.fullmatch, groups) if found]


def require(file: h5py.File, names: Sequence[str], signals: Sequence[str], last_class: int, budget: Budget) -> None:
    """The part of the contract that a report keeps if it has other families, of these names.

    Raises
    ------
    Flaw
        It does not.
    """
    if (GROUP in file) != bool(names):
        raise Flaw(f"has paths of other families and no /{GROUP}, or the other way round")
    if not names:
        return
    got = checked(file, GROUP, _figures(names, signals), {}, budget)
    if missing := set(names) - set(tables.read_column(got["family"]).tolist()):
        raise Flaw(f"has no figures of {min(missing)} at /{GROUP}")
    for name in names:
        _require_rows(file, name, signals, last_class, budget)


def _require_rows(file: h5py.File, name: str, signals: Sequence[str], last_class: int, budget: Budget) -> None:
    sizes: dict[str, int] = {}
    got = checked(file, f"paths_{name}", _rows(name, signals, last_class), sizes, budget)
    grid = np.arange(1, sizes["bin"] + 1)
    if not sizes["path"] or not any(np.array_equal(got["bin"][()], grid / by) for by in (1, 2)):
        raise Flaw(f"has no paths at /paths_{name}, or other frequencies than a path has")


def _figures(names: Sequence[str], signals: Sequence[str]) -> Mapping[str, Column]:
    words = {"family": names, "kind": KINDS, "selection": ("right", "all"), "signal": ("", *signals, "prob")}
    words |= {"metric": METRICS, "estimator": ("", *ESTIMATORS), "band": (), "reason": ()}
    texts = {name: text("figure", *some) for name, some in words.items()}
    numbers = {name: endless("figure") for name in ("low", "high", "n_eff")}
    return texts | numbers | {"estimate": real("figure"), "figure": whole("figure"), "paths": whole("figure")}


def _rows(name: str, signals: Sequence[str], last_class: int) -> Mapping[str, Column]:
    numbers = {f"class_{end}": whole("path", high=last_class) for end in "ab"}
    numbers |= {f"image_{end}": whole("path", low=0 if end == "a" else -1) for end in "abc"}
    numbers |= {"kind": whole("path", high=1), "within_reach": whole("path", high=1), "flips": whole("path")}
    numbers |= {"ends_right": whole("path", high=3), "path": whole("path"), "excess_tv": real("path")}
    numbers |= {"bin": real("bin", low=0, finite=True), "length": real("path", low=0, finite=True)}
    if name == BANDED:
        numbers |= {"band": whole("path", high=64), "spread": real("path", low=0)}
    for signal in signals:
        numbers |= {f"{one}_{signal}": real("path") for one in ("hf", "total", "slope")}
        numbers[f"power_{signal}"] = real("path", "bin")
    return numbers


def key_of(family: str, kind: str, metric: str, signal: str, band: str, selection: str) -> tuple[str, ...]:
    """What a figure is looked up by; what does not depend on the signal stands under none or under prob."""
    signal = {"length": "", "spread": "", "excess_tv": "prob", "flips": "prob"}.get(metric, signal)
    return family, band, kind, selection, signal, metric
