"""Values of settings, from whatever a file, the environment or a program gives: read, or refused by the setting's name.

Every function raises a `UsageError` that says what was found and what was expected.
"""

import difflib
import re
from collections.abc import Mapping
from typing import Any

from onnxspec.errors import UsageError

_MOST_BITS = 1024
"""Of whole numbers that can still be written out in an error."""
_PREFIXES = ("", "K", "M", "G", "T")
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([kmgt]?)(i?)b?", re.IGNORECASE)


def integer(name: str, value: Any, expected: str = "a whole number") -> int:
    """A whole number, however it is written; `expected` is what the error calls for."""
    try:
        if isinstance(value, bool):
            raise ValueError
        if isinstance(value, str):  # digits are read as they are: a float has no room for all of them
            value = int(value) if value.strip().lstrip("+-").isdecimal() else float(value)
        if int(value) != value or int(value).bit_length() > _MOST_BITS:
            raise ValueError
        return int(value)
    except (TypeError, ValueError, OverflowError):
        raise unfit(name, value, expected) from None


def size(name: str, value: Any) -> int:
    """Bytes of 4000000000, "4GB" (powers of 1,000) or "4 GiB" (powers of 1,024)."""
    try:
        found = _SIZE.fullmatch(str(value).strip()) if isinstance(value, str | int | float) else None
        if found is None or isinstance(value, bool):
            raise ValueError
        amount, prefix, binary = found.groups()
        return int(float(amount) * (1024 if binary else 1000) ** _PREFIXES.index(prefix.upper()))
    except (ValueError, OverflowError):
        raise unfit(name, value, "a size such as 4GB, 512MB or 2GiB") from None


def number(name: str, value: Any) -> float:
    """A number, however it is written."""
    try:
        if isinstance(value, bool):
            raise ValueError
        return float(value)
    except (TypeError, ValueError, OverflowError):
        raise unfit(name, value, "a number") from None


def unfit(name: str, value: Any, expected: str) -> UsageError:
    """The error of a value that is of another kind than the setting."""
    try:
        found = repr(value)
    except ValueError:  # Python refuses to write out integers of thousands of digits
        found = "an enormous number"
    return UsageError(f"The setting {name} is {found}; {expected} was expected.")


def require_between(name: str, value: int, least: int, most: int) -> None:
    """Refuses a number out of its range."""
    flag = f"--{name.replace('_', '-')}"
    if value < least:
        raise UsageError(f"{flag} is {value}; it must be at least {least}.")
    if value > most:
        raise UsageError(f"{flag} is {value:,}; it must be at most {most:,}.")


def choices(name: str, given: tuple[str, ...], known: tuple[str, ...]) -> tuple[str, ...]:
    """The given words in the order of the known ones, each once; at least one."""
    for one in given:
        if one not in known:
            raise UsageError(f"--{name} has no {one!r}.", f"Known: {', '.join(known)}.")
    if not given:
        raise UsageError(f"--{name} is empty.", f"Known: {', '.join(known)}.")
    return tuple(one for one in known if one in given)


def nearest(name: str, known: Mapping[str, Any]) -> str:
    """A hint to the known names that are most like this one."""
    close = difflib.get_close_matches(name, known, n=3)
    return f"Did you mean {' or '.join(close)}?" if close else f"Known: {', '.join(sorted(known))}."
