"""How a file that somebody else made is read: nothing leads out of it, and nothing is larger than what it stores.

HDF5 can point into other files, declare terabytes that were never written, pack zeros upon zeros, and hold one text
that a million cells refer to. What onnxspec writes does none of this, so that everything is refused that does, from
what is declared, before a value is read.
"""

import math
import os
from collections.abc import Container, Iterator
from contextlib import contextmanager
from pathlib import Path

import h5py
import numpy as np

from onnxspec import interruption
from onnxspec.errors import ReportError
from onnxspec.files import hdf5_to_read
from onnxspec.report.confinement import confined
from onnxspec.report.tables import OF_HDF5

# Zeros pack a thousand times smaller, and a network that never moves leaves nothing but zeros.
MOST_PACKED = 64
# The power of paths, nearly all of a report, is checked and hashed a span at a time: it may be packed as well as deflate
# can, in rows and chunks of at most so many bytes.
_IN_SPANS, _DEFLATED, _AT_ONCE = "/paths", 1032, 1 << 26
ALWAYS_ALLOWED = 1 << 28
_DESCRIBING = ("units", "long_name", "signals", "source")
_SIGNATURE = b"\x89HDF\r\n\x1a\n"
_FILTERS = {h5py.h5z.FILTER_DEFLATE, h5py.h5z.FILTER_SHUFFLE}
_LAYOUTS = {h5py.h5d.CONTIGUOUS, h5py.h5d.CHUNKED}
_TEXT_CELL = np.dtype([("bytes", "<u4"), ("address", "<u8"), ("index", "<u4")])
_DAMAGES = (OSError, RuntimeError, KeyError, ValueError, TypeError, IndexError, OverflowError, SystemError)


class Flaw(Exception):
    """What is wrong with a file, in words that go on from its name."""


CHUNK_CACHE = 1 << 16
"""Bytes that HDF5 keeps of every open column: a report has dozens of them open while it is checked, and reads on."""


@contextmanager
def opened(path: Path) -> Iterator[h5py.File]:
    """The file, open for reading; whatever HDF5 stumbles over inside the block is the file's fault.

    Raises
    ------
    ReportError
        It is missing, no HDF5 file, or damaged.
    """
    if not path.is_file():
        raise ReportError(f"There is no report {path}.", "Make one: onnxspec analyze MODEL --data IMAGES")
    try:
        if not is_hdf5(path):
            raise ReportError(f"{path} is not an HDF5 file.", "A report is what onnxspec analyze writes.")
        with (
            interruption.limited_to_reading(path),
            confined(path),
            hdf5_to_read(path, rdcc_nbytes=CHUNK_CACHE) as file,
        ):
            yield file
    except PermissionError:
        raise ReportError(f"{path} may not be read.", "Change its permissions.") from None
    except BlockingIOError:
        raise ReportError(f"{path} is open for writing in another program.", "Close it there.") from None
    except Flaw as flaw:
        raise ReportError(f"{path} {flaw}.", "Take another copy of it, or make it again.") from None
    except _DAMAGES as error:
        what = getattr(error, "strerror", None) or (error.args[0] if error.args else error)
        said = str(what).splitlines() or [type(error).__name__]
        text = f"{path} is damaged, or was cut short: {said[0][:200]}."
        raise ReportError(text, "Take another copy of it, or make it again.") from None


def is_hdf5(path: str | os.PathLike[str]) -> bool:
    """Whether a file begins as HDF5 files do."""
    with open(path, "rb") as file:
        return file.read(len(_SIGNATURE)) == _SIGNATURE


def attribute_names(path: str | os.PathLike[str]) -> frozenset[str]:
    """The names of a file's root attributes; none where it is no HDF5 file that can be read."""
    try:
        with opened(Path(path)) as file:
            return frozenset(file.attrs)
    except ReportError:
        return frozenset()


def stamp(path: Path) -> tuple[int, ...]:
    """What changes when a file is written again or replaced."""
    known = os.stat(path)
    return known.st_dev, known.st_ino, known.st_size, known.st_mtime_ns


def members(group: h5py.Group) -> list[str]:
    """The names in a group.

    Raises
    ------
    Flaw
        One of them is a link to somewhere else.
    """
    names, links = sorted(group), group.id.links
    for name in names:
        if links.get_info(name.encode()).type != h5py.h5l.TYPE_HARD:
            raise Flaw(f"has a link at {place(group, name)} where values were expected")
    return names


def place(group: h5py.Group, name: str) -> str:
    """The path of a member of a group."""
    return f"{group.name.rstrip('/')}/{name}"


def require_tables(file: h5py.File, budget: "Budget") -> None:
    """Refuses a file that is anything but groups of columns which keep their values in it.

    Raises
    ------
    Flaw
        It is; also as `array`.
    """
    require_scalars(file, "/")
    for group in members(file):
        if not isinstance(table := file[group], h5py.Group):
            raise Flaw(f"has values at /{group} where a table was expected")
        require_scalars(table, f"/{group}")
        for name in members(table):
            array(table, name, budget)


