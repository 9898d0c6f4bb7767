"""Names that come with data: bounded, and such that every report can hold them. Display makes them inert, later."""

import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Any

from onnxspec.errors import DataError

MAX_NAME = 1000
MAX_CLASSES = 100_000


def storable(name: str) -> str:
    """`name` with what neither UTF-8 nor HDF5 can hold, lone surrogates and NUL, as escapes."""
    return name.encode("utf-8", "backslashreplace").decode("utf-8").replace("\0", "\\x00")


def text(value: Any) -> str:
    """A name from an array: bytes are UTF-8."""
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def class_names(names: Iterable[str], source: str) -> tuple[str, ...]:
    """Class names as a report can hold them; one without a name, which stands for all classes there, gets its number.

    Raises
    ------
    DataError
        More than 100,000 names, or one of more than 1,000 characters.
    """
    kept = tuple(islice(names, MAX_CLASSES + 1))
    if len(kept) > MAX_CLASSES:
        raise DataError(
            f"{source} names more than {MAX_CLASSES:,} classes.", "See that these are classes, and not images."
        )
    for number, name in enumerate(kept):
        if len(name) > MAX_NAME:
            raise DataError(
                f"The name of class {number} in {source} has {len(name):,} characters; at most {MAX_NAME:,} were expected.",
                f"It begins {name[:40]!r}.",
            )
    # As folders are, whose names macOS lists with letter and accent apart: nobody could type such a name.
    composed = (storable(unicodedata.normalize("NFC", name)) for name in kept)
    return tuple(name or f"(unnamed {number})" for number, name in enumerate(composed))


def distinct(names: Sequence[str], folders: Sequence[str]) -> tuple[str, ...]:
    """Names to show, with the folder behind those that two classes share (ImageNet has two cranes), else their number."""
    shown = tuple(names)
    marks = folders if len(set(folders)) == len(folders) else [str(number) for number in range(len(names))]
    while len(times := Counter(shown)) < len(shown):
        shown = tuple(f"{name} ({mark})" if times[name] > 1 else name for name, mark in zip(shown, marks, strict=True))
    return shown
