"""`onnxspec stamp` through its command."""

import json

import pytest
from click.testing import CliRunner

from model import build
from onnxspec.cli.stamp import stamp
from onnxspec.errors import ExitCode, ModelError, UsageError
from onnxspec.model.inspection import inspect
from onnxspec.model.metadata import Stamp, of


def read(path) -> Stamp:
    info = inspect(path)
    return of(info.metadata, info.path)


def run(*arguments):
    return CliRunner().invoke(stamp, [str(argument) for argument in arguments])


@pytest.fixture
def path(tmp_path):
    return build.save(build.convnet(), tmp_path / "m.onnx")


def test_preprocessing_and_classes(path, tmp_path):
    classes = tmp_path / "classes.txt"
    classes.write_text("n01\tcat\nn02\tdog\nthree\nfour\nfive\n")
    out = tmp_path / "out.onnx"
    result = run(path, "--preprocess", "scale=1;mean=128", "--classes", classes, "-o", out)
    assert result.exit_code == ExitCode.PASS
    assert result.stdout == ""
    assert "Wrote preprocessing and class names" in result.stderr
    written = read(out)
    assert json.loads(written.preprocess_json) == {"scale": 1.0, "mean": [128.0]}
    assert written.classes == ("n01", "n02", "three", "four", "five")


def test_a_named_convention(path, tmp_path):
    run(path, "--preprocess", "imagenet", "-o", path)
    assert json.loads(read(path).preprocess_json)["mean"] == [0.485, 0.456, 0.406]


def test_nothing_to_stamp(path):
    assert isinstance(run(path, "-o", path).exception, UsageError)
    assert "auto" in str(run(path, "--preprocess", "auto", "-o", path).exception)
    assert run(path, "--preprocess", "imagenet").exit_code == ExitCode.USAGE


def test_preprocessing_for_other_channels_is_refused_and_nothing_written(tmp_path):
    grey = build.save(build.convnet(channels=1), tmp_path / "grey.onnx")
    result = run(grey, "--preprocess", "imagenet", "-o", tmp_path / "out.onnx")
    assert "3 values of mean" in str(result.exception) and isinstance(result.exception, ModelError)
    assert not (tmp_path / "out.onnx").exists()
