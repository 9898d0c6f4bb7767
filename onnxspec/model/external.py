"""External weights: the files beside an ONNX model that hold its tensors, confined to the model's folder."""

import os
from collections import Counter
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath

import onnx

from onnxspec.errors import ModelError
from onnxspec.model import stored
from onnxspec.model.contents import DAMAGED, all_tensors
from onnxspec.model.ports import quoted

# What ONNX defines. Readers that set whatever else they find as attributes can be made to misbehave, and ONNX Runtime
# takes weights that a file calls "prepacked" as they are into its kernels. A checksum is nothing that is relied on.
_KEYS = {"location", "offset", "length", "checksum"}
_BESIDE = "Save the model again with its weights beside it: onnx.save(model, path, save_as_external_data=True)."


@dataclass(frozen=True)
class ExternalFile:
    """One file of external weights: `location` as the model writes it, `needed` and present `size` in bytes.

    `size` is None where the file is missing; `tensor` is the tensor that reaches furthest into it.
    """

    location: str
    path: Path
    needed: int
    size: int | None
    tensor: str


def external_files(proto: onnx.ModelProto, path: str | os.PathLike[str]) -> tuple[ExternalFile, ...]:
    """The external files that the model at `path` names, by location.

    A symlink may lead out of the model's folder only as a model cache's do: the model is a symlink too, and the weights
    lie in the folder that it leads to, or below it.

    Raises
    ------
    ModelError
        A location that is absolute, climbs or leads out of the model's folder, or is no file's; an entry that ONNX does
        not define, or that does not fit its tensor. None of these files is ever opened.
    """
    furthest: dict[str, tuple[int, str]] = {}
    for tensor in all_tensors(proto):
        if tensor.data_location == onnx.TensorProto.EXTERNAL:
            location, end = _extent(tensor)
            furthest[location] = max(furthest.get(location, (0, "")), (end, tensor.name))
    return tuple(_file(Path(path), location, *furthest[location]) for location in sorted(furthest))


def check(files: tuple[ExternalFile, ...]) -> None:
    """Raises ModelError where a file is missing or shorter than the model says, naming it."""
    missing = [file.location for file in files if file.size is None]
    if missing:
        raise ModelError(
            f"The model's external weights are missing: {', '.join(map(quoted, missing[:5]))}.",
            "Put them into the model's folder under these names.",
        )
    for file in files:
        if file.size is not None and file.size < file.needed:
            raise ModelError(
                f"The external weights {quoted(file.location)} are truncated: {file.size:,} bytes, "
                f"and the tensor {quoted(file.tensor)} ends at {file.needed:,}.",
                "Copy or download them again.",
            )


def relocate(proto: onnx.ModelProto, files: tuple[ExternalFile, ...]) -> Path | None:
    """Has the model name its external `files` by where they really lie, below one folder, which is returned.

    ONNX Runtime follows no symlink out of that folder where a model comes as bytes. None where it names no file.

    Raises
    ------
    ModelError
        They lie in folders that have no part in common.
    """
    real = {file.location: file.path.resolve() for file in files}
    if not real:
        return None
    try:
        folder = Path(os.path.commonpath([path.parent for path in real.values()]))
    except ValueError:  # on two drives
        raise ModelError("The model's external weights lie on several drives.", _BESIDE) from None
    for tensor in all_tensors(proto):
        if tensor.data_location == onnx.TensorProto.EXTERNAL:
            for entry in tensor.external_data:
                if entry.key == "location":
                    entry.value = real[entry.value].relative_to(folder).as_posix()
    return folder


def _extent(tensor: onnx.TensorProto) -> tuple[str, int]:
    """Where a tensor's weights are, and at which byte they end."""
    entries = _entries(tensor)
    location = entries.get("location", "")
    steps = PurePosixPath(location.replace("\\", "/")).parts
    if not steps or PurePosixPath(location).is_absolute() or PureWindowsPath(location).anchor or ".." in steps:
        raise _outside(tensor.name, location)
    if "*" in location or "\0" in location:  # ONNX Runtime takes */_ORT_MEM_ADDR_/* for an address in its own memory
        raise ModelError(
            f"The tensor {quoted(tensor.name)} has its weights at {quoted(location)}, no file; refused.", _BESIDE
        )
    size = stored.bytes_of(tensor)
    offset, length = _number(entries.get("offset") or "0"), _number(entries.get("length") or str(size))
    if offset is None or length != size:
        raise ModelError(
            f"The tensor {quoted(tensor.name)} has no valid offset and length in {quoted(location)}: "
            f"{quoted(entries.get('offset', ''))} and {quoted(entries.get('length', ''))} for its {size:,} bytes.",
            DAMAGED,
        )
    return location, offset + size


def _entries(tensor: onnx.TensorProto) -> dict[str, str]:
    counts = Counter(entry.key for entry in tensor.external_data)
    odd = [key for key, count in counts.items() if key not in _KEYS or count > 1]
    if odd:
        raise ModelError(
            f"The tensor {quoted(tensor.name)} says more of its external weights than ONNX defines, or says it twice: "
            f"{', '.join(map(quoted, odd[:5]))}; refused.",
            _BESIDE,
        )
    return {entry.key: entry.value for entry in tensor.external_data}


def _number(text: str) -> int | None:
    """A size in bytes; None where the text is none that a file could have."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None


def _file(model: Path, location: str, needed: int, tensor: str) -> ExternalFile:
    path = model.parent / location
    try:
        homes = {model.parent.resolve(), model.resolve().parent}
        real = path.resolve()
        size = real.stat().st_size if real.is_file() else None
    except (OSError, RuntimeError):  # symlinks in a circle, a name that is too long
        return ExternalFile(location, path, needed, None, tensor)
    if not any(real.is_relative_to(home) for home in homes):
        raise _outside(tensor, location)
    return ExternalFile(location, path, needed, size, tensor)


def _outside(tensor: str, location: str) -> ModelError:
    return ModelError(
        f"The tensor {quoted(tensor)} has its weights at {quoted(location)}, outside the model's folder; refused.",
        _BESIDE,
    )
