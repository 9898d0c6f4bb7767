"""Everything that a model holds: graphs, nodes and tensors, those inside other nodes and in local functions included."""

from collections.abc import Iterator, Sequence

import onnx

DAMAGED = "The file is damaged: copy or download it again, or export it anew."
"""What to do about a file that is ONNX, and holds what no exporter writes."""
STANDARD = ("", "ai.onnx")
"""The two names of the domain of ONNX's own operators."""


def standard_opset(proto: onnx.ModelProto) -> int | None:
    """The version of ONNX's own operators; of several that a file names the last, which is what ONNX Runtime takes."""
    return next((entry.version for entry in reversed(proto.opset_import) if entry.domain in STANDARD), None)


def all_graphs(proto: onnx.ModelProto) -> Iterator[onnx.GraphProto]:
    """The model's graph and every graph inside a node, those of its local functions included."""
    yield from _with_inner(proto.graph)
    for function in proto.functions:
        for node in function.node:
            for inner in inner_graphs(node):
                yield from _with_inner(inner)


def all_nodes(proto: onnx.ModelProto) -> Iterator[onnx.NodeProto]:
    """Every node of every graph and local function."""
    for holder in (*all_graphs(proto), *proto.functions):
        yield from holder.node


def all_tensors(proto: onnx.ModelProto) -> Iterator[onnx.TensorProto]:
    """Every tensor stored in the model: initializers and attributes, the parts of sparse ones included."""
    for graph in all_graphs(proto):
        yield from graph.initializer
    yield from all_constants(proto)


def all_constants(proto: onnx.ModelProto) -> Iterator[onnx.TensorProto]:
    """Every tensor that is no initializer of its own: in attributes, and the parts of sparse ones."""
    for node in all_nodes(proto):
        for attribute in node.attribute:
            if attribute.HasField("t"):
                yield attribute.t
            yield from attribute.tensors
    for sparse in sparse_tensors(proto):
        yield from (sparse.values, sparse.indices)


def sparse_tensors(proto: onnx.ModelProto) -> Iterator[onnx.SparseTensorProto]:
    """Every sparse tensor stored in the model."""
    for graph in all_graphs(proto):
        yield from graph.sparse_initializer
    for node in all_nodes(proto):
        for attribute in node.attribute:
            if attribute.HasField("sparse_tensor"):
                yield attribute.sparse_tensor
            yield from attribute.sparse_tensors


def free_prefix(proto: onnx.ModelProto, prefix: str) -> str:
    """A beginning that no name in the model has: the one wished for, or that with underscores before it."""
    names = {value.name for graph in all_graphs(proto) for value in (*graph.input, *graph.initializer)}
    names |= {name for node in all_nodes(proto) for name in (*node.input, *node.output)}
    while any(name.startswith(prefix) for name in names):
        prefix = f"_{prefix}"
    return prefix


def first(names: Sequence[str]) -> str:
    """The first of a node's inputs or outputs; "", which names nothing, where it has none."""
    return names[0] if names else ""


def inner_graphs(node: onnx.NodeProto) -> Iterator[onnx.GraphProto]:
    """The graphs that are attributes of a node: branches, loop bodies."""
    for attribute in node.attribute:
        if attribute.HasField("g"):
            yield attribute.g
        yield from attribute.graphs


def _with_inner(graph: onnx.GraphProto) -> Iterator[onnx.GraphProto]:
    yield graph
    for node in graph.node:
        for inner in inner_graphs(node):
            yield from _with_inner(inner)
