"""Damage to text files: JSON and TOML whose values are others, lines that are lost, doubled or hostile."""

import json
from collections.abc import Iterator
from copy import deepcopy
from random import Random
from typing import Any

from . import hostile

_JSON = (
    None,
    True,
    False,
    [],
    {},
    [[]],
    {"a": {}},
    "",
    "x",
    10**400,
    -1,
    0,
    1.5,
    1e308,
    [1, 2, 3],
    {"height": 0, "width": 1},
)
_RAW = ("1e999", "NaN", "-Infinity", "1" * 5000, "[" * 5000, '{"a":' * 3000, "\\ud800", '"\\ud800"')
_TOML = ("0", "-1", "2", "9", "257", "1.5", "1e999", "nan", "inf", "true", '""', '"x"', "[]", "{}", "[[1]]", "1979-05-27",
         "9223372036854775807", "99999999999999999999", '"../around/secret.bin"', '"\\u001b[31m"', "4294967297",
         '["within", 1]', "{ min = nan }", "{ max = 0.5, min = 0.9 }", "1099511627777", '"linear"')  # fmt: skip


def damaged_json(content: bytes, rng: Random) -> tuple[bytes, str]:
    """A JSON document with one to three values or keys changed, or its bytes damaged."""
    if rng.random() < 0.3:
        return hostile.damaged(content, rng)
    document, names = json.loads(content), []
    for _ in range(rng.choice((1, 1, 2, 3))):
        places = list(_places(document))
        if not places:
            break
        holder, key = rng.choice(places)
        names.append(_change(holder, key, rng))
    text = json.dumps(document, ensure_ascii=rng.random() < 0.5)
    if rng.random() < 0.1:
        raw = rng.choice(_RAW)
        text, _ = text.replace(rng.choice(("1", '"', "0", "null")), raw, 1), names.append(raw[:12])
    return text.encode("utf-8", "surrogatepass"), "+".join(names)


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    pairs = (
        list(value.items()) if isinstance(value, dict) else list(enumerate(value)) if isinstance(value, list) else []
    )
    for key, inner in pairs:
        yield value, key
        yield from _places(inner)


def _change(holder: Any, key: Any, rng: Random) -> str:
    way = rng.choice(("set", "set", "set", "delete", "rename", "number"))
    if way == "delete":
        del holder[key]
    elif way == "rename" and isinstance(holder, dict):
        holder[rng.choice(hostile.TEXTS)] = holder.pop(key)
    elif way == "number":
        holder[key] = rng.choice((hostile.integer(rng), rng.choice(hostile.FLOATS)))
    else:
        # A copy: the next change may be made inside of it, and a list in itself is no JSON.
        holder[key] = deepcopy(rng.choice((*_JSON, rng.choice(hostile.TEXTS))))
    return f"{way} {key!s:.20}"


def damaged_toml(content: bytes, rng: Random) -> tuple[bytes, str]:
    """A TOML file with a value, a key or a table changed, or its lines or bytes damaged."""
    way = rng.random()
    if way < 0.2:
        return hostile.damaged(content, rng)
    if way < 0.35:
        return damaged_lines(content, rng)
    lines, names = content.decode().splitlines(), []
    for _ in range(rng.choice((1, 1, 2))):
        at = rng.choice([i for i, line in enumerate(lines) if " = " in line])
        key, _, value = lines[at].partition(" = ")
        if rng.random() < 0.8:
            value = rng.choice((*_TOML, *(f'"{t}"' for t in hostile.TEXTS if t.isalnum())))
        else:
            key = rng.choice(("unknown", "pairs.x", '"a b"', "audit", "models", "preprocess.mean", "", "[x]"))
        lines[at] = f"{key} = {value}"
        names.append(lines[at][:50])
    return "\n".join([*lines, ""]).encode(), "+".join(names)


def damaged_lines(content: bytes, rng: Random) -> tuple[bytes, str]:
    """A file of lines with some of them lost, doubled, swapped, hostile, or in another encoding."""
    way = rng.choice(
        ("delete", "double", "swap", "hostile", "hostile", "separator", "encoding", "bytes", "empty", "append")
    )
    lines = content.decode().splitlines()
    at = rng.randrange(len(lines))
    if way == "bytes":
        return hostile.damaged(content, rng)
    if way == "encoding":
        return content.decode().encode(rng.choice(("utf-16", "utf-8-sig", "utf-32"))), "another encoding"
    if way == "empty":
        return rng.choice((b"", b"\n" * 40, b"\0" * 64)), "nothing"
    if way == "delete":
        del lines[at]
    elif way == "double":
        lines.insert(rng.randrange(len(lines)), lines[at])
    elif way == "swap":
        rng.shuffle(lines)
    elif way == "separator":
        lines[at] = lines[at].replace(rng.choice((",", "/", " ")), rng.choice(("\t", ";", ",", "", '"', "\\")))
    elif way == "append":
        lines += [rng.choice(hostile.TEXTS)] * rng.choice((1, 2000))
    else:
        lines[at] = rng.choice((rng.choice(hostile.TEXTS), lines[at] + rng.choice(hostile.TEXTS)))
    return "\n".join([*lines, ""]).encode("utf-8", "replace"), way
