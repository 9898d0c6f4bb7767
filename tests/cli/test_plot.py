"""`onnxspec plot`, through the command line."""

import re
import shutil

import h5py
import numpy as np
import pytest

import onnxspec
from onnxspec import cli
from onnxspec.report.figures import style
from report.altered import with_classes


def network(batch):
    return np.tanh(batch.mean(axis=(2, 3))[:, :2] * 9 - 4)


@pytest.mark.parametrize(("what", "form"), [("spectrum", "svg"), ("classes", "pdf"), ("matrix", "png")])
def test_figures_become_files(what, form, bundled_report, tmp_path, capsys):
    place = tmp_path / f"figure.{form}"
    assert cli.main(["plot", str(bundled_report.path), "--what", what, "-o", str(place)]) == 0
    start = {"svg": b"<?xml", "pdf": b"%PDF", "png": b"\x89PNG"}[form]
    assert place.read_bytes().startswith(start)
    assert capsys.readouterr().out == ""
    assert [one.name for one in tmp_path.iterdir()] == [place.name]


def test_a_class_and_a_signal_can_be_chosen(bundled_report, tmp_path):
    place = tmp_path / "figure.svg"
    line = ["plot", str(bundled_report.path), "--class", "Sandal", "--signal", "logit", "-o", str(place)]
    assert cli.main(line) == 0


