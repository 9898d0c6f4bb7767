"""Images in an .npz file: read into memory whole, since compressed arrays have no random access. Never unpickled."""

import io
import zipfile
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from onnxspec.errors import DataError
from onnxspec.images.arrayfile import FETCH_AGAIN, MAX_LABEL_BYTES, ArrayInfo, as_class_names, choose_keys
from onnxspec.images.arrays import array_set
from onnxspec.images.containers import COMPRESSIONS, DAMAGE, BoundedFile, open_zip
from onnxspec.images.dataset import ImageSet

MAX_ARRAY_BYTES = 4 * 2**30
MAX_ARRAYS = 10_000
MAX_HEADER_BYTES = 16 * 2**10
MAX_RATIO, UNSUSPICIOUS_BYTES = 100, 256 * 2**20
"""Deflate shrinks zeros a thousandfold, but no photos and few drawings a hundredfold."""


def open_npz(
    path: str, images_key: str | None = None, labels_key: str | None = None, labelled: bool = True
) -> ImageSet:
    """Images, labels and class names of an .npz file; see `arrays.array_set` and `arrayfile.choose_keys`.

    Raises
    ------
    DataError
        Damaged, object arrays, more than 4 GB of images, or no images that can be told.
    """
    try:
        with BoundedFile(io.FileIO(path)) as file, open_zip(file) as archive:
            arrays = {m.filename.removesuffix(".npy"): _info(archive, m, path) for m in _members(archive)}
            keys = choose_keys(arrays, images_key, labels_key, labelled, path)
            images = _array(archive, keys.images, path, MAX_ARRAY_BYTES)
            labels = None if keys.labels is None else _array(archive, keys.labels, path, MAX_LABEL_BYTES)
            names = None if keys.class_names is None else _array(archive, keys.class_names, path, MAX_LABEL_BYTES)
    except DataError:
        raise
    except (*DAMAGE, SyntaxError, TypeError) as error:
        raise DataError(f"{path} is not an .npz file that can be read: {error}.", FETCH_AGAIN) from None
    return array_set(images, labels, path, None if names is None else as_class_names(names, path))


def _members(archive: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    members = [member for member in archive.infolist() if member.filename.endswith(".npy")]
    if len(members) > MAX_ARRAYS:
        raise DataError(
            f"{archive.filename} holds {len(members):,} arrays; at most {MAX_ARRAYS:,} were expected.",
            "Keep the images in one array.",
        )
    for member in members:
        if member.compress_type not in COMPRESSIONS:
            raise DataError(f"{member.filename} is compressed by another method than deflate.", "Save it with numpy.")
    return members


def _info(archive: zipfile.ZipFile, member: zipfile.ZipInfo, path: str) -> ArrayInfo:
    with archive.open(member) as file:
        info = _header(file)
    header_bytes = info.start
    if not info.dtype.hasobject and member.file_size != header_bytes + _bytes(info):
        raise DataError(
            f"The array {member.filename.removesuffix('.npy')} of {path} declares {_bytes(info):,} bytes "
            f"and stores {member.file_size - header_bytes:,}.",
            "The file is damaged.",
        )
    return info


def _header(file: IO[bytes]) -> ArrayInfo:
    # numpy bounds the header's text, but only after reading as much of it as is declared, up to 4 GB.
    start = io.BytesIO(file.read(MAX_HEADER_BYTES))
    try:
        version = npy.read_magic(start)
        read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
        shape, _, dtype = read(start)
    except Exception as error:
        # It goes through Python's parser, which has its own ways to fail on nonsense.
        raise ValueError(f"the header of an array is damaged ({type(error).__name__})") from None
    return ArrayInfo(shape, dtype, start.tell())


def _array(archive: zipfile.ZipFile, key: str, path: str, limit: int) -> NDArray[Any]:
    member = archive.getinfo(f"{key}.npy")
    with archive.open(member) as file:
        info = _header(file)
    if info.dtype.hasobject:
        raise DataError(
            f"The array {key} of {path} holds Python objects, which are never unpickled.",
            "Save it with a numeric or string dtype.",
        )
    if _bytes(info) > limit:
        raise DataError(
            f"The array {key} of {path} has {_bytes(info) / 2**30:.1f} GB, and an .npz is read whole.",
            "Save it as .h5, or as class folders, which are read image by image.",
        )
    if _bytes(info) > UNSUSPICIOUS_BYTES and _bytes(info) > MAX_RATIO * member.compress_size:
        raise DataError(
            f"The array {key} of {path} is {_bytes(info):,} bytes in {member.compress_size:,}, as only bombs are.",
            "Save it uncompressed (numpy.savez) if it is what you want.",
        )
    with archive.open(member) as file:
        return np.asarray(npy.read_array(file, allow_pickle=False))


def _bytes(info: ArrayInfo) -> int:
    return info.dtype.itemsize * int(np.prod(info.shape, dtype=object))