def array(group: h5py.Group, name: str, budget: "Budget") -> h5py.Dataset:
    """A dataset that keeps all its values in the file, as plain numbers or UTF-8 texts.

    Raises
    ------
    Flaw
        It is none, or of another type, or keeps its values elsewhere or not at all.
    """
    where, dataset = place(group, name), group[name]
    if not isinstance(dataset, h5py.Dataset) or dataset.shape is None:
        raise Flaw(f"has no values at {where}")
    require_scalars(dataset, where, _DESCRIBING)
    plan = dataset.id.get_create_plist()
    if plan.get_layout() not in _LAYOUTS or plan.get_external_count():
        raise Flaw(f"keeps the values of {where} in other files")
    filters = [plan.get_filter(i)[0] for i in range(plan.get_nfilters())]
    if not set(filters) <= _FILTERS or len(set(filters)) < len(filters):
        raise Flaw(f"packs {where} in a way that reports are not packed")
    chunks = plan.get_chunk() if plan.get_layout() == h5py.h5d.CHUNKED else None
    if is_text(dataset.dtype):
        budget.take(_text_bytes(dataset, where, chunks is not None, budget), where)
    elif dataset.dtype.kind in "iuf":
        _require_stored(dataset, where, chunks, budget.file_bytes)
        cells = math.prod(map(max, zip(dataset.shape, chunks or dataset.shape, strict=True)))
        lenient = where.startswith(_IN_SPANS) and _in_small_pieces(dataset, chunks)
        budget.take(cells * dataset.dtype.itemsize, where, _DEFLATED if lenient else MOST_PACKED)
    else:
        raise Flaw(f"has values of the type {dataset.dtype} at {where}")
    return dataset


def require_scalars(item: h5py.Group | h5py.Dataset, where: str, known: Container[str] | None = None) -> None:
    """Refuses attributes that are neither a text nor a number, or of another name than those known.

    Raises
    ------
    Flaw
        There is one.
    """
    attributes = item.attrs
    for name in attributes:
        if name in OF_HDF5:
            continue
        if known is not None and name not in known:
            raise Flaw(f"has an attribute {name} at {where} that no report has")
        kept = attributes.get_id(name)
        if kept.shape != () or not (is_text(kept.dtype) or kept.dtype.kind in "if"):
            raise Flaw(f"has an attribute {name} at {where} that is neither text nor number")


def is_text(dtype: np.dtype) -> bool:
    """Whether an HDF5 type is text of any length in UTF-8."""
    kind = h5py.check_string_dtype(dtype)
    return kind is not None and kind.length is None and kind.encoding == "utf-8"


class Budget:
    """How much a file may unpack to: what it stores, many times over, and a little in any case."""

    def __init__(self, path: Path):
        self.path, self.file_bytes = path, path.stat().st_size
        self._left = ALWAYS_ALLOWED + MOST_PACKED * self.file_bytes

    def take(self, count: int, where: str, most: int = MOST_PACKED) -> None:
        """Counts so many bytes at a place, which may be packed at most so many times.

        Raises
        ------
        Flaw
            It is more than the file can mean.
        """
        self._left -= count * MOST_PACKED // most
        if self._left < 0:
            raise Flaw(f"has {self.file_bytes:,} bytes and would unpack to far more ({count:,} at {where})")


def _require_stored(dataset: h5py.Dataset, where: str, chunks: tuple[int, ...] | None, file_bytes: int) -> None:
    """Every chunk was written; without chunks, every value."""
    stored = dataset.id.get_storage_size()
    if chunks is None:
        whole = stored == dataset.size * dataset.dtype.itemsize
    else:
        count = math.prod(-(-length // chunk) for length, chunk in zip(dataset.shape, chunks, strict=True))
        # HDF5 makes a list of the chunks to count them, and each takes a byte or more.
        whole = count <= stored and dataset.id.get_num_chunks() == count
    if not whole or stored > file_bytes:
        raise Flaw(f"declares {dataset.shape} values at {where}, which its {file_bytes:,} bytes do not hold")


def _in_small_pieces(dataset: h5py.Dataset, chunks: tuple[int, ...] | None) -> bool:
    """Whether a table of several numbers a row can be read a span at a time, whatever it is packed like."""
    pieces = (dataset.shape[1:], chunks or ())
    return dataset.ndim == 2 and max(map(math.prod, pieces)) * dataset.dtype.itemsize <= _AT_ONCE


def _text_bytes(dataset: h5py.Dataset, where: str, chunked: bool, budget: Budget) -> int:
    """Bytes of all texts together. h5py cannot ask for them, but each cell begins with its own length."""
    if chunked or dataset.id.get_storage_size() != dataset.size * _TEXT_CELL.itemsize:
        raise Flaw(f"has texts at {where} that are not stored as reports store them")
    if dataset.size == 0:
        return 0
    cells = np.fromfile(budget.path, _TEXT_CELL, dataset.size, offset=dataset.id.get_offset())
    total = int(cells["bytes"].sum(dtype=np.uint64))
    if len(cells) < dataset.size or total > budget.file_bytes:
        raise Flaw(f"declares {total:,} bytes of text at {where}, which its {budget.file_bytes:,} bytes do not hold")
    return total
