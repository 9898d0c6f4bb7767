"""Which files a session was made from, so that a report never describes a model by a file that took its place."""

import hashlib
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from onnxspec.errors import ModelError

_BLOCK = 1 << 20
# File systems count a file's times in steps of up to this; a younger file may change without its times changing.
_SETTLED_NS = 2_000_000_000


@dataclass(frozen=True)
class FileState:
    """What tells a file from another, or from itself before it was written to, without reading it."""

    device: int
    inode: int
    size: int
    modified: int
    changed: int
    settled: bool

    @classmethod
    def of(cls, path: Path) -> "FileState":
        """The state of the file that `path` leads to; raises OSError."""
        status = path.stat()
        age = time.time_ns() - max(status.st_mtime_ns, status.st_ctime_ns)
        # Only POSIX keeps a time that every write moves and nobody sets.
        settled = os.name == "posix" and age > _SETTLED_NS
        return cls(status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns, settled)

    def surely(self, other: "FileState") -> bool:
        """Whether `other`, taken later, proves that nothing was written in between."""
        mine, theirs = ((s.device, s.inode, s.size, s.modified, s.changed) for s in (self, other))
        return self.settled and mine == theirs


@dataclass(frozen=True)
class Fingerprint:
    """A model's files by the name they go by, with their states and SHA-256 when they were read."""

    paths: Mapping[str, Path]
    states: tuple[FileState, ...]
    hashes: tuple[str, ...]

    @classmethod
    def of(cls, paths: Mapping[str, Path]) -> "Fingerprint":
        """Reads every file; raises ModelError where one cannot be read."""
        try:
            states = tuple(FileState.of(path) for path in paths.values())
            return cls(paths, states, tuple(_sha256(path) for path in paths.values()))
        except OSError as error:
            raise ModelError(f"{error.filename} cannot be read: {error.strerror}.") from None

    @property
    def digest(self) -> str:
        """The file's SHA-256; of several, that of the listing which `sha256sum` prints for them."""
        if len(self.hashes) == 1:
            return self.hashes[0]
        listing = "".join(f"{own}  {name}\n" for name, own in zip(self.paths, self.hashes, strict=True))
        return hashlib.sha256(listing.encode()).hexdigest()

    def require_unchanged(self) -> None:
        """Raises ModelError where a file holds other bytes than when it was first read, naming it.

        A file whose device, inode, size and times are the same is not read again, provided that its times were old
        enough to have moved with any write. Others are: those written to within two seconds before the run, those
        that were touched or replaced, and all on systems without a time of change.
        """
        for path, state, own in zip(self.paths.values(), self.states, self.hashes, strict=True):
            try:
                same = state.surely(FileState.of(path)) or _sha256(path) == own
            except OSError:
                same = False
            if not same:
                raise changed(path, "in use")


def changed(path: str | os.PathLike[str], when: str) -> ModelError:
    """The error of a file that holds other bytes than before: it was "opened", or "in use"."""
    return ModelError(f"{path} has changed while it was {when}.", "Run again, and leave the file alone.")


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()
