"""What inspection says of whole files, and why some cannot be analysed."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from model import build
from onnxspec.errors import ModelError, UsageError
from onnxspec.model import runtime
from onnxspec.model.inspection import inspect


def inspected(proto, tmp_path, **chosen):
    return inspect(build.save(proto, tmp_path / "m.onnx"), **chosen)


def problem_of(proto, tmp_path, **chosen) -> str:
    info = inspected(proto, tmp_path, **chosen)
    (problem,) = info.problems
    with pytest.raises(ModelError):
        info.check()
    return str(problem)


@pytest.mark.parametrize(
    ("proto", "classes", "final"),
    [
        (build.convnet(), 5, "Conv"),
        (build.convnet(squeezed=False), 5, "Conv"),
        (build.convnet(head="Softmax"), 5, "Softmax"),
        (build.convnet(classes=1, head="Sigmoid"), 1, "Sigmoid"),
        (build.convnet(dtype=TensorProto.FLOAT16), 5, "Conv"),
        (build.convnet("NHWC", uint8=True), 5, "Conv"),
        (build.mlp(declared=False), 5, "MatMul"),
        (build.labelled(), 5, "Softmax"),
    ],
)
def test_classifiers_can_be_analysed(tmp_path, proto, classes, final):
    info = inspected(proto, tmp_path)
    info.check()
    assert (info.classes, info.final_op) == (classes, final)


def test_what_the_file_says_of_itself(tmp_path):
    proto = build.mlp(batch=4)
    helper.set_model_props(proto, {"author": "me"})
    info = inspected(proto, tmp_path)
    assert (info.ir_version, info.opsets, info.producer) == (10, (("ai.onnx", 17),), "tests")
    assert info.metadata == (("author", "me"),)
    assert info.fixed_batch == 4
    assert info.size == info.path.stat().st_size


def test_one_of_several_outputs(tmp_path):
    assert "--output" in problem_of(build.two_outputs(), tmp_path)
    assert inspected(build.two_outputs(), tmp_path, output="fine").classes == 7
    with pytest.raises(UsageError, match="no output"):
        inspected(build.two_outputs(), tmp_path, output="finest")


def test_an_input_that_the_scores_do_not_need(tmp_path):
    assert "--input" in problem_of(build.two_inputs(), tmp_path)
    assert not inspected(build.two_inputs(), tmp_path, input="x").problems


def test_an_input_that_the_scores_need_too(tmp_path):
    said = problem_of(build.two_inputs(joined=True), tmp_path, input="x")
    assert "needs more than images: 'other' float32 (n, 5)" in said


def test_numbers_of_words_are_no_pixels(tmp_path):
    weights = {"words": np.ones((9, 4), np.float32), "w": np.ones((4, 5), np.float32), "turned": np.arange(11, -1, -1)}
    embedded = [
        helper.make_node("Cast", ["x"], ["ids"], to=TensorProto.INT32),
        helper.make_node("Gather", ["words", "ids"], ["z"]),
        helper.make_node("ReduceMean", ["z"], ["m"], axes=[1], keepdims=0),
        helper.make_node("MatMul", ["m", "w"], ["y"]),
    ]
    pixels = [
        helper.make_node("Gather", ["x", "turned"], ["t"], axis=1),
        helper.make_node("Cast", ["t"], ["f"], to=TensorProto.FLOAT),
        helper.make_node("MatMul", ["f", "v"], ["y"]),
    ]
    ends = [build.tensor("x", TensorProto.INT64, ["n", 12])], [build.tensor("y", TensorProto.FLOAT, ["n", 5])]
    assert "chooses rows of a table" in problem_of(build.model(embedded, *ends, weights), tmp_path)
    flattened = build.model(pixels, *ends, weights | {"v": np.ones((12, 5), np.float32)})
    assert not inspected(flattened, tmp_path).problems


def test_inputs_that_cannot_be_filled_are_refused(tmp_path):
    proto = build.mlp()
    proto.graph.input.append(build.tensor("words", TensorProto.STRING, ["n"]))
    assert "'words' string (n)" in problem_of(proto, tmp_path, input="x")


def test_scores_that_ignore_the_images(tmp_path):
    said = problem_of(build.two_inputs(), tmp_path, input="other", output="y")
    assert "'x' float32" in said


def test_maps_whose_sizes_the_file_does_not_say(tmp_path):
    weights = {"w": np.ones((21, 3, 1, 1), np.float32), "by": np.array([1, 1, 2, 2], np.float32)}
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["z"]),
        helper.make_node("Resize", ["z", "", "by"], ["y"]),
    ]
    image = build.tensor("x", TensorProto.FLOAT, ["n", 3, 8, 8])
    scores = build.tensor("y", TensorProto.FLOAT, ["a", "b", "c", "d"])
    said = problem_of(build.model(nodes, [image], [scores], weights), tmp_path)
    assert "of the shape (1, 21, 16, 16), holds no class scores" in said


@pytest.mark.parametrize("operator", ["TopK", "ArgMax"])
def test_scores_that_have_lost_their_classes(tmp_path, operator):
    proto = build.mlp()
    proto.graph.node[0].output[0] = "z"
    if operator == "TopK":
        proto.graph.initializer.append(numpy_helper.from_array(np.array([build.CLASSES]), "k"))
        proto.graph.node.append(helper.make_node("TopK", ["z", "k"], ["y", "places"], axis=1))
    else:
        proto.graph.node.append(helper.make_node("ArgMax", ["z"], ["best"], axis=1))
        proto.graph.node.append(helper.make_node("Cast", ["best"], ["y"], to=TensorProto.FLOAT))
        proto.graph.output[0].type.tensor_type.shape.dim[1].dim_value = 1
    said = problem_of(proto, tmp_path)
    assert f"it ends in {operator}" in said
    proto.graph.output.append(build.tensor("z", TensorProto.FLOAT, ["n", build.CLASSES]))
    assert not inspected(proto, tmp_path, output="z").problems


def ending_in(operator, middle, maps=False):
    """A convolution to 5 scores, or to one `maps` of scores, then the operators of `middle`, then `operator` to (n, 1)."""
    rng = np.random.default_rng(0)
    weights = {"w": rng.normal(size=(1 if maps else 5, 3, *((3, 3) if maps else (8, 8)))).astype(np.float32)}
    nodes = [helper.make_node(one, [f"v{i}"], [f"v{i + 1}"]) for i, one in enumerate((*middle, operator))]
    nodes = [helper.make_node("Conv", ["x", "w"], ["v0"]), *nodes]
    nodes[-1].CopyFrom(helper.make_node(operator, nodes[-1].input, ["y"], axes=[1], keepdims=1))
    ends = [build.tensor("x", TensorProto.FLOAT, ["n", 3, 8, 8])], [build.tensor("y", TensorProto.FLOAT, ["n", 1])]
    return build.model(nodes, *ends, weights)


@pytest.mark.parametrize("operator", ["ReduceMax", "ReduceMin"])
@pytest.mark.parametrize("middle", [["Flatten"], ["Flatten", "Softmax"]])
def test_a_maximum_over_classes_is_no_binary_classifier(operator, middle, tmp_path):
    said = problem_of(ending_in(operator, middle), tmp_path)
    assert f"of 5 scores (it ends in {operator})" in said


@pytest.mark.parametrize("middle", [["Flatten"], ["Flatten", "Sigmoid"]])
def test_a_maximum_over_places_is_a_binary_classifier(middle, tmp_path):
    info = inspected(ending_in("ReduceMax", middle, maps=True), tmp_path)
    assert not info.problems and info.classes == 1


def test_whether_any_of_several_labels_is_there_is_a_binary_question(tmp_path):
    assert not inspected(ending_in("ReduceMax", ["Flatten", "Sigmoid"]), tmp_path).problems


def test_a_maximum_over_places_may_end_a_classifier(tmp_path):
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["z"]),
        helper.make_node("ReduceMax", ["z"], ["y"], axes=[2, 3], keepdims=0),
    ]
    image = build.tensor("x", TensorProto.FLOAT, ["n", 3, 8, 8])
    for classes in (1, 5):
        weights, scores = np.ones((classes, 3, 3, 3), np.float32), build.tensor("y", TensorProto.FLOAT, ["n", classes])
        info = inspected(build.model(nodes, [image], [scores], {"w": weights}), tmp_path)
        assert not info.problems and info.final_op == "ReduceMax"


def test_too_new_for_the_runtime(tmp_path):
    newest = runtime.limits()
    proto = build.mlp()
    proto.ir_version = newest.ir_version + 1
    assert f"reads up to {newest.ir_version}" in problem_of(proto, tmp_path)
    proto.ir_version = newest.ir_version
    proto.opset_import[0].version = newest.opset + 1
    assert f"opset {newest.opset + 1}" in problem_of(proto, tmp_path)
    proto.opset_import[0].version = newest.opset
    assert not inspected(proto, tmp_path).problems


def test_custom_operators_are_named(tmp_path):
    nodes = [helper.make_node("Foo", ["x"], ["y"], domain="my.domain")]
    image, scores = (build.tensor(name, TensorProto.FLOAT, ["n", 5]) for name in "xy")
    proto = build.model(nodes, [image], [scores])
    proto.opset_import.append(helper.make_opsetid("my.domain", 1))
    assert "'my.domain:Foo'" in problem_of(proto, tmp_path)


def test_operators_defined_in_the_file_are_fine(tmp_path):
    function = helper.make_function(
        "local", "Double", ["a"], ["b"], [helper.make_node("Add", ["a", "a"], ["b"])], [helper.make_opsetid("", 17)]
    )
    image, scores = (build.tensor(name, TensorProto.FLOAT, ["n", 5]) for name in "xy")
    proto = build.model([helper.make_node("Double", ["x"], ["y"], domain="local")], [image], [scores])
    proto.opset_import.append(helper.make_opsetid("local", 1))
    proto.functions.append(function)
    info = inspected(proto, tmp_path)
    assert not info.problems
    assert info.cost.partial


def test_values_that_inner_graphs_read_are_needed_too(tmp_path):
    branch = helper.make_graph(
        [helper.make_node("Add", ["x", "other"], ["inner"])],
        "branch",
        [],
        [build.tensor("inner", TensorProto.FLOAT, ["n", 5])],
    )
    nodes = [helper.make_node("If", ["flag"], ["y"], then_branch=branch, else_branch=branch)]
    inputs = [build.tensor(name, TensorProto.FLOAT, ["n", 5]) for name in ("x", "other")]
    proto = build.model(nodes, inputs, [build.tensor("y", TensorProto.FLOAT, ["n", 5])], {"flag": np.array(True)})
    assert "'other'" in problem_of(proto, tmp_path, input="x")


def test_the_file_is_read_without_its_weights(tmp_path):
    path = build.save_external(build.mlp(), tmp_path / "m.onnx")
    (tmp_path / "model.weights").unlink()
    info = inspect(path)
    assert info.classes == build.CLASSES
    assert len(info.problems) == 1


def test_a_symlink_is_not_resolved(tmp_path):
    (tmp_path / "blobs").mkdir()
    (tmp_path / "snapshot").mkdir()
    build.save_external(build.mlp(), tmp_path / "blobs" / "0a", "0b")
    link = tmp_path / "snapshot" / "m.onnx"
    link.symlink_to(tmp_path / "blobs" / "0a")
    (tmp_path / "snapshot" / "0b").symlink_to(tmp_path / "blobs" / "0b")
    info = inspect(link)
    assert not info.problems
    assert info.path == link
    assert onnx.load(link, load_external_data=False).graph.initializer[0].external_data[0].value == "0b"
