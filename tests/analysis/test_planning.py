"""Points that the run settles by itself: as many as the lengths ask for, twice as many where the pilot finds too few."""

import json

import numpy as np
import pytest

import onnxspec
from conftest import FASHION, QUICKEST
from onnxspec import Settings
from onnxspec.analysis import planning
from onnxspec.analysis.planning import freeze, prepare
from onnxspec.analysis.subject import open_subject
from onnxspec.auditing.baseline import Baseline
from onnxspec.auditing.gate import audit
from onnxspec.comparison.comparing import compare
from onnxspec.errors import ExitCode, ReportError, UsageError
from onnxspec.listening import Silence
from onnxspec.metrics import enough_points
from onnxspec.report.parts import Part
from onnxspec.report.spool import Spool

MODEL = QUICKEST


@pytest.mark.parametrize(
    ("distance", "cutoff", "points"),
    [(1.0, 4.0, 33), (1.0001, 4.0, 65), (0.99, 4.0, 33), (0.5, 4.0, 17), (2.0, 4.0, 65), (0.25, 4.0, 9), (0.0, 4.0, 9)],
)
def test_eight_points_for_every_cycle_of_the_cut_off(distance, cutoff, points):
    assert enough_points(distance, cutoff) == points


def line(images):
    """Two classes at 0 and 1 of the first pixel, so that every path between them is a walk from 0 to 1."""
    x = np.random.default_rng(0).normal(size=(2 * images, 4, 4, 1)).astype(np.float32)
    x[:, 0, 0, 0] = labels = np.repeat([0, 1], images)
    return x, labels


def wave(cycles):
    def function(batch):
        z = np.sin(2 * np.pi * cycles * batch[:, 0, 0, 0].astype(np.float64) + 0.4)
        return np.stack([z, -z], -1)

    return function


def measured(model, **settings):
    return onnxspec.analyze(model, line(40), **{"pairs": 40, "kinds": "between"} | settings)


def asked_for(report):
    a = report.attributes
    return enough_points(float(np.percentile(report.paths["distance"], 95)), a["cutoff"])


def test_the_longest_paths_get_their_points():
    report = measured(wave(2))
    a = report.attributes
    assert (a["points"], a["points_from"]) == (asked_for(report), "auto")
    assert json.loads(a["settings"])["points"] == a["points"]
    finer = measured(wave(2), cutoff=4 * a["cutoff"])
    assert finer.attributes["points"] == 4 * (a["points"] - 1) + 1


def test_a_cut_off_that_no_grid_resolves_is_refused():
    most = measured(wave(2), points=9).attributes["cutoff"]
    with pytest.raises(UsageError, match=r"takes \S+ points on a path, of 16,385") as refused:
        measured(wave(2), cutoff=1e6 * most)
    assert refused.value.hint == f"Lower --cutoff; that of these images would be {most:.3g}."


def test_a_pilot_that_finds_too_few_doubles_them_once():
    report = measured(wave(27))
    a = report.attributes
    assert (a["points"], a["points_from"]) == (2 * asked_for(report) - 1, "doubled")
    assert "unresolved" not in {remark.code for remark in report.remarks}
    given = measured(wave(27), points=a["points"])
    assert given.attributes["points_from"] == "asked"
    for name, values in report.paths.items():
        np.testing.assert_array_equal(values, given.paths[name])
    for name, values in report.checks.items():
        np.testing.assert_array_equal(values, given.checks[name])
    still = measured(wave(300))
    assert still.attributes["points"] == a["points"]
    assert "unresolved" in {remark.code for remark in still.remarks}


def test_labels_get_the_points_that_they_need():
    assert measured(wave(2), signals="label,prob").attributes["points"] == 129


def test_what_is_asked_for_is_taken_though_the_pilot_warns():
    report = measured(wave(27), points=33)
    assert (report.attributes["points"], report.attributes["points_from"]) == (33, "asked")
    assert "unresolved" in {remark.code for remark in report.remarks}


def test_a_run_that_goes_on_takes_the_points_of_the_pilot_it_has_kept(tmp_path, monkeypatch):
    data = np.load(FASHION / "test.npz")
    settings = Settings.of(pairs=8, threads=1, cutoff=2.0)
    monkeypatch.setattr("onnxspec.results.Pilot.too_coarse", True)
    subject = open_subject(MODEL, (data["images"], data["labels"]), settings)
    frozen = freeze(subject, settings, Silence())
    with pytest.raises(UsageError), Spool(tmp_path / "r.h5") as spool:
        first, _ = prepare(frozen, Silence(), spool)
        spool.keep(slice(0, 1), Part(planning.checks.Rows({"a": np.zeros(1)}), ""))
        raise UsageError("stopped")
    monkeypatch.setattr(planning.checks, "run_pilot", lambda *_: pytest.fail("another pilot"))
    with Spool(tmp_path / "r.h5") as spool:
        second, _ = prepare(frozen, Silence(), spool)
    assert first.points == second.points == 2 * frozen.points - 1
    assert first.points_from == second.points_from == "doubled"
    assert first.reading.measurement == second.reading.measurement


def test_compared_models_take_the_points_of_the_reference():
    data = line(40)
    found = compare({"wave": wave(27), "calm": wave(1)}, data, pairs=40, kinds="between")
    assert found.attributes["points"] == measured(wave(27)).attributes["points"]
    turned = compare({"wave": wave(27), "calm": wave(1)}, data, pairs=40, kinds="between", reference="calm")
    assert turned.attributes["points"] == measured(wave(1)).attributes["points"] < found.attributes["points"]


def test_an_audit_takes_the_points_of_its_baseline(tmp_path):
    data = np.load(FASHION / "test.npz")
    images = data["images"], data["labels"]
    first = onnxspec.analyze(MODEL, images, pairs=40, points=17, output=tmp_path / "first.h5")
    outcome = audit(MODEL, images, Settings(), baseline=Baseline.of(first), output=tmp_path / "again.h5")
    assert onnxspec.Report(tmp_path / "again.h5").attributes["points"] == 17
    assert outcome.verdicts and outcome.exit_code != ExitCode.GATE_FAILED
    with pytest.raises(ReportError, match=r"points 33 \(baseline 17\)"):
        audit(MODEL, images, Settings.of(points=33), baseline=Baseline.of(first))


def test_points_follow_paths_from_all_over_the_plan(monkeypatch):
    """Its first pairs are of the small classes, until these are used up; the paths of the large one are longer."""
    monkeypatch.setattr(planning, "LENGTHS", 100)
    labels = np.concatenate([np.repeat(np.arange(40), 5), np.full(300, 40)])
    x = np.random.default_rng(0).normal(size=(len(labels), 4, 4, 1)).astype(np.float32)
    x[labels == 40] *= 9
    report = onnxspec.analyze(
        lambda batch: batch[:, 0, 0, :1] * np.ones(41), (x, labels), kinds="within", pairs=700, cutoff=1.0
    )
    assert report.attributes["points"] >= asked_for(report) > 33
    assert [remark.code for remark in report.remarks].count("uneven") == 1
