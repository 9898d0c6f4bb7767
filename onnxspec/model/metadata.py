"""What a model says about itself: preprocessing and class names, kept in the file's metadata_props.

`onnxspec.preprocess` holds a JSON object (`images.presets.from_metadata` reads it), `onnxspec.classes` a JSON list of
names in output order. Where they say nothing, others' may: of preprocessing ONNX's own `Image` properties, which Windows
ML goes by; of classes Ultralytics' `names`, or a config.json beside the model.
"""

import json
import os
import re
import shutil
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import onnx

from onnxspec.errors import DataError, ModelError, ResourceError, UsageError
from onnxspec.images.classes import beside
from onnxspec.images.inputspec import InputSpec
from onnxspec.images.names import class_names
from onnxspec.images.presets import PREPROCESS_KEY, from_metadata
from onnxspec.model import onnxfile
from onnxspec.model.inspection import inspect

CLASSES_KEY = "onnxspec.classes"
_FORMAT_KEY, _GAMMA_KEY, _RANGE_KEY = "image.bitmappixelformat", "image.colorspacegamma", "image.nominalpixelrange"
_FORMATS = {"rgb8": {"order": "RGB"}, "bgr8": {"order": "BGR"}}
# 1/255 itself stays unset, as in the presets: floating-point images are in 0..1 already.
_RANGES = {
    "nominalrange_0_255": {"scale": 1.0, "mean": 0.0, "std": 1.0},
    "normalized_0_1": {"mean": 0.0, "std": 1.0},
    "normalized_1_1": {"mean": 0.5, "std": 0.5},
}
_NUMBERED_KEY = "names"
_NUMBERED = re.compile(r"""(\d+): (?:'([^'\\]*)'|"([^"\\]*)")""")


@dataclass(frozen=True)
class Stamp:
    """What is said of a model: the preprocessing's JSON, and the class names; None where nothing is."""

    preprocess_json: str | None = None
    classes: tuple[str, ...] | None = None


def of(metadata: Iterable[tuple[str, str]], path: str | os.PathLike[str]) -> Stamp:
    """The stamp among (key, value) pairs, as `ModelInfo.metadata` holds them, of the model at `path`.

    Raises
    ------
    ModelError
        The class names are not a JSON list of names.
    """
    values = dict(metadata)
    own = _classes(values[CLASSES_KEY]) if CLASSES_KEY in values else _by_number(values.get(_NUMBERED_KEY, ""))
    return Stamp(values.get(PREPROCESS_KEY) or _of_images(values), own or beside(path))


def stamp(
    source: str | os.PathLike[str],
    target: str | os.PathLike[str],
    preprocess_json: str | None = None,
    classes: Sequence[str] | None = None,
) -> None:
    """Write `source` to `target` with preprocessing and class names; the graph and other metadata stay as they are.

    `target` may be `source`: nothing but metadata changes, and the file is replaced in one step or not at all.
    None leaves what the file already says.

    Raises
    ------
    ModelError
        `source` is no ONNX file, or has another number of outputs than there are class names, or of channels than
        there are values of mean and std; or `preprocess_json` is no preprocessing.
    UsageError
        `target` is in another folder than the external weights of `source`, has not the ending of a model, its folder
        does not exist, or it is a file that is no ONNX model.
    ResourceError
        The file cannot be written.
    """
    source, target = Path(source), Path(target)
    info, proto = inspect(source), onnxfile.load(source)
    _refuse_other_files(target)
    if target.suffix.lower() not in (".onnx", source.suffix.lower()):
        raise UsageError(
            f"{target} is no name of a model like {source.name}.", f"Name it {target.with_name(target.name + '.onnx')}."
        )
    if not target.parent.is_dir():
        raise UsageError(f"The folder {target.parent} of {target.name} does not exist.", "Create it first.")
    if info.external and not target.parent.samefile(source.parent):
        raise UsageError(
            f"{source.name} has external weights ({info.external[0].location!r}), which only a file in the same folder finds.",
            f"Write beside it: -o {source.with_name(target.name)}",
        )
    if preprocess_json is not None:
        _check_channels(preprocess_json, info.spec)
        _set(proto, PREPROCESS_KEY, preprocess_json)
    if classes is not None:
        _check_count(len(classes), info.classes)
        _set(proto, CLASSES_KEY, json.dumps(list(classes), ensure_ascii=False))
    _replace(target, proto.SerializeToString())