def test_names_in_letters_that_no_font_has_are_said_to_be_boxes(bundled_report, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(style, "_FURTHER_FONTS", ())
    named = with_classes(bundled_report, tmp_path / "named.h5", ["靴", "bag"], paths=40)
    assert cli.main(["plot", str(named.path), "--what", "classes", "-o", str(tmp_path / "c.svg")]) == 0
    assert "No font here has 靴: boxes stand for them." in capsys.readouterr().err


def test_no_class_to_draw_is_said(bundled_report, tmp_path, capsys):
    few = with_classes(bundled_report, tmp_path / "few.h5", ["a", "b"], paths=9)
    assert cli.main(["plot", str(few.path), "--what", "classes", "-o", str(tmp_path / "c.svg")]) == 2
    assert "No class of few.h5 has an hff of prob over 10 paths or more" in capsys.readouterr().err
    assert not (tmp_path / "c.svg").exists()


def test_no_pair_of_classes_to_draw_is_said(tmp_path, capsys):
    images = np.random.default_rng(0).integers(0, 256, (40, 8, 8, 3), np.uint8)
    asked = {"preprocess": "0..1", "pairs": 8, "points": 9}
    for kind in ("within", "between"):
        onnxspec.analyze(network, (images, np.arange(40) % 2), kinds=kind, output=tmp_path / f"{kind}-1.h5", **asked)
    line = ["plot", str(tmp_path / "within-1.h5"), "--what", "matrix", "-o", str(tmp_path / "m.svg")]
    assert cli.main(line) == 2
    assert "within-1.h5 has no paths between two classes" in capsys.readouterr().err
    both = [str(tmp_path / f"{kind}-1.h5") for kind in ("within", "between")]
    assert cli.main(["plot", *both, "--what", "series", "-o", str(tmp_path / "s.svg")]) == 2
    assert "no kind of paths in common: within-1.h5 has within; between-1.h5 has between" in capsys.readouterr().err


def test_several_reports_make_a_series(bundled_report, tmp_path):
    reports = [tmp_path / f"epoch-{i}.h5" for i in (1, 2)]
    for report in reports:
        shutil.copy(bundled_report.path, report)
    assert cli.main(["plot", *map(str, reports), "--what", "series", "-o", str(tmp_path / "s.svg")]) == 0


def texts(svg):
    return re.findall(r"<!-- (.*?) -->", svg.read_text(encoding="utf-8"))


def test_spectra_of_several_reports_lie_over_one_another(bundled_report, tmp_path):
    folders = [tmp_path / name for name in ("new", "old")]
    for folder in folders:
        folder.mkdir()
        shutil.copy(bundled_report.path, folder / "net.h5")
        shutil.copy(bundled_report.path, folder / f"{folder.name}.h5")
    figure = tmp_path / "s.svg"
    assert cli.main(["plot", *(str(one / f"{one.name}.h5") for one in folders), "-o", str(figure)]) == 0
    assert {"new", "old", "within a class", "between classes"} <= set(texts(figure))
    # The same name twice says nothing: then the folders belong to it.
    assert cli.main(["plot", *(str(one / "net.h5") for one in folders), "-o", str(figure)]) == 0
    assert {"…new…", "…old…"} <= set(texts(figure))


def test_a_comparison_is_drawn_as_spectra_as_a_series_and_as_factors(bundled_report, tmp_path, capsys):
    compared, figure = tmp_path / "c.h5", tmp_path / "s.svg"
    onnxspec.compare({"net-1": bundled_report, "net-2": bundled_report}, in_series=True).save(compared)
    for asked in (["--signal", "logit"], ["--what", "series", "--signal", "logit"], ["--what", "factors"]):
        assert cli.main(["plot", str(compared), *asked, "-o", str(figure)]) == 0
        figure.unlink()
    for asked, message in (
        (["--signal", "label"], "The comparison holds no spectra of label. It has prob, logit."),
        (["--what", "series", "--signal", "label"], "The comparison holds no series of label."),
        (["--class", "Sandal"], "--class is for the spectrum of one report, and not of a comparison."),
        (["--what", "matrix"], "c.h5 is a comparison, not a report."),
        (["--what", "factors", "--signal", "prob"], "--what factors draws all signals."),
    ):
        assert cli.main(["plot", str(compared), *asked, "-o", str(figure)]) in (2, 3)
        assert message in capsys.readouterr().err and not figure.exists()
    with h5py.File(compared, "r+") as file:
        file["figures/estimate"][0] = 7
    assert cli.main(["plot", str(compared), "--what", "series", "-o", str(figure)]) == 3
    assert "was changed since it was written" in capsys.readouterr().err


def test_several_reports_have_no_matrix_and_no_class_in_common(bundled_report, tmp_path, capsys):
    again = tmp_path / "again.h5"
    shutil.copy(bundled_report.path, again)
    two = ["plot", str(bundled_report.path), str(again), "-o", str(tmp_path / "f.svg")]
    assert cli.main([*two, "--what", "matrix"]) == 2
    assert "--what matrix draws one report, and 2 were given. Use --what spectrum or series." in capsys.readouterr().err
    assert cli.main([*two, "--class", "Sandal"]) == 2
    assert "--class is for the spectrum of one report, and not of several reports." in capsys.readouterr().err
    assert cli.main([*two, "--what", "factors"]) == 2
    assert "--what factors draws a comparison. Make one: onnxspec compare" in capsys.readouterr().err
    assert cli.main(["plot", str(again), str(again), "-o", str(tmp_path / "f.svg")]) == 2
    assert "again.h5 is given twice" in capsys.readouterr().err


def test_what_of_several_reports_is_not_drawn_is_said(tmp_path, capsys):
    images = np.random.default_rng(0).integers(0, 256, (40, 8, 8, 3), np.uint8)
    asked = {"preprocess": "0..1", "points": 9}
    for name, more in (("all", {"pairs": 12}), ("some", {"pairs": 8, "signals": "logit"})):
        onnxspec.analyze(network, (images, np.arange(40) % 2), output=tmp_path / f"{name}.h5", **asked, **more)
    figure = tmp_path / "f.svg"
    assert cli.main(["plot", str(tmp_path / "all.h5"), str(tmp_path / "some.h5"), "-o", str(figure)]) == 0
    said = capsys.readouterr().err.splitlines()
    assert said[0] == "8 paths of the reference are not in some." and len(said) == 2
    assert "logit power per bin, nats²" in texts(figure)


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["-o", "figure"], 2, "no ending"),
        (["-o", "figure.gif"], 2, "no ending"),
        (["--what", "wobble", "-o", "f.svg"], 2, "--what has no 'wobble'"),
        (["--what", "series", "-o", "f.svg"], 2, "two reports or more"),
        (["--what", "factors", "-o", "f.svg"], 2, "--what factors draws a comparison"),
        (["--signal", "label", "-o", "f.svg"], 2, "no signal 'label'"),
        (["--class", "Sandals", "-o", "f.svg"], 2, "Did you mean Sandal"),
        (["--class", "Sandal", "--what", "matrix", "-o", "f.svg"], 2, "--class is for"),
        (["-o", "none/f.svg"], 2, "cannot be written"),
    ],
)
def test_what_cannot_be_drawn_is_said(arguments, code, message, bundled_report, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert cli.main(["plot", str(bundled_report.path), *arguments]) == code
    assert message in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
