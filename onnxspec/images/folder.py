"""A folder of class folders, or of images.

Links to files inside the folder are followed, and so is the folder's own. A link that leads out of it, or to a folder,
is an error and never left out in silence: a data set that links into a store is copied or passed as the store.
FIFOs, devices and sockets are not images, whatever they are called.
"""

import os

from onnxspec.errors import DataError
from onnxspec.files import open_regular
from onnxspec.images.dataset import ImageSet
from onnxspec.images.decode import EXTENSIONS, MAX_FILE_BYTES, UnreadableImageError
from onnxspec.images.listing import Entry, image_set, is_rubbish

_JUNCTION = 0xA0000003  # stat.IO_REPARSE_TAG_MOUNT_POINT, which only Windows' Python has


def open_folder(path: str, labels: str | None = None) -> ImageSet:
    """The images of a folder; see `listing.image_set`.

    Raises
    ------
    DataError
        The folder cannot be listed, holds no images, or has symbolic links that lead out of it.
    """
    try:
        entries = _walked(path)
    except OSError as error:
        raise DataError(f"The folder {error.filename} cannot be read: {error.strerror}.") from None
    return image_set(entries, _read, path.rstrip("/\\") or path, labels)


def _walked(root: str) -> list[Entry]:
    real_root = os.path.realpath(root)
    entries: list[Entry] = []
    pending = [""]
    while pending:
        prefix = pending.pop()
        with os.scandir(os.path.join(root, prefix)) as found:
            for item in found:
                if is_rubbish(item.name):
                    continue
                path = f"{prefix}{item.name}"
                if _is_link(item):
                    _refuse_outside(item, real_root)
                if item.is_dir():
                    pending.append(f"{path}/")
                elif item.is_file():
                    entries.append(Entry(path, item.stat().st_size, item.path))
                elif item.is_symlink() and path.lower().endswith(EXTENSIONS):
                    raise DataError(
                        f"{item.path} is a symbolic link to a file that is not there.",
                        "Fetch the file (git annex get), or remove the link.",
                    )
    return entries


def _is_link(item: "os.DirEntry[str]") -> bool:
    """Whether it is a symbolic link or, on Windows, a junction, which Python takes for a folder of its own."""
    if item.is_symlink() or os.name != "nt":
        return item.is_symlink()
    return getattr(item.stat(follow_symlinks=False), "st_reparse_tag", 0) == _JUNCTION


def _refuse_outside(link: "os.DirEntry[str]", real_root: str) -> None:
    """Data may come from anyone: a link must not make onnxspec read (and report on) other places of the machine."""
    target = os.path.realpath(link.path)
    inside = target.startswith(os.path.join(real_root, ""))
    if not inside or link.is_dir():
        where = "into another folder" if inside else "out of the folder"
        raise DataError(
            f"{link.path} is a symbolic link that leads {where}, to {target}.",
            "Copy it with the files themselves (cp -rL), or pass the folder that they are in.",
        )


def _read(path: str) -> bytes:
    try:
        # What was a file when it was listed may be a FIFO by now.
        with open_regular(path) as file:
            return file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise UnreadableImageError(path, error.strerror or str(error)) from None
