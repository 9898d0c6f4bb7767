"""`onnxspec.auditing.gate.audit`, the public function: what it takes, refuses and gives."""

from dataclasses import replace
from xml.etree import ElementTree

import numpy as np
import pytest

import onnxspec
from conftest import FASHION, QUICKEST
from onnxspec.auditing.baseline import Baseline
from onnxspec.auditing.gate import audit
from onnxspec.auditing.junit import to_junit
from onnxspec.auditing.markdown import to_markdown
from onnxspec.auditing.sarif import to_sarif
from onnxspec.auditing.starting import starting_policy
from onnxspec.errors import ExitCode, ReportError, UsageError
from report.altered import altered

with np.load(FASHION / "test.npz") as held:
    IMAGES, LABELS = held["images"], held["labels"]
KEPT = {"limits": {"accuracy": {"min": 0.8}}}


def test_a_report_and_a_table_of_rules(bundled_report):
    found = audit(bundled_report, policy=KEPT)
    assert found.exit_code is ExitCode.PASS
    assert str(found).splitlines()[0].startswith("pass          accuracy >= 0.8: 0.9")


def test_a_model_and_a_baseline_pair_over_what_they_share(bundled_report, tmp_path):
    Baseline.of(bundled_report).write(tmp_path / "b.json")
    run = {"pairs": 40, "allow_mismatch": True}
    found = audit(FASHION / "pytorch.onnx", FASHION / "test.npz", baseline=tmp_path / "b.json", **run)
    assert [verdict.text for verdict in found.verdicts] == ["the same as the baseline"] * 3


@pytest.fixture
def trainings(bundled_report, tmp_path):
    """A folder of baselines of three networks that were measured alike, and the report of a fourth."""
    hf = bundled_report.paths["hf_prob"]
    for number in range(4):
        moved = {"paths__hf_prob": hf * np.random.default_rng(number).normal(1, 0.03, len(hf)).astype(np.float32)}
        report = altered(bundled_report, tmp_path / f"{number}.h5", attributes={"model_digest": f"{number}"}, **moved)
        if number:
            (tmp_path / "trainings").mkdir(exist_ok=True)
            Baseline.of(report).write(tmp_path / "trainings" / f"{number}.json")
    return tmp_path / "trainings", tmp_path / "0.h5"


def test_a_folder_of_baselines_is_one_of_trainings(trainings):
    folder, now = trainings
    found = audit(now, baseline=folder)
    assert found.exit_code is ExitCode.PASS
    assert all("the mean of 3 trainings" in verdict.text for verdict in found.verdicts)
    several = [Baseline.read(folder / "1.json"), folder / "2.json", str(folder / "3.json")]
    assert str(audit(now, baseline=several)).splitlines()[:-1] == str(found).splitlines()[:-1]


def test_baselines_that_are_no_trainings_of_one_recipe_are_refused(trainings, bundled_report):
    folder, now = trainings
    other = Baseline.read(folder / "1.json")
    shorter = replace(other, settings=other.settings | {"points": 33})
    elsewhere = replace(other, data=other.data | {"digest": "0" * 64})
    otherwise = replace(other, settings=other.settings | {"cutoff": 3 * other.settings["cutoff"]})
    for one, words in (
        (shorter, "points 65 and 33"),
        (elsewhere, "other digest"),
        (otherwise, r"cutoff [\d.]+ and [\d.]+"),
        (other, "are of the same network"),
    ):
        one.write(folder / "4.json")
        with pytest.raises(ReportError, match=words) as caught:
            audit(now, baseline=folder, allow_mismatch=True)
        assert f"{folder / '1.json'} and {folder / '4.json'}" in str(caught.value)


def test_several_need_the_images_that_they_were_made_with(trainings, bundled_report, tmp_path):
    other = altered(bundled_report, tmp_path / "o.h5", attributes={"data_digest": "0" * 64})
    with pytest.raises(ReportError, match="over the same images alone"):
        audit(other, baseline=trainings[0], allow_mismatch=True)
    with pytest.raises(UsageError, match="No baseline"):
        audit(other, policy=KEPT, baseline=[])


def test_what_is_no_baseline_is_told_to_leave_the_folder(trainings):
    folder, now = trainings
    (folder / "metrics.JSON").write_text("{}")
    with pytest.raises(ReportError, match=r"metrics.JSON is not a baseline") as caught:
        audit(now, baseline=folder)
    assert f"take it out of the folder {folder}" in caught.value.hint


def test_a_folder_without_baselines_says_how_to_write_some(bundled_report, tmp_path):
    with pytest.raises(ReportError, match=r"holds no baselines") as caught:
        audit(bundled_report, baseline=tmp_path)
    assert "--write-baseline" in caught.value.hint


def test_limits_leave_the_usual_regressions_in_force(bundled_report):
    found = audit(bundled_report, policy=KEPT, baseline=Baseline.of(bundled_report))
    assert [verdict.kind for verdict in found.verdicts] == ["limit", *["regression"] * 3]


