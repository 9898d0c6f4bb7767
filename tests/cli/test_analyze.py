"""`onnxspec analyze` as a user meets it: exit codes, one-line errors, nothing half-written, streams kept apart."""

import json
import os
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import onnx
import pytest
from PIL import Image

from conftest import FASHION, QUICKEST, ROOT
from model import build

MODEL, NETWORK, DATA = str(QUICKEST), str(FASHION / "pytorch.onnx"), str(FASHION / "test.npz")
SIDE = build.SIDE


@pytest.fixture(autouse=True)
def empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def folder(path: Path, classes: int, images: int, side: int = SIDE, mode: str = "RGB") -> Path:
    rng = np.random.default_rng(0)
    for c in range(classes):
        (path / f"class{c}").mkdir(parents=True)
        for i in range(images):
            shape = (side, side) if mode == "L" else (side, side, 3)
            Image.fromarray(rng.integers(0, 256, shape, np.uint8)).save(path / f"class{c}" / f"{i}.png")
    return path


def convnet(path: Path, **options) -> Path:
    return build.save(build.convnet(**options), path)


def test_a_report_is_written_under_the_model_s_name(run, empty_folder):
    code, out, err = run("analyze", MODEL, "--data", DATA, "--pairs", 30)
    assert code == 0
    assert (empty_folder / "sklearn.h5").is_file()
    assert "hff" in out
    assert "forward passes, about" in err
    assert "onnxspec show sklearn.h5" in err


def test_the_command_that_prints_it_again_can_be_copied(run, empty_folder):
    code, _, err = run("analyze", MODEL, "--data", DATA, "--pairs", 10, "-o", "rép ort.h5")
    assert code == 0
    assert "(onnxspec show 'rép ort.h5' prints it again)" in err


def test_the_command_that_prints_it_again_can_be_copied_into_cmd(run, empty_folder, monkeypatch):
    monkeypatch.setattr("onnxspec.cli.plain.os", SimpleNamespace(**vars(os) | {"name": "nt"}))
    code, _, err = run("analyze", MODEL, "--data", DATA, "--pairs", 10, "-o", r"out\Ann's.h5")
    assert code == 0
    assert r"""(onnxspec show "out\Ann's.h5" prints it again)""" in err


def test_json_is_all_that_standard_output_carries(run):
    code, out, _ = run("analyze", MODEL, "--data", DATA, "--pairs", 30, "--json", "-o", "r.h5")
    assert code == 0
    assert json.loads(out)["settings"]["pairs"] == 30


def test_a_dry_run_says_what_it_costs_and_writes_nothing(run, empty_folder):
    code, out, _ = run("analyze", MODEL, "--data", DATA, "--pairs", 30, "--points", 33, "--dry-run")
    assert code == 0
    assert "60, straight ones of 33 points" in out
    for name in ("forward passes", "rate", "time", "memory", "report"):
        assert f"\n{name}" in out
    code, out, _ = run("analyze", MODEL, "--data", DATA, "--pairs", 30, "--dry-run", "--json")
    assert code == 0
    assert json.loads(out)["paths"] == 60
    assert list(empty_folder.iterdir()) == []
    code, _, err = run("analyze", MODEL, "--data", DATA, "--dry-run", "--protocol", "mool")
    assert (code, "--protocol makes none" in err) == (2, True)


def test_settings_come_from_the_project_file(run, empty_folder):
    (empty_folder / "onnxspec.toml").write_text(f'data = "{DATA}"\npairs = 20\nkinds = ["between"]\n')
    code, out, _ = run("analyze", MODEL, "--json")
    assert code == 0
    assert json.loads(out)["kinds"] == "between"


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--points", "34"], 2, "The nearest are 33 and 65"),
        (["--kinds", "across"], 2, "Known: within, between"),
        (["--frobnicate"], 2, "No such option"),
        (["--pairs", "x"], 2, "not a valid integer"),
        (["--config", "none.toml"], 2, "cannot be read"),
        (["-o", "no/such/r.h5"], 2, "does not exist. Create it"),
        (["--data", "nowhere"], 3, "There is no nowhere"),
        (["--preprocess", "imagnet"], 2, "Did you mean imagenet"),
        (["--device", "cuda"], 4, "cuda"),
        (["--device", "quantum"], 2, "quantum"),
    ],
)
def test_wrong_arguments_are_one_line_and_the_right_code(run, empty_folder, arguments, code, said):
    if "--device" in arguments and "cuda" in arguments and Path("/proc/driver/nvidia").exists():
        pytest.skip("there is a CUDA device here")
    options = ["--data", DATA, *arguments]
    got, out, err = run("analyze", MODEL, *options)
    assert got == code
    assert out == ""
    assert said in " ".join(err.split())
    assert "Traceback" not in err
    assert list(empty_folder.glob("*.h5")) == []


