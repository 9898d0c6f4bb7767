"""A ceiling on memory while HDF5 reads a file of somebody else's.

The length of a text in an attribute is known to HDF5 alone, which makes room for whatever the file says, up to 4 GB,
before it finds out that there is no such text. So the address space is limited for as long as that may happen.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOM = 1 << 30
PER_BYTE = 16
_STATM = Path("/proc/self/statm")


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
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    ceiling = _address_space() + ROOM + PER_BYTE * os.stat(path).st_size
    lower = [limit for limit in (soft, hard) if limit != resource.RLIM_INFINITY]
    resource.setrlimit(resource.RLIMIT_AS, (min([ceiling, *lower]), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


def _address_space() -> int:
    """Bytes of address space that this process has now."""
    import resource

    return int(_STATM.read_text(encoding="ascii").split()[0]) * resource.getpagesize()
