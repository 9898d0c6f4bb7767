"""`onnxspec show` through its command."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest

from onnxspec.cli import main
from onnxspec.errors import ExitCode
from onnxspec.report.class_view import partners
from onnxspec.report.export import to_csv
from onnxspec.report.page import interval_text
from report.altered import altered


def shown(capfd, *arguments, code=ExitCode.PASS):
    """Standard output and standard error of a command that ends with `code`."""
    assert main(["show", *map(str, arguments)]) == code
    return capfd.readouterr()


def test_the_summary(capfd, bundled_report):
    out, err = shown(capfd, bundled_report.path)
    assert [line.rstrip() for line in out.splitlines()] == str(bundled_report).splitlines()
    assert err == ""


def test_json(capfd, bundled_report):
    out, err = shown(capfd, bundled_report.path, "--json")
    assert json.loads(out)["model"] == "pytorch"
    assert err == ""


def test_csv(capfd, bundled_report):
    out, _ = shown(capfd, bundled_report.path, "--csv", "classes")
    assert out == to_csv(bundled_report, "classes")


def test_a_class(capfd, bundled_report):
    out, _ = shown(capfd, bundled_report.path, "--class", "Shirt")
    for kind in ("within", "between"):
        assert interval_text(bundled_report.figure(kind, "hff", "prob", "Shirt"), 100) in out
        assert interval_text(bundled_report.figure(kind, "slope", "logit", "Shirt")) in out
    classes = bundled_report.classes
    at = classes["name"].tolist().index("Shirt")
    assert f"{classes['images'][at]} in the data, {classes['used'][at]} used" in out
    assert f"accuracy  {100 * classes['right'][at] / classes['used'][at]:.0f} [" in out
    assert "┊" in out
    assert max(map(len, out.splitlines())) <= 80
    assert len(out.splitlines()) <= 50


def test_partners_of_a_class(bundled_report):
    number = bundled_report.classes["name"].tolist().index("Shirt")
    found = {one.name: one for one in partners(bundled_report, number)}
    paths = bundled_report.paths
    other = bundled_report.classes["name"].tolist().index("Coat")
    joins = {number, other}
    at = [i for i, ends in enumerate(zip(paths["class_a"], paths["class_b"], strict=True)) if set(ends) == joins]
    at = [i for i in at if paths["ends_right"][i] == 2]
    assert found["Coat"].hff.paths == len(at)
    assert found["Coat"].distance == pytest.approx(np.mean(paths["distance"][at]))
    assert "Shirt" not in found


def test_many_partners_are_cut_to_the_wiggliest_and_the_closest(capfd, bundled_report, monkeypatch):
    monkeypatch.setattr("onnxspec.report.class_view.SHOWN", 2)
    out, _ = shown(capfd, bundled_report.path, "--class", "Shirt")
    tail = out[out.index("Towards other classes") :].splitlines()
    assert len(tail) == 6
    found = list(partners(bundled_report, bundled_report.classes["name"].tolist().index("Shirt")))
    assert max(found, key=lambda one: one.hff.estimate).name in tail[2]
    assert min(found, key=lambda one: one.distance).name in tail[4]
    assert tail[4].startswith("closest")


def test_a_class_by_its_folder(capfd, bundled_report, tmp_path):
    folders = np.array([f"n{i:04}" for i in range(10)], object)
    report = altered(bundled_report, tmp_path / "r.h5", classes__folder=folders)
    out, _ = shown(capfd, report.path, "--class", "n0000")
    assert out.startswith("T-shirt/top, a class of")


def test_a_hostile_class_is_only_text(capfd, bundled_report, tmp_path):
    report = altered(bundled_report, tmp_path / "r.h5", {"Shirt": "[bold]\x1b[31m\n", "Coat": "[/]\x1b[0m"})
    out, _ = shown(capfd, report.path, "--class", "[bold]\x1b[31m\n")
    assert "\x1b" not in out
    assert out.startswith(r"[bold]\x1b[31m\n, a class of")
    assert r"[/]\x1b[0m" in out
    _, err = shown(capfd, report.path, "--class", "[bold]\x1b[31m", code=ExitCode.USAGE)
    assert "\x1b" not in err


def test_an_unknown_class_is_told_the_nearest(capfd, bundled_report):
    out, err = shown(capfd, bundled_report.path, "--class", "shrit", code=ExitCode.USAGE)
    assert out == ""
    assert "no class 'shrit'" in err
    assert "Did you mean Shirt" in err
    _, err = shown(capfd, bundled_report.path, "--class", "zzz", code=ExitCode.USAGE)
    assert "It has T-shirt/top, Trouser" in err


def test_errors_go_to_standard_error(capfd, bundled_report, tmp_path):
    for arguments, code in (
        ((tmp_path / "none.h5",), ExitCode.REFUSED),
        ((bundled_report.path, "--csv", "wobble"), ExitCode.USAGE),
        ((bundled_report.path, "--json", "--class", "Shirt"), ExitCode.USAGE),
    ):
        out, err = shown(capfd, *arguments, code=code)
        assert out == ""
        assert err.startswith("onnxspec: ")


def test_it_needs_no_runtime_and_no_utf8(bundled_report):
    code = (
        "import sys; from onnxspec.cli import main; code = main(['show', sys.argv[1]]);"
        "bad = {'onnx', 'onnxruntime', 'matplotlib'} & set(sys.modules); sys.exit(code or (bad and str(bad)) or 0)"
    )
    environment = {**os.environ, "LANG": "C", "PYTHONIOENCODING": "ascii"}
    result = subprocess.run(
        [sys.executable, "-c", code, bundled_report.path], env=environment, capture_output=True, check=False
    )
    assert result.returncode == 0, result.stderr
    assert result.stderr == b""
    assert result.stdout.isascii()
    assert b"####" in result.stdout
    assert b"\x1b" not in result.stdout


def test_the_intervals_are_checked(capfd, bundled_report):
    out, err = shown(capfd, bundled_report.path, "--cross-check")
    interval = interval_text(bundled_report.figure("between"), 100)
    assert "prob hff (%)   " in out and interval in out and "bootstrap-t" in out
    assert err == ""


def test_views_exclude_each_other(capfd, bundled_report):
    _, err = shown(capfd, bundled_report.path, "--cross-check", "--json", code=ExitCode.USAGE)
    assert "exclude each other" in err
