"""An ONNX file read without its external weights, or one sentence about what the file is instead."""

import io
import os
import stat
from pathlib import Path

import onnx
from google.protobuf.message import DecodeError, EncodeError  # type: ignore[import-untyped]

from onnxspec.errors import DataError, ModelError
from onnxspec.images.containers import DAMAGE, BoundedFile, open_zip
from onnxspec.model import wire

PROTOBUF_LIMIT = 2**31 - 1

_MAGIC = (
    (b"\x89HDF", "an HDF5 file (Keras and old TensorFlow weights look so)"),
    (b"version https://git-lfs", "a git-lfs pointer, not the file it points to"),
    (b"\x93NUMPY", "a NumPy array"),
    (b"\x80\x02", "a Python pickle"),
    (b"\x80\x03", "a Python pickle"),
    (b"\x80\x04", "a Python pickle"),
    (b"\x80\x05", "a Python pickle"),
    (b"\x1f\x8b", "gzip-compressed"),
    (b"GGUF", "a GGUF language model"),
    (b"%PDF", "a PDF document"),
    (b"\x89PNG", "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"),
)
_ORT = "an ONNX Runtime format (.ort) model"
_TFLITE = "a TensorFlow Lite model"
_KERAS = "a Keras model (.keras)"
_HINTS = {
    _ORT: "Name the .onnx file that it was made from.",
    _TFLITE: "Convert it: `python -m tf2onnx.convert --tflite FILE --output model.onnx`.",
    _KERAS: 'Load it with Keras 3, and export it: model.export("model.onnx", format="onnx").',
    "a git-lfs pointer, not the file it points to": "Run `git lfs pull` in its repository.",
    "gzip-compressed": "Unpack it first: `gunzip FILE`.",
    "an HTML page": "The download went wrong: the server sent a page instead of the model.",
}
_EXPORT = "onnxspec reads ONNX files: export the model with torch.onnx.export, tf2onnx, skl2onnx or jax2onnx."


def load(path: str | os.PathLike[str]) -> onnx.ModelProto:
    """The ONNX model at `path`, its external weights left where they are.

    Raises
    ------
    ModelError
        No such file, a folder, another kind of file (named), a truncated or damaged ONNX file, or one of more pieces
        than any classifier has.
    """
    return parse(read(path), path)


def parse(content: bytes, path: str | os.PathLike[str]) -> onnx.ModelProto:
    """The ONNX model in `content`, which `read` took from `path`; raises as `load` does."""
    if not wire.check(content):
        raise _not_onnx(Path(path), content)
    try:
        proto = onnx.ModelProto.FromString(content)
    except DecodeError:
        raise _not_onnx(Path(path), content) from None
    if not proto.ir_version or not proto.graph.output:
        raise _not_onnx(Path(path), content)
    return proto


def serialised(proto: onnx.ModelProto, how: str) -> bytes:
    """A model that was changed as an ONNX file has it; raises ModelError where that would be too large. `how` is for that."""
    try:
        content = bytes(proto.SerializeToString())
    except (ValueError, EncodeError):
        content = b""
    if not 0 < len(content) <= PROTOBUF_LIMIT:
        raise ModelError(f"{how} the model would be larger than 2 GB, more than an ONNX file can hold.")
    return content


def read(path: str | os.PathLike[str]) -> bytes:
    """The bytes of the file at `path`; raises ModelError where it is no regular file of at most 2 GB."""
    path = Path(path)
    if path.is_dir():
        raise ModelError(f"{path} is a folder; an ONNX file was expected.", _folder_hint(path))
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise ModelError(f"{path} is no file but a pipe or a device; an ONNX file was expected.")
        if status.st_size > PROTOBUF_LIMIT:
            raise ModelError(
                f"{path} is larger than 2 GB, more than an ONNX file can hold.",
                "Save it with external data: onnx.save(model, path, save_as_external_data=True).",
            )
        return path.read_bytes()
    except FileNotFoundError:
        raise ModelError(f"There is no file {path}.") from None
    except OSError as error:
        raise ModelError(f"{path} cannot be read: {error.strerror}.") from None


def _folder_hint(path: Path) -> str:
    if (path / "saved_model.pb").is_file():
        return "It is a TensorFlow SavedModel: convert it with `python -m tf2onnx.convert --saved-model`."
    files = sorted(path.glob("*.onnx"))
    return f"It holds {files[0].name}: name that file." if files else ""


def _not_onnx(path: Path, content: bytes) -> ModelError:
    if not content:
        return ModelError(f"{path} is empty; an ONNX file was expected.", "Copy or download it again.")
    if (kind := _looks_like(path, content)) is not None:
        return ModelError(f"{path} is not an ONNX file: it is {kind}.", _HINTS.get(kind, _EXPORT))
    if content[:1] == b"\x08":  # field 1 of a ModelProto, its ir_version: what every exporter writes first
        return ModelError(
            f"{path} is a truncated or damaged ONNX file ({len(content):,} bytes).",
            "Copy or download it again, or export it anew.",
        )
    return ModelError(f"{path} is not an ONNX file: it starts with the bytes {content[:8].hex(' ')}.", _EXPORT)


def _looks_like(path: Path, content: bytes) -> str | None:
    for magic, kind in _MAGIC:
        if content.startswith(magic):
            return kind
    if content.startswith(b"PK\x03\x04"):
        return _looks_like_zip(path)
    if content[4:8] in (b"TFL3", b"ORTM"):
        return _TFLITE if content[4:8] == b"TFL3" else _ORT
    start = content[:512].lstrip().lower()
    if start.startswith((b"<!doctype", b"<html")):
        return "an HTML page"
    if start.startswith(b"<?xml"):
        return "an XML file (an OpenVINO model's, perhaps)"
    if content[8:10] == b'{"':
        return "a safetensors file: weights without the network"
    if all(byte in b"\t\n\r" or 32 <= byte < 127 for byte in content[:512]):
        return f"text that starts with {content[:24].decode('ascii')!r}"
    return None


def _looks_like_zip(path: Path) -> str:
    try:
        with BoundedFile(io.FileIO(path)) as file, open_zip(file) as archive:
            names = archive.namelist()
    except (DataError, *DAMAGE):
        return "a damaged zip archive"
    if any(name.endswith("data.pkl") for name in names):
        return "a PyTorch checkpoint (.pt), weights without a graph"
    if "model.weights.h5" in names:
        return _KERAS
    inside = [name for name in names if name.endswith(".onnx")]
    return f"a zip archive that holds {inside[0]!r}" if inside else "a zip archive"
