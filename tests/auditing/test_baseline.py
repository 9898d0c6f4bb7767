"""A baseline is small, comes back as it was, and refuses what does not fit it."""

import json

import numpy as np
import pytest

from onnxspec.auditing.baseline import Baseline
from onnxspec.errors import ReportError
from report.altered import altered


@pytest.fixture
def written(bundled_report, tmp_path):
    path = tmp_path / "b.json"
    Baseline.of(bundled_report).write(path)
    return path


def test_it_is_small_and_comes_back(bundled_report, written):
    assert written.stat().st_size < 200_000
    first, read = Baseline.of(bundled_report), Baseline.read(written)
    assert (read.model, read.data, read.settings) == (first.model, first.data, first.settings)
    for name, values in first.sample.columns.items():
        np.testing.assert_array_equal(read.sample[name], values)
    assert read.sample.class_names == first.sample.class_names
    assert read.sample.floor == pytest.approx(dict(first.sample.floor), rel=1e-15)


def test_writing_it_twice_gives_the_same_bytes(bundled_report, written, tmp_path):
    Baseline.read(written).write(tmp_path / "again.json")
    assert (tmp_path / "again.json").read_bytes() == written.read_bytes()


def test_a_byte_order_mark_of_an_editor_means_nothing(written):
    before = Baseline.read(written)
    written.write_text(written.read_text(encoding="utf-8"), encoding="utf-8-sig")
    assert Baseline.read(written).data == before.data


def test_settings_are_restored(bundled_report, written):
    restored = Baseline.read(written).restored()
    assert restored.plan.pairs == 400
    assert restored.measurement.cutoff == bundled_report.attributes["cutoff"]


def test_the_sample_is_the_reports(bundled_report):
    sample, paths = Baseline.of(bundled_report).sample, bundled_report.paths
    np.testing.assert_array_equal(sample.right, paths["ends_right"] == 2)
    right = sum(sample.images().values())
    assert (right, len(sample.images())) == (bundled_report.classes["right"].sum(), bundled_report.accuracy.paths)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "is not a baseline"),
        ("[1, 2]", "is not a baseline"),
        ("{" * 100_000, "is not a baseline"),
        ('{"format": "onnxspec baseline", "version": 99}', "reads version 1"),
        ('{"format": "onnxspec baseline", "version": 1}', "was changed"),
    ],
)
def test_what_is_no_baseline_is_refused(tmp_path, content, said):
    (tmp_path / "b.json").write_text(content)
    with pytest.raises(ReportError, match=said):
        Baseline.read(tmp_path / "b.json")


def test_one_that_is_missing_or_edited_is_refused(written, tmp_path):
    with pytest.raises(ReportError, match="cannot be read"):
        Baseline.read(tmp_path / "absent.json")
    content = json.loads(written.read_text())
    content["paths"]["hf_prob"] = content["paths"]["slope_prob"]
    written.write_text(json.dumps(content))
    with pytest.raises(ReportError, match="was changed"):
        Baseline.read(written)


def test_other_data_are_refused(bundled_report, tmp_path):
    mine = Baseline.of(bundled_report)
    assert mine.same_data(mine)
    for number, other in enumerate(({"data_digest": "0" * 64}, {"labelling": "predicted"})):
        report = altered(bundled_report, tmp_path / f"{number}.h5", attributes=other)
        assert not mine.same_data(Baseline.of(report))
    mine.require_data(mine.data)
    for name in ("digest", "content_digest", "labelling", "pairs"):
        with pytest.raises(ReportError, match=f"other {name.replace('_', ' ')}"):
            mine.require_data(mine.data | {name: "0" * 64})


def test_other_preprocessing_is_a_warning(bundled_report, tmp_path):
    mine = Baseline.of(bundled_report)
    told = json.loads(bundled_report.attributes["preprocess"])
    told["mean"]["value"] = [0.5]
    other = Baseline.of(altered(bundled_report, tmp_path / "o.h5", attributes={"preprocess": json.dumps(told)}))
    assert [remark.code for remark in mine.remarks(other)] == ["preprocess-changed"]
    assert "mean [0.5]" in next(mine.remarks(other)).text
    assert not list(mine.remarks(mine))


def test_what_is_not_set_is_said_in_words(bundled_report, tmp_path):
    mine = Baseline.of(bundled_report)
    with pytest.raises(ReportError, match=r"input image \(baseline none\)\."):
        mine.require_settings(mine.settings | {"input": "image"})
    told = json.loads(bundled_report.attributes["preprocess"])
    told["crop"]["value"] = 24
    other = Baseline.of(altered(bundled_report, tmp_path / "o.h5", attributes={"preprocess": json.dumps(told)}))
    assert "crop 24 (baseline none)" in next(mine.remarks(other)).text


def test_another_cut_off_is_refused(bundled_report, tmp_path):
    mine = Baseline.of(bundled_report)
    other = Baseline.of(altered(bundled_report, tmp_path / "o.h5", attributes={"cutoff": 3.0}))
    with pytest.raises(ReportError, match="--cutoff"):
        mine.require_comparable(other.settings)


def test_another_estimator_is_refused(bundled_report):
    mine = Baseline.of(bundled_report)
    with pytest.raises(
        ReportError, match=r"estimator hann, the baseline sine: their hff cannot be compared.* --estimator"
    ):
        mine.require_comparable(mine.settings | {"estimator": "hann"})


def test_a_cut_off_that_another_machine_added_up_is_the_same(bundled_report):
    mine = Baseline.of(bundled_report)
    mine.require_comparable(mine.settings | {"cutoff": mine.settings["cutoff"] * (1 + 1e-9)})


def test_a_run_to_a_precision_makes_none(bundled_report, tmp_path):
    ended = {"ended": json.dumps({"within": "precision", "between": "pairs"})}
    with pytest.raises(ReportError, match="as many pairs as its precision took"):
        Baseline.of(altered(bundled_report, tmp_path / "o.h5", attributes=ended))


def test_one_that_could_not_be_read_again_is_not_written(bundled_report, tmp_path, monkeypatch):
    monkeypatch.setattr("onnxspec.auditing.baseline.MOST_BYTES", 1000)
    with pytest.raises(ReportError, match="more than are read"):
        Baseline.of(bundled_report).write(tmp_path / "b.json")
    assert not list(tmp_path.iterdir())
