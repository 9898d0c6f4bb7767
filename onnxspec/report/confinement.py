"""A ceiling on memory while HDF5 reads a file of somebody else's.

The length of a text in an attribute is known to HDF5 alone, which makes room for whatever the file says, up to 4 GB,
before it finds out that there is no such text. So the address space is limited for as long as that may happen.
"""

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOM = 1 << 30
PER_BYTE = 16
_STATM = Path("/proc/self/statm")
_limiting = threading.Lock()
_before: list[tuple[int, int]] = []
"""The limits before the first that reads just now, once for each that does."""


@contextmanager
def confined(path: str | os.PathLike[str]) -> Iterator[None]:
    """Lets this process take no more than what reading a file of that size honestly can, on Linux.

    Raises
    ------
    MemoryError
        As whatever runs in the block raises it: or an OSError, where that is HDF5.
    """
    if not sys.platform.startswith("linux"):
        yield
        return
    _lower(path)
    try:
        yield
    finally:
        _restore()


def _lower(path: str | os.PathLike[str]) -> None:
    """Threads that read at the same time share the limit of whoever came last, and the last to go lifts it."""
    import resource

    with _limiting:
        limits = _before[0] if _before else resource.getrlimit(resource.RLIMIT_AS)
        ceiling = _address_space() + ROOM + PER_BYTE * os.stat(path).st_size
        lower = [limit for limit in limits if limit != resource.RLIM_INFINITY]
        resource.setrlimit(resource.RLIMIT_AS, (min([ceiling, *lower]), limits[1]))
        _before.append(limits)  # last: who fails above has nothing to restore


def _restore() -> None:
    import resource

    with _limiting:
        limits = _before.pop()
        if not _before:
            resource.setrlimit(resource.RLIMIT_AS, limits)


def _address_space() -> int:
    """Bytes of address space that this process has now."""
    import resource

    return int(_STATM.read_text(encoding="ascii").split()[0]) * resource.getpagesize()
