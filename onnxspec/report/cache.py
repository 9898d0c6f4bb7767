"""A folder that outlives runs, in which shards and pilots lie by what decides them: `--cache DIR`.

    DIR/3f/3f9c...e2.part     the rows of a shard, with a digest over its key and them (`parts`)

A key is the digest of everything that decides the content, so that an entry is right for whoever asks for it, and an
entry that is damaged or lies under another's name counts as missing. Entries are written to a temporary file and
renamed: several runs may share a folder. One that may only be read is read, and keeps nothing. Nothing is ever deleted
here; what is used gets today's date, so that `find DIR -mtime +30 -delete` drops what nobody has used for a month.
"""

import errno
import os
import secrets
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from onnxspec.errors import ResourceError, UsageError
from onnxspec.report import parts
from onnxspec.report.parts import Part
from onnxspec.results import Pilot
from onnxspec.saving import empty_beside, put


class Cache:
    """What other runs have left in `folder`; None keeps and finds nothing. `paths` counts those that were taken over.

    writable : whether anything is kept there; on_images : is told how many images need not be evaluated

    Raises
    ------
    UsageError
        The folder cannot be made, or not be written to for another reason than that it may only be read.
    """

    def __init__(
        self, folder: str | os.PathLike[str] | None = None, on_images: Callable[[int], None] = lambda images: None
    ):
        self.folder = Path(folder) if folder else None
        self.on_images = on_images
        self.paths = 0
        self.writable = self.folder is not None and _writable(self.folder)

    def part(self, key: str, paths: int) -> Part | None:
        """The part of so many paths under a key, if there is a whole one; from any thread."""
        content = self._read(key)
        part = parts.part_of(content, key) if content else None
        return part if part is not None and len(part.rows) == paths else None

    def keep(self, key: str, part: Part) -> None:
        """Keeps a part under a key.

        Raises
        ------
        ResourceError
            The disk is full.
        """
        self._write(key, parts.packed(part, key))

    def pilot(self, key: str) -> Pilot | None:
        """The pilot under a key, if there is a whole one."""
        content = self._read(key)
        return parts.pilot_of(content, key) if content else None

    def keep_pilot(self, key: str, pilot: Pilot) -> None:
        """Keeps a pilot under a key; raises as `keep`."""
        self._write(key, parts.packed_pilot(pilot, key))

    def _read(self, key: str) -> bytes | None:
        if self.folder is None:
            return None
        place = _place(self.folder, key)
        try:
            if not place.is_file():  # whoever opens a pipe may wait for ever
                return None
            content = place.read_bytes()
        except OSError:
            return None
        with suppress(OSError):  # it may be somebody else's
            os.utime(place)
        return content

    def _write(self, key: str, content: bytes) -> None:
        if self.folder is None or not self.writable:
            return
        place = _place(self.folder, key)
        temporary = place.with_suffix(f".{secrets.token_hex(8)}.new")
        try:
            place.parent.mkdir(exist_ok=True)
            put(content, place, temporary, synced=False)
        except OSError as error:
            if isinstance(error, PermissionError) and place.is_file():
                return  # Windows replaces no file that is open: another run is at the same entry
            raise ResourceError(
                f"The cache {self.folder} cannot be written to: {error.strerror}.",
                "Free some space, or run without --cache.",
            ) from None


def _writable(folder: Path) -> bool:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        empty_beside(folder / "cache").unlink()
    except (OSError, ValueError) as error:  # a name that is none
        if isinstance(error, OSError) and error.errno in (errno.EROFS, errno.EACCES) and folder.is_dir():
            return False
        why = error.strerror if isinstance(error, OSError) else error
        raise UsageError(f"The cache {folder} cannot be written to: {why}.", "Choose another place.") from None
    return True


def _place(folder: Path, key: str) -> Path:
    return folder / key[:2] / f"{key}.part"
