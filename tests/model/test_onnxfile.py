"""What is read as ONNX, and what a file that is not is called."""

import zipfile

import pytest

from model import build
from onnxspec.errors import ModelError
from onnxspec.model.onnxfile import load


def refused(path) -> str:
    with pytest.raises(ModelError) as error:
        load(path)
    return str(error.value)


def test_a_model_is_read(tmp_path):
    assert load(build.save(build.mlp(), tmp_path / "m.onnx")).graph.output[0].name == "y"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:12\n", "git lfs pull"),
        (b"<!DOCTYPE html><html>404</html>", "an HTML page"),
        (b"\x89HDF\r\n\x1a\n" + b"\0" * 99, "an HDF5 file"),
        (b"\x80\x04\x95" + b"x" * 99, "a Python pickle"),
        (b"\x1f\x8b\x08\0" + b"\0" * 99, "gunzip"),
        (b"\x1c\0\0\0TFL3" + b"\0" * 99, "TensorFlow Lite model. Convert it: `python -m tf2onnx.convert --tflite"),
        (b"\x1c\0\0\0ORTM" + b"\0" * 99, "ONNX Runtime format (.ort) model. Name the .onnx file"),
        (b"\x10\x01\0\0\0\0\0\0" + b'{"__metadata__":{}}', "safetensors"),
        (b"not a model\n", "'not a model\\n'"),
        (b"\xde\xad\xbe\xef" * 9, "de ad be ef"),
        (b"\0" * 64, "00 00 00"),
    ],
)
def test_other_files_are_named(tmp_path, content, said):
    path = tmp_path / "m.onnx"
    path.write_bytes(content)
    assert said in refused(path)


@pytest.mark.parametrize(
    ("inside", "said"),
    [
        ("archive/data.pkl", "PyTorch"),
        ("model.weights.h5", 'Keras model (.keras). Load it with Keras 3, and export it: model.export("'),
        ("net/model.onnx", "'net/model.onnx'"),
        ("a.txt", "a zip archive"),
    ],
)
def test_zip_files_are_looked_into(tmp_path, inside, said):
    path = tmp_path / "m.onnx"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(inside, b"")
    assert said in refused(path)


@pytest.mark.parametrize(
    "damage",
    [
        lambda zipped: zipped.replace(b"\x14\0\0\x08", b"\xff\0\0\x08"),  # a version of the format that is not yet made
        lambda zipped: zipped.replace("ä".encode(), b"\xff\xfe"),
        lambda zipped: zipped[:-30],
    ],
)
def test_a_damaged_zip_file_is_called_so(tmp_path, damage):
    path = tmp_path / "m.onnx"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("ä", b"")
    zipped = path.read_bytes()
    path.write_bytes(damage(zipped))
    assert path.read_bytes() != zipped
    assert "a damaged zip archive" in refused(path)


@pytest.mark.parametrize("kept", [0.3, 0.6, 0.9])
def test_a_truncated_file_is_called_so(tmp_path, kept):
    path = build.save(build.convnet(), tmp_path / "m.onnx")
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * kept)])
    assert "truncated or damaged" in refused(path)


def test_no_such_file_and_folders(tmp_path):
    assert "There is no file" in refused(tmp_path / "m.onnx")
    assert "is a folder" in refused(tmp_path)
    build.save(build.mlp(), tmp_path / "inside.onnx")
    assert "inside.onnx" in refused(tmp_path)
    (tmp_path / "saved_model.pb").touch()
    assert "tf2onnx" in refused(tmp_path)
