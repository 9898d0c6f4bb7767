"""The path inside the graph: a model whose inputs are whole images and weights, and which forms the points itself.

In front of the model stands what the host does otherwise: pixels become the model's input (layout, channel order,
scale, mean, std), and x_t = sum_j w[t, j] a[index[t, j]] becomes the value that was its input. Gather, Mul and Add do it,
never MatMul: they give NumPy's bits, and TF32 cannot touch them. Preprocessing is done to the images, before
they are multiplied into points, in the host's order and types, so that the model sees the same numbers.

Nothing else of the model changes, its IR version and opsets neither: what is added are operators whose form is the
same in every opset that is taken, with constants as nodes, since old IR versions want initializers among the inputs.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from onnxspec.errors import ModelError
from onnxspec.images.inputspec import TYPES, InputSpec
from onnxspec.images.preprocess import Preprocess
from onnxspec.model import contents, onnxfile

OLDEST_OPSET = 9
# The first opset with Round, which rounds halves to even as NumPy does; Clip has its limits as inputs since then, too.
OLDEST_FOR_WHOLE = 11
_TYPES = {dtype: helper.np_dtype_to_tensor_dtype(dtype) for dtype in map(np.dtype, TYPES)}


@dataclass(frozen=True)
class Front:
    """What is put in front of a model.

    spec : of the model's input, resolved
    preprocess : what makes it of (n, h, w, c) uint8 pixels; None where anchors are inputs already, (n, ...) float32
    terms : J, the anchors that make up a point
    """

    spec: InputSpec
    preprocess: Preprocess | None
    terms: int


@dataclass(frozen=True)
class PathGraph:
    """A serialised model and the names of its inputs.

    anchors : (a, h, w, c) uint8 pixels, or (a, ...) float32 inputs
    indices : for each term, (n,) int64 into the anchors
    weights : for each term, (n, 1, ...) float32 of as many axes as an input
    """

    content: bytes
    anchors: str
    indices: tuple[str, ...]
    weights: tuple[str, ...]


def build(proto: onnx.ModelProto, image: str, front: Front) -> PathGraph:
    """The model `proto`, which is changed, with `front` before its input `image`.

    Raises
    ------
    ModelError
        The graph resists: why.
    """
    _require_opset(proto, front)
    port = next(value for value in proto.graph.input if value.name == image)
    writer = _Writer(contents.free_prefix(proto, "onnxspec_path_"), image)
    _write_front(writer, front)
    batch = port.type.tensor_type.shape.dim[0] if port.type.tensor_type.shape.dim else None
    inputs = [value for value in proto.graph.input if value.name != image] + list(_inputs(writer, front, batch))
    others = list(proto.graph.node)
    del proto.graph.node[:], proto.graph.input[:]
    proto.graph.node.extend([*writer.made, *others])
    proto.graph.input.extend(inputs)
    indices, weights = zip(*(writer.term(j) for j in range(front.terms)), strict=True)
    return PathGraph(onnxfile.serialised(proto, "With the path in its graph"), writer.name("anchors"), indices, weights)


class _Writer:
    """Names that the model does not use, and nodes that follow each other."""

    def __init__(self, prefix: str, image: str):
        self.prefix, self.image = prefix, image
        self.made: list[onnx.NodeProto] = []

    def name(self, word: str) -> str:
        return f"{self.prefix}{word}"

    def term(self, j: int) -> tuple[str, str]:
        """The names of a term's indices and weights."""
        return self.name(f"index_{j}"), self.name(f"weight_{j}")

    def constant(self, values: np.ndarray) -> str:
        name = self.name(f"constant_{len(self.made)}")
        self.made.append(helper.make_node("Constant", [], [name], value=numpy_helper.from_array(values)))
        return name

    def add(self, operator: str, *inputs: str, last: bool = False, **attributes: Any) -> str:
        name = self.image if last else self.name(f"{operator.lower()}_{len(self.made)}")
        self.made.append(helper.make_node(operator, list(inputs), [name], **attributes))
        return name


