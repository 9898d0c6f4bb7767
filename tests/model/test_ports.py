"""The image input and the class scores, chosen among what a model has."""

import pytest
from onnx import TensorProto, helper

from model import build
from onnxspec.errors import ModelError, UsageError
from onnxspec.model.ports import Port, choose_input, choose_output, inputs_of, outputs_of, shape_text

IMAGE = Port("x", "float32", ("n", 3, 8, 8))
SCORES = Port("y", "float32", ("n", 5))


def test_initializers_listed_as_inputs_are_no_inputs():
    graph = build.mlp().graph
    graph.input.append(build.tensor("w", TensorProto.FLOAT, [12, 5]))
    assert [port.name for port in inputs_of(graph)] == ["x"]


def test_several_inputs_are_listed_and_chosen_by_name():
    inputs = inputs_of(build.two_inputs().graph)
    with pytest.raises(ModelError, match=r"2 inputs: 'x' float32 \(n, 12\); 'other' float32 \(n, 5\).* --input"):
        choose_input(inputs)
    assert choose_input(inputs, "x").name == "x"
    with pytest.raises(UsageError, match=r"no input 'z'.*'other'"):
        choose_input(inputs, "z")


def test_images_beside_texts_and_constants_are_found():
    beside = (
        Port("ids", "int64", ("n", 7)),
        Port("mean", "float32", (1, 1, 1, 3)),
        Port("ids2", "int64", ("n", 3, 8, 8)),
    )
    assert choose_input((beside[0], IMAGE, *beside[1:])) == IMAGE
    assert choose_input((beside[0], IMAGE, *beside[1:]), "mean").name == "mean"
    with pytest.raises(ModelError, match=r"2 inputs.*--input"):
        choose_input((IMAGE, Port("other", "float32", ("n", 1, 8, 8))))


@pytest.mark.parametrize("shape", [(), ("n",), ("n", 28, 28), ("n", 3, 4, 8, 8)])
def test_other_ranks_are_no_images(shape):
    with pytest.raises(ModelError, match="takes no batch of images"):
        choose_input((Port("x", "float32", shape),))


@pytest.mark.parametrize("kind", ["bfloat16", "bool", "string"])
def test_types_that_cannot_be_fed_are_refused(kind):
    with pytest.raises(ModelError, match=f"{kind}.*does not feed"):
        choose_input((Port("x", kind, ("n", 3, 8, 8)),))


@pytest.mark.parametrize("kind", ["uint8", "uint16", "int32", "int64"])
def test_whole_numbers_may_be_images(kind):
    image = Port("x", kind, ("n", 3, 8, 8))
    assert choose_input((Port("ids", "int64", ("n", 7)), image)) == image


def test_quantised_pixels_are_refused_with_the_way_out():
    with pytest.raises(ModelError, match=r"'x' int8 .*scale and offset.*QuantizeLinear.*uint8"):
        choose_input((Port("x", "int8", ("n", 3, 8, 8)),))


def test_a_model_without_inputs():
    with pytest.raises(ModelError, match="no input"):
        choose_input(())


def test_probabilities_beside_labels_are_found():
    assert choose_output(outputs_of(build.labelled().graph)).name == "p"


def test_zipmap_says_how_to_export():
    with pytest.raises(ModelError, match=r'options=\{"zipmap": False\}'):
        choose_output(outputs_of(build.labelled(zipmap=True).graph))


def test_a_column_for_every_class_says_how_to_export():
    columns = [Port(f"i{k}", "float32", ("",)) for k in range(3)]
    with pytest.raises(ModelError, match=r'3 outputs of one number an image, .*options=\{"zipmap": False\}'):
        choose_output((Port("label", "int64", ("",)), *columns))


def test_several_scores_are_listed_and_chosen_by_name():
    outputs = outputs_of(build.two_outputs().graph)
    with pytest.raises(ModelError, match=r"2 outputs: 'coarse' float32 \(n, 2\); 'fine' .* --output"):
        choose_output(outputs)
    assert choose_output(outputs, "fine").name == "fine"
    with pytest.raises(UsageError, match="no output 'z'"):
        choose_output(outputs, "z")


def test_labels_alone_are_no_scores():
    with pytest.raises(ModelError, match="holds labels"):
        choose_output((Port("label", "int64", ("n",)),))


@pytest.mark.parametrize("kind", ["bfloat16", "int8", "uint8"])
def test_quantised_scores_are_no_labels(kind):
    with pytest.raises(ModelError, match=f"{kind} .*reads no scores; it reads float32"):
        choose_output((Port("y", kind, ("n", 5)),))
    with pytest.raises(ModelError, match="holds labels"):
        choose_output((Port("label", "uint8", ("n",)),))


@pytest.mark.parametrize("shape", [("n",), ("n", 5, 7, 7), ("n", 10, 5)])
def test_other_shapes_are_no_scores(shape):
    with pytest.raises(ModelError, match=r"\(n, K\) was expected"):
        choose_output((Port("y", "float32", shape),))


def test_what_to_do_with_other_shapes():
    hints = {}
    for name, shape in {"binary": ("n",), "boxes": ("n", 10, 5), "between": ("n", 1, 5)}.items():
        with pytest.raises(ModelError) as error:
            choose_output((Port("y", "float32", shape),))
        hints[name] = error.value.hint
    assert "(n, 1)" in hints["binary"] and "whole images" in hints["boxes"] and "length 1" in hints["between"]
    outputs = (Port("maps", "float32", ("n", 64, 8, 8)), SCORES)
    with pytest.raises(ModelError, match="--output NAME"):
        choose_output(outputs, "maps")
    with pytest.raises(ModelError, match="whole images"):
        choose_output((outputs[0], Port("boxes", "float32", ("n", 10, 4))), "maps")


@pytest.mark.parametrize("shape", [None, ("n", "k"), ("n", 5, 1, 1), ("n", 5, "", "")])
def test_open_shapes_may_be_scores(shape):
    assert choose_output((Port("y", "float32", shape),)).name == "y"


def test_names_from_the_file_are_inert_in_messages():
    with pytest.raises(ModelError) as error:
        choose_input((SCORES, Port("\x1b[31m", "float32", ("n\x1b", 3))))
    assert "\x1b" not in str(error.value)
    assert shape_text(("n", 3, "\x1b", "")) == "(n, 3, ?, ?)"


@pytest.mark.parametrize("open_dimension", [-1, None, "batch"])
def test_open_batches_however_they_are_written(open_dimension):
    (port,) = inputs_of(build.model([], [build.tensor("x", TensorProto.FLOAT, [open_dimension, 3, 8, 8])], []).graph)
    assert port.batch is None


def test_a_batch_of_nothing_is_refused_for_images_and_open_for_scores():
    ports = [build.tensor(name, TensorProto.FLOAT, [0, *shape]) for name, shape in (("x", (3, 8, 8)), ("y", (5,)))]
    graph = build.model([], ports[:1], ports[1:]).graph
    with pytest.raises(ModelError, match=r"'x' float32 \(0, 3, 8, 8\) has a size of 0") as error:
        choose_input(inputs_of(graph))
    assert "open batch dimension" in error.value.hint
    assert choose_output(outputs_of(graph)).batch is None


def test_sequences_have_no_shape():
    kind = helper.make_sequence_type_proto(helper.make_tensor_type_proto(TensorProto.FLOAT, []))
    (port,) = outputs_of(build.model([], [], [helper.make_value_info("s", kind)]).graph)
    assert (port.type, port.shape) == ("sequence", None)
