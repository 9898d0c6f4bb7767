"""HDF5 datasets whose values are what they are declared to be: inside the file, all there, and no more when inflated.

HDF5 makes up values that were never written, loads filters by their number from plugin folders, and inflates a chunk
to whatever its stream holds. None of that happens to a dataset that has passed here.
"""

import itertools
import math
import zlib
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from onnxspec.errors import DataError
from onnxspec.images.arrayfile import MAX_LABEL_BYTES
from onnxspec.images.decode import UnreadableImageError
from onnxspec.images.names import MAX_NAME

if TYPE_CHECKING:
    import h5py

MAX_CHUNK_BYTES = 128 * 2**20

_DEFLATE, _LZF = 1, 32000
_FILTERS = {_DEFLATE: "gzip", 2: "shuffle", 3: "fletcher32", _LZF: "lzf"}
_MOST_INFLATED = {_DEFLATE: 1032, _LZF: 88}
_STRINGS_AT_ONCE = 64
_PIECE = 2**20


def checked(file: "h5py.File", key: str, path: str) -> "h5py.Dataset":
    """A dataset of an open file.

    Raises
    ------
    DataError
        Its values are in other files, not all stored, in chunks of more than 128 MB, or behind filters other than
        gzip, lzf, shuffle and fletcher32 (HDF5 would look for plugins).
    """
    dataset = file[key]
    if dataset.is_virtual or dataset.external:
        raise DataError(
            f"The dataset {key} of {path} keeps its values in other files.", "Copy it into one file (h5repack)."
        )
    filters = _filters(dataset)
    if len(set(filters)) < len(filters) or not set(filters) <= set(_FILTERS):
        raise DataError(
            f"The dataset {key} of {path} is stored through the HDF5 filters {filters}.",
            f"Expected: each of {', '.join(_FILTERS.values())} at most once. Repack it: h5repack -f GZIP=4.",
        )
    if dataset.chunks is None:
        declared, stored = dataset.size * dataset.dtype.itemsize, dataset.id.get_storage_size()
    else:
        if math.prod(dataset.chunks) * dataset.dtype.itemsize > MAX_CHUNK_BYTES:
            raise DataError(
                f"The dataset {key} of {path} is stored in chunks of {dataset.chunks}, more than "
                f"{MAX_CHUNK_BYTES >> 20} MB each.",
                "Repack it with a chunk for each image.",
            )
        sides = zip(dataset.shape, dataset.chunks, strict=True)
        declared, stored = math.prod(-(-side // chunk) for side, chunk in sides), dataset.id.get_num_chunks()
    if stored < declared:
        what = "bytes" if dataset.chunks is None else "chunks"
        raise DataError(
            f"The dataset {key} of {path} declares the shape {dataset.shape}, {declared:,} {what}, and stores {stored:,}.",
            "The file is damaged, or was never filled.",
        )
    return dataset


def refuse_chunk_bomb(images: "h5py.Dataset", index: int, path: str) -> None:
    """Raises UnreadableImageError where a chunk of image `index` would inflate to more than its declared size.

    Only chunks that can reach 128 MB are looked into: a deflated one is inflated once more, piece by piece.
    """
    packing = set(_MOST_INFLATED) & set(_filters(images))
    if not packing:
        return
    ratio = math.prod(_MOST_INFLATED[one] for one in packing)
    for place in _chunks_of(images, index):
        # The limit on what one chunk can be at most; its stored size is known without reading it.
        if images.id.get_chunk_info_by_coord(place).size * ratio <= MAX_CHUNK_BYTES:
            continue
        _, content = images.id.read_direct_chunk(place)
        if packing != {_DEFLATE} or _inflated(content) > MAX_CHUNK_BYTES:
            raise UnreadableImageError(
                f"{index} of {path}", f"a chunk can inflate to more than {MAX_CHUNK_BYTES >> 20} MB"
            )


def whole(file: "h5py.File", key: str, path: str) -> NDArray[Any]:
    """All values of a dataset of labels or names; raises DataError as `checked`, and for more than 256 MB."""
    import h5py

    dataset = checked(file, key, path)
    if dataset.dtype.itemsize * dataset.size > MAX_LABEL_BYTES:
        raise DataError(f"The dataset {key} of {path} has the shape {dataset.shape}, too large for labels.")
    if dataset.dtype.kind != "O":
        chunks = dataset.chunks  # HDF5 is asked anew each time
        for first in range(0, len(dataset), chunks[0]) if chunks else ():
            refuse_chunk_bomb(dataset, first, path)
        return np.asarray(dataset[()])
    if h5py.check_string_dtype(dataset.dtype) is None:
        raise DataError(f"The dataset {key} of {path} holds {dataset.dtype.metadata}, no numbers or strings.")
    return _strings(dataset, key, path)


def _strings(dataset: "h5py.Dataset", key: str, path: str) -> NDArray[Any]:
    """Strings of variable length, few at once: a million of them can all be the same megabyte of the file."""
    if dataset.ndim > 1:
        raise DataError(f"The dataset {key} of {path} has the shape {dataset.shape}; a list of strings was expected.")
    parts: list[Any] = []
    for first in range(0, dataset.size, _STRINGS_AT_ONCE):
        refuse_chunk_bomb(dataset, first, path)
        part = dataset[first : first + _STRINGS_AT_ONCE] if dataset.shape else [dataset[()]]
        if max(map(len, part)) > MAX_NAME:
            raise DataError(f"The dataset {key} of {path} has strings of more than {MAX_NAME:,} characters.")
        parts.extend(part)
    return np.array(parts, object)


def _filters(dataset: "h5py.Dataset") -> list[int]:
    plan = dataset.id.get_create_plist()
    return [plan.get_filter(i)[0] for i in range(plan.get_nfilters())]


def _chunks_of(images: "h5py.Dataset", index: int) -> list[tuple[int, ...]]:
    """Where the chunks that hold item `index` of a chunked dataset begin."""
    first = index - index % images.chunks[0]
    grids = [range(0, side, chunk) for side, chunk in zip(images.shape[1:], images.chunks[1:], strict=True)]
    return list(itertools.product([first], *grids))


def _inflated(content: bytes) -> int:
    """How many bytes a deflated chunk becomes, at most one more piece than the limit; never all in memory."""
    inflater = zlib.decompressobj()
    total = 0
    while total <= MAX_CHUNK_BYTES and not inflater.eof and (content or total == 0):
        total += len(inflater.decompress(content, _PIECE))
        content = inflater.unconsumed_tail
    return total
