"""`onnxspec heatmap` through its command."""

import json

import pytest

from conftest import FASHION
from test_architecture import loaded_by

MODEL, DATA = str(FASHION / "pytorch.onnx"), str(FASHION / "test.npz")
QUICK = ("--data", DATA, "--images", 20, "--highest", 4)


@pytest.fixture(autouse=True)
def empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_heat_map_and_its_picture(run, empty_folder):
    code, out, err = run("heatmap", MODEL, *QUICK, "--picture", "map.svg")
    assert code == 0
    assert "41 spatial frequencies, 1,160 forward passes, about" in " ".join(err.split())
    assert "Written: pytorch-heatmap.h5 (onnxspec show" in err
    assert (empty_folder / "map.svg").read_text().startswith("<?xml")
    assert "Most sensitive" in out or "undecided" in out
    assert run("show", "pytorch-heatmap.h5")[:2] == (0, out)


def test_json_is_all_that_standard_output_carries(run):
    code, out, _ = run("heatmap", MODEL, *QUICK, "--json", "--eps", 2, "--seed", 3, "-o", "m.h5")
    assert code == 0
    found = json.loads(out)
    assert (found["eps"], found["seed"], found["images"], len(found["map"])) == (2.0, 3, 20, 41)
    assert json.loads(run("show", "m.h5", "--json")[1]) == found


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--eps", "0"], 2, "--eps is 0.0"),
        (["--images", "1"], 2, "at least 2"),
        (["--pairs", "10"], 2, "No such option"),
        (["--picture", "map.gif"], 2, "Use .svg, .pdf or .png"),
        (["--picture", "no/such/map.svg"], 2, "cannot be written"),
        (["-o", "no/such/m.h5"], 2, "cannot be written"),
        (["-o", MODEL], 2, "is no heat map, so it is not replaced"),
        (["-o", "map.svg", "--picture", "map.svg"], 2, "map.svg would be an HDF5 file with the ending .svg"),
        (["--data", "nowhere"], 3, "There is no nowhere"),
    ],
)
def test_wrong_arguments_are_one_line_and_the_right_code(run, empty_folder, arguments, code, said):
    got, out, err = run("heatmap", MODEL, *QUICK, *arguments)
    assert got == code
    assert out == ""
    assert said in " ".join(err.split())
    assert "Traceback" not in err
    assert list(empty_folder.iterdir()) == []


def test_what_show_cannot_do_with_a_heat_map_is_said(run):
    run("heatmap", MODEL, *QUICK, "-o", "m.h5")
    code, _, err = run("show", "m.h5", "--csv", "map")
    assert code == 2 and "m.h5 has no --csv" in err


def test_a_heat_map_is_shown_without_onnx_runtime(run, empty_folder):
    run("heatmap", MODEL, *QUICK, "-o", "m.h5")
    loaded = loaded_by(f"from onnxspec.cli import main\nmain(['show', {str(empty_folder / 'm.h5')!r}])")
    assert "h5py" in loaded and not loaded & {"onnx", "onnxruntime", "matplotlib"}
