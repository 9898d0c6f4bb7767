"""Files that other people made, opened with care: never waited for, and of bounded length; and folders for a while."""

import errno
import json
import os
import shutil
import stat
import tempfile
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from onnxspec.errors import UsageError

if TYPE_CHECKING:
    import h5py

MAX_BYTES = 32 * 2**20

# Without it, opening a FIFO that nobody writes to waits for ever. Windows has no such files.
_WITHOUT_WAITING = getattr(os, "O_NONBLOCK", 0)
_temporary: list[tuple[int, Path]] = []
"""Folders, each with the process that made it: a child that was forked has them in its memory, too."""


def open_regular(path: str | os.PathLike[str]) -> IO[bytes]:
    """A regular file for reading; OSError for anything else (folders, FIFOs, devices), which is never waited for."""
    try:
        file = open(path, "rb", opener=lambda name, flags: os.open(name, flags | _WITHOUT_WAITING))
    except ValueError as error:
        raise OSError(0, str(error)) from None  # a NUL in the path
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise OSError(0, "it is no regular file")
    return file


def temporary_folder() -> Path:
    """A new folder that is removed when the process ends."""
    if not any(owner == os.getpid() for owner, _ in _temporary):
        import atexit
        from multiprocessing import util

        atexit.register(remove_temporary)
        util.Finalize(None, remove_temporary, exitpriority=0)  # the processes of a pool end without a word to atexit
    folder = Path(tempfile.mkdtemp(prefix="onnxspec-"))
    _temporary.append((os.getpid(), folder))
    return folder


def remove_temporary() -> None:
    """Removes the folders of this process now: one that leaves threads behind ends without a word to `atexit`."""
    while _temporary:
        owner, folder = _temporary.pop()
        if owner == os.getpid():
            shutil.rmtree(folder, ignore_errors=True)


def append_text(path: str | os.PathLike[str], text: str) -> None:
    """Adds to a file, in UTF-8; OSError where it cannot be, and where a FIFO is read by nobody, which is not waited for."""

    def opener(name: str, flags: int) -> int:
        return os.open(name, flags | _WITHOUT_WAITING, 0o666)

    with open(path, "a", encoding="utf-8", newline="\n", opener=opener) as file:
        file.write(text)


def read_text(path: str | os.PathLike[str], what: str, limit: int = MAX_BYTES) -> str:
    """The UTF-8 text of a file; `what` names it in errors ("class file").

    Raises
    ------
    UsageError
        It cannot be read, is not UTF-8, or is longer than `limit` bytes.
    """
    try:
        with open_regular(path) as file:
            content = file.read(limit + 1)
    except OSError as error:
        raise UsageError(f"The {what} {path} cannot be read: {error.strerror}.") from None
    if len(content) > limit:
        raise UsageError(f"The {what} {path} is longer than {limit >> 20} MB.")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise UsageError(f"The {what} {path} is not UTF-8 text.") from None


def read_lines(path: str | os.PathLike[str], what: str) -> list[str]:
    """The lines of a text file, ended by line feeds and carriage returns alone; raises UsageError as `read_text`."""
    # str.splitlines would take a form feed or a Unicode separator in a name for the end of its line.
    return read_text(path, what).replace("\r\n", "\n").replace("\r", "\n").split("\n")


def read_json_object(path: str | os.PathLike[str], what: str) -> dict[str, Any]:
    """The JSON object in a file; raises UsageError as `read_text` does, and where it is no JSON object."""
    try:
        content = json.loads(read_text(path, what))
    except (ValueError, RecursionError) as error:
        raise UsageError(f"The {what} {path} is not JSON: {error}.") from None
    if not isinstance(content, dict):
        raise UsageError(f"The {what} {path} is not a JSON object.")
    return content


def hdf5_to_read(path: str | os.PathLike[str], **options: Any) -> "h5py.File":
    """An HDF5 file that is only read, also where its file system has no locks, as some network shares; raises as h5py."""
    import h5py

    try:
        return h5py.File(path, "r", **options)
    except OSError as error:
        # Not without locks at once: HDF5 refuses that for a file that this process has open with them.
        if "unable to lock file" not in str(error) or error.errno == errno.EAGAIN:  # which somebody is writing
            raise
        return h5py.File(path, "r", locking=False, **options)


def published_in(model: str | os.PathLike[str]) -> list[Path]:
    """Folders in which a model's publisher describes it: its own, and the one above a folder called onnx."""
    folder = Path(model).parent
    return [folder, folder.parent] if folder.name == "onnx" else [folder]
