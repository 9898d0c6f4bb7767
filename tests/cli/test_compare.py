"""`onnxspec compare` as a user meets it."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

import onnxspec
from conftest import FASHION
from onnxspec.errors import ResourceError
from test_architecture import loaded_by

PYTORCH, SKLEARN, TWIN = (str(FASHION / f"{name}.onnx") for name in ("pytorch", "sklearn", "twin"))
FEW = ("--data", "few.npz", "--pairs", "20", "--points", "33", "--batch", "32")


@pytest.fixture
def few(evaluated):
    """A few pairs of a few images, which several tests have these models walk."""
    return (*FEW, "--cache", evaluated)


@pytest.fixture(autouse=True)
def empty_folder(tmp_path, monkeypatch):
    """An empty folder to be in, but for a few of the bundled images."""
    data = np.load(FASHION / "test.npz")
    np.savez(tmp_path / "few.npz", images=data["images"][:200], labels=data["labels"][:200])
    monkeypatch.chdir(tmp_path)
    return tmp_path


def written(folder):
    return sorted(path.name for path in folder.iterdir() if path.name != "few.npz")


def test_everything_in_one_command(run, empty_folder, few):
    code, out, _ = run("compare", PYTORCH, TWIN, *few, "--agreement", "-o", "c.h5", "--reports", "kept")
    assert code == 0
    assert "pytorch (reference)" in out
    assert "twin  identical to float32 rounding" in out
    assert "pytorch a  twin a" in out or "twin a  pytorch a" in out
    assert max(map(len, out.splitlines())) <= 80
    assert written(empty_folder) == ["c.h5", "kept"]
    assert written(empty_folder / "kept") == ["pytorch.h5", "twin.h5"]
    assert run("show", "c.h5")[:2] == (0, out)
    assert run("show", "c.h5", "--csv", "agreement")[1].startswith("model,reference,paths,distance")
    assert json.loads(run("show", "c.h5", "--json")[1])["reference"] == "pytorch"
    for refused in (("--csv", "nothing"), ("--class", "Shirt"), ("--cross-check",)):
        assert run("show", "c.h5", *refused)[0] == 2
    loaded = loaded_by(f"from onnxspec.cli import main\nmain(['show', {str(empty_folder / 'c.h5')!r}])")
    assert "h5py" in loaded and not loaded & {"onnx", "onnxruntime", "matplotlib"}
    code, _, err = run("report", "c.h5")
    assert code == 0 and "Written: c.html" in err
    assert "identical to float32 rounding" in Path("c.html").read_text(encoding="utf-8")


def test_a_comparison_as_text_is_what_the_command_prints(run, bundled_report, empty_folder):
    shutil.copy(bundled_report.path, empty_folder / "a.h5")
    code, out, _ = run("compare", "a.h5", bundled_report.path)
    assert code == 0
    assert out == f"{onnxspec.compare(['a.h5', bundled_report])}\n"


def test_a_full_disk_keeps_back_a_page_and_not_what_was_found(run, bundled_report, empty_folder, monkeypatch):
    def full(found, page):
        raise ResourceError("The disk is full.")

    monkeypatch.setattr("onnxspec.comparison.page.write_page", full)
    shutil.copy(bundled_report.path, empty_folder / "a.h5")
    code, out, _ = run("compare", "a.h5", bundled_report.path, "--html", "c.html")
    assert code == 6 and "a (reference)" in out


def test_json_alone_stands_on_standard_output(run, empty_folder, few):
    code, out, _ = run("compare", PYTORCH, SKLEARN, *few, "--json", "--reference", "sklearn")
    assert code == 0
    assert json.loads(out)["reference"] == "sklearn"
    assert not written(empty_folder)


def test_csv_of_a_series(run, few):
    code, out, _ = run("compare", PYTORCH, SKLEARN, *few, "--csv", "models", "--at", "2,1")
    assert code == 0
    assert [line.split(",")[0] for line in out.splitlines()] == ["name", "sklearn", "pytorch"]


def test_a_series_shows_accuracy_beside_the_metrics(run, few):
    code, out, _ = run("compare", FASHION / "epoch-30.onnx", FASHION / "epoch-01.onnx", *few, "--series")
    assert code == 0
    assert "Over the series: accuracy and prob hff" in out
    assert out.index("epoch-01 (reference)") < out.index("epoch-30")


def test_models_of_the_configuration(run, empty_folder, evaluated):
    shutil.copy(PYTORCH, empty_folder / "net.onnx")
    (empty_folder / "onnxspec.toml").write_text(
        f'data = "few.npz"\npairs = 20\npoints = 33\nbatch = 32\ncache = "{evaluated}"\n[models.first]\npath = "net.onnx"\n'
        f'[models.second]\npath = "{SKLEARN}"\n[models.sklearn]\npreprocess = "0..1"\n'
    )
    code, out, _ = run("compare", "--json")
    assert code == 0
    first, second = json.loads(out)["models"]
    assert (first["name"], second["name"]) == ("first", "second")
    code, out, _ = run("compare", "--json", "--model", f"first={PYTORCH}", SKLEARN)
    # The command line's order: arguments before flags; sklearn has the settings of its table.
    assert code == 0
    assert [model["name"] for model in json.loads(out)["models"]] == ["sklearn", "first"]
    assert json.loads(out)["models"][0]["accuracy"] < second["accuracy"]


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        ([PYTORCH], 2, "1 model to compare"),
        ([PYTORCH, SKLEARN, "--json", "--csv", "models"], 2, "exclude each other"),
        ([PYTORCH, SKLEARN, "--csv", "agreement"], 2, "--agreement"),
        ([PYTORCH, SKLEARN, "--csv", "nothing"], 2, "Known: models"),
        ([PYTORCH, SKLEARN, "--at", "1;2"], 2, "numbers with commas"),
        ([PYTORCH, SKLEARN, "--series"], 2, "no number in the name pytorch"),
        ([PYTORCH, SKLEARN, "--reference", "keras"], 2, "keras is not compared"),
        ([PYTORCH, SKLEARN, "-o", "nowhere/c.h5"], 2, "does not exist"),
        ([PYTORCH, "missing.onnx", *FEW], 3, "missing"),
        (["missing.h5", SKLEARN, *FEW], 3, "There is no report"),
    ],
)
def test_errors_are_one_line_and_leave_nothing(run, empty_folder, arguments, code, message):
    found, out, err = run("compare", *arguments)
    assert found == code
    assert message in err
    assert not out
    assert "Traceback" not in err
    assert not written(empty_folder)


@pytest.mark.parametrize(
    "flags", [("--data", "few.npz", "--pairs", "7"), ("--estimator", "hann"), ("--no-images",), ("--reports", "kept")]
)
def test_reports_are_not_measured_again(run, empty_folder, flags, bundled_report):
    shutil.copy(bundled_report.path, empty_folder / "a.h5")
    reports = ["a.h5", str(bundled_report.path)]
    assert run("compare", *reports)[0] == 0
    code, out, err = run("compare", *reports, *flags)
    asked = ", ".join(flag for flag in flags if flag.startswith("--"))
    assert (code, out) == (2, "")
    assert err.startswith(f"onnxspec: All that is compared are reports, which {asked} cannot change.")
    assert written(empty_folder) == ["a.h5"]
