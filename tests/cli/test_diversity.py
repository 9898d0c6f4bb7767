"""`onnxspec diversity` as a user meets it."""

import csv
import io
import json

import onnx
import pytest
from onnx import TensorProto, helper

from conftest import FASHION
from onnxspec.cli import main
from onnxspec.diversity import embedding
from onnxspec.images.opening import open_images
from onnxspec.settings import Settings

DATA = FASHION / "test.npz"


@pytest.fixture
def run(capsys, bundled_report):
    """Runs the command on the bundled report and gives exit code, standard output, standard error."""

    def call(*arguments, report=bundled_report.path):
        code = main(["diversity", str(report), *(str(a) for a in arguments)])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return call


@pytest.fixture
def encoder(tmp_path):
    """What the bundled network computes before its last layer: (n, 96)."""
    model = onnx.load(FASHION / "pytorch.onnx")
    last = model.graph.node[-1]
    model.graph.node.remove(last)
    del model.graph.output[:]
    model.graph.output.append(helper.make_tensor_value_info(last.input[0], TensorProto.FLOAT, ["n", 96]))
    onnx.save(model, tmp_path / "encoder.onnx")
    return tmp_path / "encoder.onnx"


def test_ten_classes_are_shown_and_nothing_is_claimed(run):
    code, out, _ = run()
    assert code == 0
    assert max(map(len, out.splitlines())) <= 80
    assert "Ankle boot" in out and "prob hff with" in out
    assert "10 classes decide nothing" in out
    assert "positive" not in out and "negative" not in out


def test_an_encoder_is_another_measure(run, encoder, tmp_path):
    code, out, _ = run("--embedding", encoder, "--data", DATA, "--picture", tmp_path / "d.svg")
    assert code == 0
    assert max(map(len, out.splitlines())) <= 80
    assert "output space of encoder.onnx" in out and "distance, accuracy" in out
    # Letters are drawn as outlines; what they say stands in comments.
    drawn = (tmp_path / "d.svg").read_text()
    assert all(text in drawn for text in ("mean distance in the encoder", "Ankle boot", "prob within slope"))


def test_an_encoder_takes_no_more_memory_and_time_than_it_may(run, encoder):
    code, out, err = run("--embedding", encoder, "--data", DATA, "--max-memory", "1KB")
    assert (code, out) == (6, "")
    assert "memory" in err
    settings = Settings.of(timeout=7.0)
    assert embedding._engine(str(encoder), open_images(DATA), settings).pulse.patience == 7


def test_json_and_csv_have_the_same_numbers(run):
    _, as_json, _ = run("--json")
    _, as_csv, _ = run("--csv", "relations")
    rows = list(csv.DictReader(io.StringIO(as_csv)))
    relations = json.loads(as_json)["relations"]
    assert [float(row["rho"]) for row in rows] == [one["rho"] for one in relations]
    _, classes, _ = run("--csv", "classes")
    assert len(classes.splitlines()) == 11


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["--data", DATA], 2, "--embedding"),
        (["--embedding", "gone.onnx", "--classes", "names.txt"], 2, "No such option"),
        (["--embedding", "gone.onnx", "--data", DATA], 3, "gone.onnx"),
        (["--json", "--csv", "classes"], 2, "exclude each other"),
        (["--csv", "nothing"], 2, "Known: relations"),
        (["--picture", "d.gif"], 2, "no ending"),
    ],
)
def test_errors_are_one_line(run, arguments, code, message):
    found, out, err = run(*arguments)
    assert (found, out) == (code, "")
    assert message in err and "Traceback" not in err


def test_a_report_that_is_not_there_is_said(run):
    assert run(report="gone.h5")[0] == 3
