"""The attributes of a report, each of its type and in its range; those that hold JSON hold what they should."""

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any

import h5py
import numpy as np

from onnxspec.errors import UsageError
from onnxspec.report.storage import Flaw, require_scalars
from onnxspec.report.tables import OF_HDF5, plain
from onnxspec.results import Remark
from onnxspec.sampling import ENDINGS
from onnxspec.settings import CUTOFFS, ESTIMATORS, KINDS, SIGNALS, Measurement, Plan, Settings

Check = Callable[[Any], bool]

LABELLINGS = ("true", "predicted", "probe")
PATH_FORMS = ("host", "graph")
MOST_POINTS = 2**20 + 1
_TEXTS = (
    *("tool_version", "model", "model_digest", "output_kind", "provider", "data", "data_digest", "content_digest"),
    *("noise_floor_source", "class_map", "preprocess", "settings", "remarks", "ended", "digest", "digest_with_names"),
)
_RUN_TEXTS = ("started", "device", "onnxruntime", "numpy", "host", "platform", "python", "command", "cluster")
_RUN_NUMBERS = ("seconds", "batch", "threads", "session_threads", "seconds_per_image", "cached_paths")


def of_report(file: h5py.File) -> dict[str, Any]:
    """All attributes of a report, those of /run as `run_NAME`; NaN, a figure that was not measured, is None.

    Raises
    ------
    Flaw
        One is missing, of another type, or out of its range.
    """
    found, run = scalars(file, "/"), scalars(file.get("run"), "/run")
    # Reports from before there was a choice have none; their paths were formed on the host.
    found.setdefault("path_form", PATH_FORMS[0])
    wanted = {**dict.fromkeys(_TEXTS, _is_text), **_CHECKS, "schema_version": _whole()}
    for name, check in wanted.items():
        if name not in found:
            raise Flaw(f"has no attribute {name}")
        if not check(found[name]):
            raise Flaw(f"has {str(found[name])[:60]!r} as its attribute {name}, which cannot be")
    if extra := sorted(found.keys() - wanted.keys()):
        raise Flaw(f"has an attribute {extra[0]} that no report has")
    _require_run(file["run"], run)
    for name in _JSON:
        held(found[name], name)
    own = {name: plain(value) for name, value in found.items()}
    return own | {f"run_{name}": plain(value) for name, value in run.items()}


def scalars(item: Any, where: str) -> dict[str, Any]:
    """The attributes of a group, each a text or a number.

    Raises
    ------
    Flaw
        There is no such group, or an attribute is something else.
    """
    if not isinstance(item, h5py.Group):
        raise Flaw(f"has no {where}")
    require_scalars(item, where)
    return {name: item.attrs[name] for name in item.attrs if name not in OF_HDF5}


def held(text: str, name: str) -> Any:
    """What the JSON of the attribute `name` says: settings, preprocess, remarks or ended.

    Raises
    ------
    Flaw
        It is no JSON, holds numbers that are none, or something else than it should.
    """
    found = _as_json(text, name)
    _JSON[name](found)
    return found


def _as_json(text: str, name: str) -> Any:
    try:
        return json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError):
        raise Flaw(f"has an attribute {name} that is not JSON") from None


def _refuse(constant: str) -> float:
    raise ValueError(constant)


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _whole(low: int = 0, high: int = 2**63 - 1) -> Check:
    return lambda value: isinstance(value, np.integer) and low <= int(value) <= high


def _number(low: float, high: float, unknown: bool = False) -> Check:
    """A real number in a range without its ends where these are infinite; `unknown` lets it be NaN."""

    def check(value: Any) -> bool:
        if not isinstance(value, np.floating | np.integer):
            return False
        return bool(math.isnan(value) and unknown) or bool(math.isfinite(value) and low <= value <= high)

    return check


def _words(known: tuple[str, ...], separated: bool = False) -> Check:
    """One of the words; with `separated`, one or more of them in their order with spaces between."""

    def check(value: Any) -> bool:
        if not isinstance(value, str):
            return False
        return (
            bool(value) and value == " ".join(w for w in known if w in value.split()) if separated else value in known
        )

    return check


