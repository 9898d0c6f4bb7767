"""Reading reports back, and saying what is wrong with a file that is none."""

import errno
import json
import shutil

import h5py
import numpy as np
import pytest

import onnxspec
from conftest import FASHION
from onnxspec.errors import ReportError
from onnxspec.heatmap import HeatMap
from onnxspec.noise.found import NoiseFit
from onnxspec.parity import ParityResult


def test_the_headline_has_both_kinds_and_intervals(bundled_report):
    assert set(bundled_report.headline) == {"within", "between"}
    for figures in bundled_report.headline.values():
        assert set(figures) == {"prob.hff", "prob.slope", "prob.excess_tv", "logit.hff", "logit.slope"}
        assert all(f.low <= f.estimate <= f.high for f in figures.values())


def test_paths_are_a_mapping_of_arrays(bundled_report):
    assert set(bundled_report.paths["kind"]) == {0, 1}
    assert len(bundled_report.paths) == len(list(bundled_report.paths))
    with pytest.raises(KeyError):
        _ = bundled_report.paths["nothing"]


def test_a_report_prints_itself(bundled_report):
    assert "within" in str(bundled_report)
    assert max(map(len, str(bundled_report).splitlines())) <= 80


def test_the_dictionary_is_strict_json(bundled_report):
    text = json.dumps(bundled_report.to_dict(), allow_nan=False)
    assert json.loads(text)["settings"]["pairs"] == 400


def test_what_a_report_does_not_have_is_said_with_what_it_has(bundled_report):
    with pytest.raises(ReportError, match=r"no wobble of prob.*metrics .*hff.*kinds between"):
        bundled_report.figure("within", "wobble")
    with pytest.raises(ReportError, match=r"no spectrum of prob, within Cat.*classes "):
        bundled_report.spectrum("within", "Cat")


def test_a_missing_file_is_said(tmp_path):
    with pytest.raises(ReportError, match=r"There is no report .*nothing\.h5. Make one"):
        onnxspec.Report(tmp_path / "nothing.h5")


def test_a_report_is_read_where_files_have_no_locks(bundled_report, without_locks):
    assert onnxspec.Report(bundled_report.path).attributes["digest"] == bundled_report.attributes["digest"]


