"""Sockets, pipes and devices where files are expected, in every place that takes a file: told, and never waited for."""

import os
import socket
import zipfile

import pytest

from conftest import FASHION
from onnxspec.cli import main

MODEL, DATA = str(FASHION / "pytorch.onnx"), str(FASHION / "test.npz")
PLACES = {
    "model": ["analyze", "{}.onnx", "--data", DATA],
    "inspect": ["inspect", "{}.onnx"],
    "stamp": ["stamp", "{}.onnx", "--preprocess", "0..1", "-o", "out.onnx"],
    "zip": ["analyze", MODEL, "--data", "{}.zip"],
    "tar": ["analyze", MODEL, "--data", "{}.tar.gz"],
    "npz": ["analyze", MODEL, "--data", "{}.npz"],
    "hdf5": ["analyze", MODEL, "--data", "{}.h5"],
    "labels": ["analyze", MODEL, "--data", DATA, "--labels", "{}.csv"],
    "classes": ["analyze", MODEL, "--data", DATA, "--classes", "{}.txt"],
    "preprocess": ["analyze", MODEL, "--data", DATA, "--preprocess", "./{}.json"],
    "configuration": ["analyze", MODEL, "--data", DATA, "--config", "{}.toml"],
    "report": ["show", "{}.h5"],
    "compared": ["compare", "{}.h5", MODEL, "--data", DATA],
    "baseline": ["audit", MODEL, "--data", DATA, "--baseline", "{}.h5"],
    "series": ["plot", "{}.h5", "--what", "series", "-o", "out.png"],
    "diversity": ["diversity", "{}.h5"],
    "audited": ["audit", "{}.h5", "--data", DATA, "--write-baseline", "b.json"],
    "audited model": ["audit", "{}.onnx", "--data", DATA, "--write-baseline", "b.json"],
    "page": ["report", "{}.h5"],
    "plotted": ["plot", "{}.h5", "-o", "out.svg"],
    "heat map of": ["heatmap", "{}.onnx", "--data", DATA],
    "checkpoint": ["noise", "fit", "{}.onnx", "--data", DATA, "--frequency", "1", "--amplitude", "0.1"],
    "protocol": ["analyze", "{}.onnx", "--data", DATA, "--protocol", "sbp"],
    "stamped classes": ["stamp", MODEL, "--classes", "{}.txt", "-o", "out.onnx"],
    "direction": [
        "noise",
        "fit",
        MODEL,
        "--data",
        DATA,
        "--frequency",
        "1",
        "--amplitude",
        "0.1",
        "--direction",
        "{}.npy",
    ],
}


NOISE = ["--data", DATA, "--frequency", "1", "--amplitude", "0.1"]
WRITTEN = {
    "report": ["analyze", MODEL, "--data", DATA, "-o", "{}.h5"],
    "page": ["analyze", MODEL, "--data", DATA, "--html", "{}.html"],
    "protocol": ["analyze", MODEL, "--data", DATA, "--protocol", "sbp", "-o", "{}.h5"],
    "comparison": ["compare", MODEL, MODEL, "--data", DATA, "-o", "{}.h5"],
    "heat map": ["heatmap", MODEL, "--data", DATA, "-o", "{}.h5"],
    "picture": ["heatmap", MODEL, "--data", DATA, "--picture", "{}.svg"],
    "fit": ["noise", "fit", MODEL, *NOISE, "-o", "{}.h5"],
    "targets": ["noise", "targets", *NOISE, "--preprocess", "0..1", "-o", "{}.npz"],
    "baseline": ["audit", MODEL, "--data", DATA, "--write-baseline", "{}.json"],
    "policy": ["audit", MODEL, "--data", DATA, "--init", "--config", "{}.toml"],
    "junit": ["audit", MODEL, "--data", DATA, "--write-baseline", "b.json", "--junit", "{}.xml"],
}


def a_socket(path):
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(path))


KINDS = {
    "socket": a_socket,
    "pipe": lambda path: os.mkfifo(path),
    "zero": lambda path: path.symlink_to("/dev/zero"),
    "null": lambda path: path.symlink_to("/dev/null"),
}


@pytest.mark.skipif(os.name == "nt", reason="no such files there")
@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("kind", KINDS)
def test_special_files_end_in_one_line(kind, place, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (name,) = (word for word in PLACES[place] if "{}" in word)
    KINDS[kind](tmp_path / name.format("x"))
    before = sorted(os.listdir())
    assert main([word.format("x") for word in PLACES[place]]) in (2, 3)
    out, err = capsys.readouterr()
    said = err or out
    assert "x." in said and "Traceback" not in said
    assert err.count("\n") <= 1 and len(said) < 2000
    assert sorted(os.listdir()) == before


@pytest.mark.skipif(os.name == "nt", reason="no such files there")
@pytest.mark.parametrize("place", WRITTEN)
@pytest.mark.parametrize("kind", ["pipe", "null"])
def test_special_files_are_never_replaced(kind, place, tmp_path, monkeypatch, capsys):
    # The superuser of a container would take /dev/null from everything in it.
    monkeypatch.chdir(tmp_path)
    (name,) = (word for word in WRITTEN[place] if "{}" in word)
    KINDS[kind](tmp_path / name.format("x"))
    assert main([word.format("x") for word in WRITTEN[place]]) == 2
    out, err = capsys.readouterr()
    assert not out and "is no regular file" in err and err.count("\n") == 1
    assert os.listdir() == [name.format("x")] and not os.path.isfile(name.format("x"))
    assert not os.path.isfile("/dev/null")


def test_archives_in_archives_are_not_opened(tmp_path, monkeypatch, capsys):
    # So a zip that holds itself, or a bomb of zips in zips, is a file that is no image.
    monkeypatch.chdir(tmp_path)
    with zipfile.ZipFile("inner.zip", "w", zipfile.ZIP_DEFLATED) as inner:
        inner.writestr("cat/1.png", bytes(10**6))
    with zipfile.ZipFile("outer.zip", "w") as outer:
        for folder in ("cat", "dog"):
            outer.write("inner.zip", f"{folder}/inner.zip")
    assert main(["analyze", MODEL, "--data", "outer.zip"]) == 3
    assert "has no images" in capsys.readouterr().err


def test_members_that_overlap(tmp_path, monkeypatch, capsys):
    # Thousands of names for the same few bytes, which inflate to gigabytes in all.
    monkeypatch.chdir(tmp_path)
    with zipfile.ZipFile("bomb.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("cat/0.png", bytes(10**6))
        first = archive.filelist[0]
        for number in range(1, 2000):
            again = zipfile.ZipInfo(f"{('cat', 'dog')[number % 2]}/{number}.png")
            for field in ("header_offset", "file_size", "compress_size", "CRC", "compress_type", "flag_bits"):
                setattr(again, field, getattr(first, field))
            archive.filelist.append(again)
            archive.NameToInfo[again.filename] = again
        archive._didModify = True
    assert main(["analyze", MODEL, "--data", "bomb.zip"]) == 3
    assert "cat/0.png cannot be read" in capsys.readouterr().err