def _points(value: Any) -> bool:
    return _whole(9, MOST_POINTS)(value) and (int(value) - 1).bit_count() == 1


_SHARE = _number(0, 1, unknown=True)
_CHECKS: Mapping[str, Check] = {
    **dict.fromkeys(("accuracy", "accuracy_low", "accuracy_high"), _SHARE),
    "d_ref": _number(np.finfo(np.float64).tiny, 1e100),
    "cutoff": _number(*CUTOFFS),
    **dict.fromkeys(("accuracy_images", "data_images", "seed"), _whole()),
    "outputs": _whole(1, 2**31),
    "pairs": _whole(1),
    "points": _points,
    "points_from": _words(("asked", "auto", "doubled")),
    "precision": _SHARE,
    "tf32": _whole(0, 1),
    "labelling": _words(LABELLINGS),
    "path_form": _words(PATH_FORMS),
    "estimator": _words(ESTIMATORS),
    "kinds": _words(KINDS, separated=True),
    "signals": _words(SIGNALS, separated=True),
}


def _require_run(group: h5py.Group, run: Mapping[str, Any]) -> None:
    if len(group) or set(run) - {*_RUN_TEXTS, *_RUN_NUMBERS}:
        raise Flaw("has something at /run that no report has")
    if "device" not in run:
        raise Flaw("has no attribute device at /run")
    for name, value in run.items():
        if not (_is_text(value) if name in _RUN_TEXTS else _number(0, 1e100)(value)):
            raise Flaw(f"has {str(value)[:60]!r} as the attribute {name} of /run, which cannot be")


def _require_settings(found: Any) -> None:
    if not isinstance(found, dict):
        raise Flaw("has an attribute settings that is no table")
    names = {field.name for group in (Plan, Measurement) for field in fields(group)} | {"restrict_outputs"}
    try:
        Settings.of(**{name: value for name, value in found.items() if name in names})
    except (UsageError, TypeError, ValueError, AttributeError) as error:
        raise Flaw(f"has settings that cannot be: {error}") from None


def _require_preprocess(found: Any) -> None:
    if not isinstance(found, dict):
        raise Flaw("has an attribute preprocess that is no table")
    fields_of = found.values()
    if not all(
        isinstance(one, dict) and one.keys() == {"value", "from"} and _is_text(one["from"]) for one in fields_of
    ):
        raise Flaw("has an attribute preprocess that is no table of values and where each is from")
    if not all(_is_setting(one["value"]) for one in fields_of):
        raise Flaw("has an attribute preprocess with a value that is neither text nor numbers")
    scale = found.get("scale", {"value": None})["value"]
    if scale is not None and not (isinstance(scale, int | float) and 0 < scale < math.inf):
        raise Flaw(f"has the scale {str(scale)[:40]!r} in its attribute preprocess; a number above 0 was expected")


def _is_setting(value: Any) -> bool:
    single = [value] if not isinstance(value, list) else value
    finite = (not isinstance(one, float) or math.isfinite(one) for one in single)
    return all(one is None or isinstance(one, str | int | float) for one in single) and all(finite)


def _require_remarks(found: Any) -> None:
    names = {field.name for field in fields(Remark)}
    if not isinstance(found, list) or not all(isinstance(one, dict) and one.keys() == names for one in found):
        raise Flaw("has an attribute remarks that is no list of code, text and hint")
    if not all(_is_text(value) for one in found for value in one.values()):
        raise Flaw("has a remark that is no text")


def _require_ended(found: Any) -> None:
    if not isinstance(found, dict) or not all(k in KINDS and found[k] in tuple(ENDINGS) for k in found):
        raise Flaw("has an attribute ended that is no table of why each kind ended")


_JSON: Mapping[str, Callable[[Any], None]] = {
    "settings": _require_settings,
    "preprocess": _require_preprocess,
    "remarks": _require_remarks,
    "ended": _require_ended,
}
