"""Preprocessing in words: the named conventions, `key=value` text, TOML tables and a model's metadata.

imagenet                        a named convention (only the values; sizes come from the model)
imagenet;resize=256;crop=224    ... with fields set beside it
scale=1;mean=127;std=128        every field is spelled as in `Preprocess`
preprocessor_config.json        a file, see `processors`
"""

import difflib
import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from onnxspec.errors import ModelError, UsageError
from onnxspec.images.preprocess import METADATA, Preprocess
from onnxspec.images.processors import from_file

AUTO = "auto"
PREPROCESS_KEY = "onnxspec.preprocess"

_CONVENTIONS: dict[str, dict[str, Any]] = {
    "0..1": {},
    "0..255": {"scale": 1.0},
    "-1..1": {"mean": 0.5, "std": 0.5},
    "127/128": {"scale": 1.0, "mean": 127.0, "std": 128.0},
    "imagenet": {"mean": (0.485, 0.456, 0.406), "std": (0.229, 0.224, 0.225)},
    "cifar10": {"mean": (0.4914, 0.4822, 0.4465), "std": (0.2470, 0.2435, 0.2616)},
}
_GREY_CONVENTIONS: dict[str, dict[str, Any]] = {
    "mnist": {"mean": 0.1307, "std": 0.3081},
    "fashion-mnist": {"mean": 0.2860, "std": 0.3530},
}


def _reversed(values: dict[str, Any]) -> dict[str, Any]:
    """mean and std are in the model's order, so a BGR model lists them backwards."""
    return {name: v[::-1] if isinstance(v, tuple) else v for name, v in values.items()} | {"order": "BGR"}


def _preset(name: str, values: dict[str, Any]) -> Preprocess:
    # A convention settles mean and std even where they are 0 and 1. It leaves scale unset at 1/255, so that
    # floating-point images, which are in 0..1 already, are not scaled again.
    settled: dict[str, Any] = {"mean": 0.0, "std": 1.0, "order": "RGB"} | values
    return Preprocess(**settled, origin=dict.fromkeys(settled, f"preset {name}"))


PRESETS: Mapping[str, Preprocess] = {
    name: _preset(name, values)
    for name, values in (
        *_CONVENTIONS.items(),
        *_GREY_CONVENTIONS.items(),
        *((f"{name}-bgr", _reversed(values)) for name, values in _CONVENTIONS.items()),
    )
}


def read_preprocess(value: str | Mapping[str, Any] | Preprocess, origin: str) -> Preprocess | None:
    """What a `--preprocess` flag or a `preprocess` setting says; None for "auto".

    Parameters
    ----------
    value : a preset's name, the path of a file, "key=value;...", "auto", a table, or a Preprocess
    origin : where the value itself comes from ("flag", "onnxspec.toml")

    Raises
    ------
    UsageError
        None of these, or a field that does not exist or cannot have that value.
    """
    if isinstance(value, Preprocess):
        return value
    if isinstance(value, Mapping):
        return from_table(value, origin)
    if (quoted := value.strip())[:1] == quoted[-1:] == "'":  # as hints write it, and cmd.exe leaves it
        value = quoted.strip("'")
    if value.strip() == AUTO:
        return None
    if value not in PRESETS and os.path.isfile(value):
        return from_file(value)
    items = [item.strip() for item in value.split(";") if item.strip()]
    if len(items) == 1 and "=" not in value and value.strip() not in PRESETS:
        raise UsageError(
            f"--preprocess {value!r} is neither a named convention nor a file nor key=value.",
            _nearest(value, PRESETS),
        )
    # A word without "=" is the name of a preset.
    pairs = [item.split("=", 1) if "=" in item else ["preset", item] for item in items]
    return from_table({key.strip(): text.strip() for key, text in pairs}, origin)


def from_table(table: Mapping[str, Any], origin: str) -> Preprocess:
    """Preprocessing from field names and values (numbers, lists or their text), plus `preset` = a preset's name.

    Raises
    ------
    UsageError
        A field that does not exist, or a value that it cannot have.
    """
    values = dict(table)
    name = str(values.pop("preset", ""))
    if name and name not in PRESETS:
        raise UsageError(f"There is no preprocessing called {name!r}.", _nearest(name, PRESETS))
    for key in values:
        if key not in _PARSERS:
            raise UsageError(f"Preprocessing has no field {key!r}.", _nearest(key, _PARSERS))
    parsed = {key: _PARSERS[key](key, value) for key, value in values.items()}
    base = PRESETS[name] if name else Preprocess()
    return replace(base, **parsed, origin=dict(base.origin) | dict.fromkeys(parsed, origin))


def from_metadata(text: str) -> Preprocess:
    """Preprocessing that a model carries under `onnxspec.preprocess` in its metadata_props.

    Raises
    ------
    ModelError
        The text is no JSON object of preprocessing fields.
    """
    hint = "Correct it with onnxspec stamp, or override it with --preprocess."
    try:
        table = json.loads(text)
        if not isinstance(table, dict):
            raise ValueError("it is no JSON object")
        return from_table(table, METADATA)
    except (ValueError, RecursionError) as error:
        raise ModelError(f"The model's metadata {PREPROCESS_KEY} is not usable: {error}.", hint) from None
    except UsageError as error:
        raise ModelError(f"The model's metadata {PREPROCESS_KEY} is not usable: {error.message}", hint) from None


def _size(key: str, value: Any) -> Any:
    if isinstance(value, str):
        text = value.lower().replace("x", ",")
        if text in ("none", "cover"):
            return None if text == "none" else text
        value = [_whole(key, part) for part in text.split(",")]
        value = value[0] if len(value) == 1 else value
    return tuple(value) if isinstance(value, Sequence) and not isinstance(value, str) else value


def _crop(key: str, value: Any) -> Any:
    size = _size(key, value)
    return (size, size) if isinstance(size, int) else size


def _whole(key: str, text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise UsageError(f"{key} is {text!r}; whole numbers of pixels were expected, like 224 or 224,224.") from None


def _number(key: str, value: Any) -> float:
    """A number or its text; 1/255 is text that people write."""
    try:
        over, slash, under = str(value).partition("/")
        return float(over) / float(under) if slash else float(over)
    except (ValueError, ZeroDivisionError):
        raise UsageError(f"{key} is {value!r}; a number was expected.") from None


def _per_channel(key: str, value: Any) -> tuple[float, ...]:
    parts = value.split(",") if isinstance(value, str) else value if isinstance(value, Sequence) else [value]
    return tuple(_number(key, part) for part in parts)


def _word(key: str, value: Any) -> str:
    return str(value).strip()


def _upper(key: str, value: Any) -> str:
    return str(value).strip().upper()


_PARSERS: dict[str, Callable[[str, Any], Any]] = {
    "resize": _size,
    "crop": _crop,
    "interpolation": _word,
    "scale": _number,
    "mean": _per_channel,
    "std": _per_channel,
    "order": _upper,
    "layout": _upper,
}


def _nearest(name: str, known: Mapping[str, Any]) -> str:
    close = difflib.get_close_matches(name, known, n=3)
    return f"Did you mean {' or '.join(close)}?" if close else f"Known: {', '.join(known)}."
