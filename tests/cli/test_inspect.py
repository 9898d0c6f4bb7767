"""`onnxspec inspect` through its command: the screen, the JSON, the verdict."""

import json
import re

import numpy as np
import pytest
from click.testing import CliRunner
from onnx import helper

import onnxspec
from model import build
from onnxspec.cli.inspect import inspect
from onnxspec.errors import ExitCode, ModelError
from onnxspec.model.metadata import PREPROCESS_KEY, stamp


def run(*arguments):
    return CliRunner().invoke(inspect, [str(argument) for argument in arguments])


def words(text):
    """The text without its column's line breaks."""
    return " ".join(text.split())


@pytest.fixture
def path(tmp_path):
    return build.save(build.convnet(), tmp_path / "m.onnx")


def test_a_model_that_can_be_analysed(path):
    stamp(path, path, '{"scale": 0.5}', ["a", "b", "c", "d", "e"])
    result = run(path)
    assert result.exit_code == ExitCode.PASS
    assert not any(line.endswith(" ") for line in result.stdout.splitlines())
    said = words(result.stdout)
    for part in (
        "input 'x' float32 (n, 3, 8, 8)",
        "layout NCHW (the input goes into a Conv)",
        "batch open",
        "scores 5 columns, from Conv",
        "parameters 133",
        "13.9 kFLOP for an image",
        "opset 17",
        "producer tests",
        "runs on CPUExecutionProvider: yes",
        "scale 0.5 (model metadata)",
        "classes 5: a, b, c, d, e",
        "onnxspec can analyse this model.",
    ):
        assert part in said
    assert all(len(line) <= 80 for line in result.stdout.splitlines()[1:])
    assert result.stdout.isascii()


def test_one_column_is_called_what_it_is(tmp_path):
    said = words(run(build.save(build.convnet(classes=1), tmp_path / "m.onnx")).stdout)
    assert "scores 1 column, read as a binary classifier's, from Conv" in said


def test_what_depends_on_an_open_size_is_not_counted(tmp_path):
    path = build.save(build.convnet(side="s"), tmp_path / "m.onnx")
    said = words(run(path).stdout)
    assert "FLOPs depends on the size of the images" in said and "FLOP for" not in said
    assert re.search(r"memory at least [\d.]+ kB; depends on the size of the images", said)


def test_a_model_that_cannot(tmp_path):
    path = build.save(build.two_outputs(), tmp_path / "m.onnx")
    result = run(path)
    assert result.exit_code == ExitCode.REFUSED
    assert "cannot analyse" in result.stdout
    assert "Choose one with --output NAME" in words(result.stdout)
    assert "runs on" not in result.stdout
    assert run(path, "--output", "fine").exit_code == ExitCode.PASS


def test_a_model_that_only_the_runtime_refuses(tmp_path):
    image, scores = (build.tensor(name, 1, ["n", 5]) for name in "xy")
    path = build.save(build.model([helper.make_node("Foo", ["x"], ["y"])], [image], [scores]), tmp_path / "m.onnx")
    result = run(path)
    assert result.exit_code == ExitCode.REFUSED
    assert "No Op registered for Foo" in words(result.stdout)


def test_json(path):
    result = run(path, "--json")
    answer = json.loads(result.stdout)
    assert answer["can_be_analysed"]
    assert (answer["classes"], answer["layout"], answer["flops"]) == (5, "NCHW", 13864)
    assert answer["providers"]["CPUExecutionProvider"] is None
    assert answer["inputs"] == [{"name": "x", "type": "float32", "shape": ["n", 3, 8, 8]}]


def test_preprocessing_has_the_shape_that_it_has_in_a_report(path):
    assert json.loads(run(path, "--json").stdout)["preprocess"] is None
    stamp(path, path, '{"scale": 0.5, "crop": [8, 8]}')
    said = json.loads(run(path, "--json").stdout)["preprocess"]
    assert said["scale"] == {"value": 0.5, "from": "model metadata"} and said["std"] == {
        "value": [1.0],
        "from": "default",
    }
    images = np.random.default_rng(0).integers(0, 256, (60, 8, 8, 3), np.uint8), np.arange(60) % build.CLASSES
    assert said == onnxspec.analyze(path, images, pairs=12).to_dict()["preprocess"]


def test_a_file_beside_the_model_comes_before_its_metadata_as_in_an_analysis(path):
    stamp(path, path, '{"scale": 0.5}')
    table = {"do_resize": False, "do_rescale": True, "do_normalize": True, "image_mean": [0.4], "image_std": [0.2]}
    (path.parent / "preprocessor_config.json").write_text(json.dumps(table))
    said = json.loads(run(path, "--json").stdout)["preprocess"]
    assert said["mean"] == {"value": [0.4], "from": "preprocessor_config.json"} and said["scale"]["from"] == "default"


def test_json_of_what_cannot_be_analysed(tmp_path):
    result = run(build.save(build.labelled(zipmap=True), tmp_path / "m.onnx"), "--json")
    assert result.exit_code == ExitCode.REFUSED
    answer = json.loads(result.stdout)
    assert "zipmap" in answer["problems"][0]
    assert answer["output"] is None


def test_unreadable_files_are_errors(tmp_path):
    assert isinstance(run(tmp_path / "none.onnx").exception, ModelError)


def test_metadata_that_makes_no_sense_is_a_problem(path):
    proto = build.convnet()
    helper.set_model_props(proto, {PREPROCESS_KEY: '{"nonsense": 1}'})
    build.save(proto, path)
    result = run(path)
    assert result.exit_code == ExitCode.REFUSED
    assert "nonsense" in result.stdout


def test_text_from_the_file_is_inert(tmp_path, monkeypatch):
    proto = build.convnet()
    helper.set_model_props(proto, {"a\x1b[31m": "[bold]b[/bold]\u202e\r\n :smile: ä"})
    proto.producer_name = "\x1b]0;title\x07"
    path = build.save(proto, tmp_path / "[red]m.onnx")
    result = run(path)
    assert result.exit_code == ExitCode.PASS
    assert not {"\x1b", "\x07", "\r", "\u202e"} & set(result.stdout)
    for part in ("[red]m.onnx", "a\\x1b[31m: [bold]b[/bold]\\u202e\\r\\n :smile:", "\\x1b]0;title\\x07"):
        assert words(part) in words(result.stdout)
    ascii_only = CliRunner(charset="ascii").invoke(inspect, [str(path)])
    assert "\\xe4" in ascii_only.stdout


def test_external_weights_are_listed(tmp_path):
    path = build.save_external(build.mlp(), tmp_path / "m.onnx")
    assert "weights 'model.weights', 0.2 kB" in words(run(path).stdout)
    (tmp_path / "model.weights").unlink()
    result = run(path)
    assert result.exit_code == ExitCode.REFUSED
    assert "weights 'model.weights', missing" in words(result.stdout)
