"""External weights: found beside the model, named when missing, never looked for elsewhere."""

import os

import onnx
import pytest

from model import build
from onnxspec.errors import ModelError
from onnxspec.model.inspection import inspect
from onnxspec.model.session import OnnxModel

SYMLINKS = pytest.mark.skipif(os.name == "nt", reason="symlinks need a privilege there")


@pytest.fixture
def path(tmp_path):
    return build.save_external(build.mlp(), tmp_path / "m.onnx")


def moved_to(path, location):
    proto = onnx.load(path, load_external_data=False)
    for entry in proto.graph.initializer[0].external_data:
        if entry.key == "location":
            entry.value = location
    path.write_bytes(proto.SerializeToString())
    return path


def test_they_are_listed(path):
    (file,) = inspect(path).external
    assert (file.location, file.size, file.needed) == ("model.weights", 240, 240)


def test_a_missing_file_is_named(path):
    path.with_name("model.weights").unlink()
    info = inspect(path)
    with pytest.raises(ModelError, match=r"'model\.weights'"):
        info.check()
    with pytest.raises(ModelError, match="missing"):
        OnnxModel.open(path, device="cpu")


def test_a_short_file_is_named_with_the_tensor(path):
    path.with_name("model.weights").write_bytes(b"short")
    with pytest.raises(ModelError, match=r"'model.weights' are truncated: 5 bytes.* 'w' ends at 240"):
        inspect(path).check()


def test_a_folder_below_is_allowed(path):
    below = path.parent / "weights"
    below.mkdir()
    path.with_name("model.weights").rename(below / "w.bin")
    assert OnnxModel.open(moved_to(path, "weights/w.bin"), device="cpu").outputs == build.CLASSES


@pytest.mark.parametrize(
    "location", ["/etc/passwd", "../w.bin", "a/../../w", "C:\\w.bin", "..\\w.bin", "\\\\host\\w", ""]
)
def test_other_places_are_refused(path, location):
    with pytest.raises(ModelError, match="outside the model's folder"):
        inspect(moved_to(path, location))


def entries_of(path, **entries):
    """The model with these entries of external data in place of its own; None takes one away."""
    proto = onnx.load(path, load_external_data=False)
    tensor = proto.graph.initializer[0]
    values = {entry.key: entry.value for entry in tensor.external_data} | entries
    del tensor.external_data[:]
    for key, value in values.items():
        if value is not None:
            tensor.external_data.add(key=key, value=value)
    path.write_bytes(proto.SerializeToString())
    return path


@pytest.mark.parametrize(
    "entries",
    [
        {"offset": "-1"},
        {"offset": "1e3"},
        {"offset": "9" * 5000},
        {"offset": "\u0663"},
        {"length": "4"},
        {"length": "-240"},
    ],
)
def test_nonsense_offsets_are_refused(path, entries):
    with pytest.raises(ModelError, match="no valid offset and length") as error:
        inspect(entries_of(path, **entries))
    assert len(str(error.value)) < 500


@pytest.mark.parametrize("entries", [{"offset": "4096"}, {"offset": "1", "length": None}, {"offset": str(10**17)}])
def test_offsets_past_the_end_are_refused(path, entries):
    with pytest.raises(ModelError, match=r"are truncated: 240 bytes.* ends at"):
        inspect(entries_of(path, **entries)).check()


@pytest.mark.parametrize("entries", [{"checksum": "a" * 40}, {"length": None}, {"offset": None}])
def test_what_onnx_defines_is_read(path, entries):
    assert OnnxModel.open(entries_of(path, **entries), device="cpu").outputs == build.CLASSES


@pytest.mark.parametrize("key", ["basepath", "__class__", "prepacked_0", ""])
def test_other_keys_are_refused(path, key):
    with pytest.raises(ModelError, match=f"'{key}'; refused"):
        inspect(entries_of(path, **{key: "x"}))