def test_what_is_no_onnx_file_is_said(run, empty_folder):
    (empty_folder / "model.onnx").write_text("<html>404</html>")
    code, _, err = run("analyze", "model.onnx", "--data", DATA)
    assert code == 3
    assert "HTML" in err
    whole = Path(MODEL).read_bytes()
    (empty_folder / "cut.onnx").write_bytes(whole[: len(whole) // 2])
    code, _, err = run("analyze", "cut.onnx", "--data", DATA)
    assert code == 3
    assert "cut.onnx" in err
    code, _, err = run("analyze", "absent.onnx", "--data", DATA)
    assert code == 3
    assert "absent.onnx" in err


def test_missing_external_weights_are_named(run, empty_folder):
    build.save_external(build.convnet(), empty_folder / "m.onnx")
    weights = [p for p in empty_folder.iterdir() if p.suffix != ".onnx"]
    weights[0].unlink()
    code, _, err = run("analyze", "m.onnx", "--data", folder(empty_folder / "d", 5, 4))
    assert code == 3
    assert weights[0].name in err


def test_a_graph_that_onnx_runtime_refuses_is_said_in_a_sentence(run, empty_folder):
    model = build.convnet()
    model.graph.node[0].op_type = "Convolute"
    onnx.save(model, empty_folder / "m.onnx")
    code, _, err = run("analyze", "m.onnx", "--data", folder(empty_folder / "d", 5, 4))
    assert code == 3
    assert "Convolute" in err
    assert len(err.splitlines()) <= 4


def test_one_image_a_class_asks_for_between(run, empty_folder):
    convnet(empty_folder / "m.onnx")
    data = folder(empty_folder / "d", 5, 1)
    code, _, err = run("analyze", "m.onnx", "--data", data, "--preprocess", "0..1")
    assert code == 3
    assert "--kinds between" in err
    code, _, _ = run("analyze", "m.onnx", "--data", data, "--preprocess", "0..1", "--kinds", "between")
    assert code == 0


def test_class_counts_that_differ_are_both_named(run, empty_folder):
    convnet(empty_folder / "m.onnx")
    code, _, err = run("analyze", "m.onnx", "--data", folder(empty_folder / "d", 4, 3), "--preprocess", "0..1")
    assert code == 3
    assert "4 classes" in err and "5 outputs" in err


def test_unreadable_images_are_named_and_may_be_skipped(run, empty_folder):
    convnet(empty_folder / "m.onnx")
    data = folder(empty_folder / "d", 5, 8)
    (data / "class1" / "3.png").write_bytes(b"not an image")
    options = ["--data", data, "--preprocess", "0..1", "--pairs", "20", "--json"]
    code, _, err = run("analyze", "m.onnx", *options)
    assert code == 3
    assert "class1/3.png" in err and "--skip-bad" in err
    code, out, _ = run("analyze", "m.onnx", *options, "--skip-bad", "1")
    assert code == 0
    assert any("Unreadable" in remark["text"] for remark in json.loads(out)["remarks"])
    (data / "class2" / "3.png").write_bytes(b"not an image")
    code, _, err = run("analyze", "m.onnx", *options, "--skip-bad", "1")
    assert code == 3


def test_channels_that_do_not_fit_are_both_named(run, empty_folder):
    convnet(empty_folder / "m.onnx", channels=5)
    code, _, err = run("analyze", "m.onnx", "--data", folder(empty_folder / "d", 5, 3), "--preprocess", "0..1")
    assert code == 3
    assert "3 channels" in err and "5" in err


def test_nothing_but_a_model_is_a_look_and_no_audit(run):
    code, out, _ = run("analyze", MODEL, "--pairs", 20)
    assert code == 0
    assert "not an audit" in " ".join(out.split())
    assert "--data" in out


def test_the_same_images_in_any_container_give_the_same_figures(run, empty_folder):
    convnet(empty_folder / "m.onnx")
    data = folder(empty_folder / "d", 5, 8)
    with zipfile.ZipFile(empty_folder / "d.zip", "w") as archive:
        for path in sorted(data.rglob("*.png")):
            archive.write(path, path.relative_to(data))
    figures = []
    for source in ("d", "d.zip"):
        code, out, _ = run("analyze", "m.onnx", "--data", source, "--preprocess", "0..1", "--pairs", 20, "--json")
        assert code == 0
        figures.append(json.loads(out)["figures"])
    assert figures[0] == figures[1]


def test_preprocessing_is_found_and_said(run, empty_folder):
    plain = onnx.load(MODEL)
    del plain.metadata_props[:]
    onnx.save(plain, empty_folder / "bare.onnx")
    code, out, _ = run("analyze", "bare.onnx", "--data", DATA, "--pairs", 20, "--json")
    assert code == 0
    summary = json.loads(out)
    assert summary["preprocess"]["mean"]["from"] == "auto"
    remark = next(r for r in summary["remarks"] if r["code"] == "preprocess-auto")
    assert "onnxspec stamp bare.onnx" in remark["hint"]
    assert run("stamp", "bare.onnx", "--preprocess", "fashion-mnist", "-o", "stamped.onnx")[0] == 0
    code, out, _ = run("analyze", "stamped.onnx", "--data", DATA, "--pairs", 20, "--json")
    assert json.loads(out)["preprocess"]["mean"]["from"] == "model metadata"


def test_some_of_the_outputs_can_be_analysed_alone(run, empty_folder):
    convnet(empty_folder / "m.onnx", classes=7)
    data = folder(empty_folder / "d", 3, 8)
    names = ["other0", "class2", "other1", "class0\tA cat", "other2", "class1", "other3"]
    (empty_folder / "classes.txt").write_text("\n".join(names))
    options = ["--data", data, "--classes", "classes.txt", "--preprocess", "0..1", "--pairs", 20, "--json"]
    whole, restricted = (
        json.loads(run("analyze", "m.onnx", *options, *more)[1]) for more in ([], ["--restrict-outputs"])
    )
    assert [c["output"] for c in whole["classes"]] == [3, 5, 1]
    assert whole["classes"][0]["name"] == "A cat"
    assert whole["figures"] != restricted["figures"]


def started(*arguments, folder):
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "onnxspec", *arguments]
    return subprocess.Popen(
        command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


@pytest.mark.skipif(os.name != "posix", reason="signals are sent as POSIX has them")
@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_ends_soon_and_leaves_nothing(empty_folder, sent):
    process = started("analyze", NETWORK, "--data", DATA, "--points", "2049", "--pairs", "100000", folder=empty_folder)
    said = next(line for line in process.stderr if "forward passes" in line)
    process.send_signal(sent)
    asked = time.monotonic()
    try:
        err = said + process.communicate(timeout=30)[1]
    finally:
        process.kill()
    assert process.returncode == 130
    assert time.monotonic() - asked < 5
    assert "Interrupted" in err
    assert "Traceback" not in err
    assert list(empty_folder.iterdir()) == []


def test_a_reader_that_goes_away_is_no_error(empty_folder):
    process = started("analyze", MODEL, "--data", DATA, "--pairs", "20", "--json", folder=empty_folder)
    process.stdout.close()
    assert process.wait(60) == 0
    assert "Traceback" not in process.stderr.read()


@pytest.mark.gpu
def test_cuda_gives_the_figures_of_the_cpu(run):
    from onnxspec.model import providers

    if providers.obstacle(providers.cuda_choice()) is not None:  # libraries may be there, and no GPU
        pytest.skip("no CUDA device here")
    options = ["--data", DATA, "--pairs", 100, "--json"]
    cpu, cuda = (json.loads(run("analyze", NETWORK, *options, "--device", device)[1]) for device in ("cpu", "cuda"))
    assert cuda["provider"] == "CUDAExecutionProvider"
    for one, other in zip(cpu["figures"], cuda["figures"], strict=True):
        if one["metric"] in ("hff", "slope") and one["estimate"] is not None and not one["class_a"]:
            assert other["estimate"] == pytest.approx(one["estimate"], rel=1e-3), one
