"""A file that HDF5 can always close: a failed write is remembered and told later, not lived through inside HDF5.

When a write fails, on a full disk say, HDF5 cannot close its file either, keeps it half open and crashes the process
when that ends. So it never hears of the failure: whoever writes the file asks for it after every step.
"""

import io
import os
from pathlib import Path


class GuardedFile(io.FileIO):
    """A new binary file for h5py's file-object driver; `check` raises the first OSError that a write met."""

    def __init__(self, path: Path):
        super().__init__(path, "w+")
        self._error: OSError | None = None

    def write(self, data) -> int:
        """Writes all of `data`, or remembers why not."""
        rest = memoryview(data).cast("B")
        whole = len(rest)
        try:
            while self._error is None and len(rest):
                rest = rest[super().write(rest) :]
        except OSError as error:
            self._error = error
        return whole

    def truncate(self, size: int | None = None) -> int:
        """Sets the size, or remembers why not."""
        try:
            return super().truncate(size)
        except OSError as error:
            self._error = self._error or error
            return size or 0

    @property
    def failure(self) -> OSError | None:
        """The first OSError that a write met."""
        return self._error

    def check(self) -> None:
        """Raises the first OSError that a write met."""
        if self._error is not None:
            raise self._error

    def sync(self) -> None:
        """Waits until everything is on the disk."""
        self.check()
        os.fsync(self.fileno())