def test_a_key_that_comes_twice_is_refused(path):
    proto = onnx.load(path, load_external_data=False)
    proto.graph.initializer[0].external_data.add(key="location", value="/etc/passwd")
    path.write_bytes(proto.SerializeToString())
    with pytest.raises(ModelError, match="or says it twice: 'location'"):
        inspect(path)


@pytest.mark.skipif(os.name == "nt", reason="no such file names")
@pytest.mark.parametrize("tag", ["_ORT_MEM_ADDR_", "_ORT_LE_MEM_ADDR_"])
def test_addresses_in_memory_are_no_files(path, tag):
    """ONNX Runtime takes the offset for an address there, also where such a file exists."""
    place = path.parent / "*" / tag
    place.mkdir(parents=True)
    path.with_name("model.weights").rename(place / "*")
    with pytest.raises(ModelError, match="no file; refused"):
        inspect(moved_to(path, f"*/{tag}/*"))


def test_tensors_in_nodes_are_confined_too(tmp_path):
    hidden = onnx.TensorProto(name="hidden", data_type=1, dims=[1], data_location=onnx.TensorProto.EXTERNAL)
    hidden.external_data.add(key="location", value="../secret")
    kinds = onnx.TensorProto(name="i", data_type=7, dims=[0], raw_data=b"")
    sparse = onnx.SparseTensorProto(values=hidden, indices=kinds, dims=[1])
    for attributes in ({"value": hidden}, {"sparse_value": sparse}):
        proto = build.mlp()
        proto.graph.node.append(onnx.helper.make_node("Constant", [], ["c"], **attributes))
        with pytest.raises(ModelError, match=r"'hidden' has its weights at '\.\./secret'"):
            inspect(build.save(proto, tmp_path / "m.onnx"))


@SYMLINKS
def test_a_symlink_that_leads_out_is_refused(path, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    path.with_name("model.weights").rename(outside / "w")
    inside = tmp_path / "inside"
    inside.mkdir()
    path.rename(inside / "m.onnx")
    (inside / "model.weights").symlink_to(outside / "w")
    with pytest.raises(ModelError, match="outside the model's folder"):
        inspect(inside / "m.onnx")
    (inside / "model.weights").unlink()
    (inside / "below").symlink_to(outside)
    with pytest.raises(ModelError, match="outside the model's folder"):
        inspect(moved_to(inside / "m.onnx", "below/w"))


@SYMLINKS
def test_a_symlink_within_the_folder_is_followed(path):
    path.with_name("model.weights").rename(path.with_name("w"))
    path.with_name("model.weights").symlink_to("w")
    assert OnnxModel.open(path, device="cpu").outputs == build.CLASSES


@SYMLINKS
@pytest.mark.parametrize("folder", [".", "onnx"])
def test_a_model_cache_s_symlinked_set_works(path, tmp_path, folder):
    """As Hugging Face's: a snapshot of symlinks, and the files in a folder of blobs under their hashes."""
    blobs, snapshot = tmp_path / "blobs", tmp_path / "snapshots" / "0a1b" / folder
    blobs.mkdir()
    snapshot.mkdir(parents=True)
    for name in ("m.onnx", "model.weights"):
        (tmp_path / name).rename(blobs / f"hash-of-{name[:1]}{len(name)}")
        (snapshot / name).symlink_to(blobs / f"hash-of-{name[:1]}{len(name)}")
    assert OnnxModel.open(snapshot / "m.onnx", device="cpu").outputs == build.CLASSES
    (snapshot / "model.weights").unlink()
    (snapshot / "model.weights").symlink_to(build.save(build.mlp(), tmp_path / "elsewhere"))
    with pytest.raises(ModelError, match="outside the model's folder"):
        inspect(snapshot / "m.onnx")


@SYMLINKS
def test_symlinks_in_a_circle_are_missing_files(path):
    path.with_name("model.weights").unlink()
    path.with_name("model.weights").symlink_to("model.weights")
    with pytest.raises(ModelError, match="missing"):
        inspect(path).check()
