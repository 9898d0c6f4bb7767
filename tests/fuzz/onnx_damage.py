"""Damage to ONNX models that knows protobuf: any field of any message, and tricks that need more than one."""

from collections.abc import Callable, Iterator
from random import Random
from typing import Any

import onnx
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Error
from onnx import TensorProto, helper

from . import hostile

OPERATORS = ("Loop", "Scan", "If", "Softmax", "Sigmoid", "Tile", "Resize", "Gather", "TopK", "NonZero", "Nonsense",
             "Identity", "Reshape", "ConvTranspose", "LSTM", "RandomNormalLike", "Dropout", "Cast", "ArgMax")  # fmt: skip
LARGE = 256


def damaged(content: bytes, rng: Random, tensors: bytes | None = None) -> tuple[bytes, str]:
    """The model with one to three changes, and what they were."""
    if rng.random() < 0.35:
        return hostile.damaged(content, rng, structure(content))
    proto = onnx.ModelProto.FromString(content)
    names = []
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        trick: Callable[[onnx.ModelProto, Random], str] = rng.choice((_field,) * 8 + TRICKS)
        try:
            names.append(trick(proto, rng))
        except (ValueError, TypeError, IndexError, Error) as error:
            # An earlier change left nothing to do this to, or protobuf itself refuses it.
            names.append(f"{trick.__name__} impossible ({type(error).__name__})")
    return proto.SerializeToString(), "+".join(names)


def structure(content: bytes) -> list[tuple[int, int]]:
    """The spans of a model that are not the raw data of its large tensors."""
    spans, start = [], 0
    for tensor in onnx.ModelProto.FromString(content).graph.initializer:
        found = content.find(tensor.raw_data, start) if len(tensor.raw_data) > LARGE else -1
        if found >= 0:
            spans.append((start, found))
            start = found + len(tensor.raw_data)
    return [*spans, (start, len(content))]


def _messages(message: Any) -> Iterator[Any]:
    yield message
    for field, value in message.ListFields():
        if field.type == FieldDescriptor.TYPE_MESSAGE:
            for inner in value if _repeated(field) else [value]:
                yield from _messages(inner)


def _repeated(field: FieldDescriptor) -> bool:
    return bool(field.is_repeated) if hasattr(field, "is_repeated") else field.label == FieldDescriptor.LABEL_REPEATED


def _field(proto: onnx.ModelProto, rng: Random) -> str:
    """Changes one field, set or not, of one message anywhere in the model."""
    message = rng.choice(list(_messages(proto)))
    every = message.DESCRIPTOR.fields
    chosen = rng.choice([f for f, _ in message.ListFields()] or every) if rng.random() < 0.8 else rng.choice(every)
    name = f"{message.DESCRIPTOR.name}.{chosen.name}"
    if _repeated(chosen):
        return f"{name} {_change_list(getattr(message, chosen.name), chosen, rng)}"
    if rng.random() < 0.15:
        message.ClearField(chosen.name)
        return f"{name} cleared"
    if chosen.type == FieldDescriptor.TYPE_MESSAGE:
        getattr(message, chosen.name).SetInParent()
        return f"{name} set empty"
    value = _value(chosen, getattr(message, chosen.name), rng)
    setattr(message, chosen.name, value)
    return f"{name}={str(value)[:40]!r}"


def _change_list(values: Any, field: FieldDescriptor, rng: Random) -> str:
    way = rng.choice(("delete", "duplicate", "swap", "set", "append", "clear"))
    at = rng.randrange(len(values)) if len(values) else 0
    if way == "clear":
        del values[:]
    elif way == "delete" and values:
        del values[at]
    elif way == "duplicate" and values:
        values.append(values[at])
    elif way == "swap" and values:
        kept = list(values)
        rng.shuffle(kept)
        del values[:]
        values.extend(kept)
    elif field.type == FieldDescriptor.TYPE_MESSAGE:
        values.add()
    elif way == "set" and values:
        values[at] = _value(field, values[at], rng)
    else:
        values.append(_value(field, values[at] if values else None, rng))
    return f"{way} {at}"


def _value(field: FieldDescriptor, old: Any, rng: Random) -> Any:
    if field.cpp_type in (FieldDescriptor.CPPTYPE_FLOAT, FieldDescriptor.CPPTYPE_DOUBLE):
        return rng.choice(hostile.FLOATS)
    if field.cpp_type == FieldDescriptor.CPPTYPE_ENUM:
        return rng.randrange(20)
    if field.type == FieldDescriptor.TYPE_STRING:
        return rng.choice((*hostile.TEXTS, *OPERATORS))
    if field.type == FieldDescriptor.TYPE_BYTES:
        return hostile.damaged(bytes(old or b"abcd"), rng)[0]
    wide = field.type in (FieldDescriptor.TYPE_INT64, FieldDescriptor.TYPE_UINT64)
    number = hostile.integer(rng) if rng.random() < 0.5 else int(old or 0) + rng.choice((-1, 1, 2, 12))
    unsigned = field.type in (FieldDescriptor.TYPE_UINT64, FieldDescriptor.TYPE_UINT32)
    return max(number, 0) if unsigned else min(max(number, -(2**63)), 2**63 - 1) if wide else number % 2**31


