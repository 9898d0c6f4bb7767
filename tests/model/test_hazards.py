"""What native code does not survive is refused before it sees it; each of these ended the process, or never did."""

import onnx
import pytest
from onnx import helper

from model import build
from onnxspec.errors import ModelError
from onnxspec.model import hazards


def graph_of(*nodes):
    image, scores = (build.tensor(name, 1, [1, 4, 8, 8]) for name in "xy")
    return build.model(list(nodes), [image], [scores])


def node(operator, **attributes):
    return helper.make_node(operator, ["x"], ["y"], **attributes)


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        (node("ConvTranspose", group=0), r"'ConvTranspose' node '' has 'group' at \[0\]"),
        (node("MaxPool", kernel_shape=[2, 2], strides=[1, 0]), r"'strides' at \[1, 0\]"),
        (node("DepthToSpace", blocksize=-1), "'blocksize'"),
        (node("DepthToSpace", blocksize=2**62), r"'blocksize' at \[4611686018427387904\]; sizes from 1 to 1,048,576"),
        (node("Einsum", equation="......->..."), "equation '......->...', which is none"),
        (helper.make_node("Max", ["x", "", "x"], ["y"]), "'Max' node '' lacks its input 'data_0'"),
        (helper.make_node("Conv", ["x", ""], ["y"]), "'Conv' node '' lacks its input 'W'"),
        (helper.make_node("Split", ["x"], ["y", "z"], num_outputs=1), "2 outputs, and its num_outputs is for 1"),
        (helper.make_node("Split", ["x"], ["y", "z"], split=[1]), "2 outputs, and its split is for 1"),
    ],
)
def test_sizes_that_native_code_trips_over(bad, said):
    with pytest.raises(ModelError, match=said):
        hazards.check(graph_of(bad))
    branch = helper.make_graph([bad], "branch", [], [])
    with pytest.raises(ModelError, match=said):
        hazards.check(graph_of(node("If", then_branch=branch, else_branch=branch)))


@pytest.mark.parametrize(
    "equation", ["ij,jk->ik", "...ij,...jk->...ik", "i j , j k -> i k", "bhwc,hkc->bhwk", "ii", "...->"]
)
def test_equations_that_are_some(equation):
    hazards.check(graph_of(node("Einsum", equation=equation)))


@pytest.mark.parametrize(
    "good",
    [
        helper.make_node("Clip", ["x", "", "x"], ["y"]),
        helper.make_node("Resize", ["x", "", "", "s"], ["y"]),
        helper.make_node("Foo", ["x", ""], ["y"]),
        helper.make_node("Max", ["x", "", "x"], ["y"], domain="com.microsoft"),
    ],
)
def test_inputs_that_may_be_left_out(good):
    hazards.check(graph_of(good))


def calling(levels, width, last=()):
    """A model whose function 0 calls function 1 `width` times, and so on."""
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("own", 1)]
    proto = graph_of(helper.make_node("f0", ["x"], ["y"], domain="own"))
    for level in range(levels):
        name = f"f{level + 1}" if level < levels - 1 else "Relu"
        calls = [helper.make_node(name, ["a"], [f"b{i}"], domain="own" if name[0] == "f" else "") for i in range(width)]
        proto.functions.append(helper.make_function("own", f"f{level}", ["a"], ["b0"], [*calls, *last], opsets))
    return proto


def referring(operator, name, **given):
    """A model that calls a function which hands an attribute on to another, and that to a node of an operator."""
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("own", 1)]
    proto = graph_of(helper.make_node("outer", ["x"], ["y"], domain="own", **given))
    kind = onnx.AttributeProto.STRING if name == "equation" else onnx.AttributeProto.INT
    inner = helper.make_node(operator, ["a"], ["b"])
    inner.attribute.add(name=name, ref_attr_name="middle", type=kind)
    outer = helper.make_node("inner", ["a"], ["b"], domain="own")
    outer.attribute.add(name="middle", ref_attr_name="given", type=kind)
    proto.functions.append(helper.make_function("own", "inner", ["a"], ["b"], [inner], opsets, ["middle"]))
    proto.functions.append(helper.make_function("own", "outer", ["a"], ["b"], [outer], opsets, ["given"]))
    return proto


@pytest.mark.parametrize(
    ("operator", "name", "good", "bad"),
    [
        ("DepthToSpace", "blocksize", 2, 0),
        ("Split", "num_outputs", 1, 2),
        ("Einsum", "equation", "ij->ji", "......->..."),
    ],
)
def test_attributes_that_a_call_gives_to_a_function(operator, name, good, bad):
    hazards.check(referring(operator, name, given=good))
    hazards.check(referring(operator, name))  # left out, as the operator's own default
    with pytest.raises(ModelError, match=name):
        hazards.check(referring(operator, name, given=bad))


def test_attributes_that_a_function_gives_by_itself():
    proto = referring("DepthToSpace", "blocksize")
    proto.functions[1].attribute_proto.append(helper.make_attribute("given", 2))
    hazards.check(proto)
    proto.functions[1].attribute_proto[0].i = 0
    with pytest.raises(ModelError, match="blocksize"):
        hazards.check(proto)


def test_functions_that_multiply_are_counted_where_they_are_called():
    hazards.check(calling(4, 10))
    with pytest.raises(ModelError, match=r"has 1,111,111,111 nodes"):
        hazards.check(calling(9, 10))


def test_functions_that_call_in_circles():
    itself = helper.make_node("f0", ["a"], ["c"], domain="own")
    for proto in (calling(1, 1, [itself]), calling(200, 1)):
        with pytest.raises(ModelError, match="in circles"):
            hazards.check(proto)


@pytest.mark.parametrize("opset", [-(2**63), 0, 2**62])
def test_opsets_that_are_none_are_left_to_the_runtime(opset):
    proto = graph_of(node("Relu"))
    proto.opset_import[0].version = opset
    hazards.check(proto)


def test_of_two_opsets_the_runtimes_decides_what_an_operator_lacks():
    proto = graph_of(helper.make_node("Max", ["x", "", "x"], ["y"]))
    proto.opset_import.insert(0, helper.make_opsetid("ai.onnx", 2**62))
    with pytest.raises(ModelError, match="lacks its input"):
        hazards.check(proto)


def test_too_many_nodes(monkeypatch):
    monkeypatch.setattr(hazards, "MOST_NODES", 2)
    with pytest.raises(ModelError, match="has 5 nodes"):
        hazards.check(build.convnet())
