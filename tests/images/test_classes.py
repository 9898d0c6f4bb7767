import json
import unicodedata

import numpy as np
import pytest

from onnxspec.errors import DataError, UsageError
from onnxspec.images.classes import map_classes, read_classes

ANIMALS = ("ant", "bee", "cat")


@pytest.fixture
def classes(tmp_path):
    def write(content, name="classes.txt"):
        path = tmp_path / name
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        return str(path)

    return write


def test_sorted_order():
    known = map_classes(ANIMALS, 3)
    assert known.output_of.tolist() == [0, 1, 2] and known.names == ANIMALS
    assert known.origin == "sorted order" and known.restricted is None


def test_digits_are_indices():
    known = map_classes(("0", "10", "2"), 11)
    assert known.output_of.tolist() == [0, 10, 2] and known.origin == "digits as indices"
    assert known.names[10] == "10" and known.names[5] == "5"


def test_digits_beyond_the_outputs():
    with pytest.raises(DataError, match=r"12 is none of a model with 10 outputs \(0 to 9\).*--classes file"):
        map_classes(("3", "12"), 10)


def test_the_models_names_decide_the_order():
    known = map_classes(ANIMALS, 4, model_names=["dog", "cat", "bee", "ant"])
    assert known.output_of.tolist() == [3, 2, 1] and known.names == ("dog", "cat", "bee", "ant")
    assert known.origin == "names in the model"


def test_the_models_names_in_another_normal_form():
    decomposed = [unicodedata.normalize("NFD", name) for name in ("Zoé", "café")]
    assert map_classes(("café", "zoé"), 2, model_names=decomposed).output_of.tolist() == [1, 0]


def test_digits_may_be_the_models_names():
    assert map_classes(("0", "1"), 2, model_names=["1", "0"]).output_of.tolist() == [1, 0]


def test_the_models_names_for_folders_called_otherwise():
    known = map_classes(("n01", "n02"), 2, model_names=["tench", "goldfish"])
    assert known.origin == "sorted order" and known.names == ("tench", "goldfish")


def test_the_models_names_know_only_some():
    with pytest.raises(DataError, match=r"1 of 3 classes of the data are not in the model's own class names.*: cat"):
        map_classes(ANIMALS, 3, model_names=["ant", "bee", "dog"])


def test_the_models_first_name_is_a_match_as_any_other():
    assert map_classes(("cat",), 3, model_names=["cat", "dog", "fox"]).output_of.tolist() == [0]
    with pytest.raises(DataError, match="emu"):
        map_classes(("cat", "emu"), 2, model_names=["cat", "dog"])


def test_a_count_that_does_not_match_says_both():
    with pytest.raises(DataError, match=r"3 classes and the model has 10 outputs\. Write a --classes file"):
        map_classes(ANIMALS, 10)


def test_one_column_is_two_classes_and_called_what_it_is(classes):
    assert map_classes(("no", "yes"), 1).output_of.tolist() == [0, 1]
    said = r"1 output, read as a binary classifier's"
    with pytest.raises(DataError, match=rf"The data have 3 classes and the model has {said}\."):
        map_classes(ANIMALS, 1)
    with pytest.raises(DataError, match=rf"2 is none of a model with {said} \(0 to 1\)"):
        map_classes(("0", "2"), 1)
    with pytest.raises(DataError, match=rf"names 3 outputs and the model has {said}"):
        map_classes(ANIMALS, 1, classes("ant\nbee\ncat\n"))
    with pytest.raises(DataError, match=r"The data have 1 class and the model has 4 outputs"):
        map_classes(("ant",), 4)


def test_no_background_is_suggested_where_the_model_has_names_of_its_own():
    with pytest.raises(
        DataError, match=r"2 classes and the model has 3.*None is among .*\(ant, bee, cow, \.\.\.\)"
    ) as refused:
        map_classes(["c0", "c1"], 3, model_names=["ant", "bee", "cow"])
    assert "background" not in str(refused.value)


def test_a_background_class_is_suggested():
    names = tuple(f"n{i:08d}" for i in range(1000))
    with pytest.raises(DataError, match=r"1000 classes and the model has 1001 outputs.*background"):
        map_classes(names, 1001)


def test_class_file_with_names_to_show(classes):
    path = classes("n03\tcat\nn01\tant\nn02\nn00\tdog\r\n\n")
    known = map_classes(("n01", "n02", "n03"), 4, path, restrict=True)
    assert known.output_of.tolist() == [1, 2, 0] and known.names == ("cat", "ant", "n02", "dog")
    np.testing.assert_array_equal(known.restricted, [0, 1, 2])
    assert known.origin == "class file classes.txt"