def _external(proto: onnx.ModelProto, rng: Random) -> str:
    """Moves a tensor into a file: one that is missing, that is outside, or with a lying offset and length."""
    tensor = rng.choice(list(proto.graph.initializer))
    tensor.data_location = TensorProto.EXTERNAL
    tensor.ClearField("raw_data")
    place = rng.choice(
        ("../around/secret.bin", "/etc/passwd", "model.weights", "sub/../../around/secret.bin", "..", "")
    )
    entries = [("location", place), ("offset", str(hostile.integer(rng))), ("length", str(hostile.integer(rng)))]
    for key, value in rng.sample(entries, rng.choice((1, 2, 3))):
        tensor.external_data.add(key=key, value=value)
    return f"external data at {place!r}"


def _domain(proto: onnx.ModelProto, rng: Random) -> str:
    domain = rng.choice(("ai.onnx.ml", "com.microsoft", "custom.evil", "", "ai.onnx.training"))
    if rng.random() < 0.7 and proto.graph.node:
        rng.choice(list(proto.graph.node)).domain = domain
    proto.opset_import.add(domain=domain, version=rng.choice((0, 1, 7, 13, 99, -1)))
    return f"domain {domain!r}"


def _nested(proto: onnx.ModelProto, rng: Random) -> str:
    """A graph in a graph in a graph, below and beyond what protobuf parses."""
    graph, depth = proto.graph, rng.choice((10, 45, 200))
    node = graph.node[0] if graph.node else graph.node.add()
    for _ in range(depth):
        attribute = node.attribute.add(name="body", type=onnx.AttributeProto.GRAPH)
        node = attribute.g.node.add(op_type="If")
    return f"{depth} graphs deep"


def _many(proto: onnx.ModelProto, rng: Random) -> str:
    count = rng.choice((100, 3000))
    for i in range(count):
        proto.graph.node.add(op_type="Identity", input=["images"], output=[f"unused{i}"])
    return f"{count} more nodes"


def _huge(proto: onnx.ModelProto, rng: Random) -> str:
    """The input goes through a Tile to many gigabytes and back: an activation that no memory holds."""
    name = proto.graph.input[0].name
    count = rng.choice((2**20, 2**31, 2**40))
    nodes = [
        helper.make_node("Constant", [], ["huge_n"], value=helper.make_tensor("n", TensorProto.INT64, [1], [count])),
        helper.make_node("ConstantOfShape", ["huge_n"], ["huge_zeros"]),
        helper.make_node("ReduceMax", ["huge_zeros"], ["huge_zero"], keepdims=0),
        helper.make_node("Add", [name, "huge_zero"], ["huge_sum"]),
    ]
    for node in proto.graph.node:
        node.input[:] = ["huge_sum" if value == name else value for value in node.input]
    rest = list(proto.graph.node)
    del proto.graph.node[:]
    proto.graph.node.extend([*nodes, *rest])
    return f"activation of {count} floats"


def _cycle(proto: onnx.ModelProto, rng: Random) -> str:
    nodes = proto.graph.node
    if len(nodes) > 1 and nodes[0].input and nodes[-1].output:
        nodes[0].input[0] = nodes[-1].output[0]
    return "a cycle"


def _operator(proto: onnx.ModelProto, rng: Random) -> str:
    node = rng.choice(list(proto.graph.node))
    node.op_type = rng.choice(OPERATORS)
    return f"operator {node.op_type}"


def _shape(proto: onnx.ModelProto, rng: Random) -> str:
    """Another size of the input or output than the graph has, open or fixed."""
    port = rng.choice([*proto.graph.input, *proto.graph.output])
    dims = port.type.tensor_type.shape.dim
    if not dims:
        dims.add()
    dim = rng.choice(list(dims))
    if rng.random() < 0.3:
        dim.dim_param = rng.choice(("n", "", "images"))
    else:
        dim.dim_value = rng.choice((hostile.integer(rng), 1, 3, 14, 32, 4))
    return f"{port.name} dim {dim.dim_value or dim.dim_param!r}"


def _stamp(proto: onnx.ModelProto, rng: Random) -> str:
    """Metadata that onnxspec reads itself, and ONNX Runtime's session configuration, which must stay off."""
    texts = ("{}", "[]", "null", '{"resize": [1e9, 1]}', '{"std": [0]}', '{"mean": [NaN]}', "[" * 3000, '{"scale": 1e400}',
             '["a", "a"]', '["\\u001b[31m", 1, null]', '{"session_options": {"enable_profiling": true}}')  # fmt: skip
    entry = proto.metadata_props.add(key=rng.choice(("onnxspec.preprocess", "onnxspec.classes", "ort_config")))
    entry.value = rng.choice((*texts, *hostile.TEXTS))
    return f"metadata {entry.key}={entry.value[:40]!r}"


TRICKS = (_external, _domain, _nested, _many, _huge, _cycle, _operator, _shape, _stamp)
