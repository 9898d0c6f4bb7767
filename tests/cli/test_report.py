"""`onnxspec report` and `--html`, through the command line."""

import numpy as np
import pytest

import onnxspec
from conftest import FASHION
from onnxspec import cli


@pytest.fixture
def drawn(monkeypatch):
    """Pages that say what they were asked for: drawing them takes seconds and is tested elsewhere."""
    monkeypatch.setattr("onnxspec.report.html.page.page", lambda report, pixels: f"{type(report).__name__} {pixels}")


@pytest.mark.usefixtures("drawn")
def test_a_report_becomes_a_page(bundled_report, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert cli.main(["report", str(bundled_report.path), "--no-images"]) == 0
    assert (tmp_path / "report.html").read_text() == "Report False"
    captured = capsys.readouterr()
    assert captured.out == "" and "report.html" in captured.err


def test_what_is_no_report_is_said(tmp_path, capsys):
    assert cli.main(["report", str(tmp_path / "none.h5"), "-o", str(tmp_path / "r.html")]) == 3
    assert "There is no report" in capsys.readouterr().err


def test_a_place_that_cannot_be_written_is_said(bundled_report, tmp_path, capsys):
    assert cli.main(["report", str(bundled_report.path), "-o", str(tmp_path / "none" / "r.html")]) == 2
    assert "cannot be written" in capsys.readouterr().err


@pytest.mark.usefixtures("drawn")
def test_analyze_makes_the_page_too_and_keeps_pixels_out(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    data = np.load(FASHION / "test.npz")
    np.savez(tmp_path / "few.npz", images=data["images"][:200], labels=data["labels"][:200])
    model = str(FASHION / "pytorch.onnx")
    line = ["analyze", model, "--data", "few.npz", "--pairs", "20", "--points", "17"]
    assert cli.main([*line, "-o", "r.h5", "--html", "r.html", "--no-images"]) == 0
    assert (tmp_path / "r.html").read_text() == "Report True"
    strips = onnxspec.Report("r.h5").strips
    assert "prob" in strips and "thumbnail" not in strips


def test_analyze_refuses_a_page_that_cannot_be_written_before_it_runs(tmp_path, capsys):
    line = ["analyze", str(FASHION / "pytorch.onnx"), "-o", str(tmp_path / "r.h5")]
    assert cli.main([*line, "--html", str(tmp_path / "none" / "r.html")]) == 2
    assert "cannot be written" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_a_page_takes_the_place_of_nothing_but_a_page(bundled_report, tmp_path, capsys):
    model = tmp_path / "m.onnx"
    model.write_bytes(b"model")
    for line in (
        ["report", str(bundled_report.path), "-o", str(model)],
        ["analyze", str(model), "--html", str(model)],
        ["compare", str(model), str(model), "--html", str(tmp_path / "r.h5")],
        ["audit", str(model), "--html", str(model)],
    ):
        assert cli.main(line) == 2
        place = line[-1].rpartition(".")[0]
        assert f"is no name of a page. Name it {place}.html" in "".join(capsys.readouterr().err.splitlines())
    assert model.read_bytes() == b"model" and len(list(tmp_path.iterdir())) == 1


def test_a_place_in_a_report_s_stead_is_no_report(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert cli.main(["report", "."]) == 3
    assert "no report" in capsys.readouterr().err
