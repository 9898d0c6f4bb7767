"""One run per output: a lock on a file, which the system takes back however the process ends."""

import contextlib
import errno
import os
from pathlib import Path
from typing import IO

if os.name == "nt":
    import msvcrt

    def _lock(file: IO[bytes]) -> None:
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined,unused-ignore]

else:
    import fcntl

    def _lock(file: IO[bytes]) -> None:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


_TURNS = 100
"""In which others may take the file away that was just opened, which is far more than there are."""
_HELD = (errno.EAGAIN, errno.EACCES, errno.EDEADLK)


def acquire(path: Path) -> IO[bytes] | None:
    """The open file `path`, locked until it is closed; its folder is made. None where somebody else holds it.

    A file system that has no locks counts as free: then nobody is kept from anything. So does one on which a file never
    looks like itself.

    Raises
    ------
    OSError
        The file cannot be made.
    """
    for last in [False] * _TURNS + [True]:
        path.parent.mkdir(exist_ok=True)
        try:
            file = path.open("ab")
        except FileNotFoundError:
            if path.is_symlink():  # to a folder that is not there, and never will be
                raise
            continue  # whoever held it has just removed the folder
        try:
            _lock(file)
        except OSError as error:
            if error.errno in _HELD:
                file.close()
                return None
        with contextlib.suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(file.fileno()), path.stat()) or last:
                return file
        file.close()
    return None
