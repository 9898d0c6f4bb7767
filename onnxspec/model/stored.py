"""Stored tensors: how large they say they are, and how much of it the file holds."""

import math

from onnx import ModelProto, SparseTensorProto, TensorProto

from onnxspec.errors import ModelError
from onnxspec.model.contents import DAMAGED, all_tensors, sparse_tensors
from onnxspec.model.ports import quoted, shape_text

MOST_AXES = 64

_TYPES = {number: name for name, number in TensorProto.DataType.items()}
_BITS = {f"{sign}INT{bits}": bits for sign in ("", "U") for bits in (2, 4, 8, 16, 32, 64)} | {
    "FLOAT": 32,
    "DOUBLE": 64,
    "FLOAT16": 16,
    "BFLOAT16": 16,
    "FLOAT4E2M1": 4,
    "FLOAT6E2M3": 6,
    "FLOAT6E3M2": 6,
    "COMPLEX64": 64,
    "COMPLEX128": 128,
    "BOOL": 8,
}
# Which field holds the numbers of a tensor that has no raw_data; all others share int32_data.
_FIELDS = {
    "FLOAT": "float_data",
    "COMPLEX64": "float_data",
    "DOUBLE": "double_data",
    "COMPLEX128": "double_data",
    "INT64": "int64_data",
    "UINT32": "uint64_data",
    "UINT64": "uint64_data",
    "STRING": "string_data",
}


def bits_of(data_type: int) -> int | None:
    """The bits of one element of an ONNX type; None for text and for types that this onnx does not know."""
    name = _TYPES.get(data_type, "")
    return 8 if name.startswith("FLOAT8") else _BITS.get(name)


def bytes_of(tensor: TensorProto) -> int:
    """The bytes that a tensor of numbers takes; 0 for text."""
    return -(-math.prod(tensor.dims) * (bits_of(tensor.data_type) or 0) // 8)


def check(proto: ModelProto) -> None:
    """Raises ModelError for a tensor that the file holds less of than it says, or that cannot be."""
    for tensor in all_tensors(proto):
        _check_shape(tensor)
        if tensor.data_location != TensorProto.EXTERNAL and (held := _held(tensor)) < _declared(tensor):
            kind = _TYPES.get(tensor.data_type, f"type {tensor.data_type}").lower()
            raise ModelError(
                f"The tensor {quoted(tensor.name)} should be {shape_text(tensor.dims)} of {kind}, and the file holds "
                f"only {held:,} {'bytes' if tensor.HasField('raw_data') else 'values'} of it.",
                DAMAGED,
            )
    for sparse in sparse_tensors(proto):
        _check_shape(sparse)


def _check_shape(tensor: TensorProto | SparseTensorProto) -> None:
    name = quoted((tensor if isinstance(tensor, TensorProto) else tensor.values).name)
    if len(tensor.dims) > MOST_AXES:
        raise ModelError(f"The tensor {name} has {len(tensor.dims):,} axes; at most {MOST_AXES} are read.", DAMAGED)
    if any(length < 0 for length in tensor.dims):
        raise ModelError(f"The tensor {name} has a negative size, {shape_text(tensor.dims)}.", DAMAGED)


def _held(tensor: TensorProto) -> int:
    if tensor.HasField("raw_data"):
        return len(tensor.raw_data)
    return len(getattr(tensor, _FIELDS.get(_TYPES.get(tensor.data_type, ""), "int32_data")))


def _declared(tensor: TensorProto) -> int:
    """In the unit of `_held`: bytes of raw data, else entries of the field that holds the numbers."""
    count, bits = math.prod(tensor.dims), bits_of(tensor.data_type)
    if tensor.HasField("raw_data") or (bits is not None and bits < 8):
        return -(-count * (bits or 0) // 8)
    return count * (2 if _TYPES.get(tensor.data_type, "").startswith("COMPLEX") else 1)