def _write_front(writer: _Writer, front: Front) -> None:
    """Nodes from anchors, indices and weights to the value that was the model's input."""
    anchors = writer.name("anchors")
    if front.preprocess is not None:
        anchors = _prepared(writer, anchors, front.spec, front.preprocess)
    sum_so_far = ""
    for j in range(front.terms):
        index, weight = writer.term(j)
        term = writer.add("Mul", writer.add("Gather", anchors, index, axis=0), weight)
        sum_so_far = writer.add("Add", sum_so_far, term) if j else term
    if front.spec.whole:
        limits = (writer.constant(np.array(limit, np.float32)) for limit in (0, 255))
        sum_so_far = writer.add("Clip", writer.add("Round", sum_so_far), *limits)
    # Where nothing is to be cast this costs nothing: ONNX Runtime takes out casts to the same type.
    writer.add("Cast", sum_so_far, last=True, to=_TYPES[front.spec.dtype])


def _prepared(writer: _Writer, pixels: str, spec: InputSpec, preprocess: Preprocess) -> str:
    """`Preprocess.to_input` as nodes, and its result as float32, which is what paths are formed in."""
    channels = spec.shape[2]
    value = pixels
    if preprocess.order == "BGR" and channels == 3:
        value = writer.add("Gather", value, writer.constant(np.array([2, 1, 0], np.int64)), axis=3)
    if preprocess.channels_first(spec):
        value = writer.add("Transpose", value, perm=[0, 3, 1, 2])
    if not spec.whole:
        value = _scaled(writer, value, spec, preprocess)
    if spec.layout == "flat":
        value = writer.add("Reshape", value, writer.constant(np.array([-1, spec.size], np.int64)))
    return writer.add("Cast", value, to=TensorProto.FLOAT)


def _scaled(writer: _Writer, value: str, spec: InputSpec, preprocess: Preprocess) -> str:
    along = (-1, 1, 1) if preprocess.channels_first(spec) else (-1,)
    factor, offset = (part.astype(spec.computed).reshape(along) for part in preprocess.affine(spec.shape[2]))
    value = writer.add("Mul", writer.add("Cast", value, to=_TYPES[spec.computed]), writer.constant(factor))
    value = writer.add("Add", value, writer.constant(offset))
    return value if spec.dtype == spec.computed else writer.add("Cast", value, to=_TYPES[spec.dtype])


def _inputs(
    writer: _Writer, front: Front, batch: onnx.TensorShapeProto.Dimension | None
) -> Iterator[onnx.ValueInfoProto]:
    spec = front.spec
    # Some exporters write an open dimension as 0 or -1.
    points = (max(batch.dim_value, 0) or batch.dim_param or None) if batch is not None else None
    height, width, channels = spec.shape
    own = {"NCHW": (channels, height, width), "NHWC": spec.shape, "flat": (spec.size,)}[spec.layout]
    kind, shape = (TensorProto.FLOAT, own) if front.preprocess is None else (TensorProto.UINT8, spec.shape)
    yield helper.make_tensor_value_info(writer.name("anchors"), kind, [None, *shape])
    for j in range(front.terms):
        index, weight = writer.term(j)
        yield helper.make_tensor_value_info(index, TensorProto.INT64, [points])
        yield helper.make_tensor_value_info(weight, TensorProto.FLOAT, [points, *[1] * len(own)])


def _require_opset(proto: onnx.ModelProto, front: Front) -> None:
    opset = contents.standard_opset(proto) or 0
    least = OLDEST_FOR_WHOLE if front.spec.whole else OLDEST_OPSET
    if opset < least:
        have = f"opset {opset}" if opset else "no standard opset"
        raise ModelError(f"The model has {have}, and the path in its graph needs at least {least}.")
