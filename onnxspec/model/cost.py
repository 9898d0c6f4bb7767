"""What a model costs: its parameters, and the multiply-accumulates of one image through it."""

from dataclasses import dataclass

import onnx
from onnx import TensorProto, helper, shape_inference

from onnxspec.model.contents import all_tensors, first
from onnxspec.model.ports import Port, elements, size_of
from onnxspec.model.stored import bits_of

# Shapes and indices are stored as these types; they are no parameters.
_BOOKKEEPING = (TensorProto.INT64, TensorProto.INT32, TensorProto.BOOL, TensorProto.STRING)
# Tensors up to this many elements may hold shapes that inference has to read.
_SHAPE_ELEMENTS = 64
CONVOLUTIONS = {"Conv": 1, "FusedConv": 1, "ConvInteger": 1, "QLinearConv": 3}
"""Which input of a convolution holds its weights, (outputs, inputs of a group, ...)."""
_PRODUCTS = {"MatMul", "FusedMatMul", "MatMulInteger", "QLinearMatMul", "Gemm", "FusedGemm"}
_NOT_COUNTED = {
    *("If", "Loop", "Scan", "Einsum", "LSTM", "GRU", "RNN", "Attention", "MultiHeadAttention", "GroupQueryAttention"),
    *("MatMulNBits", "QGemm", "TreeEnsemble", "TreeEnsembleClassifier", "LinearClassifier", "SVMClassifier"),
}

Shape = tuple[int | str, ...]


@dataclass(frozen=True)
class Cost:
    """Parameters stored, and `macs` multiply-accumulates for one image (None where no layer could be counted).

    `partial` means that some layers are not in `macs`: their shapes are open, or their operator is not counted.
    """

    parameters: int
    macs: int | None
    partial: bool

    @property
    def flops(self) -> int | None:
        """Floating-point operations for one image: two for each multiply-accumulate."""
        return None if self.macs is None else 2 * self.macs


@dataclass(frozen=True)
class Values:
    """What is known of a graph's values by name: shapes, and the bits of an element where the type is known."""

    shapes: dict[str, Shape]
    bits: dict[str, int]


def infer(proto: onnx.ModelProto, image: Port) -> Values:
    """Every value as far as ONNX's inference gets, for a batch of one image, or of as many as the model fixes.

    The weights are not copied: only small tensors keep their values, the others are known by their shape.
    """
    graph = proto.graph
    light = onnx.ModelProto(ir_version=proto.ir_version, opset_import=proto.opset_import, functions=proto.functions)
    light.graph.name = graph.name or "graph"
    light.graph.node.extend(graph.node)
    light.graph.value_info.extend(graph.value_info)
    light.graph.output.extend(helper.make_empty_tensor_value_info(value.name) for value in graph.output)
    light.graph.initializer.extend(tensor for tensor in graph.initializer if _is_small(tensor))
    stored = {tensor.name for tensor in graph.initializer}
    light.graph.input.extend(value for value in graph.input if value.name not in stored)
    light.graph.input.extend(
        helper.make_tensor_value_info(tensor.name, tensor.data_type, tensor.dims)
        for tensor in graph.initializer
        if not _is_small(tensor)
    )
    _one_image(light.graph, image)
    try:
        light = shape_inference.infer_shapes(light, data_prop=True)
    except (shape_inference.InferenceError, RuntimeError, ValueError, MemoryError):
        pass  # an estimate: what the file itself says about shapes remains
    shapes: dict[str, Shape] = {tensor.name: tuple(tensor.dims) for tensor in graph.initializer}
    bits = {tensor.name: bits_of(tensor.data_type) for tensor in graph.initializer}
    for value in (*light.graph.input, *light.graph.value_info, *light.graph.output):
        tensor = value.type.tensor_type
        bits[value.name] = bits_of(tensor.elem_type)
        if tensor.HasField("shape"):
            shapes[value.name] = tuple(map(_dimension, tensor.shape.dim))
    return Values(shapes, {name: count for name, count in bits.items() if count is not None})


def estimate(proto: onnx.ModelProto, shapes: dict[str, Shape], batch: int = 1) -> Cost:
    """Parameters and multiply-accumulates; `shapes` as `infer` gives them, for `batch` images."""
    macs, counted, partial = 0, False, bool(proto.functions)
    for node in proto.graph.node:
        partial = partial or node.op_type in _NOT_COUNTED
        if node.op_type in CONVOLUTIONS or node.op_type in _PRODUCTS or node.op_type == "ConvTranspose":
            here = _macs(node, shapes)
            counted, partial = counted or here is not None, partial or here is None
            macs += here or 0
    return Cost(_parameters(proto), macs // batch if counted else None, partial)


def _parameters(proto: onnx.ModelProto) -> int:
    stored = sum(elements(tensor.dims) or 0 for tensor in all_tensors(proto) if tensor.data_type not in _BOOKKEEPING)
    # scikit-learn's operators keep their numbers in attributes.
    return stored + sum(len(attribute.floats) for node in proto.graph.node for attribute in node.attribute)


def _macs(node: onnx.NodeProto, shapes: dict[str, Shape]) -> int | None:
    """Elements of the output times weights behind each; of a transposed convolution, elements of the input."""
    read = [shapes.get(name) for name in node.input]
    count = elements(shapes.get(first(node.output)))
    if node.op_type == "ConvTranspose":
        count, weights = elements(_nth(read, 0)), _behind_one(_nth(read, 1))
    elif node.op_type in CONVOLUTIONS:
        weights = _behind_one(_nth(read, CONVOLUTIONS[node.op_type]))
    else:
        transposed = node.op_type in ("Gemm", "FusedGemm") and any(a.name == "transA" and a.i for a in node.attribute)
        left = (_nth(read, 0) or ())[-2 if transposed else -1 :]
        weights = size_of(left[0]) if left else None
    return None if count is None or weights is None else count * weights


def _behind_one(weights: Shape | None) -> int | None:
    """Of a convolution's weights, those that are behind one value; None where their shape is open."""
    return None if weights is None else elements(weights[1:])


def _nth(shapes: list[Shape | None], index: int) -> Shape | None:
    return shapes[index] if index < len(shapes) else None


def _is_small(tensor: onnx.TensorProto) -> bool:
    return (elements(tensor.dims) or 0) <= _SHAPE_ELEMENTS and tensor.data_location != TensorProto.EXTERNAL


def _one_image(graph: onnx.GraphProto, image: Port) -> None:
    """Set the batch dimension to 1, also where other values share its name."""
    name = image.shape[0] if image.shape else ""
    for value in (*graph.input, *graph.value_info):
        for axis, dimension in enumerate(value.type.tensor_type.shape.dim):
            is_batch = value.name == image.name and axis == 0 and not dimension.dim_value
            if is_batch or (name and dimension.dim_param == name):
                dimension.dim_value = 1


def _dimension(dimension: onnx.TensorShapeProto.Dimension) -> int | str:
    return dimension.dim_value if dimension.HasField("dim_value") else dimension.dim_param
