"""Half precision made wide: the same weights, and nothing that rounds."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from model import build
from model.test_narrowing import cast_first
from onnxspec.errors import ModelError
from onnxspec.model import onnxfile
from onnxspec.model.session import OnnxModel
from onnxspec.model.widening import widen, widened

IMAGES = np.random.default_rng(0).standard_normal((4, 3, 8, 8)).astype(np.float32)


def model(proto, tmp_path, **external):
    path = tmp_path / "m.onnx"
    if external:
        onnx.save(proto, path, save_as_external_data=True, size_threshold=0, **external)
        return OnnxModel.open(path)
    return OnnxModel.open(build.save(proto, path))


def with_weights_of(proto):
    """The convnet in float32, with the numbers that half precision left of its weights."""
    plain = build.convnet()
    for tensor, half in zip(plain.graph.initializer, proto.graph.initializer, strict=True):
        tensor.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(half).astype(np.float32), tensor.name))
    return plain


def as_inputs_too(proto):
    """As IR versions before 4 want it: every weight is an input with a value."""
    for tensor in proto.graph.initializer:
        proto.graph.input.append(helper.make_tensor_value_info(tensor.name, tensor.data_type, tensor.dims))
    proto.ir_version = 3
    return proto


@pytest.mark.parametrize("external", [{}, {"location": "weights.bin"}])
@pytest.mark.parametrize("old", [False, True])
def test_a_network_in_half_precision_gives_the_bits_of_its_weights_in_float32(tmp_path, external, old):
    half = build.convnet(dtype=TensorProto.FLOAT16)
    plain = with_weights_of(half)
    one = model(as_inputs_too(half) if old else half, tmp_path, **external)
    wide = widened(one)
    assert (wide.spec.dtype, wide.spec.coarsest, wide.image_port.type) == (np.float32, "float32", "float32")
    scores = wide.run(IMAGES)
    np.testing.assert_array_equal(scores, model(plain, tmp_path).run(IMAGES))
    assert 1e-5 < np.abs(scores - one.run(IMAGES)).max() < 1e-2, "the input is rounded, and nothing else is by much"


@pytest.mark.parametrize("kind", [TensorProto.FLOAT16, TensorProto.BFLOAT16])
def test_casts_there_and_back_round_nothing_any_more(tmp_path, kind):
    scores = widened(model(cast_first(kind), tmp_path)).run(IMAGES)
    np.testing.assert_array_equal(scores, model(build.convnet(), tmp_path).run(IMAGES))


def branching():
    """y = x @ w either way, with weights, constants and casts in half precision inside branches."""

    def branch(name, constant):
        number = numpy_helper.from_array(build.linear_weights(12, 5).astype(np.float16), f"w_{name}")
        weights = [] if constant else [number]
        nodes = [helper.make_node("Constant", [], [f"w_{name}"], value=number)] if constant else []
        nodes += [
            helper.make_node("Cast", ["x"], [f"h_{name}"], to=TensorProto.FLOAT16),
            helper.make_node("MatMul", [f"h_{name}", f"w_{name}"], [f"y_{name}"]),
        ]
        inner = [helper.make_tensor_value_info(f"h_{name}", TensorProto.FLOAT16, ["n", 12])]
        outputs = [build.tensor(f"y_{name}", TensorProto.FLOAT16, ["n", 5])]
        return helper.make_graph(nodes, name, [], outputs, weights, value_info=inner)

    nodes = [
        helper.make_node("ReduceSum", ["x"], ["sum"], keepdims=0),
        helper.make_node("Greater", ["sum", "zero"], ["positive"]),
        helper.make_node(
            "If", ["positive"], ["half"], then_branch=branch("then", False), else_branch=branch("else", True)
        ),
        helper.make_node("Cast", ["half"], ["y"], to=TensorProto.FLOAT),
    ]
    x, y = (build.tensor(name, TensorProto.FLOAT, ["n", size]) for name, size in (("x", 12), ("y", 5)))
    return build.model(nodes, [x], [y], {"zero": np.zeros((), np.float32)})


def test_branches_are_made_wide_too(tmp_path):
    one, x = model(branching(), tmp_path), np.random.default_rng(1).standard_normal((3, 12)).astype(np.float32)
    expected = build.linear_weights(12, 5).astype(np.float16).astype(np.float64)
    for images in (x, -x):
        np.testing.assert_allclose(widened(one).run(images), images @ expected, rtol=1e-5, atol=1e-6)


def test_nothing_of_half_precision_is_left():
    for proto in (branching(), build.convnet(dtype=TensorProto.FLOAT16), cast_first(TensorProto.BFLOAT16)):
        weights = {tensor.name for tensor in proto.graph.initializer}
        widen(proto)
        onnx.checker.check_model(proto, full_check=True)
        onnx.shape_inference.infer_shapes(proto, strict_mode=True, data_prop=True)
        kinds = {value.type.tensor_type.elem_type for value in (*proto.graph.input, *proto.graph.output)}
        assert kinds == {TensorProto.FLOAT}
        made = {name for node in proto.graph.node for name in node.output}
        assert weights <= made | {tensor.name for tensor in proto.graph.initializer}


def test_a_name_that_the_model_has_is_not_taken_twice(tmp_path):
    half = build.convnet(dtype=TensorProto.FLOAT16)
    plain = with_weights_of(half)
    for node in half.graph.node:
        node.output[:] = [name if name == "y" else f"onnxspec_half_{name}" for name in node.output]
        node.input[:] = [f"onnxspec_half_{name}" if name.startswith("v") else name for name in node.input]
    np.testing.assert_array_equal(widened(model(half, tmp_path)).run(IMAGES), model(plain, tmp_path).run(IMAGES))


def test_sequences_and_options_are_of_wide_tensors():
    tensor = helper.make_tensor_type_proto(TensorProto.FLOAT16, ["n"])
    inner = helper.make_optional_type_proto(helper.make_sequence_type_proto(tensor))
    proto = build.convnet()
    proto.graph.value_info.append(helper.make_value_info("held", inner))
    widen(proto)
    kind = proto.graph.value_info[-1].type.optional_type.elem_type.sequence_type.elem_type
    assert kind.tensor_type.elem_type == TensorProto.FLOAT


def test_what_cannot_be_made_wide_says_why(tmp_path, monkeypatch):
    one = model(build.convnet(dtype=TensorProto.FLOAT16), tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(onnxfile, "read", lambda path: path.read_bytes())
        patch.setattr(onnxfile, "PROTOBUF_LIMIT", 100)
        with pytest.raises(ModelError, match="In float32 the model would be larger than 2 GB"):
            widened(one)
    proto = branching()
    branches = {attribute.name: attribute.g for attribute in proto.graph.node[2].attribute}
    branches["else_branch"].node[0].attribute[0].t.data_location = TensorProto.EXTERNAL
    with pytest.raises(ModelError, match="The constant w_else lies in another file"):
        widen(proto)
    proto = branching()
    branches = {attribute.name: attribute.g for attribute in proto.graph.node[2].attribute}
    branches["else_branch"].node[0].attribute[0].t.raw_data = b"odd"
    with pytest.raises(ModelError, match="The constant w_else holds other numbers than it says"):
        widen(proto)
    object.__setattr__(one.limit, "size", 1000)
    with pytest.raises(ModelError, match="no room for a second session"):
        widened(one)
