"""What a column must be: its type, its dimensions and its range; a table is checked before anything reads it."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import h5py
import numpy as np

from onnxspec.report import storage, tables
from onnxspec.report.storage import Budget, Flaw

TEXT, WHOLE, REAL, BYTE = "text", "whole number", "number", "byte"
# No figure comes near; squares and sums of what is below stay finite.
LARGEST = 1e100
_KINDS = {WHOLE: "i", REAL: "f", BYTE: "u"}


@dataclass(frozen=True)
class Column:
    """A column over dimensions.

    low, high : what numbers lie between, both included; finite : whether NaN is refused as well
    words : what texts may say, empty for anything
    """

    kind: str
    dims: tuple[str, ...]
    low: float = -LARGEST
    high: float = LARGEST
    finite: bool = False
    words: frozenset[str] = frozenset()


def text(dim: str, *words: str) -> Column:
    """A column of texts, out of `words` where there are any."""
    return Column(TEXT, (dim,), words=frozenset(words))


def whole(dim: str, low: int = 0, high: float = 2**31 - 1) -> Column:
    """A column of whole numbers."""
    return Column(WHOLE, (dim,), low, high)


def real(*dims: str, low: float = -LARGEST, high: float = LARGEST, finite: bool = False) -> Column:
    """Real numbers over dimensions, NaN where they are not defined."""
    return Column(REAL, dims, low, high, finite)


def endless(*dims: str) -> Column:
    """Real numbers that may be infinite: the ends of intervals."""
    return Column(REAL, dims, -math.inf, math.inf)


def checked(
    file: h5py.File, group: str, wanted: Mapping[str, Column], sizes: dict[str, int], budget: Budget
) -> dict[str, h5py.Dataset]:
    """The columns of a group, which must be those that are wanted and no others.

    Parameters
    ----------
    sizes : lengths of dimensions that are known; those of the group are added

    Raises
    ------
    Flaw
        One is missing or too many, or is not what it must be.
    """
    if not isinstance(table := file.get(group), h5py.Group):
        raise Flaw(f"has no table /{group}")
    names = storage.members(table)
    storage.require_scalars(table, f"/{group}", ())
    if missing := sorted(wanted.keys() - set(names)):
        raise Flaw(f"has no column /{group}/{missing[0]}")
    if extra := sorted(set(names) - wanted.keys()):
        raise Flaw(f"has something at /{group}/{extra[0]} that no report has")
    found = {name: storage.array(table, name, budget) for name in names}
    for name, column in wanted.items():
        _require_shape(found[name], column, sizes)
    for name, column in wanted.items():
        _require_values(found[name], column)
    return found


def _require_shape(dataset: h5py.Dataset, column: Column, sizes: dict[str, int]) -> None:
    kind = TEXT if storage.is_text(dataset.dtype) else next(k for k, v in _KINDS.items() if v == dataset.dtype.kind)
    if kind != column.kind or dataset.dtype.itemsize not in (1, 2, 4, 8):
        raise Flaw(f"has values of the type {dataset.dtype} at {dataset.name}, where a {column.kind} was expected")
    shape = dataset.shape
    known = tuple(sizes.setdefault(dim, length) for dim, length in zip(column.dims, shape, strict=False))
    if len(shape) != len(column.dims) or known != shape:
        expected = tuple(sizes.get(dim, dim) for dim in column.dims)
        raise Flaw(f"has the shape {shape} at {dataset.name}; {expected} was expected")


def _require_values(dataset: h5py.Dataset, column: Column) -> None:
    if column.kind == TEXT:
        _require_words(dataset, column)
    elif column.kind != BYTE and math.isfinite(column.high):
        _require_range(dataset, column)


def _require_words(dataset: h5py.Dataset, column: Column) -> None:
    values = tables.read_column(dataset).ravel().tolist()
    if column.words and (other := set(values) - column.words):
        raise Flaw(f"says {min(other)[:40]!r} at {dataset.name}; {', '.join(sorted(column.words))} was expected")


def _require_range(dataset: h5py.Dataset, column: Column) -> None:
    for span in tables.spans(dataset):
        _require_in_range(dataset[span], dataset.name, column)


def _require_in_range(values: np.ndarray, name: str, column: Column) -> None:
    # What float32 cannot hold is infinite there, which is as far outside.
    largest = float(np.finfo(values.dtype).max) if values.dtype.kind == "f" else math.inf
    outside = (values < max(column.low, -largest)) | (values > min(column.high, largest))
    if column.finite:
        outside |= ~np.isfinite(values)
    if outside.any():
        value = values[outside].ravel()[0]
        raise Flaw(f"has {value} at {name}; {_range(column)} was expected")


def _range(column: Column) -> str:
    return "a finite number" if column.low == -LARGEST else f"a number from {column.low:g} to {column.high:g}"
