"""Which axis of the image input is which: NCHW, NHWC or flat, and what says so."""

from collections.abc import Iterator

import numpy as np
import onnx

from onnxspec.images.inputspec import InputSpec
from onnxspec.model.contents import first
from onnxspec.model.cost import CONVOLUTIONS
from onnxspec.model.ports import Port, size_of

# Operators that keep every axis in its place: scaling, casting and padding in front of the first layer.
_IN_PLACE = {
    *("Identity", "Cast", "CastLike", "Add", "Sub", "Mul", "Div", "Neg", "Clip", "Dropout", "Pad", "Resize"),
    *("BatchNormalization", "InstanceNormalization"),
    *("QuantizeLinear", "DequantizeLinear", "DynamicQuantizeLinear"),
}
_IMAGE_CHANNELS = (1, 3)


def detect(port: Port, graph: onnx.GraphProto) -> tuple[InputSpec, str]:
    """The input's specification, and in a few words why its layout is the one stated."""
    dtype = np.dtype(port.type)
    if port.shape is not None and len(port.shape) == 2:
        return InputSpec("flat", size=size_of(port.shape[1]), dtype=dtype), "the input has two axes"
    shape = (None,) * 4 if port.shape is None else tuple(map(size_of, port.shape))
    layout, channels, reason = _four_axes(port.name, shape, graph)
    if layout == "NCHW":
        return InputSpec("NCHW", shape[1] or channels, shape[2], shape[3], dtype), reason
    return InputSpec("NHWC", shape[3] or channels, shape[1], shape[2], dtype), reason


def _four_axes(name: str, shape: tuple[int | None, ...], graph: onnx.GraphProto) -> tuple[str, int | None, str]:
    for node, _ in first_layers(name, graph):
        if node.op_type in CONVOLUTIONS:
            return "NCHW", _channels_into(node, graph), f"the input goes into a {node.op_type}"
        if node.op_type == "Transpose" and _permutation(node) == [0, 3, 1, 2]:
            return "NHWC", None, "the input is transposed to NCHW first"
    first, last = shape[1] in _IMAGE_CHANNELS, shape[3] in _IMAGE_CHANNELS
    if first != last:
        return ("NCHW", None, f"axis 1 has {shape[1]}") if first else ("NHWC", None, f"axis 3 has {shape[3]}")
    if shape[1] is not None and shape[1] == shape[2] != shape[3]:
        return "NHWC", None, "axes 1 and 2 are equal"
    square = shape[2] is not None and shape[2] == shape[3]
    return "NCHW", None, "axes 2 and 3 are equal" if square else "nothing says otherwise"


def first_layers(name: str, graph: onnx.GraphProto) -> Iterator[tuple[onnx.NodeProto, str]]:
    """The nodes that `name` reaches through operators that keep its axes, and as which of their inputs."""
    consumers: dict[str, list[onnx.NodeProto]] = {}
    for node in graph.node:
        for value in node.input:
            consumers.setdefault(value, []).append(node)
    waiting, seen = [name], {name}
    while waiting:
        value = waiting.pop()
        for node in consumers.get(value, ()):
            if node.op_type not in _IN_PLACE:
                yield node, value
            elif (passed := first(node.output)) not in seen:
                seen.add(passed)
                waiting.append(passed)


def _channels_into(node: onnx.NodeProto, graph: onnx.GraphProto) -> int | None:
    weights = first(node.input[CONVOLUTIONS[node.op_type] :])
    group = next((a.i for a in node.attribute if a.name == "group"), 1)
    shapes = (tensor.dims for tensor in graph.initializer if tensor.name == weights)
    return next((dims[1] * group for dims in shapes if len(dims) > 1), None)


def _permutation(node: onnx.NodeProto) -> list[int]:
    return next((list(a.ints) for a in node.attribute if a.name == "perm"), [])