def test_too_few_pairs_are_the_baselines_where_there_is_one(bundled_report):
    rules = {"limits": {"accuracy": {"min": 0.905}}}
    texts = [
        audit(bundled_report, policy=rules, baseline=one).verdicts[0].text
        for one in (None, Baseline.of(bundled_report))
    ]
    assert [text.rsplit(": ", 1)[1] for text in texts] == ["use more --pairs", "make the baseline with more --pairs"]


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"points": 17}, "points 17"),
        ({"cutoff": 3.0}, "The run has cutoff 3.0"),
        ({"estimator": "hann"}, "estimator hann"),
    ],
)
def test_settings_that_are_not_the_baselines_are_refused_before_the_run(bundled_report, monkeypatch, asked, words):
    monkeypatch.setattr("onnxspec.analysis.analyzing.analyze", None)
    baseline = Baseline.of(bundled_report)
    with pytest.raises(ReportError, match=words):
        audit(QUICKEST, FASHION / "test.npz", baseline=baseline, **asked)


@pytest.mark.parametrize(
    ("data", "inputs", "what"),
    [((IMAGES[:40], LABELS[:40]), {}, "other digest"), (FASHION / "test.npz", {"labels": "predicted"}, "labelling")],
)
def test_images_that_are_not_the_baselines_are_refused_before_the_run(bundled_report, monkeypatch, data, inputs, what):
    monkeypatch.setattr("onnxspec.analysis.analyzing.analyze", None)
    with pytest.raises(ReportError, match=rf"is on other data \(.*\) than the baseline \(test.npz\): .*{what}"):
        audit(QUICKEST, data, baseline=Baseline.of(bundled_report), **inputs)


def test_other_images_are_compared_where_that_is_allowed(bundled_report):
    """The very images in memory have another digest than their file."""
    run = {"pairs": 6, "points": 17, "allow_mismatch": True}
    made = audit(QUICKEST, (IMAGES, LABELS), baseline=Baseline.of(bundled_report), **run)
    assert [verdict.kind for verdict in made.verdicts] == ["regression"] * 3


def test_probe_images_are_refused(bundled_report, tmp_path):
    probes = altered(bundled_report, tmp_path / "p.h5", attributes={"labelling": "probe"})
    with pytest.raises(UsageError, match="probe images"):
        audit(probes, policy=KEPT)


def test_labels_of_the_models_own_have_no_accuracy(bundled_report, tmp_path):
    predicted = altered(bundled_report, tmp_path / "p.h5", attributes={"labelling": "predicted"})
    with pytest.raises(UsageError, match="not measured"):
        audit(predicted, policy=KEPT)
    found = audit(predicted, baseline=Baseline.of(predicted))
    assert [verdict.name for verdict in found.verdicts] == ["within.hff", "between.hff"]


def test_hostile_class_names_go_from_report_to_files_as_text(bundled_report, tmp_path):
    name = '"><script>.[x](y)|`\n\x1b[31m'
    hostile = altered(bundled_report, tmp_path / "h.h5", names={"Bag": name})
    found = audit(hostile, policy={"limits": {f"class.{name}.slope": {"max": 0, "strict": True}}})
    assert found.exit_code is ExitCode.GATE_FAILED
    assert "<script>" in ElementTree.fromstring(to_junit([found])).find(".//failure").text
    assert "<script>" not in to_markdown(found)
    assert "\x1b" not in to_sarif([found], "onnxspec.toml") + to_junit([found]) + to_markdown(found)


def test_classes_may_be_called_by_their_folder(bundled_report, tmp_path):
    renamed = altered(bundled_report, tmp_path / "r.h5", names={"Bag": "Handbag"})
    rules = {"limits": {"class.Handbag.hff": {"max": 1}}, "regressions": {"class.Handbag.hff": {"factor": 1.1}}}
    assert audit(renamed, policy=rules, baseline=Baseline.of(renamed)).exit_code is ExitCode.PASS


def test_a_report_of_another_signal_has_a_baseline_and_a_policy_of_its_own(tmp_path):
    images, labels = IMAGES, LABELS
    how = {"pairs": 12, "points": 9, "signals": "logit", "preprocess": "0..1"}
    report = onnxspec.analyze(lambda batch: 4 * batch.reshape(len(batch), -1)[:, 300:310] - 1, (images, labels), **how)
    found = audit(report, baseline=Baseline.of(report))
    assert [verdict.name for verdict in found.verdicts] == ["accuracy", "within.logit.hff", "between.logit.hff"]
    assert "within.logit.hff" in starting_policy(report) and '"within.hff"' not in starting_policy(report)


@pytest.mark.parametrize("given", [{"data": "images"}, {"pairs": 5}, {"output": "r.h5"}])
def test_a_report_was_measured_and_is_not_measured_again(bundled_report, given):
    with pytest.raises(UsageError, match=f"is a report, which {next(iter(given))} cannot change"):
        audit(bundled_report, policy=KEPT, baseline=Baseline.of(bundled_report), **given)
