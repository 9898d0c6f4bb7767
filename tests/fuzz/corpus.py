"""Cases worth keeping, each in a few lines that build it: what once ended badly, and what random damage seldom makes."""

import hashlib
import io
import json
from collections.abc import Callable
from random import Random
from typing import Any

import h5py
import numpy as np
import onnx
from onnx import TensorProto, helper

from .archive_damage import zipped
from .bases import Bases, npy
from .cases import AUDIT, DATA, POLICY, SETTINGS, Case, analyze, seal
from .image_damage import bomb

Build = Callable[[Bases], Case]


def _model(name: str, change: Callable[[onnx.ModelProto], None], judge: str = "analysis") -> Build:
    def build(bases: Bases) -> Case:
        proto = onnx.ModelProto.FromString(bases.models["small"])
        change(proto)
        return _of_model(name, proto.SerializeToString(), bases, judge)

    return build


def _bytes(name: str, old: bytes, new: bytes, judge: str = "analysis") -> Build:
    return lambda bases: _of_model(name, bases.models["small"].replace(old, new), bases, judge)


def _of_model(name: str, content: bytes, bases: Bases, judge: str) -> Case:
    command = analyze(DATA, Random(0), ("--preprocess", "0..1"))
    arguments = ("inspect", "model.onnx", "--json") if judge == "inspect" else command
    return Case("onnx", name, {"model.onnx": content, DATA: bases.npz()}, arguments, judge)


def _data(kind: str, name: str, path: str, content: Callable[[Bases], bytes]) -> Build:
    def build(bases: Bases) -> Case:
        files = {"model.onnx": bases.models["sklearn"], path: content(bases)}
        return Case(kind, name, files, analyze(path, Random(0)), "analysis", path)

    return build


def _hdf5(name: str, change: Callable[[h5py.File], None]) -> Build:
    return _data("hdf5", name, "data.h5", lambda bases: _changed(bases.hdf5(), change))


def _report(name: str, change: Callable[[h5py.File], None], *command: str, sealed: bool = True) -> Build:
    def build(bases: Bases) -> Case:
        content = _changed(bases.report, lambda file: (change(file), seal(file) if sealed else None))
        files = {"report.h5": content, "whole.h5": bases.report}
        return Case("report", name, files, command or ("show", "report.h5"), "report")

    return build


def _changed(content: bytes, change: Callable[[h5py.File], Any]) -> bytes:
    buffer = io.BytesIO(content)
    with h5py.File(buffer, "r+") as file:
        change(file)
    return buffer.getvalue()


def _replaced(path: str, values: Any) -> Callable[[h5py.File], None]:
    def change(file: h5py.File) -> None:
        del file[path]
        if values is not None:
            file[path] = values

    return change


def _baseline(name: str, change: Callable[[dict[str, Any]], Any]) -> Build:
    def build(bases: Bases) -> Case:
        document = json.loads(bases.baseline)
        del document["digest"]
        change(document)
        document["digest"] = hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()
        files = {"onnxspec.toml": POLICY, "report.h5": bases.report, "baseline.json": json.dumps(document).encode()}
        return Case("baseline", name, files, AUDIT, "baseline")

    return build


def _toml(line: str) -> Build:
    def build(bases: Bases) -> Case:
        key = line.split(" = ")[0]
        lines = [line if old.startswith(f"{key} =") else old for old in SETTINGS.decode().splitlines()]
        files = {"onnxspec.toml": "\n".join(lines).encode(), DATA: bases.npz(), "model.onnx": bases.models["sklearn"]}
        return Case("toml", line, files, ("analyze", "model.onnx", "-o", "../out/report.h5"), "analysis")

    return build


def _operator(name: str) -> Callable[[onnx.ModelProto], None]:
    def change(proto: onnx.ModelProto) -> None:
        proto.graph.node[1].op_type = name
        del proto.graph.node[1].attribute[:]

    return change


def _transposed(proto: onnx.ModelProto) -> None:
    proto.graph.node[0].op_type = "ConvTranspose"
    proto.graph.initializer[0].dims[:] = [36]


def _large_activation(proto: onnx.ModelProto) -> None:
    """2^37 floats come and go between the input and the first layer."""
    many = helper.make_tensor("many", TensorProto.INT64, [1], [2**37])
    nodes = [
        helper.make_node("Constant", [], ["count"], value=many),
        helper.make_node("ConstantOfShape", ["count"], ["zeros"]),
        helper.make_node("ReduceMax", ["zeros"], ["zero"], keepdims=0),
        helper.make_node("Add", ["x", "zero"], ["moved"]),
        *proto.graph.node,
    ]
    nodes[4].input[0] = "moved"
    del proto.graph.node[:]
    proto.graph.node.extend(nodes)


def _group_cycle(file: h5py.File) -> None:
    del file["checks/floor"]
    file["checks/floor"] = file["/"]


def _header(bases: Bases, old: bytes, new: bytes) -> bytes:
    array = npy(bases.images).replace(old, new, 1)
    return bases.npz(images=array)


CORPUS: tuple[Build, ...] = (
    _bytes("a name that is no UTF-8", b"v0", b"v\x90"),
    _bytes("a producer that is no UTF-8", b"tests", b"test\x90", "inspect"),
    _model("a transposed convolution of flat weights", _transposed),
    _model("an operator that gives random numbers", _operator("RandomNormalLike")),
    _model("an activation of 512 GB", _large_activation),
    _data("npz", "a header without its end", DATA, lambda bases: _header(bases, b"}", b" ")),
    _data("npz", "a header of objects", DATA, lambda bases: _header(bases, b"'|u1'", b"'|O'")),
    _data(
        "zip", "an image of 81 million pixels", "data.zip", lambda b: zipped(b.files() | {"Sandal/x.png": bomb(9000)})
    ),
    _data(
        "zip",
        "an image of 10 thousand million pixels",
        "data.zip",
        lambda b: zipped(b.files() | {"Sandal/x.png": bomb(10**5)}),
    ),
    _data("zip", "a file of zeros", "data.zip", lambda b: zipped(b.files() | {"Sandal/x.png": bytes(1 << 24)})),
    _hdf5(
        "images are a link to the root",
        lambda file: (file.move("images", "i"), file.update({"images": h5py.SoftLink("/")}))[0],
    ),
    _report("a cycle of groups", _group_cycle, sealed=False),
    _report("a missing column", _replaced("paths/image_a", None), "show", "report.h5", "--csv", "paths"),
    _report("a missing figure of the checks", _replaced("checks/hff_half", None)),
    _report("a column that is one number", _replaced("paths/kind", 1), "show", "report.h5", "--json", sealed=False),
    _report("a column of another length", _replaced("paths/hf_prob", np.zeros(2)), "compare", "whole.h5", "report.h5"),
    _report("a changed figure", _replaced("paths/distance", np.ones(4)), sealed=False),
    _baseline("no pairs", lambda d: d["data"].pop("pairs")),
    _baseline("data is a number", lambda d: d.update(data=1)),
    _baseline("the model is a number", lambda d: d.update(model=1.5)),
    _baseline("the floor is a number", lambda d: d.update(floor=3)),
    _baseline("kinds is a number", lambda d: d["settings"].update(kinds=1.5)),
    _baseline("a missing column", lambda d: d["paths"].pop("image_b")),
    *(
        _toml(line)
        for line in ("kinds = 257", "batch = 1099511627776", "threads = 1000000000", "points = 1099511627777")
    ),
)
"""In a sample these come after the whole cases and before the damaged ones."""
