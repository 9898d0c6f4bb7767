"""`onnxspec noise` as a user meets it."""

import csv
import io
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import xarray

from conftest import FASHION
from onnxspec.cli import main

EPOCHS = tuple(FASHION / f"epoch-{n}.onnx" for n in ("10", "01", "03"))
NOISE = ("--frequency", "0.1", "--amplitude", "0.1")
FEW = ("--data", "few.npz", "--batch", "64")


@pytest.fixture(autouse=True)
def empty_folder(tmp_path, monkeypatch):
    """An empty folder to be in, but for a few of the bundled images."""
    data = np.load(FASHION / "test.npz")
    names = data["class_names"][data["labels"][:200]]
    np.savez(tmp_path / "few.npz", images=data["images"][:200], labels=names)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def written(folder):
    return sorted(path.name for path in folder.iterdir() if path.name != "few.npz")


@pytest.fixture
def run(capsys):
    """Runs a command line and gives exit code, standard output, standard error."""

    def call(*arguments):
        code = main(["noise", *(str(a) for a in arguments)])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return call


def test_targets_are_written_and_said(run, empty_folder):
    code, out, err = run("targets", "--data", "few.npz", *NOISE, "--preprocess", "fashion-mnist", "-o", "t.npz")
    assert code == 0
    assert "phi 27.9910728544" in out and "Written: t.npz" in err
    read = np.load("t.npz")
    assert read["targets"].shape == (200, 10)
    assert json.loads(str(read["settings"]))["preprocess"]["mean"]["value"] == [0.286]
    assert written(empty_folder) == ["t.npz"]


def test_a_direction_that_targets_wrote_is_measured_again(run):
    arguments = ("--data", "few.npz", "--frequency", "0.5", "--amplitude", "0.1", "--direction", "7")
    assert run("targets", *arguments, "--preprocess", "fashion-mnist", "-o", "t.h5")[0] == 0
    of_file, of_seed = (
        json.loads(run("fit", EPOCHS[0], *FEW, *NOISE, "--direction", one, "--json")[1]) for one in ("t.h5", "7")
    )
    assert of_file["noise"] == "sinusoidal"
    assert of_file["fits"] == of_seed["fits"]


def test_everything_in_one_command(run, empty_folder, capsys):
    noise = ("--frequency", "0.1,0.3", "--amplitude", "0.1,0.2")
    code, out, _ = run("fit", *EPOCHS, *FEW, *noise, "-o", "f.h5", "--picture", "f.svg")
    assert code == 0
    assert max(map(len, out.splitlines())) <= 80
    assert out.index("epoch-01") < out.index("epoch-03") < out.index("epoch-10")
    for closed_form in ("-0.4060", "-0.3737", "-0.6684", "-0.5910", "0.5003", "0.4704"):
        assert closed_form in out
    assert "No dip (still falling): lowest at epoch-10" in out
    assert written(empty_folder) == ["f.h5", "f.svg"]
    assert (main(["show", "f.h5"]), capsys.readouterr().out) == (0, out)
    assert main(["show", "f.h5", "--csv", "noises"]) == 0 and "dip_model" in capsys.readouterr().out
    fits = xarray.load_dataset("f.h5", engine="h5netcdf", group="fits")
    assert fits.sizes == {"row": 12}
    assert fits["noise_fitting"].attrs["units"] == "nat"
    # Letters are drawn as outlines; what they say stands in comments.
    drawn = (empty_folder / "f.svg").read_text()
    assert all(text in drawn for text in ("amplitude 0.2", "f = 0.3", "perfect fit", "by the number in its name"))


def test_json_and_csv_have_the_same_numbers(run):
    _, as_json, _ = run("fit", *EPOCHS, *FEW, *NOISE, "--json")
    _, as_csv, _ = run("fit", *EPOCHS, *FEW, *NOISE, "--csv", "fits")
    rows = list(csv.DictReader(io.StringIO(as_csv)))
    found = json.loads(as_json)
    assert [row["model"] for row in rows] == ["epoch-01", "epoch-03", "epoch-10"]
    for row, other in zip(rows, found["fits"], strict=True):
        assert float(row["noise_fitting"]) == other["noise_fitting"]
        assert other["noise_fitting_low"] < other["noise_fitting"] < other["noise_fitting_high"]
    assert found["noises"][0]["form_uniform"] == pytest.approx(-0.4060, abs=5e-5)


