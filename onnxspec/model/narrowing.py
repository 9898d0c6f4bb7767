"""What a model rounds its values to inside, whatever it takes and gives: half precision behind a float32 input.

Converters leave inputs and outputs as they are (`keep_io_types`), so that a port does not tell.
"""

import onnx
from onnx import TensorProto

from onnxspec.model.contents import all_graphs, all_nodes

HALF = {TensorProto.BFLOAT16: "bfloat16", TensorProto.FLOAT16: "float16"}
"""The coarser first."""


def narrowed_to(proto: onnx.ModelProto) -> str:
    """The coarsest type that values are cast to on their way: "bfloat16", "float16", or "".

    Weights that are stored in half precision and widened before they are used round nothing.
    """
    fixed = {tensor.name for graph in all_graphs(proto) for tensor in graph.initializer}
    fixed |= {name for node in all_nodes(proto) if node.op_type == "Constant" for name in node.output}
    found = {
        attribute.i
        for node in all_nodes(proto)
        if node.op_type == "Cast" and not fixed.issuperset(node.input)
        for attribute in node.attribute
        if attribute.name == "to"
    }
    return next((name for kind, name in HALF.items() if kind in found), "")
