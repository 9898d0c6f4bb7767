"""Estimates of memory against counts by hand."""

import numpy as np
import pytest
from onnx import TensorProto, helper

from model import build
from onnxspec.errors import ResourceError
from onnxspec.model.inspection import inspect
from onnxspec.model.machine import Limit
from onnxspec.model.memory import Footprint


def footprint_of(proto, tmp_path) -> Footprint:
    return inspect(build.save(proto, tmp_path / "m.onnx")).memory


def test_a_chain_keeps_a_node_s_input_beside_its_output(tmp_path):
    memory = footprint_of(build.convnet(), tmp_path)
    widest = 2 * 4 * 8 * 8 * 4  # Relu: four maps of 8 x 8 float32 in, and as many out
    assert memory == Footprint(4 * (4 * 27 + 5 * 4 + 5), 0, widest, None)
    assert memory.total(3) == 2 * memory.weights + 3 * widest


def test_a_batch_that_the_model_fixes_is_counted_once(tmp_path):
    open_batch, fixed = (footprint_of(build.convnet(batch=batch), tmp_path) for batch in ("n", 8))
    assert fixed.batch == 8
    assert fixed.total(8) == open_batch.total(8)


def test_branches_live_until_they_are_read(tmp_path):
    nodes = [helper.make_node("Relu", [a], [b]) for a, b in ("xa", "xb", "xc")]
    nodes += [helper.make_node("Sum", ["a", "b", "c"], ["y"])]
    ports = [build.tensor(name, TensorProto.FLOAT, ["n", 100]) for name in "xy"]
    assert footprint_of(build.model(nodes, ports[:1], ports[1:]), tmp_path).per_image == 4 * 400


def test_what_does_not_depend_on_the_images_is_counted_once(tmp_path):
    nodes = [helper.make_node("ConstantOfShape", ["s"], ["c"]), helper.make_node("MatMul", ["x", "c"], ["y"])]
    ports = [build.tensor("x", 1, ["n", 1000]), build.tensor("y", 1, ["n", 50])]
    memory = footprint_of(build.model(nodes, ports[:1], ports[1:], {"s": np.array([1000, 50])}), tmp_path)
    assert (memory.fixed, memory.per_image) == (4 * 50_000, 4 * 1050)


def test_types_have_their_own_sizes(tmp_path):
    half = footprint_of(build.convnet(dtype=TensorProto.FLOAT16), tmp_path)
    whole = footprint_of(build.convnet(), tmp_path)
    assert (2 * half.weights, 2 * half.per_image) == (whole.weights, whole.per_image)


def test_external_and_sparse_weights_count(tmp_path):
    path = build.save_external(build.mlp(), tmp_path / "m.onnx")
    assert inspect(path).memory.weights == 240


def test_too_much_names_estimate_limit_and_flag():
    memory = Footprint(10**9, 0, 10**9, None)
    memory.require(Limit(4 * 10**9, "--max-memory"))
    with pytest.raises(ResourceError) as error:
        memory.require(Limit(3_900_000_000, "this machine's memory"))
    said = str(error.value)
    assert "about 4 GB" in said
    assert "a batch of 2; this machine's memory allows 3.9 GB" in said
    assert "--max-memory" in said


def test_the_batch_is_halved_until_it_fits():
    memory = Footprint(10**9, 0, 10**8, None)
    assert memory.affordable(Limit(12 * 10**9, "x"), 64, 2) == 16
    assert memory.affordable(Limit(12 * 10**9, "x"), 64, 1) == 32
    assert memory.affordable(Limit(10**12, "x"), 50, 2) == 50
    assert memory.affordable(Limit(10**9, "x"), 64, 2) == 1


def test_one_image_is_taken_only_where_two_do_not_fit():
    memory = Footprint(0, 0, 10**8, None)
    assert memory.affordable(Limit(5 * 10**8, "x"), 50, 1) == 2  # by way of 3, whose half is 1
    assert memory.affordable(Limit(5 * 10**8, "x"), 3, 1) == 2
    assert memory.affordable(Limit(3 * 10**8, "x"), 50, 1) == 1
    assert memory.affordable(Limit(1, "x"), 1, 1) == 1
