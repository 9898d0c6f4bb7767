"""A fixed sample of the fuzzer, and that its oracle and its sandbox notice what they are for."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest

import onnxspec
from onnxspec.report import tables

from . import oracle
from .sandbox import Sandbox

ROOT = Path(__file__).parents[2]
FASHION = ROOT / "models" / "fashion-mnist"

forking = pytest.mark.skipif(
    not hasattr(os, "fork"), reason="the fuzzer's workers are forked, and this platform has no fork"
)


def fuzz(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tests.fuzz", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True)


@forking
@pytest.mark.parametrize(
    ("sample", "real"), [(6, 1), pytest.param(1500, 30, marks=pytest.mark.slow, id="the whole sample of CI")]
)
def test_a_fixed_sample_of_damage_ends_well(sample, real):
    """In a process of its own: this one may have threads, which a fork would lose."""
    ended = fuzz("--count", sample, "--real", real, "--workers", 2)
    assert ended.returncode == 0, ended.stdout[-20000:] + ended.stderr[-3000:]
    assert f"{sample + real} cases" in ended.stdout


@forking
@pytest.mark.slow
def test_a_case_is_the_same_again():
    """The command that a failure prints makes the same files, and so the same outcome."""
    first, second = (fuzz("--case", 77, "--seed", 5) for _ in range(2))
    assert first.stdout.splitlines()[:2] == second.stdout.splitlines()[:2]
    assert first.returncode == second.returncode


@pytest.fixture(scope="module")
def analysed(tmp_path_factory):
    """A model, images and a small report about them."""
    folder = tmp_path_factory.mktemp("analysed")
    with np.load(FASHION / "test.npz") as file:
        keep = np.concatenate([np.flatnonzero(file["labels"] == label)[:4] for label in (1, 5)])
        np.savez(
            folder / "data.npz",
            images=file["images"][keep],
            labels=np.repeat([0, 1], 4),
            class_names=["Trouser", "Sandal"],
        )
    shutil.copy(FASHION / "sklearn.onnx", folder / "model.onnx")
    onnxspec.analyze(
        folder / "model.onnx", folder / "data.npz", pairs=2, points=9, cutoff=4, output=folder / "report.h5"
    )
    return folder


def judge(folder, model="model.onnx", data="data.npz", report="report.h5"):
    oracle.analysis(folder / model, folder / data, folder / report)


def changed(folder, path, change):
    """A copy of the report with changes and digests that cover them."""
    shutil.copy(folder / "report.h5", path)
    with h5py.File(path, "r+") as file:
        change(file)
        file.attrs["digest"] = tables.digest(file)
        if hasattr(tables, "digest_with_names"):
            file.attrs["digest_with_names"] = tables.digest_with_names(file)
    return path


def test_the_oracle_agrees_with_a_right_report(analysed):
    judge(analysed)


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("chord_prob", 0.5),
        ("wiggle_prob", 0.7),
        ("distance", 0.2),
        ("predicted_a", 7),
        ("image_b", 0),
        ("ends_right", 0),
    ],
)
def test_the_oracle_sees_a_wrong_column(analysed, column, value):
    def change(file):
        file["paths"][column][...] = value

    name = changed(analysed, analysed / f"{column}.h5", change).name
    with pytest.raises(oracle.Wrong):
        judge(analysed, report=name)


def test_the_oracle_sees_a_wrong_pooled_figure(analysed):
    def change(file):
        file["figures/estimate"][...] = 0.9

    name = changed(analysed, analysed / "pooled.h5", change).name
    with pytest.raises(oracle.Wrong, match="hff"):
        judge(analysed, report=name)


def test_the_oracle_sees_another_model_and_other_labels(analysed):
    shutil.copy(FASHION / "pytorch.onnx", analysed / "other.onnx")
    with pytest.raises(oracle.Wrong, match="figures"):
        judge(analysed, model="other.onnx")
    with np.load(analysed / "data.npz") as file:
        np.savez(analysed / "other.npz", **dict(file) | {"labels": 1 - file["labels"]})
    with pytest.raises(oracle.Wrong, match="labelled"):
        judge(analysed, data="other.npz")


def test_the_oracle_sees_a_digest_that_does_not_cover_a_report(analysed):
    shutil.copy(analysed / "report.h5", analysed / "unsealed.h5")
    with h5py.File(analysed / "unsealed.h5", "r+") as file:
        file["paths/distance"][0] = 1.0
    with pytest.raises(oracle.Wrong, match="does not cover"):
        oracle.report(analysed / "unsealed.h5")


def test_the_sandbox_sees_what_was_left_outside(tmp_path):
    sandbox = Sandbox(tmp_path / "root")
    sandbox.lay({"a/b.txt": b"x"})
    assert not sandbox.left_behind()
    (sandbox.out / "fine.txt").write_text("")
    assert not sandbox.left_behind()
    (sandbox.tmp / "left.txt").write_text("")
    (tmp_path / "root" / "around" / "secret.bin").write_bytes(b"changed")
    (sandbox.inside / "a" / "b.txt").unlink()
    assert [Path(name).name for name in sandbox.left_behind()] == ["secret.bin", "b.txt", "left.txt"]


def test_the_ear_hears_writes_elsewhere_processes_and_pickles(tmp_path):
    """In a process of its own, since an audit hook cannot be taken away again."""
    code = f"""
import os, pickle, subprocess, sys
from pathlib import Path
from tests.fuzz.sandbox import Ear, Sandbox
sandbox = Sandbox(Path({str(tmp_path / "root")!r}))
ear = Ear(sandbox)
sandbox.lay({{}})
ear.on = True
(sandbox.out / "fine").write_text("")
assert not ear.heard, ear.heard
Path({str(tmp_path / "elsewhere")!r}).write_text("")
pickle.loads(pickle.dumps(Path))
subprocess.run([sys.executable, "-c", ""])
ear.on = False
print(*(line.split()[0] for line in ear.heard))
"""
    ended = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert ended.stdout.split()[:3] == ["open", "pickle.find_class", "subprocess.Popen"], ended.stdout + ended.stderr
