"""Plain HDF5 tables that xarray reads as they are: columns over shared dimensions, each with its scale and unit."""

import hashlib
import math
from collections.abc import Iterator, Mapping
from typing import Any

import h5py
import numpy as np

from onnxspec.images.names import storable

TEXT = h5py.string_dtype("utf-8")
CHUNK_BYTES = 1 << 18
TEXT_BYTES = 64
"""About what a short text takes as an object."""
OF_HDF5 = {"DIMENSION_LIST", "REFERENCE_LIST", "CLASS", "NAME", "_Netcdf4Dimid"}
"""References that HDF5 keeps for dimension scales: nothing of onnxspec reads them, they say nothing of their own."""


def set_attributes(item: h5py.Group, values: Mapping[str, Any]) -> None:
    """Sets attributes; what UTF-8 and HDF5 cannot hold of a text, of a path say, becomes escapes."""
    item.attrs.update({name: storable(value) if isinstance(value, str) else value for name, value in values.items()})


def scale(group: h5py.Group, name: str, values: np.ndarray, unit: str, long_name: str) -> h5py.Dataset:
    """Adds a dimension with its coordinate values (n,)."""
    dataset = column(group, name, values, unit, long_name)
    dataset.make_scale(name)
    return dataset


def column(
    group: h5py.Group, name: str, values: Any, unit: str, long_name: str, dims: tuple[str, ...] = ()
) -> h5py.Dataset:
    """Adds a variable over dimensions of the group; text becomes UTF-8 strings."""
    # As objects: an array of texts takes the longest of them for every one.
    texts = isinstance(values, list) and len(values) > 0 and all(isinstance(one, str) for one in values)
    array = np.array(values, object) if texts else np.asarray(values)
    if array.dtype.kind in "UO":
        dataset = group.create_dataset(name, array.shape, TEXT)
        for span in spans(dataset):  # what HDF5 makes of texts takes several times as much as they do
            dataset[span] = _encodable(array[span])
    else:
        packed = {"compression": "gzip", "shuffle": True} if array.nbytes > CHUNK_BYTES else {}
        dataset = group.create_dataset(name, data=array, **packed)
    return described(dataset, unit, long_name, [group[dim] for dim in dims])


def _encodable(texts: np.ndarray) -> np.ndarray:
    """Texts as objects; bytes of file names that are no UTF-8 become escapes, and zeros, at which HDF5 would end."""
    plain = [str(text) for text in texts.ravel()]
    # Once for texts that are alike: a column of millions has few.
    escaped = {text: _bytes(text).decode("utf-8").replace("\0", "\\x00") for text in dict.fromkeys(plain)}
    return np.array([escaped[text] for text in plain], object).reshape(texts.shape)


def described(dataset: h5py.Dataset, unit: str, long_name: str, dims: list[h5py.Dataset]) -> h5py.Dataset:
    """Gives a dataset its unit, its name and its dimension scales."""
    dataset.attrs["units"] = unit
    dataset.attrs["long_name"] = long_name
    for axis, dim in enumerate(dims):
        dataset.dims[axis].attach_scale(dim)
    return dataset


def read_column(dataset: h5py.Dataset) -> np.ndarray:
    """A variable's values; UTF-8 strings as an object array of str, those that are alike one object."""
    if not h5py.check_string_dtype(dataset.dtype):
        return dataset[()]
    known: dict[str, str] = {}
    values = np.empty(dataset.shape, object)
    for span in spans(dataset):
        texts = dataset.asstr()[span]
        values[span] = np.array([known.setdefault(t, t) for t in texts.flat], object).reshape(texts.shape)
    return values


def spans(dataset: h5py.Dataset) -> Iterator[slice]:
    """Spans of rows, of a megabyte each, that cover a variable of one dimension or more."""
    value = TEXT_BYTES if h5py.check_string_dtype(dataset.dtype) else dataset.dtype.itemsize
    rows = max(1, CHUNK_BYTES * 4 // max(1, value * math.prod(dataset.shape[1:])))
    return (slice(start, start + rows) for start in range(0, len(dataset), rows))


def plain(value: Any) -> Any:
    """A text or a number of a table as JSON has it: NumPy's own as Python's, undefined numbers as None."""
    value = value.item() if isinstance(value, np.generic) else value
    return None if isinstance(value, float) and not math.isfinite(value) else value


def records(columns: Mapping[str, np.ndarray]) -> list[dict[str, Any]]:
    """Columns (n,) as JSON has a table: a dict of `plain` values a row."""
    rows = zip(*(column.tolist() for column in columns.values()), strict=True)
    return [dict(zip(columns, map(plain, row), strict=True)) for row in rows]


def seal(file: h5py.File) -> None:
    """Writes both digests of a file that is otherwise done."""
    file.attrs["digest"] = digest(file)
    file.attrs["digest_with_names"] = digest_with_names(file)


def digest(file: h5py.File) -> str:
    """SHA-256 (hex) over the names, attributes and values of a file in name order: /run, names and remarks apart."""
    total = hashlib.sha256()
    _absorb_attributes(total, file.attrs)
    for name in sorted(file):
        if name != "run":
            _absorb(total, file[name])
    return total.hexdigest()


def _absorb(total: "hashlib._Hash", item: h5py.Group | h5py.Dataset) -> None:
    total.update(item.name.encode())
    if isinstance(item, h5py.Group):
        for name in sorted(item):
            _absorb(total, item[name])
        return
    _absorb_attributes(total, item.attrs)
    total.update(f"{item.shape}{item.dtype.str}".encode())
    for span in spans(item):
        if h5py.check_string_dtype(item.dtype):
            total.update(("\0" * (span.start > 0) + "\0".join(item.asstr()[span].ravel().tolist())).encode())
        else:
            total.update(np.ascontiguousarray(item[span]).tobytes())


def digest_with_names(file: h5py.File) -> str:
    """SHA-256 (hex) over the root's `digest` and the names and remarks that it leaves out."""
    named = ("digest", *sorted(_NAMES & set(file.attrs)))
    return hashlib.sha256(_bytes("\0".join(f"{name}={file.attrs[name]}" for name in named))).hexdigest()


def _bytes(text: str) -> bytes:
    """UTF-8, with escapes for what is no text: names of files are bytes."""
    return text.encode("utf-8", "backslashreplace")


# The model and the data may be called otherwise on another machine, and remarks quote their names.
_NAMES = {"model", "data", "remarks"}
_OWN = _NAMES | OF_HDF5 | {"digest", "digest_with_names"}


def _absorb_attributes(total: "hashlib._Hash", attributes: Mapping[str, Any]) -> None:
    for name in sorted(set(attributes) - _OWN):
        total.update(_bytes(f"{name}={attributes[name]}\n"))
