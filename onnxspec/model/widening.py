"""A model in half precision becomes the same function in float32, which its own rounding is measured against.

Weights keep the numbers that half precision has left them, and stay where they are: a cast behind each makes it wide,
which rounds nothing. Whatever else is float16 or bfloat16 becomes float32: inputs and outputs, constants, what values
are cast to.
"""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

import numpy as np
import onnx
from onnx import AttributeProto, TensorProto, helper, numpy_helper

from onnxspec.errors import ModelError
from onnxspec.model import contents, devices, onnxfile
from onnxspec.model.narrowing import HALF
from onnxspec.model.ports import Port
from onnxspec.model.session import OnnxModel, start_session
from onnxspec.model.spread import Spread

_TYPES = frozenset({"to", "dtype", "output_dtype", "stash_type", "softmax_precision"})
"""Attributes that name a type of numbers."""


def widened(model: OnnxModel) -> OnnxModel:
    """The model in float32 throughout, on the CPU.

    Raises
    ------
    ModelError
        It would be too large for one file, ONNX Runtime refuses it, or the model's file has changed.
    ResourceError
        There is not memory enough for it beside the model.
    """
    if not model.info.memory.fits_beside_itself(model.limit):
        raise ModelError("Memory has no room for a second session, in float32.")
    proto, weights = model.graph()
    widen(proto)
    content = onnxfile.serialised(proto, "In float32")
    info, (choice,) = model.info, devices.choose("cpu")
    wide = replace(
        info,
        inputs=tuple(map(_wide, info.inputs)),
        outputs=tuple(map(_wide, info.outputs)),
        input=info.input and _wide(info.input),
        output=info.output and _wide(info.output),
    )
    sessions = Spread([partial(start_session, info, choice, 1, content, weights)], None)
    sessions.start()
    model.require_unchanged()
    spec = model.spec.widened
    return replace(model, info=wide, spec=spec, choices=(choice,), sessions=sessions, threads=1, nodes_on_cpu=None)


def widen(proto: onnx.ModelProto) -> None:
    """Makes float32 of all half precision in a model, in place.

    Raises
    ------
    ModelError
        A constant of it lies in another file, or is damaged.
    """
    prefix = contents.free_prefix(proto, "onnxspec_half_")
    for tensor in contents.all_constants(proto):
        if tensor.data_type in HALF:
            _widen_constant(tensor)
    for node in contents.all_nodes(proto):
        for attribute in node.attribute:
            if attribute.name in _TYPES and attribute.type == AttributeProto.INT and attribute.i in HALF:
                attribute.i = TensorProto.FLOAT
    for graph in contents.all_graphs(proto):
        casts = list(_casts(graph, prefix))
        for value in (*graph.input, *graph.output, *graph.value_info):
            if not value.name.startswith(prefix):
                _widen_type(value.type)
        others = list(graph.node)
        del graph.node[:]
        graph.node.extend([*casts, *others])


def _casts(graph: onnx.GraphProto, prefix: str) -> Iterator[onnx.NodeProto]:
    """Casts from weights in half precision, which get another name, to what they were called."""
    # Old IR versions want weights among the inputs as well.
    declared = {value.name: value for value in graph.input}
    for tensor in graph.initializer:
        if tensor.data_type in HALF:
            name, tensor.name = tensor.name, f"{prefix}{tensor.name}"
            if name in declared:
                declared[name].name = tensor.name
            yield helper.make_node("Cast", [tensor.name], [name], to=TensorProto.FLOAT)


def _widen_constant(tensor: onnx.TensorProto) -> None:
    if tensor.data_location == TensorProto.EXTERNAL:
        raise ModelError(f"The constant {tensor.name} lies in another file.")
    try:
        values = numpy_helper.to_array(tensor)
    except (TypeError, ValueError):
        # Nobody may ever have looked at it, as in a branch that is never taken.
        raise ModelError(f"The constant {tensor.name} holds other numbers than it says.") from None
    tensor.CopyFrom(numpy_helper.from_array(values.astype(np.float32), tensor.name))


def _widen_type(kind: onnx.TypeProto) -> None:
    """Of a tensor, or of what a sequence or an option holds."""
    which = kind.WhichOneof("value")
    if which in ("tensor_type", "sparse_tensor_type"):
        tensor = getattr(kind, which)
        if tensor.elem_type in HALF:
            tensor.elem_type = TensorProto.FLOAT
    elif which in ("sequence_type", "optional_type"):
        _widen_type(getattr(kind, which).elem_type)


def _wide(port: Port) -> Port:
    return replace(port, type="float32") if port.type in HALF.values() else port
