"""A digest describes what was read: files that change in use are noticed, and not read again without need."""

import hashlib
import os

import pytest

from model import build
from onnxspec.errors import ModelError
from onnxspec.model import fingerprint, session
from onnxspec.model.fingerprint import Fingerprint
from onnxspec.model.session import OnnxModel

POSIX = pytest.mark.skipif(os.name != "posix", reason="there is no time of change")


@pytest.fixture
def files(tmp_path):
    paths = {name: tmp_path / name for name in ("m.onnx", "w.bin")}
    for path in paths.values():
        path.write_bytes(path.name.encode() * 100)
    return paths


@pytest.fixture
def reads(monkeypatch):
    """The names of files that are hashed."""
    names, real = [], fingerprint._sha256
    monkeypatch.setattr(fingerprint, "_sha256", lambda path: names.append(path.name) or real(path))
    return names


def test_the_digest_is_what_sha256sum_gives(files):
    own = {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in files.items()}
    assert Fingerprint.of({"m.onnx": files["m.onnx"]}).digest == own["m.onnx"]
    listing = "".join(f"{digest}  {name}\n" for name, digest in own.items())
    assert Fingerprint.of(files).digest == hashlib.sha256(listing.encode()).hexdigest()


@POSIX
def test_settled_files_are_not_read_again(files, reads, monkeypatch):
    monkeypatch.setattr(fingerprint, "_SETTLED_NS", -1)
    taken = Fingerprint.of(files)
    del reads[:]
    taken.require_unchanged()
    assert reads == []


def test_young_and_touched_files_are_read_again(files, reads):
    taken = Fingerprint.of(files)
    taken.require_unchanged()
    os.utime(files["w.bin"])
    taken.require_unchanged()
    assert reads == ["m.onnx", "w.bin"] * 3


@pytest.mark.parametrize("way", ["in place", "in place, its times put back", "replaced", "deleted"])
@pytest.mark.parametrize("settled", [-1, 2_000_000_000])
def test_other_bytes_are_noticed(files, way, settled, monkeypatch):
    monkeypatch.setattr(fingerprint, "_SETTLED_NS", settled)
    path = files["w.bin"]
    os.utime(path, (1_000_000_000, 1_000_000_000))
    taken, before = Fingerprint.of(files), path.stat()
    other = path.read_bytes()[::-1]
    if way == "deleted":
        path.unlink()
    elif way == "replaced":
        path.with_name("new").write_bytes(other)
        path.with_name("new").replace(path)
    else:
        # A step of the file system's clock must pass, or the write could not be told without reading the file.
        while os.name == "posix" and path.stat().st_ctime_ns == before.st_ctime_ns:
            path.write_bytes(other)
    if "put back" in way:
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    with pytest.raises(ModelError, match=r"w\.bin has changed while it was in use"):
        taken.require_unchanged()


@pytest.mark.parametrize("name", ["m.onnx", "model.weights"])
def test_a_model_says_when_its_files_changed(tmp_path, name):
    path = build.save_external(build.mlp(), tmp_path / "m.onnx")
    model = OnnxModel.open(path, device="cpu")
    model.require_unchanged()
    file = tmp_path / name
    file.write_bytes(file.read_bytes() + b"\0")
    with pytest.raises(ModelError, match="has changed while it was in use"):
        model.require_unchanged()
    with pytest.raises(ModelError, match="has changed"):
        model.with_threads(2)


@pytest.mark.parametrize("moment", ["inspect", "start_session"])
def test_a_file_that_changes_while_it_is_opened(tmp_path, monkeypatch, moment):
    path = build.save(build.mlp(), tmp_path / "m.onnx")
    real = getattr(session, moment)

    def replaced_after(*arguments):
        result = real(*arguments)
        build.save(build.mlp(seed=1), path)
        return result

    monkeypatch.setattr(session, moment, replaced_after)
    with pytest.raises(ModelError, match="has changed while it was"):
        OnnxModel.open(path, device="cpu")
