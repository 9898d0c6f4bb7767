"""Graphs that bring native code down: refused before ONNX or ONNX Runtime see them.

Shape inference and sessions run C++ in this process, where a division by zero or an endless loop cannot be caught.
What is refused here was found by damaging models at random; what cannot be foreseen needs a sandbox (SECURITY.md).
"""

import itertools
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache

import onnx

from onnxspec.errors import ModelError
from onnxspec.model.contents import DAMAGED, STANDARD, all_nodes, inner_graphs, standard_opset
from onnxspec.model.ports import quoted

MOST_NODES = 100_000
"""After the calls of local functions are written out: ONNX Runtime writes them out, at 10,000 nodes a second."""
_DEEPEST = 50
# Sizes that ONNX Runtime divides by, or by their product, which must not overflow to 0.
_LARGEST = 2**20
_POSITIVE = {*("group", "num_groups", "blocksize"), *("strides", "dilations", "kernel_shape")}
# Terms of letters with at most one ellipsis each: two of them send onnx's parser round in circles.
_TERM = r"[ ]*(?:[A-Za-z ]*(?:\.\.\.)?[A-Za-z ]*)"
_EQUATION = re.compile(rf"{_TERM}(?:,{_TERM})*(?:->{_TERM})?")

_Attributes = Mapping[str, onnx.AttributeProto]
"""By their names."""


def check(proto: onnx.ModelProto) -> None:
    """Raises ModelError for a graph that is too large, that calls itself, or that native code does not survive."""
    _check_size(proto)
    opset = standard_opset(proto) or 0
    own = {(body.domain, body.name) for body in proto.functions}
    for node in itertools.chain(all_nodes(proto), _filled_in(proto)):
        if node.domain in STANDARD and (node.domain, node.op_type) not in own:
            _check_inputs(node, _schema(node.op_type, opset))
        if node.op_type == "Split":
            _check_split(node)
        for attribute in node.attribute:
            if not attribute.ref_attr_name:
                _check_attribute(node, attribute)


def _filled_in(proto: onnx.ModelProto) -> Iterator[onnx.NodeProto]:
    """Nodes of local functions that refer to attributes of the call, with the values that each call gives them.

    To be asked after the size was checked: every call is followed.
    """
    bodies = {_called(body): body for body in proto.functions}
    if not bodies:
        return

    def followed(nodes: Iterable[onnx.NodeProto], given: _Attributes) -> Iterator[onnx.NodeProto]:
        for node in nodes:
            refers = any(attribute.ref_attr_name for attribute in node.attribute)
            whole = _with_values(node, given) if refers else node
            if refers:
                yield whole
            for graph in inner_graphs(node):
                yield from followed(graph.node, given)
            if (body := bodies.get(_called(node))) is not None:
                values = {one.name: one for one in (*body.attribute_proto, *whole.attribute)}
                yield from followed(body.node, values)

    yield from followed(proto.graph.node, {})


def _with_values(node: onnx.NodeProto, given: _Attributes) -> onnx.NodeProto:
    """A copy whose references are the values they refer to; what the call does not give is left out."""
    filled = onnx.NodeProto()
    filled.CopyFrom(node)
    del filled.attribute[:]
    for attribute in node.attribute:
        value = given.get(attribute.ref_attr_name) if attribute.ref_attr_name else attribute
        if value is not None:
            filled.attribute.add().CopyFrom(value)
            filled.attribute[-1].name = attribute.name
    return filled


def _called(node: onnx.NodeProto | onnx.FunctionProto) -> tuple[str, str, str]:
    """Which local function a node calls, or a function is."""
    name = node.op_type if isinstance(node, onnx.NodeProto) else node.name
    return ("" if node.domain in STANDARD else node.domain, name, node.overload)


@cache
def _schema(operator: str, opset: int) -> onnx.defs.OpSchema | None:
    """What ONNX says of a standard operator; None where this onnx does not know it, or is older than the file."""
    if not 1 <= opset <= onnx.defs.onnx_opset_version() or not onnx.defs.has(operator):
        return None
    try:
        return onnx.defs.get_schema(operator, opset, "")
    except onnx.defs.SchemaError:
        return None


def _check_inputs(node: onnx.NodeProto, schema: onnx.defs.OpSchema | None) -> None:
    """A segmentation fault in ONNX Runtime's kernels: an input is left out (named "") that they count on."""
    if schema is None or not schema.inputs:
        return
    optional = onnx.defs.OpSchema.FormalParameterOption.Optional
    formal = [schema.inputs[min(place, len(schema.inputs) - 1)] for place in range(len(node.input))]
    missing = [p.name for p, name in zip(formal, node.input, strict=True) if not name and p.option != optional]
    if missing:
        raise ModelError(
            f"The {quoted(node.op_type)} node {quoted(node.name)} lacks its input {missing[0]!r}.",
            DAMAGED,
        )


def _check_attribute(node: onnx.NodeProto, attribute: onnx.AttributeProto) -> None:
    if attribute.name in _POSITIVE and any(not 0 < value <= _LARGEST for value in _numbers(attribute)):
        raise ModelError(
            f"The {quoted(node.op_type)} node {quoted(node.name)} has {quoted(attribute.name)} at "
            f"{list(_numbers(attribute))[:8]}; sizes from 1 to {_LARGEST:,} were expected.",
            DAMAGED,
        )
    if node.op_type == "Einsum" and attribute.name == "equation":
        equation = attribute.s.decode("utf-8", "replace")
        if not _EQUATION.fullmatch(equation):
            raise ModelError(
                f"The Einsum node {quoted(node.name)} has the equation {quoted(equation)}, which is none.", DAMAGED
            )


def _check_split(node: onnx.NodeProto) -> None:
    """An abort in onnx's shape inference: it fills as many outputs as the node has from the sizes that this gives."""
    for attribute in node.attribute:
        if attribute.ref_attr_name:
            continue
        sizes = {"num_outputs": attribute.i, "split": len(attribute.ints)}.get(attribute.name)
        if sizes is not None and sizes != len(node.output):
            raise ModelError(
                f"The Split node {quoted(node.name)} has {len(node.output)} outputs, and its {attribute.name} is for "
                f"{sizes}.",
                DAMAGED,
            )


def _numbers(attribute: onnx.AttributeProto) -> Iterable[int]:
    return attribute.ints if attribute.type == onnx.AttributeProto.INTS else [attribute.i]


def _check_size(proto: onnx.ModelProto) -> None:
    bodies = {_called(body): body for body in proto.functions}
    sizes: dict[tuple[str, str, str], int] = {}

    def size(nodes: Iterable[onnx.NodeProto], depth: int) -> int:
        if depth > _DEEPEST:
            raise ModelError(
                f"The model's functions call each other more than {_DEEPEST} deep, or in circles; refused.",
                "Export the model with its functions inlined: onnx.inliner.inline_local_functions(model).",
            )
        return sum(1 + inside(node, depth) + sum(size(g.node, depth + 1) for g in inner_graphs(node)) for node in nodes)

    def inside(node: onnx.NodeProto, depth: int) -> int:
        key = _called(node)
        if key in bodies and key not in sizes:
            sizes[key] = size(bodies[key].node, depth + 1)
        return sizes.get(key, 0)

    count = size(proto.graph.node, 0)
    if count > MOST_NODES:
        raise ModelError(
            f"The model's graph has {count:,} nodes, those of its functions wherever they are called included; "
            f"up to {MOST_NODES:,} are read.",
            "onnxspec analyses image classifiers: check that this is one.",
        )