def test_hugging_face_and_timm_names(classes):
    names = {"id2label": {"1": "tabby, tabby cat", "0": "Great_White-shark", "2": "crane", "3": "crane"}}
    known = map_classes(("great white shark", "tabby cat"), 4, classes(names, "config.json"))
    assert known.output_of.tolist() == [0, 1]
    with pytest.raises(DataError, match="or twice: crane"):
        map_classes(("crane", "tabby"), 4, classes(names, "config.json"))
    timm = {"pretrained_cfg": {"label_names": ["n01", "n02"], "label_descriptions": {"n01": "tench"}}}
    assert read_classes(classes(timm, "config.json")) == [("n01", "tench"), ("n02", "n02")]


@pytest.mark.parametrize(
    ("content", "name", "error", "message"),
    [
        ("ant\nbee\n", "c.txt", DataError, r"c\.txt names 2 outputs and the model has 3 outputs\..*background"),
        ("ant\nbee\ncat\ndog\n", "c.txt", DataError, "names 4 outputs and the model has 3 outputs. Line i"),
        ("ant\nbee\ndog\n", "c.txt", DataError, "1 of 3 classes of the data are not in c.txt, or twice: cat"),
        ("ant\nbee\nbee\n", "c.txt", DataError, "2 of 3 classes"),
        ("ant\tbee\ncat\ndog\n", "c.txt", DataError, "Two classes of the data have the same output"),
        ({"id2label": {"0": "ant", "2": "bee"}}, "c.json", DataError, "2 entries and none for output '1'"),
        ({"model_type": "vit"}, "c.json", DataError, "neither id2label nor label_names"),
        ("[", "c.json", UsageError, "is not JSON"),
    ],
)
def test_class_files_that_do_not_fit(classes, content, name, error, message):
    with pytest.raises(error, match=message):
        map_classes(ANIMALS, 3, classes(content, name))


def test_unlabelled_data():
    known = map_classes((), 3)
    assert known.output_of.shape == (0,) and known.names == ("0", "1", "2")
    assert map_classes((), 3, model_names=list(ANIMALS)).names == ANIMALS


def test_a_restriction_needs_two():
    with pytest.raises(DataError, match="cover 1 of 10 outputs; a restricted softmax needs two"):
        map_classes(("3",), 10, restrict=True)


def test_tiny_imagenet_is_200_of_1000(shared_data):
    from onnxspec.images.opening import open_images

    images = open_images(shared_data / "tiny-imagenet-val.zip")
    known = map_classes(images.class_names, 1000, shared_data / "imagenet-classes.txt", restrict=True)
    assert known.names[1] == "goldfish" and known.output_of[0] == 1
    assert known.restricted is not None and len(known.restricted) == 200


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("x" * 5000 + "\ny\n", "name of class 0 in .* has 5,000 characters"),
        ("a\n" * 100_001, "has 100,001 lines; at most 100,000"),
        ({"label_names": ["x" * 5000]}, "has 5,000 characters"),
        ({"id2label": {"1": "a"}}, "none for output '0'"),
    ],
)
def test_names_are_bounded(classes, content, message):
    with pytest.raises(DataError, match=message):
        read_classes(classes(content, "c.json" if isinstance(content, dict) else "c.txt"))


def test_names_that_no_report_could_hold_are_escaped(classes):
    names = ["\0", "\ud800", "\x1b[31m", "\u202e", "", "[bold]"]
    read = read_classes(classes({"label_names": names, "label_descriptions": {}}, "c.json"))
    assert [shown for _, shown in read] == ["\\x00", "\\ud800", *names[2:4], "(unnamed 4)", "[bold]"]


def test_a_separator_in_a_name_ends_no_line(classes):
    assert read_classes(classes("a\u2028b\x0cc\r\nd\n")) == [("a\u2028b\x0cc",) * 2, ("d", "d")]


def test_names_that_are_no_texts(classes):
    assert read_classes(classes({"label_names": [["a"], 1], "label_descriptions": {"1": "one"}}, "c.json"))[1] == (
        "1",
        "one",
    )


def test_names_are_spelt_as_a_keyboard_writes_them(classes):
    """Lists of folders on macOS have letter and accent apart: `--class` and rules would find no such class."""
    composed, apart = (unicodedata.normalize(form, "été") for form in ("NFC", "NFD"))
    assert read_classes(classes(f"{apart}\nn02\t{apart}\n")) == [(composed, composed), ("n02", composed)]
