"""The tables of contents of zip and tar files, read without trusting the sizes that they declare.

Python's own readers take whatever a header claims into memory at once: a central directory, a pax header or a long
name of gigabytes. They read through a `BoundedFile` here, which refuses.
"""

import io
import tarfile
import zipfile
import zlib
from collections.abc import Iterator

from onnxspec.errors import DataError

MAX_DIRECTORY_BYTES = 256 * 2**20
MAX_HEADER_BYTES = 64 * 2**10
MAX_ENTRIES = 2_000_000

COMPRESSIONS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
"""Python bounds what these inflate to; a bzip2 or LZMA member of a zip it inflates whole, however large."""

DAMAGE = (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, NotImplementedError, RuntimeError, KeyError,
          IndexError, OverflowError)  # fmt: skip
"""What zipfile raises for zips that are damaged, or made to look so."""

_DIRECTORY_ENTRY = b"PK\x01\x02"


class BoundedFile(io.BufferedReader):
    """A file of which no more than `limit` bytes are read at once, and no zip directory of too many entries."""

    limit: int | None = MAX_HEADER_BYTES

    def read(self, size: int | None = -1, /) -> bytes:
        """As every file's; DataError where `size` is beyond the limit."""
        if self.limit is None:
            return super().read(size)
        # zipfile reads the end of the file with a size of -1.
        content = super().read(self.limit + 1 if size in (None, -1) else min(size or 0, self.limit + 1))
        if len(content) > self.limit:
            raise DataError(f"The archive has a header of more than {self.limit:,} bytes.", "It is not read.")
        if content.startswith(_DIRECTORY_ENTRY) and content.count(_DIRECTORY_ENTRY) > MAX_ENTRIES:
            raise DataError(f"The archive lists more than {MAX_ENTRIES:,} files.", "Pass a part of it.")
        return content


def open_zip(file: BoundedFile) -> zipfile.ZipFile:
    """The zip in a file, its directory bounded; raises DataError, or one of `DAMAGE`."""
    file.limit = MAX_DIRECTORY_BYTES
    archive = zipfile.ZipFile(file)
    file.limit = None
    return archive


def tar_members(file: BoundedFile) -> Iterator[tuple[str, int, int]]:
    """(name, start, bytes) of every regular file in a plain tar.

    Raises
    ------
    DataError
        Negative sizes (with which a tar can point back at itself), headers of more than 64 kB, or too many files;
        links, which would be left out; a header that is damaged or cut short, which tarfile takes for the end.
    """
    archive = tarfile.open(fileobj=file, mode="r:")
    for count in range(MAX_ENTRIES + 1):
        if (member := archive.next()) is None:
            file.seek(archive.offset)
            if file.read(tarfile.BLOCKSIZE).strip(b"\0"):
                raise DataError(
                    f"The tar's header {count} cannot be read.", "The file is damaged, or not all of it is here."
                )
            return
        # They would all be kept, each with its copy of the global headers.
        archive.members.clear()  # type: ignore[attr-defined]
        if member.size < 0 or archive.offset <= member.offset:
            raise DataError(f"The tar's member {count} has a size of {member.size}.", "The file is damaged.")
        if member.issym() or member.islnk():
            raise DataError(
                f"{member.name} in the tar is a link to {member.linkname}.",
                "Pack the files themselves: tar --dereference --hard-dereference.",
            )
        if member.isreg() and not member.issparse():
            yield member.name, member.offset_data, member.size
    raise DataError(f"The archive lists more than {MAX_ENTRIES:,} files.", "Pass a part of it.")
