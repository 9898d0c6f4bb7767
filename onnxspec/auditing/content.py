"""What a baseline's JSON must hold, whoever wrote it: `checked` says where it does not, before anything uses it."""

import base64
import binascii
import json
import sys
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np

from onnxspec.auditing.samples import QUANTITIES, Sample
from onnxspec.errors import ReportError, UsageError
from onnxspec.settings import ESTIMATORS, KINDS, SIGNALS, Measurement, Plan, Settings

INTEGERS = {"kind": "|i1", "class_a": "<i4", "class_b": "<i4", "image_a": "<i4", "image_b": "<i4", "status": "|u1"}
# 500,000 paths; what is larger is not committed beside a model.
MOST_BYTES = 1 << 27
DATA = ("name", "digest", "content_digest", "labelling", "pairs")
_INPUTS = {"restrict_outputs": bool, "skip_bad": int, "input": str, "output": str}
_NEW = "Make a new one: --write-baseline"
_MOST_STATUS = 7


def parsed(path: Path) -> Any:
    """The JSON of a file; None where it is none, or holds numbers that are none.

    Raises
    ------
    ReportError
        There is no such file, or it is larger than a baseline can be.
    """
    try:
        size = path.stat().st_size
        if path.exists() and not path.is_file():
            raise ReportError(f"The baseline {path} is no file.", "Give the file that --write-baseline wrote.")
        if size > MOST_BYTES:
            raise ReportError(
                f"The baseline {path} has {size:,} bytes; at most {MOST_BYTES:,} are read.", "Use fewer --pairs."
            )
        found = json.loads(path.read_text(encoding="utf-8-sig"), parse_constant=_refuse)
        json.dumps(found)  # what nests so deep that it could not be written again has no digest
        return found
    except OSError as error:
        raise ReportError(
            f"The baseline {path} cannot be read: {error.strerror}.",
            "Make one: onnxspec audit MODEL --write-baseline FILE",
        ) from None
    except (ValueError, RecursionError):
        return None


def checked(content: Mapping[str, Any], path: Path) -> Sample:
    """The sample in a baseline, after all else in it was found to be what it must be.

    Raises
    ------
    ReportError
        Something is missing, of another type, or out of its range.
    """
    try:
        _require_names(content)
        _require_settings(content["settings"])
        return _sample(content)
    except (KeyError, TypeError, ValueError, AttributeError, binascii.Error, UsageError) as error:
        what = f"it has no {error}" if isinstance(error, KeyError) else str(error).rstrip(".")
        raise ReportError(f"The baseline {path} is not whole: {what[:300]}.", _NEW) from None


def dtype(column: str) -> str:
    """The type of a column in the file."""
    return INTEGERS.get(column, "<f4")


def _refuse(constant: str) -> float:
    raise ValueError(constant)


def _require(holds: bool, said: str) -> None:
    if not holds:
        raise ValueError(said)


def _require_names(content: Mapping[str, Any]) -> None:
    model, data = content["model"], content["data"]
    _require(_texts([model["name"], model["digest"]]), "model has a name or a digest that is no text")
    _require(isinstance(model["preprocess"], dict), "preprocess is no table")
    _require(_texts([data[name] for name in DATA]), "data has a name or a digest that is no text")
    _require(isinstance(content["classes"], list) and _texts(content["classes"]), "classes is no list of texts")


def _texts(values: list[Any]) -> bool:
    return all(isinstance(value, str) for value in values)


def _require_settings(found: dict[str, Any]) -> None:
    """Settings that a run can take over, the cut-off among them as a number; nothing says where data or models are."""
    known = {field.name for group in (Plan, Measurement) for field in fields(group)} | set(_INPUTS)
    _require(found.keys() <= known, f"its settings have {', '.join(sorted(found.keys() - known))}")
    for name, kind in _INPUTS.items():
        _require(isinstance(found.get(name), kind | None), f"its {name} is {found.get(name)!r}")
    _require(_is_number(found["cutoff"]) and found["cutoff"] > 0, f"its cutoff is {found['cutoff']!r}")
    _require(found["estimator"] in ESTIMATORS, f"its estimator is {found['estimator']!r}")
    Settings.of(**found)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= sys.float_info.max


def _sample(content: Mapping[str, Any]) -> Sample:
    floor, packed, names = content["floor"], content["paths"], tuple(content["classes"])
    _require(bool(floor) and floor.keys() <= set(SIGNALS), f"it has the signals {', '.join(floor)}")
    _require(all(_is_number(value) and value >= 0 for value in floor.values()), "its floor is no power")
    wanted = {*INTEGERS, *(f"{quantity}_{signal}" for signal in floor for quantity in QUANTITIES)}
    if other := sorted(wanted ^ packed.keys()):
        raise ValueError(f"its paths have no {other[0]}" if other[0] in wanted else f"its paths have a {other[0]}")
    raw = {name: base64.b64decode(text, validate=True) for name, text in packed.items()}
    columns = {name: np.frombuffer(values, dtype(name)) for name, values in raw.items()}
    _require(len({len(values) for values in columns.values()}) == 1, "its columns are of different length")
    _require(len(columns["kind"]) > 0, "it has no paths")
    last = len(names) - 1
    most = {"kind": len(KINDS) - 1, "class_a": last, "class_b": last, "status": _MOST_STATUS}
    for name in INTEGERS:
        low, high = int(columns[name].min()), int(columns[name].max())
        _require(low >= 0 and high <= most.get(name, high), f"its column {name} goes from {low} to {high}")
    sample = Sample(columns, names, floor, content["settings"]["estimator"])
    _require(len(np.unique(sample.codes)) == len(sample), "it has one pair of images twice")
    return sample
