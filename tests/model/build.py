"""Small ONNX classifiers of every kind that onnxspec meets, made with onnx.helper."""

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

# onnx writes the newest IR version it knows, which the installed ONNX Runtime may refuse.
IR_VERSION = 10
CLASSES = 5
SIDE = 8

_NUMPY = {TensorProto.FLOAT: np.float32, TensorProto.FLOAT16: np.float16, TensorProto.DOUBLE: np.float64}


def convnet(
    layout="NCHW",
    dtype=TensorProto.FLOAT,
    batch="n",
    side=SIDE,
    channels=3,
    classes=CLASSES,
    head="",
    squeezed=True,
    uint8=False,
    whole=TensorProto.UINT8,
    seed=0,
):
    """Conv, ReLU, global average pooling, a linear layer as a 1 x 1 convolution, and `head` ("Softmax", "Sigmoid").

    `squeezed` False leaves the output (n, K, 1, 1); `uint8` casts and scales an input of the type `whole` first.
    """
    rng = np.random.default_rng(seed)
    number = _NUMPY[dtype]
    weights = {
        "w1": (rng.normal(size=(4, channels, 3, 3)) / 3).astype(number),
        "w2": rng.normal(size=(classes, 4, 1, 1)).astype(number),
        "b2": rng.normal(size=classes).astype(number),
        "scale": np.array(1 / 255, number),
    }
    nodes, value = [], "x"

    def add(operator, *inputs, **attributes):
        nonlocal value
        fresh = f"v{len(nodes)}"
        nodes.append(helper.make_node(operator, [value, *inputs], [fresh], **attributes))
        value = fresh

    if uint8:
        add("Cast", to=dtype)
        add("Mul", "scale")
    if layout == "NHWC":
        add("Transpose", perm=[0, 3, 1, 2])
    add("Conv", "w1", pads=[1, 1, 1, 1])
    add("Relu")
    add("GlobalAveragePool")
    add("Conv", "w2", "b2")
    if squeezed:
        add("Flatten")
    if head:
        add(head, **({"axis": 1} if head == "Softmax" else {}))
    nodes[-1].output[0] = "y"
    shape = [batch, channels, side, side] if layout == "NCHW" else [batch, side, side, channels]
    used = {name for node in nodes for name in node.input}
    return model(
        nodes,
        [tensor("x", whole if uint8 else dtype, shape)],
        [tensor("y", dtype, [batch, classes] if squeezed else [batch, classes, 1, 1])],
        {name: values for name, values in weights.items() if name in used},
    )


def mlp(size=12, classes=CLASSES, dtype=TensorProto.FLOAT, batch="n", head="", declared=True, seed=0):
    """One linear layer over a flat input; `declared` False leaves the output's shape open."""
    weights = linear_weights(size, classes, seed).astype(_NUMPY[dtype])
    last = "z" if head else "y"
    nodes = [helper.make_node("MatMul", ["x", "w"], [last])]
    if head:
        nodes.append(helper.make_node(head, ["z"], ["y"]))
    shape = [batch, classes] if declared else None
    return model(nodes, [tensor("x", dtype, [batch, size])], [tensor("y", dtype, shape)], {"w": weights})


def linear_weights(size, classes, seed=0):
    """The weights of `mlp`, (size, classes) float64."""
    return np.random.default_rng(seed).normal(size=(size, classes))


def labelled(zipmap=False):
    """What skl2onnx writes: int64 labels first, then probabilities, as a tensor or through ZipMap as maps."""
    nodes = [
        helper.make_node("MatMul", ["x", "w"], ["z"]),
        helper.make_node("Softmax", ["z"], ["p"]),
        helper.make_node("ArgMax", ["p"], ["label"], axis=1, keepdims=0),
    ]
    outputs = [tensor("label", TensorProto.INT64, ["n"])]
    if zipmap:
        nodes.append(
            helper.make_node("ZipMap", ["p"], ["maps"], domain="ai.onnx.ml", classlabels_int64s=list(range(CLASSES)))
        )
        kind = helper.make_map_type_proto(TensorProto.INT64, helper.make_tensor_type_proto(TensorProto.FLOAT, []))
        outputs.append(helper.make_value_info("maps", helper.make_sequence_type_proto(kind)))
    else:
        outputs.append(tensor("p", TensorProto.FLOAT, ["n", CLASSES]))
    weights = {"w": linear_weights(12, CLASSES).astype(np.float32)}
    return model(nodes, [tensor("x", TensorProto.FLOAT, ["n", 12])], outputs, weights, ml=True)


def two_outputs():
    """Two score tensors of different width."""
    nodes = [helper.make_node("MatMul", ["x", "w"], ["coarse"]), helper.make_node("MatMul", ["x", "v"], ["fine"])]
    outputs = [tensor("coarse", TensorProto.FLOAT, ["n", 2]), tensor("fine", TensorProto.FLOAT, ["n", 7])]
    weights = {"w": linear_weights(12, 2).astype(np.float32), "v": linear_weights(12, 7, 1).astype(np.float32)}
    return model(nodes, [tensor("x", TensorProto.FLOAT, ["n", 12])], outputs, weights)


def two_inputs(joined=False):
    """Inputs `x` and `other`; `y` depends on x alone, or with `joined` on both; `aside` depends on `other`."""
    nodes = [
        helper.make_node("MatMul", ["x", "w"], ["z"]),
        helper.make_node("Add", ["z", "other"], ["y"]) if joined else helper.make_node("Identity", ["z"], ["y"]),
        helper.make_node("ArgMax", ["other"], ["aside"], axis=1, keepdims=0),
    ]
    return model(
        nodes,
        [tensor("x", TensorProto.FLOAT, ["n", 12]), tensor("other", TensorProto.FLOAT, ["n", CLASSES])],
        [tensor("y", TensorProto.FLOAT, ["n", CLASSES]), tensor("aside", TensorProto.INT64, ["n"])],
        {"w": linear_weights(12, CLASSES).astype(np.float32)},
    )


def model(nodes, inputs, outputs, weights=None, opset=17, ml=False):
    """A ModelProto of the given nodes and value infos; `weights` are its initializers by name."""
    initializers = [numpy_helper.from_array(values, name) for name, values in (weights or {}).items()]
    graph = helper.make_graph(nodes, "graph", inputs, outputs, initializers)
    opsets = [helper.make_opsetid("", opset), *([helper.make_opsetid("ai.onnx.ml", 3)] if ml else [])]
    return helper.make_model(graph, opset_imports=opsets, ir_version=IR_VERSION, producer_name="tests")


def reweighted(source, factor, path) -> Path:
    """Another network that costs as much: the weights of the first layer of one that has been saved, times a factor."""
    proto = onnx.load(source)
    weights = next(t for t in proto.graph.initializer if len(t.dims) == 2)
    values = numpy_helper.to_array(weights)
    weights.CopyFrom(numpy_helper.from_array(values * values.dtype.type(factor), weights.name))
    return save(proto, path)


def tensor(name, dtype, shape):
    """A tensor's value info; a shape of None leaves its rank open."""
    return helper.make_tensor_value_info(name, dtype, shape)


def save(proto, path) -> Path:
    """Write the model, and give the path back."""
    onnx.save(proto, path)
    return Path(path)


def save_external(proto, path, weights="model.weights") -> Path:
    """Write the model with all its tensors in the file `weights` beside it."""
    onnx.save(proto, path, save_as_external_data=True, location=weights, size_threshold=0)
    return Path(path)
