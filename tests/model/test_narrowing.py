"""What a model rounds to inside: casts on the way of its values, not of its weights."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from model import build
from onnxspec.model.inspection import inspect
from onnxspec.model.summary import summarise


def cast_first(*kinds):
    """A small network whose input is cast to each of some types and back first."""
    proto = build.convnet()
    for node in proto.graph.node:
        node.input[:] = ["narrow" if name == "x" else name for name in node.input]
    names = ["x", *(f"to{i}" for i in range(len(kinds))), "narrow"]
    for i, kind in enumerate([*kinds, TensorProto.FLOAT]):
        proto.graph.node.insert(i, helper.make_node("Cast", [names[i]], [names[i + 1]], to=kind))
    return proto


@pytest.mark.parametrize(
    ("kinds", "coarsest"),
    [
        ((TensorProto.FLOAT16,), "float16"),
        ((TensorProto.BFLOAT16,), "bfloat16"),
        ((TensorProto.FLOAT16, TensorProto.BFLOAT16), "bfloat16"),
        ((TensorProto.DOUBLE,), "float32"),
    ],
)
def test_a_cast_on_the_way_decides(tmp_path, kinds, coarsest):
    path = build.save(cast_first(*kinds), tmp_path / "m.onnx")
    spec, said = inspect(path).spec, dict(summarise(path).rows())
    assert (spec.dtype, spec.coarsest) == (np.float32, coarsest)
    assert said.get("precision") == (None if coarsest == "float32" else f"values are rounded to {coarsest} inside")


@pytest.mark.parametrize("constant", [False, True])
def test_weights_that_are_stored_in_half_precision_round_nothing(tmp_path, constant):
    proto = build.convnet()
    half = onnx.numpy_helper.from_array(np.ones(5, np.float16), "half")
    if constant:
        proto.graph.node.insert(0, helper.make_node("Constant", [], ["half"], value=half))
    else:
        proto.graph.initializer.append(half)
    proto.graph.node.insert(1, helper.make_node("Cast", ["half"], ["again"], to=TensorProto.FLOAT16))
    assert inspect(build.save(proto, tmp_path / "m.onnx")).spec.coarsest == "float32"


@pytest.mark.parametrize(("dtype", "coarsest"), [(TensorProto.FLOAT16, "float16"), (TensorProto.DOUBLE, "float32")])
def test_an_input_says_what_it_is_rounded_to(tmp_path, dtype, coarsest):
    assert inspect(build.save(build.convnet(dtype=dtype), tmp_path / "m.onnx")).spec.coarsest == coarsest
