"""Layouts, from the graph first and the shapes after it."""

import numpy as np
import pytest
from onnx import TensorProto, helper

from model import build
from onnxspec.model.inspection import inspect
from onnxspec.model.layout import detect
from onnxspec.model.ports import Port


def spec_of(proto, tmp_path):
    info = inspect(build.save(proto, tmp_path / "m.onnx"))
    assert not info.problems
    return info.spec


def by_shape(*shape):
    spec, reason = detect(Port("x", "float32", shape), build.model([], [], []).graph)
    return spec.layout, reason


def test_a_convolution_means_channels_first(tmp_path):
    spec = spec_of(build.convnet(), tmp_path)
    assert (spec.layout, spec.channels, spec.height, spec.width) == ("NCHW", 3, 8, 8)


def test_a_transpose_means_channels_last(tmp_path):
    spec = spec_of(build.convnet("NHWC"), tmp_path)
    assert (spec.layout, spec.channels, spec.height, spec.width) == ("NHWC", 3, 8, 8)


def test_casts_and_scaling_in_front_are_looked_through(tmp_path):
    spec = spec_of(build.convnet("NHWC", uint8=True), tmp_path)
    assert (spec.layout, spec.dtype) == ("NHWC", np.uint8)


def test_dynamic_quantisation_in_front_is_looked_through(tmp_path):
    weights = {"w": np.ones((5, 3, 8, 8), np.uint8)}
    nodes = [
        helper.make_node("DynamicQuantizeLinear", ["x"], ["q", "scale", "zero"]),
        helper.make_node("ConvInteger", ["q", "w", "zero"], ["z"]),
        helper.make_node("Cast", ["z"], ["f"], to=TensorProto.FLOAT),
        helper.make_node("Mul", ["f", "scale"], ["y"]),
    ]
    image = build.tensor("x", TensorProto.FLOAT, ["n", "c", "h", "w"])
    spec = spec_of(
        build.model(nodes, [image], [build.tensor("y", TensorProto.FLOAT, ["n", 5, 1, 1])], weights), tmp_path
    )
    assert (spec.layout, spec.channels) == ("NCHW", 3)


def test_open_channels_are_read_off_the_first_weights(tmp_path):
    proto = build.convnet()
    for axis in (1, 2, 3):
        proto.graph.input[0].type.tensor_type.shape.dim[axis].Clear()
    spec = spec_of(proto, tmp_path)
    assert (spec.channels, spec.height, spec.width) == (3, None, None)


def test_a_graph_that_contradicts_the_shape_is_believed(tmp_path):
    spec = spec_of(build.convnet(side=3, channels=3), tmp_path)
    assert spec.layout == "NCHW"


def test_two_axes_are_flat(tmp_path):
    spec = spec_of(build.mlp(size=12), tmp_path)
    assert (spec.layout, spec.size) == ("flat", 12)


@pytest.mark.parametrize(
    ("shape", "layout", "reason"),
    [
        (("n", 1, 28, 28), "NCHW", "axis 1 has 1"),
        (("n", 28, 28, 1), "NHWC", "axis 3 has 1"),
        (("n", 64, 64, 13), "NHWC", "axes 1 and 2"),
        (("n", 13, 64, 64), "NCHW", "axes 2 and 3"),
        (("n", "c", "h", "w"), "NCHW", "nothing says otherwise"),
    ],
)
def test_shapes_decide_where_the_graph_does_not(shape, layout, reason):
    found, why = by_shape(*shape)
    assert found == layout
    assert reason in why


def test_grouped_convolutions_count_all_channels():
    weights = {"w": np.zeros((6, 1, 3, 3), np.float32)}
    nodes = [helper.make_node("Conv", ["x", "w"], ["y"], group=6)]
    proto = build.model(nodes, [build.tensor("x", TensorProto.FLOAT, ["n", None, 8, 8])], [], weights)
    spec, _ = detect(Port("x", "float32", ("n", "", 8, 8)), proto.graph)
    assert spec.channels == 6