def test_a_single_network_needs_no_number_in_its_name(run):
    code, out, _ = run("fit", FASHION / "pytorch.onnx", *FEW, *NOISE)
    assert code == 0
    assert "a dip needs several" in out


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["fit", EPOCHS[0], *NOISE], 2, "Give them with --data"),
        (["fit", EPOCHS[0], *FEW, "--frequency", "a", "--amplitude", "0.1"], 2, "numbers with commas"),
        (["fit", EPOCHS[0], *FEW, "--frequency", "1", "--amplitude", "0.6"], 2, "at most 0.5"),
        (["fit", EPOCHS[0], *FEW, *NOISE, "--radial", "--direction", "1"], 2, "exclude each other"),
        (["fit", EPOCHS[0], *FEW, *NOISE, "--direction", "gone.npz"], 3, "cannot be read"),
        (["fit", EPOCHS[0], *FEW, *NOISE, "--json", "--csv", "fits"], 2, "exclude each other"),
        (["fit", EPOCHS[0], *FEW, *NOISE, "--csv", "dips"], 2, "Known: fits"),
        (["fit", EPOCHS[0], *FEW, *NOISE, "--picture", "f.gif"], 2, "no ending"),
        (["fit", EPOCHS[0], *FEW, *NOISE, "-o", "nowhere/f.h5"], 2, "does not exist"),
        (["fit", EPOCHS[0], FASHION / "pytorch.onnx", *FEW, *NOISE], 2, "no number in the name pytorch"),
        (["fit", EPOCHS[0], FASHION / "keras.onnx", *FEW, *NOISE, "--at", "1,2"], 3, "the same noise"),
        (["fit", "gone.onnx", *FEW, *NOISE], 3, "gone"),
        (["fit", EPOCHS[0], *FEW, *NOISE, "-o", "few.npz"], 2, "is not replaced"),
        (["fit", EPOCHS[0], *FEW, *NOISE, "--direction", "1" * 300], 3, "cannot be read: File name too long"),
        (["targets", "--data", "few.npz", *NOISE, "--preprocess", "0..1", "-o", "./few.npz"], 2, "replace the images"),
        (["targets", "--data", "few.npz", *NOISE, "-o", "t.npz"], 2, "--preprocess"),
        (
            ["targets", "--data", "few.npz", *NOISE, "--preprocess", "0..1", "-o", "t.csv"],
            2,
            "t.csv has the ending .csv",
        ),
        (["targets", *NOISE, "--preprocess", "0..1", "-o", "t.npz"], 2, "--data"),
        (["targets", "--data", "gone", *NOISE, "--preprocess", "0..1", "-o", "t.npz"], 3, "There is no gone"),
    ],
)
def test_errors_are_one_line_and_leave_nothing(run, empty_folder, arguments, code, message):
    found, out, err = run(*arguments)
    assert found == code
    assert message in err
    assert not out
    assert "Traceback" not in err
    assert not written(empty_folder)


PREPROCESS = ("--preprocess", "mean=.286;std=.353")


def test_targets_replace_targets_and_nothing_else(run, empty_folder):
    line = ("targets", "--data", "few.npz", *NOISE, *PREPROCESS, "-o")
    for name in ("t.npz", "t.h5"):
        assert run(*line, name)[0] == run(*line, name)[0] == 0
    np.savez("mine.npz", images=np.zeros(3))
    (empty_folder / "model.h5").write_bytes(b"no HDF5")
    for name in ("mine.npz", "model.h5"):
        before = (empty_folder / name).read_bytes()
        code, _, err = run(*line, name)
        assert code == 2 and "holds no soft targets, so it is not replaced" in err
        assert (empty_folder / name).read_bytes() == before


def test_what_targets_take_the_images_for_is_said(run):
    """Grey images for a network of three channels; of mixed ones what becomes of the others."""
    _, out, _ = run("targets", "--data", "few.npz", *NOISE, "--preprocess", "mean=.3,.3,.3;std=.4,.4,.4", "-o", "t.npz")
    assert "3 x 28 x 28 (channels, height, width)" in out
    assert "! Channels were converted: grey images repeated" in " ".join(out.split())


def test_noise_that_hardly_varies_is_said_before_training(run):
    _, out, _ = run(
        "targets", "--data", "few.npz", "--frequency", "0.001", "--amplitude", "0.1", *PREPROCESS, "-o", "t.npz"
    )
    assert "the noise hardly varies over these images" in " ".join(out.split())


def test_the_help_of_fit_offers_no_labels_that_it_refuses(run):
    code, out, _ = run("fit", "--help")
    assert code == 0 and "--labels" in out and "predicted" not in out


def test_one_class_has_no_noise_in_its_labels(run):
    few = dict(np.load("few.npz"))
    one = few["labels"] == few["labels"][0]
    np.savez("few.npz", images=few["images"][one], labels=few["labels"][one])
    code, _, err = run("targets", "--data", "few.npz", *NOISE, *PREPROCESS, "-o", "t.npz")
    assert code == 3 and "few.npz has one class, and noise spreads labels over several" in err
    Path("classes.txt").write_text("\n".join([str(few["labels"][0]), "another", "a third"]))
    code, out, _ = run("targets", "--data", "few.npz", *NOISE, *PREPROCESS, "--classes", "classes.txt", "-o", "t.npz")
    assert code == 0 and "3 classes" in out


def test_a_network_that_is_right_by_chance_is_said(run):
    code, out, _ = run("fit", FASHION / "pytorch.onnx", *FEW, *NOISE, "--preprocess", "mean=90;std=1")
    assert code == 0 and "pytorch: Accuracy is" in " ".join(out.split())


def test_long_names_of_checkpoints_stay_apart(run, empty_folder):
    for n in ("10", "20"):
        shutil.copy(FASHION / "epoch-03.onnx", empty_folder / f"run1-epoch-{n}-model.onnx")
    _, out, _ = run("fit", "run1-epoch-10-model.onnx", "run1-epoch-20-model.onnx", *FEW, *NOISE)
    assert "lowest at run1-epoch-" in out and max(map(len, out.splitlines())) <= 80
    assert sum(line.startswith(("run1-epoch", "run1-")) for line in out.splitlines()) == 2 and "-10-model" in out
