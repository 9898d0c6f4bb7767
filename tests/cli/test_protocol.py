"""`onnxspec analyze --protocol` as a user meets it."""

import json

import pytest

from conftest import FASHION
from onnxspec.cli import main

MODEL, DATA = str(FASHION / "pytorch.onnx"), str(FASHION / "test.npz")


@pytest.fixture
def run(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def call(*arguments):
        code = main(["analyze", MODEL, "--data", DATA, *map(str, arguments)])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return call


def test_the_papers_table_is_printed_and_the_result_written(run, tmp_path, capsys):
    code, out, err = run("--protocol", "mool", "--pairs", 2)
    assert code == 0
    assert "Models Out of Line" in out
    assert "phase paths" in out
    assert "no published" in out
    assert "210 paths, " in err
    assert (main(["show", "pytorch-mool.h5"]), capsys.readouterr().out) == (0, out)
    assert main(["show", "pytorch-mool.h5", "--csv", "figures"]) == 2
    assert "pytorch-mool.h5 has no --csv" in capsys.readouterr().err


def test_spectra_come_as_octaves(run, tmp_path, capsys):
    code, out, _ = run("--protocol", "sbp", "--pairs", 3, "-o", "there.h5")
    assert code == 0
    assert "cycles per unit" in out
    assert "to 0.5" in out
    assert (main(["show", "there.h5"]), capsys.readouterr().out) == (0, out)


def test_json_is_json_alone(run):
    code, out, _ = run("--protocol", "sbp", "--pairs", 2, "--kinds", "within", "--json")
    assert code == 0
    found = json.loads(out)
    assert [spectrum["family"] for spectrum in found["spectra"]] == ["within"]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--protocol", "mol"), "Known: mool, sbp"),
        (("--protocol", "mool", "--points", 65), "--points cannot be set"),
        (("--protocol", "mool", "--html", "page.html"), "--html makes a page of a report"),
        (("--protocol", "sbp", "-o", "nowhere/x.h5"), "does not exist"),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_2(run, tmp_path, arguments, told):
    code, out, err = run(*arguments)
    assert code == 2
    assert out == ""
    assert told in err
    assert len(err.splitlines()) == 1
    assert not list(tmp_path.iterdir())
