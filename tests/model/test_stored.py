"""Tensors must hold what they declare."""

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

from model import build
from onnxspec.errors import ModelError
from onnxspec.model import stored


def with_tensor(tensor):
    proto = build.mlp()
    proto.graph.initializer.append(tensor)
    return proto


@pytest.mark.parametrize("raw", [True, False])
@pytest.mark.parametrize("kind", sorted(set(TensorProto.DataType.values()) - {TensorProto.UNDEFINED}))
def test_every_type_that_onnx_writes_passes(kind, raw):
    values = ["a", "b", "c"] if kind == TensorProto.STRING else [1, 0, 1]
    if raw and kind == TensorProto.STRING:
        pytest.skip("text is never raw")
    dtype = helper.tensor_dtype_to_np_dtype(kind)
    tensor = (
        numpy_helper.from_array(np.array(values).astype(dtype), "t")
        if raw
        else helper.make_tensor("t", kind, [3], values)
    )
    stored.check(with_tensor(tensor))
    tensor.dims[0] = 30
    with pytest.raises(ModelError, match=r"'t' should be \(30\)"):
        stored.check(with_tensor(tensor))


@pytest.mark.parametrize(
    ("tensor", "said"),
    [
        (TensorProto(name="t", data_type=1, dims=[100_000, 100_000]), "holds only 0 values"),
        (TensorProto(name="t", data_type=1, dims=[4], raw_data=b"short"), "holds only 5 bytes"),
        (TensorProto(name="t", data_type=99, dims=[4]), "of type 99"),
        (TensorProto(name="t", data_type=1, dims=[-4]), "negative size"),
        (TensorProto(name="t", data_type=1, dims=[2**62] * 100_000), "100,000 axes"),
        (TensorProto(name="n" * 10_000, data_type=1, dims=[2**62] * 60), "nnn'... should be"),
    ],
)
def test_tensors_that_cannot_be(tensor, said):
    with pytest.raises(ModelError) as error:
        stored.check(with_tensor(tensor))
    assert said in str(error.value)
    assert len(str(error.value)) < 400


def test_tensors_inside_nodes_are_looked_at_too():
    hollow = TensorProto(name="t", data_type=1, dims=[9])
    body = helper.make_graph([helper.make_node("Constant", [], ["c"], value=hollow)], "b", [], [])
    proto = build.mlp()
    proto.graph.node.append(helper.make_node("If", ["flag"], ["z"], then_branch=body, else_branch=body))
    with pytest.raises(ModelError, match="'t' should be"):
        stored.check(proto)
    sparse = build.mlp()
    none = [numpy_helper.from_array(np.zeros(0, kind), "none") for kind in (np.float32, np.int64)]
    sparse.graph.sparse_initializer.add(dims=[-1], values=none[0], indices=none[1])
    with pytest.raises(ModelError, match="negative"):
        stored.check(sparse)


def test_bytes_are_rounded_up():
    four_bits = helper.make_tensor("t", TensorProto.INT4, [3], [1, 0, 1])
    assert (stored.bytes_of(four_bits), stored.bits_of(TensorProto.FLOAT8E5M2)) == (2, 8)
