"""Files that are under their name whole, or not at all: written beside it and renamed."""

import os
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from onnxspec.errors import ResourceError, UsageError

_BEGINNING = 1024
_BINARY = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
PAGE_ENDINGS = (".html", ".htm")
_UMASK = os.umask(0)
os.umask(_UMASK)
"""Read once: to ask for it is to set it, for all threads of the process."""


def require_place(path: str | os.PathLike[str]) -> None:
    """Refuses a place that could not be written to, before any work is done.

    Raises
    ------
    UsageError
        The folder is missing or cannot be written to, or what is there is no regular file.
    """
    place = _led_to(path)
    if os.path.isdir(place) or os.fspath(path).endswith(("/", os.sep)):
        raise UsageError(f"{place} cannot be written: it is a folder.", "Give the name of a file.")
    if not os.path.isdir(place.parent):
        raise UsageError(
            f"{place} cannot be written.", f"Choose a file in a folder that exists: mkdir -p {place.parent}"
        )
    if os.path.exists(place) and not os.path.isfile(place):
        # A file in its place would take /dev/null from everybody, or a pipe from whoever reads it.
        raise UsageError(f"{place} is no regular file, so it is not replaced.", "Choose another name.")
    temporary_beside(place).unlink()


def require_text(path: str | os.PathLike[str]) -> None:
    """Refuses a text that could not be written, or that would take the place of what is none: a model, images, a report.

    Raises
    ------
    UsageError
        There is a file of that name whose beginning is no text; else as `require_place`.
    """
    require_place(path)
    place = _led_to(path)
    if place.is_file():
        try:
            with place.open("rb") as file:
                begins = file.read(_BEGINNING)
        except OSError as error:
            raise UsageError(
                f"{place} cannot be read, so it is not replaced: {error.strerror}.", "Choose another name."
            ) from None
        if _BINARY.search(begins):
            raise UsageError(f"{place} exists and is no text, so it is not replaced.", "Choose another name.")


def require_page(path: str | os.PathLike[str]) -> None:
    """Refuses a page that could not be written, or whose name is not a page's but, say, that of the model or the report.

    Raises
    ------
    UsageError
        The name does not end in .html; else as `require_place`.
    """
    if Path(path).suffix.lower() not in PAGE_ENDINGS:
        better = Path(path).parent / f"{Path(path).stem.strip('.') or 'page'}.html"
        raise UsageError(f"{os.fspath(path)} is no name of a page.", f"Name it {better}.")
    require_text(path)


@contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[Path]:
    """An empty file beside `path` to write to, which takes its name if all goes well; a link there stays a link.

    Raises
    ------
    UsageError
        As `require_place`.
    ResourceError
        The disk is full.
    """
    destination = _led_to(path)
    require_place(destination)
    temporary = temporary_beside(destination)
    try:
        yield temporary
        share(temporary)
        temporary.replace(destination)
    except OSError as error:
        raise ResourceError(
            f"{destination} cannot be written: {error.strerror or error}.", "Free some space, or write elsewhere."
        ) from None
    finally:
        temporary.unlink(missing_ok=True)


def save_text(path: str | os.PathLike[str], text: str) -> None:
    """Writes UTF-8 text under a name that never stands for half of it; raises as `replacing`."""
    with replacing(path) as place:
        place.write_text(text, encoding="utf-8", newline="\n")


def _led_to(path: str | os.PathLike[str]) -> Path:
    """Where a link leads: /dev/stdout is one, perhaps to a file, and that file must not take its place."""
    return Path(os.path.realpath(path) if os.path.islink(path) else path)


def temporary_beside(destination: Path) -> Path:
    """A new and empty file in the folder of `destination`.

    Raises
    ------
    UsageError
        The folder cannot be written to, or the name is too long.
    """
    try:
        return empty_beside(destination)
    except OSError as error:
        raise UsageError(
            f"The folder {destination.parent} cannot be written to: {error.strerror}.", "Choose another place."
        ) from None


def empty_beside(destination: Path) -> Path:
    """As `temporary_beside`; raises OSError."""
    # tempfile would try two thousand million names in a folder that Windows lets nobody write to (cpython#66305).
    place = destination.with_name(f".{destination.name}.{secrets.token_hex(4)}")
    place.touch(0o600, exist_ok=False)
    return place


def share(path: Path) -> None:
    """A temporary file is private; what takes its name has the permissions that the user's files usually have."""
    with suppress(PermissionError):  # shares, and Windows' drives below WSL, have permissions of their own
        path.chmod(0o666 & ~_UMASK)


def put(content: bytes, place: Path, temporary: Path, synced: bool) -> None:
    """Writes a file under a temporary name and gives it its own, so that it is there whole or not at all.

    synced : whether it must outlive the machine's power, too

    Raises
    ------
    OSError
        It cannot be written; nothing is left of it.
    """
    try:
        with temporary.open("wb") as file:
            file.write(content)
            if synced:
                file.flush()
                os.fsync(file.fileno())
        temporary.replace(place)
    except BaseException:
        with suppress(OSError):
            temporary.unlink()
        raise
