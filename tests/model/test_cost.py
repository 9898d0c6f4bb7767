"""Parameters and multiply-accumulates against counts by hand."""

import numpy as np
import pytest
from onnx import TensorProto, helper

from model import build
from onnxspec.model.inspection import inspect


def cost_of(proto, tmp_path):
    return inspect(build.save(proto, tmp_path / "m.onnx")).cost


@pytest.mark.parametrize("batch", ["n", 1, 4])
@pytest.mark.parametrize("layout", ["NCHW", "NHWC"])
def test_a_convolutional_network(tmp_path, batch, layout):
    cost = cost_of(build.convnet(layout, batch=batch), tmp_path)
    convolution, head = 8 * 8 * 4 * 27, 5 * 4
    assert (cost.macs, cost.flops, cost.partial) == (convolution + head, 2 * (convolution + head), False)
    assert cost.parameters == 4 * 27 + 5 * 4 + 5


def test_a_linear_layer_with_external_weights(tmp_path):
    cost = inspect(build.save_external(build.mlp(size=300, classes=70), tmp_path / "m.onnx")).cost
    assert (cost.parameters, cost.macs, cost.partial) == (21_000, 21_000, False)


def test_open_sizes_are_partial(tmp_path):
    proto = build.convnet()
    for axis in (2, 3):
        proto.graph.input[0].type.tensor_type.shape.dim[axis].Clear()
    cost = cost_of(proto, tmp_path)
    assert (cost.macs, cost.partial) == (20, True)


def test_grouped_and_transposed_layers(tmp_path):
    nodes = [
        helper.make_node("Conv", ["x", "depthwise"], ["a"], group=4),
        helper.make_node("ConvTranspose", ["a", "up"], ["b"], strides=[2, 2]),
        helper.make_node("Flatten", ["b"], ["c"]),
        helper.make_node("Gemm", ["c", "w"], ["y"], transB=1),
    ]
    weights = {
        "depthwise": np.ones((4, 1, 3, 3), np.float32),
        "up": np.ones((4, 2, 2, 2), np.float32),
        "w": np.ones((5, 2 * 12 * 12), np.float32),
    }
    proto = build.model(
        nodes,
        [build.tensor("x", TensorProto.FLOAT, ["n", 4, 8, 8])],
        [build.tensor("y", TensorProto.FLOAT, ["n", 5])],
        weights,
    )
    cost = cost_of(proto, tmp_path)
    assert cost.macs == 4 * 6 * 6 * 9 + 4 * 6 * 6 * 8 + 5 * 288
    assert not cost.partial


def test_shapes_kept_as_integers_are_no_parameters(tmp_path):
    nodes = [helper.make_node("Reshape", ["x", "s"], ["z"]), helper.make_node("MatMul", ["z", "w"], ["y"])]
    weights = {"s": np.array([-1, 12]), "w": np.ones((12, 5), np.float32)}
    image = build.tensor("x", TensorProto.FLOAT, ["n", 3, 2, 2])
    proto = build.model(nodes, [image], [build.tensor("y", TensorProto.FLOAT, ["n", 5])], weights)
    cost = cost_of(proto, tmp_path)
    assert (cost.parameters, cost.macs) == (60, 60)


def test_nothing_to_count(tmp_path):
    image, scores = (build.tensor(name, TensorProto.FLOAT, ["n", 5]) for name in "xy")
    cost = cost_of(build.model([helper.make_node("Relu", ["x"], ["y"])], [image], [scores]), tmp_path)
    assert (cost.parameters, cost.macs, cost.flops) == (0, None, None)
