"""How many pieces a protobuf file holds, counted in its bytes before a parser makes objects of them.

A piece of two bytes becomes an object of up to 190, so that a file of a few megabytes could take the whole memory.
"""

import re
from collections.abc import Iterable
from functools import cache
from typing import Any

import onnx

from onnxspec.errors import ModelError

MOST_PIECES = 1_000_000
"""Networks hold a fiftieth of it."""

_NUMBER, _LENGTH, _FIXED = 0, 2, {1: 8, 5: 4}
_SHORT = 16


def check(content: bytes) -> bool:
    """Walk over a serialised ModelProto: False where it is no protobuf, or a damaged one, which is not to be parsed.

    Raises
    ------
    ModelError
        More than `MOST_PIECES` messages, names and blocks, or a name that is not UTF-8.
    """
    pieces = 0
    waiting: list[tuple[int, int, Any]] = [(0, len(content), onnx.ModelProto.DESCRIPTOR)]
    while waiting:
        position, end, message = waiting.pop()
        inner, texts, plain = _fields(message)
        while position < end:
            if (skipped := plain.match(content, position, end)) is not None:
                position = skipped.end()
                continue
            tag, position = _varint(content, position)
            field, kind = tag >> 3, tag & 7
            pieces += 1
            if pieces > MOST_PIECES:
                raise ModelError(f"The file holds more than {MOST_PIECES:,} pieces, as no classifier does; refused.")
            start, stop = _extent(content, position, kind)
            if stop > end or not field:
                return False
            if kind == _LENGTH and stop > start:
                if field in inner:
                    waiting.append((start, stop, inner[field]))
                elif field in texts:
                    _check_text(content[start:stop], texts[field])
            position = stop
    return True


@cache
def _fields(message: Any) -> tuple[dict[int, Any], dict[int, str], re.Pattern[bytes]]:
    """A message type's fields that hold messages, those that hold text, and a pattern of those that hold neither."""
    inner = {field.number: field.message_type for field in message.fields if field.message_type is not None}
    texts = {f.number: f"{message.name}.{f.name}" for f in message.fields if f.type == f.TYPE_STRING}
    blocks = [field.number for field in message.fields if field.type == field.TYPE_BYTES]
    return inner, texts, _plain(blocks)


def _plain(blocks: list[int]) -> re.Pattern[bytes]:
    """Runs of single numbers and short blocks: exporters do not pack attributes', and a forest has millions."""

    def tags(fields: Iterable[int], kind: int) -> bytes:
        return b"".join(re.escape(bytes([field << 3 | kind])) for field in fields if field < 16)

    options = [b"[%s][\x80-\xff]{0,9}[\x00-\x7f]" % tags(range(1, 16), _NUMBER)]
    options += [b"[%s].{%d}" % (tags(range(1, 16), kind), size) for kind, size in _FIXED.items()]
    if any(field < 16 for field in blocks):
        sizes = b"|".join(b"%s.{%d}" % (re.escape(bytes([size])), size) for size in range(_SHORT + 1))
        options.append(b"[%s](?:%s)" % (tags(blocks, _LENGTH), sizes))
    return re.compile(b"(?:%s)++" % b"|".join(options), re.DOTALL)


def _check_text(text: bytes, field: str) -> None:
    try:
        text.decode()
    except UnicodeDecodeError:
        raise ModelError(
            f"The file is damaged: {field} is {text[:20]!r}, which is no text in UTF-8.",
            "Copy or download it again, or export it anew.",
        ) from None


def _varint(content: bytes, position: int) -> tuple[int, int]:
    """The number at `position` and where what follows starts; past the end where the file is cut off."""
    value = shift = 0
    for byte in content[position : position + 10]:
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value, position + shift // 7
    return 0, len(content) + 1


def _extent(content: bytes, position: int, kind: int) -> tuple[int, int]:
    """Where a field's value starts and ends; past the end where there is no such kind of field."""
    if kind == _LENGTH:
        length, start = _varint(content, position)
        return start, start + length
    if kind in _FIXED:
        return position, position + _FIXED[kind]
    return position, _varint(content, position)[1] if kind == _NUMBER else len(content) + 1