def _refuse_other_files(target: Path) -> None:
    """Only a model is replaced, never whatever else has that name."""
    if not target.exists():
        return
    try:
        onnxfile.load(target)
    except ModelError:
        raise UsageError(
            f"{target} exists and is no ONNX model, so it is not replaced.", "Choose another -o."
        ) from None


def _classes(text: str) -> tuple[str, ...]:
    try:
        names = json.loads(text)
    except (ValueError, RecursionError):
        names = None
    if not isinstance(names, list) or not names or not all(isinstance(name, str) for name in names):
        raise ModelError(
            f"The model's metadata {CLASSES_KEY} is not a JSON list of class names.",
            "Write it anew: onnxspec stamp MODEL --classes FILE -o OUT, or pass --classes.",
        )
    try:
        return class_names(names, f"the metadata {CLASSES_KEY}")
    except DataError as error:
        raise ModelError(error.message, error.hint) from None


def _of_images(metadata: Mapping[str, str]) -> str | None:
    """Preprocessing in the `Image` properties, whose keys and values ONNX takes in either case; None where none is told.

    https://github.com/onnx/onnx/blob/main/docs/MetadataProps.md
    """
    said = {key.lower(): value.lower() for key, value in metadata.items()}
    fields = _FORMATS.get(said.get(_FORMAT_KEY, ""), {}) | _RANGES.get(said.get(_RANGE_KEY, ""), {})
    # Linear light is no affine function of pixels, so that no preprocessing here would be that of the model.
    return json.dumps(fields) if fields and said.get(_GAMMA_KEY, "srgb") == "srgb" else None


def _by_number(text: str) -> tuple[str, ...] | None:
    """The names in {0: 'cat', 1: 'dog'}, as Ultralytics writes a dictionary; None where that is none."""
    found = _NUMBERED.findall(text)
    if not found or [number for number, *_ in found] != [str(i) for i in range(len(found))]:
        return None
    try:
        return class_names((one or other for _, one, other in found), f"the metadata {_NUMBERED_KEY}")
    except DataError:  # others may mean something else by the word
        return None


def _check_count(names: int, outputs: int | None) -> None:
    fitting = {1: 2}.get(outputs or 0, outputs)  # one column stands for two classes
    if fitting not in (None, names):
        raise ModelError(
            f"There are {names} class names, and the model tells {fitting} classes apart.",
            "Name every output, in their order.",
        )


def _check_channels(preprocess_json: str, spec: InputSpec | None) -> None:
    found = from_metadata(preprocess_json)
    preprocess = replace(found, origin=dict.fromkeys(found.origin, "to be stamped"))
    if spec is None or spec.channels is None:
        return
    try:
        preprocess.affine(spec.channels)
    except DataError as error:
        raise ModelError(error.message, error.hint) from None


def _set(proto: onnx.ModelProto, key: str, value: str) -> None:
    kept = [entry for entry in proto.metadata_props if entry.key != key]
    del proto.metadata_props[:]
    proto.metadata_props.extend([*kept, onnx.StringStringEntryProto(key=key, value=value)])


def _replace(target: Path, content: bytes) -> None:
    # A link stays a link, and what others may not read they may not read afterwards.
    place = Path(os.path.realpath(target))
    part = place.with_name(f".onnxspec-{os.getpid()}.part")
    try:
        if place.exists():
            part.touch(0o600)
        part.write_bytes(content)
        if place.exists():
            with suppress(PermissionError):  # shares have permissions of their own
                shutil.copymode(place, part)
        part.replace(place)
    except OSError as error:
        raise ResourceError(f"{target} cannot be written: {error.strerror}.") from None
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)