def test_a_report_that_somebody_writes_to_is_told_with_the_reason(bundled_report, tmp_path):
    """As xarray or a notebook has it open."""
    fcntl = pytest.importorskip("fcntl")
    shutil.copy(bundled_report.path, tmp_path / "report.h5")
    with (tmp_path / "report.h5").open("rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(ReportError, match="is open for writing in another program"):
            onnxspec.Report(tmp_path / "report.h5")


def test_a_disk_that_fails_is_told_in_words(bundled_report, monkeypatch):
    def fails(*_, **__):
        raise OSError(errno.EIO, "Unable to synchronously open file (Input/output error)")

    monkeypatch.setattr("h5py.File", fails)
    with pytest.raises(ReportError, match="Input/output error"):
        onnxspec.Report(bundled_report.path)


def test_one_that_was_just_written_says_what_it_says_when_it_is_read_whole(tmp_path):
    model, data = FASHION / "pytorch.onnx", FASHION / "test.npz"
    fresh = onnxspec.analyze(model, data, pairs=20, output=tmp_path / "fresh.h5")
    again = onnxspec.Report(tmp_path / "fresh.h5")
    assert fresh.attributes == again.attributes
    assert fresh.to_dict() == again.to_dict()


def test_another_file_is_said(tmp_path):
    (tmp_path / "text.h5").write_text("hello")
    with pytest.raises(ReportError, match="is not an HDF5 file"):
        onnxspec.Report(tmp_path / "text.h5")
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["x"] = np.zeros(3)
    with pytest.raises(ReportError, match="not an onnxspec report"):
        onnxspec.Report(tmp_path / "other.h5")


@pytest.mark.parametrize(
    ("mark", "said"),
    [
        ("comparison", "is a comparison, not a report. onnxspec show prints it"),
        ("heatmap", "is a heat map, not a report. onnxspec show prints it"),
        ("parity", "is what analyze --protocol measured, not a report"),
        ("noise", "is what noise fit measured, not a report"),
    ],
)
def test_another_result_of_onnxspec_is_called_by_its_name(tmp_path, mark, said):
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file.attrs[f"{mark}_schema_version"] = 1
    with pytest.raises(ReportError, match=said):
        onnxspec.Report(tmp_path / "other.h5")


def test_another_schema_is_said_with_both_versions(bundled_report, tmp_path):
    newer = tmp_path / "newer.h5"
    shutil.copy(bundled_report.path, newer)
    with h5py.File(newer, "r+") as file:
        file.attrs["schema_version"] = 99
    with pytest.raises(ReportError, match="schema 99; this onnxspec reads schema 3"):
        onnxspec.Report(newer)


class Silent:
    """What stands in for standard output in a service: it has no encoding."""

    def write(self, text):
        return len(text)

    def flush(self):
        pass


def test_it_prints_where_standard_output_has_no_encoding(bundled_report, monkeypatch):
    whole = str(bundled_report)
    monkeypatch.setattr("sys.stdout", Silent())
    assert str(bundled_report).splitlines()[0] == whole.splitlines()[0]


class Printer:
    """As IPython's: `stack` holds what is being printed, the outermost first."""

    def __init__(self, *stack):
        self.stack, self.text = stack, lambda text: setattr(self, "said", text)


@pytest.mark.parametrize("kind", [onnxspec.Report, onnxspec.Comparison, HeatMap, NoiseFit, ParityResult])
def test_a_notebook_finds_how_to_show_a_result(kind):
    """IPython goes up the classes and takes what it meets first, a plain `__repr__` too."""
    first = next(one for one in kind.__mro__ if {"_repr_pretty_", "__repr__"} & vars(one).keys())
    assert "_repr_pretty_" in vars(first)


def test_a_notebook_shows_the_summary_and_of_a_list_lines(bundled_report):
    alone, among = Printer(1), Printer(1, 2)
    for printer in (alone, among):
        bundled_report._repr_pretty_(printer, False)
    assert (alone.said, among.said) == (str(bundled_report), repr(bundled_report))
    assert len(repr(bundled_report)) < 300 and "\n" not in repr(bundled_report)


def test_columns_are_told_by_name_and_nearest(bundled_report):
    assert (
        "slope_prob" in repr(bundled_report.paths) and "slope_prob" in bundled_report.paths._ipython_key_completions_()
    )
    with pytest.raises(KeyError, match=r"slop: there is no such column; .*slope_prob"):
        _ = bundled_report.paths["slop"]


def test_what_is_kept_cannot_be_changed(bundled_report):
    with pytest.raises(ValueError, match="read-only"):
        bundled_report.figures["estimate"][0] = 0.5


def test_a_pair_of_classes_has_no_order(bundled_report):
    f = bundled_report.figures
    at = np.flatnonzero((f["class_b"] != "") & (f["metric"] == "hff") & np.isfinite(f["estimate"]))[0]
    pair = {name: str(f[name][at]) for name in ("class_a", "class_b")}
    turned = {"class_a": pair["class_b"], "class_b": pair["class_a"]}
    kind, signal = str(f["kind"][at]), str(f["signal"][at])
    assert bundled_report.figure(kind, signal=signal, **pair) == bundled_report.figure(kind, signal=signal, **turned)


@pytest.mark.parametrize("wrong", [("within", "Sandl"), ("inside", "Sandal"), ("within", "Sandal", "logits")])
def test_p_of_what_there_is_not_is_no_number(bundled_report, wrong):
    with pytest.raises(ReportError, match=rf"no hff of .*{wrong[1]}.*classes .*Sandal"):
        bundled_report.p_holm(*wrong)
