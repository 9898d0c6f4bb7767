"""Class folders inside a zip or tar file, read where they are: nothing is ever unpacked to disk.

A zip and a plain tar have random access. A compressed tar has none, so it is kept in memory if it is small enough,
and refused otherwise.
"""

import bz2
import gzip
import io
import lzma
import tarfile
import threading
import zipfile
from collections.abc import Callable
from typing import Any

from onnxspec.errors import DataError
from onnxspec.files import open_regular
from onnxspec.images.arrayfile import FETCH_AGAIN
from onnxspec.images.containers import COMPRESSIONS, DAMAGE, BoundedFile, open_zip, tar_members
from onnxspec.images.dataset import EXPECTED, ImageSet
from onnxspec.images.decode import MAX_FILE_BYTES, UnreadableImageError
from onnxspec.images.listing import Entry, image_set

MAX_COMPRESSED_TAR_BYTES = 256 * 2**20

_ZIP = b"PK\3\4"
_DAMAGE = (*DAMAGE, tarfile.TarError, lzma.LZMAError, MemoryError)
_COMPRESSIONS: tuple[tuple[bytes, Callable[[str], Any]], ...] = (
    (b"\x1f\x8b", gzip.open),
    (b"BZh", bz2.open),
    (b"\xfd7zXZ", lzma.open),
)


def open_archive(path: str, inside: str = "", labels: str | None = None) -> ImageSet:
    """The images of a zip or tar file; see `listing.image_set`.

    Parameters
    ----------
    inside : only this folder of the archive ("test")

    Raises
    ------
    DataError
        It is neither, or damaged, or a compressed tar of more than 256 MB, or lists more than an honest archive does.
    """
    try:
        whole_zip = zipfile.is_zipfile(path)
        if not whole_zip and _begins_as_zip(path):
            raise DataError(f"{path} is a zip file whose end is missing.", FETCH_AGAIN)
        entries, read = _zip(path) if whole_zip else _tar(path)
    except DataError:
        raise
    except _DAMAGE as error:
        raise DataError(
            f"{path} is not a zip or tar file that can be read: {str(error).rstrip('.')}.",
            EXPECTED,
        ) from None
    source = path
    if inside:
        source = f"{path}/{inside}"
        entries = [Entry(e.path[len(inside) + 1 :], e.size, e.key) for e in entries if e.path.startswith(f"{inside}/")]
    return image_set(entries, read, source, labels)


def _begins_as_zip(path: str) -> bool:
    with open_regular(path) as file:
        return file.read(len(_ZIP)) == _ZIP


def _zip(path: str) -> tuple[list[Entry], Callable[[Any], bytes]]:
    archive = open_zip(BoundedFile(io.FileIO(path)))
    lock = threading.Lock()
    members = [m for m in archive.infolist() if not m.is_dir()]

    def read(member: zipfile.ZipInfo) -> bytes:
        if member.flag_bits & 1:
            raise UnreadableImageError(member.filename, "it is encrypted")
        if member.compress_type not in COMPRESSIONS:
            raise UnreadableImageError(member.filename, "it is compressed by another method than deflate")
        if member.file_size > MAX_FILE_BYTES:
            raise UnreadableImageError(member.filename, f"{member.file_size:,} bytes, more than {MAX_FILE_BYTES:,}")
        try:
            # Where the declared size lies, zipfile inflates no more than it says.
            with lock, archive.open(member) as file:
                return file.read()
        except _DAMAGE as error:
            raise UnreadableImageError(member.filename, str(error)) from None

    return [Entry(_plain(m.filename), m.file_size, m) for m in members], read


def _tar(path: str) -> tuple[list[Entry], Callable[[Any], bytes]]:
    file = _uncompressed(path)
    lock = threading.Lock()
    entries = [Entry(_plain(name), size, (start, size)) for name, start, size in tar_members(file)]
    file.limit = None

    def read(place: tuple[int, int]) -> bytes:
        start, size = place
        with lock:
            file.seek(start)
            return file.read(min(size, MAX_FILE_BYTES + 1))

    return entries, read


def _uncompressed(path: str) -> BoundedFile:
    """A plain tar where it is; the bytes of a compressed one in memory."""
    with open(path, "rb") as file:
        start = file.read(6)
    for signature, opened in _COMPRESSIONS:
        if start.startswith(signature):
            with opened(path) as packed:
                content = packed.read(MAX_COMPRESSED_TAR_BYTES + 1)
            if len(content) > MAX_COMPRESSED_TAR_BYTES:
                raise DataError(
                    f"{path} is a compressed tar of more than {MAX_COMPRESSED_TAR_BYTES >> 20} MB, "
                    "and those have no random access.",
                    "Decompress it to a plain .tar (gunzip, unxz), or pack the folder as a .zip.",
                )
            return BoundedFile(io.BytesIO(content))
    return BoundedFile(io.FileIO(path))


def _plain(name: str) -> str:
    """Names are identities here, never paths; './cat/1.jpg' is 'cat/1.jpg', and so is '/../cat/1.jpg'."""
    return "/".join(part for part in name.replace("\\", "/").split("/") if part not in ("", ".", ".."))
