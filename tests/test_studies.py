"""The studies of models/studies: their settings, verdicts and page; the quick form of each needs PyTorch."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

import onnxspec
from conftest import FASHION, ROOT

sys.path.insert(0, str(ROOT / "models"))

from studies import (
    correlations,
    diversity,
    effects,
    figures,
    frameworks,
    heatmaps,
    noise,
    recipes,
    results,
    retraining,
    settings,
    tables,
    verdicts,
)
from studies.effects import Effect
from studies.measure import Network
from studies.page import PAGE, page
from studies.page import main as write_page
from studies.results import FOLDER, Trained
from studies.text import Table, interval, share

QUICK = 60  # the most kilobytes of a picture


@pytest.fixture(scope="module")
def toml() -> dict:
    return settings.load()


def effect(**changes) -> Effect:
    """A network that beats its reference, whose frequency between classes is twice as high."""
    plain = dict.fromkeys(Effect.__dataclass_fields__, 1.0)
    named = {"study": "s", "network": "n", "reference": "r", "kind": "between", "signal": "prob", "metric": "hff"}
    found = {"seed": 0, "pairs": 100, "gain": 0.1, "gain_decided": 1, "factor": 2.0, "verdict": "higher"}
    return Effect(**(plain | named | found | changes))


def fit(network: str, trained: float, frequency: float, fraction: float, followed: float, seed: int = 0) -> noise.Fit:
    return noise.Fit(
        network, seed, fraction, trained, frequency, 0.6, -0.5, -10.0, followed, followed - 0.02, followed + 0.02
    )


def fits(since: dict[float, float], seed: int = 0) -> list[noise.Fit]:
    """Three networks on three noises, each following its own from a fraction of the training on."""
    return [
        fit(f"at-{trained:g}", trained, frequency, fraction, 0.3 * (trained == frequency and fraction >= start), seed)
        for trained, start in since.items()
        for frequency in since
        for fraction in (0.1, 0.5, 1.0)
    ]


def ring(low: float, less: bool) -> heatmaps.Ring:
    values = dict.fromkeys(heatmaps.Ring.__dataclass_fields__, 0.1)
    sign = -1 if less else 1
    bounds = dict(zip(("change_more_low", "change_more_high"), sorted((sign * 0.1, sign * 0.2)), strict=True))
    return heatmaps.Ring(**(values | {"network": "a", "reference": "b", "seed": 0, "low": low} | bounds))


class TestSettings:
    @pytest.mark.parametrize("quick", [False, True])
    def test_every_network_has_a_recipe(self, quick):
        found = settings.load(quick)
        jobs = settings.queue(found)
        assert len(jobs) == sum(len(settings.seeds(found, name)) for name in found["networks"])
        assert len({job.label for job in jobs}) == len(jobs)
        assert all(job.recipe.epochs >= 1 for job in jobs)

    def test_every_study_names_networks_that_there_are(self, toml):
        named = [name for study in toml["studies"].values() for name in (study["reference"], *study["networks"])]
        named += [*toml["noise"]["networks"], toml["image-frequency"]["network"], toml["image-frequency"]["reference"]]
        assert set(named) <= set(toml["networks"])

    def test_the_first_seed_comes_first(self, toml):
        assert [job.seed for job in settings.queue(toml)] == sorted(job.seed for job in settings.queue(toml))

    def test_a_network_may_have_seeds_and_a_sample_of_its_own(self, toml):
        again = [job for job in settings.queue(toml) if job.name == "again"]
        assert [job.seed for job in again] == toml["networks"]["again"]["seeds"]
        assert {job.recipe.sample for job in again} == {0}
        assert settings.recipe(toml, "base").sample is None

    def test_a_student_has_its_teacher_under_the_same_seed(self, toml):
        student = settings.job(toml, "student", 1)
        assert student.teacher == settings.job(toml, "base", 1)

    def test_checkpoints_are_epochs_and_the_end_is_one(self, toml):
        base = settings.recipe(toml, "base")
        assert len(base.exported) >= 9
        assert list(base.exported) == sorted(base.exported)
        assert base.exported[base.epochs] == 1.0
        assert replace(base, checkpoints=(0.0001,)).exported == {1: 0.0001, base.epochs: 1.0}

    def test_a_setting_that_is_none_is_refused(self, toml):
        changed = toml | {"networks": {"base": {"widht": 3}}}
        with pytest.raises(ValueError, match="widht"):
            settings.recipe(changed, "base")
        with pytest.raises(ValueError, match="no network 'bass'"):
            settings.recipe(toml, "bass")

    def test_quick_changes_what_it_names_alone(self, toml):
        quick = settings.load(True)
        assert quick["training"]["images"] < toml["training"]["images"]
        assert quick["training"]["decay"] == toml["training"]["decay"]
        assert quick["networks"]["cutout"] == toml["networks"]["cutout"]


class TestVerdicts:
    @pytest.mark.parametrize(
        ("changes", "expected"),
        [
            ({}, verdicts.AGREES),
            ({"kind": "within"}, verdicts.OPPOSES),
            ({"gain": -0.1}, verdicts.OPPOSES),
            ({"gain": -0.1, "kind": "within"}, verdicts.AGREES),
            ({"factor": 0.5, "verdict": "lower", "kind": "within"}, verdicts.AGREES),
            ({"verdict": "not told apart"}, verdicts.OPEN),
            ({"verdict": "depends on selection"}, verdicts.SELECTION),
            ({"gain_decided": 0}, verdicts.NO_ARROW),
        ],
    )
    def test_an_arrow_follows_accuracy_and_kind(self, changes, expected):
        assert verdicts.arrow(effect(**changes)) == expected

    def test_all_pairs_are_judged_by_their_own_interval(self):
        assert verdicts.arrow_unstratified(effect(every=2.0, every_low=1.5, every_high=3.0)) == verdicts.AGREES
        assert verdicts.arrow_unstratified(effect(every=0.5, every_low=0.3, every_high=0.8)) == verdicts.OPPOSES
        assert verdicts.arrow_unstratified(effect(every=2.0, every_low=0.9, every_high=3.0)) == verdicts.OPEN

    @pytest.mark.parametrize(
        ("outcomes", "answer"),
        [
            ([], verdicts.NOT_RUN),
            ([verdicts.NO_ARROW] * 3, verdicts.UNDECIDABLE),
            ([verdicts.AGREES, verdicts.OPEN], verdicts.FOUND),
            ([verdicts.AGREES, verdicts.OPEN, verdicts.SELECTION], verdicts.UNDECIDABLE),
            ([verdicts.AGREES, verdicts.OPPOSES, verdicts.OPEN], verdicts.NOT_FOUND),
            ([verdicts.OPPOSES], verdicts.NOT_FOUND),
            ([verdicts.AGREES, verdicts.NO_ARROW, verdicts.NO_ARROW], verdicts.FOUND),
        ],
    )
    def test_contrasts_make_a_verdict(self, outcomes, answer):
        assert verdicts.judged(outcomes).answer == answer

    def test_the_reference_is_no_contrast(self):
        right, every = verdicts.of_figure([effect(verdict="reference")], "between", "prob", "hff")
        assert right.answer == every.answer == verdicts.NOT_RUN


class TestNoise:
    def test_low_before_high_is_found(self):
        found = fits({0.01: 0.1, 0.03: 0.5, 0.1: 2.0})
        assert [noise.first_followed(found, f, 0) for f in (0.01, 0.03, 0.1)] == [0.1, 0.5, None]
        assert noise.verdict(found, [0, 1])[0] == verdicts.FOUND

    def test_high_before_low_is_not(self):
        assert noise.verdict(fits({0.01: 1.0, 0.03: 0.5, 0.1: 0.1}), [0])[0] == verdicts.NOT_FOUND
        assert noise.verdict(fits({0.01: 2.0, 0.03: 2.0, 0.1: 0.1}), [0])[0] == verdicts.NOT_FOUND

    def test_none_followed_or_seeds_that_differ_decide_nothing(self):
        never, order = {0.01: 2.0, 0.03: 2.0, 0.1: 2.0}, {0.01: 0.1, 0.03: 0.5, 0.1: 2.0}
        assert noise.verdict(fits(never), [0])[0] == verdicts.UNDECIDABLE
        assert noise.verdict(fits(order) + fits(never, seed=1), [0, 1])[0] == verdicts.UNDECIDABLE

    def test_a_training_that_is_missing_is_not_run(self):
        assert noise.verdict([], [0])[0] == verdicts.NOT_RUN
        some = [one for one in fits({0.01: 0.1, 0.03: 0.5, 0.1: 2.0}) if one.trained != 0.1]
        assert noise.verdict(some, [0])[0] == verdicts.NOT_RUN


class TestOtherVerdicts:
    def test_heat_maps_count_octaves_beyond_the_filter(self):
        assert heatmaps.verdict([ring(2, False), ring(8, True), ring(16, True)], 6)[0] == verdicts.FOUND
        assert heatmaps.verdict([ring(8, True), ring(16, False)], 6)[0] == verdicts.NOT_FOUND
        assert heatmaps.verdict([], 6)[0] == verdicts.NOT_RUN

    def test_frameworks_are_found_alike_or_not(self):
        same = frameworks.Twin("a", "b", "within", "prob", "hff", 1.0, 1.0, 1e-7, 30, "the same")
        assert frameworks.verdict([same], [])[0] == verdicts.FOUND
        assert frameworks.verdict([same, replace(same, larger=0.1, verdict="higher")], [])[0] == verdicts.NOT_FOUND
        assert frameworks.verdict([], [])[0] == verdicts.NOT_RUN

    @pytest.mark.parametrize("measure", diversity.MEASURES)
    def test_diversity_has_to_hold_beyond_its_controls(self, measure):
        plain = diversity.Related("prob", "hff", measure, "", 200, 0.5, 0.4, 0.6, 0.001, "positive")
        beyond = replace(plain, controls="accuracy", rho=0.0, low=-0.1, high=0.1, p_holm=1.0, verdict="undecided")
        assert diversity.verdict([plain, beyond], measure)[0] == verdicts.UNDECIDABLE
        assert diversity.verdict([plain, replace(plain, controls="accuracy")], measure)[0] == verdicts.FOUND
        assert diversity.verdict([], measure)[0] == verdicts.NOT_RUN


def audited(baseline: int, seed: int, change: float, state: str, rule: str = "between.hff") -> retraining.Audited:
    outcome = "GATE_FAILED" if state == "fail" else "PASS"
    return retraining.Audited(baseline, seed, 400, rule, change, state, outcome)


class TestRetraining:
    def test_no_more_failures_than_chance_makes_is_found(self):
        both = [audited(0, 1, 1.0, "pass"), audited(1, 0, 1.0, "pass")]
        assert retraining.verdict([]) == (verdicts.NOT_RUN, "nothing was audited")
        assert retraining.verdict(both)[0] == verdicts.FOUND
        answer, why = retraining.verdict([both[0], audited(1, 0, 1.3, "fail")])
        assert (answer, why) == (verdicts.NOT_FOUND, "50% of audits of 400 pairs a kind fail")

    def test_an_audit_counts_once_whatever_rules_it_breaks(self):
        rows = [audited(0, 1, 1.3, "fail"), replace(audited(0, 1, -0.1, "fail"), rule="accuracy")]
        assert retraining.share_of([*rows, audited(1, 0, 0.8, "pass")], 400, "GATE_FAILED") == 0.5

    def test_rules_are_counted_by_state_and_reach_as_far_as_one_change_in_forty(self):
        rows = [audited(0, seed, 1 + seed / 40, "fail" if seed == 40 else "pass") for seed in range(41)]
        (one,) = retraining.rules(rows)
        assert (one.audits, one.failed, one.inconclusive) == (41, 1 / 41, 0)
        assert one.reach == pytest.approx(1 + 39 / 40)

    def test_a_lower_accuracy_is_a_change_like_a_higher_one(self):
        rows = [audited(0, 1, -0.03, "fail", "accuracy"), audited(1, 0, 0.03, "pass", "accuracy")]
        (one,) = retraining.rules(rows)
        assert one.reach == pytest.approx(0.0285)

    def test_spreads_are_those_of_trainings_and_of_their_intervals(self):
        rows = [
            retraining.Figure(seed, 400, 0.7, kind, metric, value, value / 1.2, value * 1.2)
            for seed, value in enumerate((1.0, 1.1, 1.21))
            for kind in effects.KINDS
            for metric in retraining.FIGURES
        ]
        found = list(retraining.spreads(rows))
        assert len(found) == 4
        for one in found:
            assert (one.least, one.most) == (1.0, 1.21)
            assert one.trainings == pytest.approx(np.log(1.1))
            assert one.interval == pytest.approx(np.log(1.2))
        (first, *_) = retraining.spreads([replace(one, low=0.0) for one in rows])
        assert first.interval == float("inf")

    def test_every_training_is_audited_against_every_other(self, tmp_path):
        """The bundled network against itself passes; against its first epoch it does not have its accuracy back."""
        data, asked = FASHION / "test.npz", {"network": "again", "pairs": [200]}
        values = {
            "networks": {"again": {"seeds": [0, 1, 2]}},
            "retraining": asked,
            "measurement": {"points": 17},
            "training": {"seeds": []},
        }
        for seed, name in enumerate(("epoch-30", "epoch-30", "epoch-01")):
            as_trained(tmp_path, "again", seed, name)
        audits, figures = retraining.of_trainings(values, tmp_path, data)
        ends = {(one.baseline, one.seed): one.outcome for one in audits}
        assert len(ends) == 6 and len(figures) == 12
        assert ends[0, 1] == ends[1, 0] == "PASS"
        assert ends[0, 2] == "GATE_FAILED"
        assert {one.rule for one in audits} == {"accuracy", "within.hff", "between.hff"}


class TestRecipes:
    def test_trainings_are_baselines_in_turn_and_the_rest_is_held_against_them(self, tmp_path):
        values = {
            "networks": {"again": {"seeds": [0, 1, 2]}, "early": {"seeds": [0]}},
            "retraining": {"network": "again", "pairs": [100], "trainings": [1, 2], "others": ["early"]},
            "measurement": {"points": 9},
            "training": {"seeds": []},
        }
        for seed, name in enumerate(("pytorch", "keras", "flax")):
            as_trained(tmp_path, "again", seed, name)
        as_trained(tmp_path, "early", 0, "epoch-01")
        held = list(recipes.of_recipes(values, tmp_path, FASHION / "test.npz"))
        assert {(one.network, one.seed) for one in held if (one.first, one.trainings) == (2, 2)} == {
            ("again", 1),
            ("early", 0),
        }
        assert {one.outcome for one in held if (one.network, one.trainings) == ("early", 1)} == {"GATE_FAILED"}
        assert {one.failed for one in held if (one.network, one.trainings) == ("early", 1)} == {"accuracy"}
        found = {(one.network, one.trainings): one for one in recipes.recipes(held)}
        assert [found[key].audits for key in (("again", 1), ("again", 2), ("early", 2))] == [6, 3, 3]
        early = found["early", 1]
        assert (early.failed, early.open, early.by) == (1.0, 0.0, {"accuracy": 1.0})

    def test_a_recipe_has_the_mean_accuracy_of_its_trainings(self):
        rows = [
            recipes.Held("again", seed, accuracy, first, 3, 400, "INCONCLUSIVE", "")
            for seed, accuracy in ((0, 0.7), (1, 0.8))
            for first in range(1 + 3 * seed)
        ]
        (one,) = recipes.recipes(rows)
        assert (one.accuracy, one.open, one.audits) == (pytest.approx(0.75), 1.0, 5)


def as_trained(folder, name, seed, model):
    """A bundled network, as a training leaves its own."""
    path = folder / f"{name}-s{seed}-e001.onnx"
    path.write_bytes((FASHION / f"{model}.onnx").read_bytes())
    (folder / f"{name}-s{seed}.json").write_text(json.dumps({"checkpoints": {path.name: 1.0}}))


class TestFrameworks:
    def test_the_same_weights_are_the_same_function(self, toml, tmp_path):
        asked = toml["frameworks"]["twins"]["small"] | {"pairs": 20, "points": 17}
        rows, alike = frameworks.of_files([asked], tmp_path, tmp_path)
        assert {(one.reference, one.model, one.verdict) for one in rows} == {("pytorch", "twin", "the same")}
        assert len(rows) == 8
        assert [one.same_points for one in alike] == [1.0]
        assert frameworks.verdict(rows, alike)[0] == verdicts.FOUND
        tables.write(frameworks.Agreement, alike, tmp_path / "alike.csv")
        assert tables.read(frameworks.Agreement, tmp_path / "alike.csv")[0].verdict == alike[0].verdict

    def test_twins_that_were_not_made_are_left_out(self, toml, tmp_path):
        asked = toml["frameworks"]["twins"]["efficientnet-lite0"]
        assert frameworks.of_files([asked], tmp_path, tmp_path) == ([], [])


@pytest.fixture(scope="module")
def measured(tmp_path_factory) -> list[Network]:
    """The last epoch of the bundled training and an early one, with their reports."""
    folder = tmp_path_factory.mktemp("effects")
    networks = []
    for epoch, fraction in (("30", 1.0), ("03", 0.1)):
        model = folder / f"epoch-{epoch}.onnx"
        onnxspec.analyze(
            FASHION / model.name, FASHION / "test.npz", output=model.with_suffix(".h5"), pairs=40, points=33
        )
        networks.append(Network("epoch", 0, fraction, model, {}))
    return networks


@pytest.fixture(scope="module")
def rows(measured) -> list[Effect]:
    """The early epoch against the late one."""
    return list(effects.effects("training-time", measured[0], measured[1:]))


class TestEffects:
    def test_all_pairs_make_the_ratio_of_the_reports(self, rows):
        by = {(one.fraction, one.kind, one.signal, one.metric): one for one in rows}
        assert len(by) == 16
        for (fraction, *rest), one in by.items():
            expected = one.every_value / by[1.0, *rest].every_value
            assert one.every == pytest.approx(expected, rel=1e-6), (fraction, rest)

    def test_the_common_reading_is_that_of_compare(self, measured, rows):
        late, early = measured
        found = onnxspec.compare([str(late.report), str(early.report)])
        for one in rows:
            if one.fraction < 1:
                contrast = found.contrast("epoch-03", one.kind, one.metric, one.signal)
                assert one.factor == contrast.common.estimate
                assert (one.verdict, one.pairs) == (contrast.verdict, contrast.pairs)

    def test_rows_survive_their_file(self, rows, tmp_path):
        tables.write(Effect, rows, tmp_path / "rows.csv")
        again = tables.read(Effect, tmp_path / "rows.csv")
        assert [one.verdict for one in again] == [one.verdict for one in rows]
        assert [one.factor for one in again] == pytest.approx([one.factor for one in rows], rel=1e-5)

    def test_a_table_that_is_not_there_has_no_rows(self, tmp_path):
        assert tables.read(Effect, tmp_path / "none.csv") == []


class TestTrained:
    def test_a_training_that_is_here_counts_and_of_others_what_is_known(self, tmp_path):
        values = settings.load()
        values |= {"networks": {"again": values["networks"]["again"] | {"seeds": [0, 1, 2]}}}
        known = [Trained("again", seed, 10_000, 25, 9, 0.5, 1.0) for seed in (0, 1)]
        made = {"checkpoints": {"again-s1-e025.onnx": 1.0}, "epochs": 25, "parameters": 9}
        (tmp_path / "again-s1.json").write_text(json.dumps(made | {"accuracy": 0.7, "core_seconds": 2.0}))
        found = results.trained(values, tmp_path, known)
        assert [(one.seed, one.accuracy) for one in found] == [(0, 0.5), (1, 0.7)]


class TestPage:
    def test_the_committed_page_is_that_of_the_committed_tables(self, toml):
        assert PAGE.read_text(encoding="utf-8") == page(toml, FOLDER)

    def test_its_pictures_are_there_and_small(self):
        text = PAGE.read_text(encoding="utf-8")
        pictures = [line.split("](")[1].rstrip(")") for line in text.splitlines() if line.startswith("![")]
        assert len(pictures) >= 8
        for picture in pictures:
            drawn = PAGE.parent / picture
            assert drawn.stat().st_size < QUICK * 1000
            ElementTree.parse(drawn)

    def test_without_tables_every_study_is_not_run(self, toml, tmp_path):
        studies = page(toml, tmp_path).split("## Verdicts")[1]
        assert studies.lower().count("not run") >= 2 * len(toml["studies"]) + 10
        assert "**found**" not in studies.lower()

    def test_tables_elsewhere_make_a_page_beside_their_pictures(self, tmp_path):
        write_page(["--quick", "--results", str(tmp_path / "studies/results")])
        assert (tmp_path / "STUDIES.md").read_text(encoding="utf-8").startswith("# Studies, in short form")

    def test_a_table_counts_its_columns(self):
        with pytest.raises(ValueError, match="1 cells"):
            Table("a", "b").row("c")

    def test_undefined_numbers_are_dashes(self):
        assert interval(float("nan"), float("nan"), float("nan")) == "-"
        assert (share(float("nan")), share(0.123)) == ("-", "12.3 %")
        assert interval(1.2345, 0.5, float("inf")) == "1.23 [0.5, inf]"


class TestPictures:
    def test_a_smaller_file_draws_the_same(self):
        long = (
            '<svg><style type="text/css">*{x}</style><!-- a -->'
            + '<g style="fill: red"/>' * 3
            + '<p d="M1.23456"/></svg>'
        )
        short = figures.smaller(long)
        assert short.count('class="s0"') == 3
        assert ".s0{fill: red}" in short and "M1.23" in short and "<!--" not in short
        assert len(short) < len(long)

    def test_the_committed_tables_can_be_drawn(self, toml, tmp_path):
        found = tables.read(Effect, FOLDER / "examples.csv")
        for place in ("a.svg", "b.svg"):
            figures.save(figures.factors(found), tmp_path / place)
        assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()


def test_a_network_counts_once_over_studies():
    first, again, early = effect(), effect(study="other"), effect(fraction=0.5)
    assert len(correlations.unique([first, again, early], ends=False)) == 2
    assert len(correlations.unique([first, again, early], ends=True)) == 1


def test_correlations_find_what_goes_with_accuracy():
    rows = [effect(network=str(i), accuracy=0.5 + i / 50, value=float(i + 1), every_value=20.0 - i) for i in range(12)]
    found = {one.reading: one.correlation.rho for one in correlations.related(rows, True) if one.correlation.classes}
    assert found == {"value": pytest.approx(1.0), "every_value": pytest.approx(-1.0)}


@pytest.fixture(scope="module")
def trained(shared_data, tmp_path_factory) -> Path:
    """The quick form of every training, of the noise study in full."""
    pytest.importorskip("torch", reason="PyTorch trains the studies' networks, and is not installed")
    out = tmp_path_factory.mktemp("studies")
    _module("studies.train", "--quick", "--data", shared_data, "--out", out)
    return out


@pytest.mark.slow
def test_the_quick_form_of_every_study(trained, shared_data, tmp_path):
    _module("studies.results", "--quick", "--data", shared_data, "--out", trained, "--results", tmp_path)
    quick = settings.load(True)
    networks = tables.read(Trained, tmp_path / "networks.csv")
    assert {one.network for one in networks} == set(quick["networks"])
    for name, study in quick["studies"].items():
        rows = tables.read(Effect, tmp_path / f"{name}.csv")
        expected = {study["reference"], *study["networks"]}
        assert {one.network for one in rows} == expected
        assert np.isfinite([one.every_value for one in rows]).all()
    assert len(tables.read(noise.Fit, tmp_path / "noise.csv")) == 18
    assert len(tables.read(heatmaps.Ring, tmp_path / "image-frequency.csv")) == 6
    assert "Not run" not in page(quick, tmp_path)


@pytest.mark.slow
def test_a_training_that_was_stopped_goes_on_to_the_same_end(trained, shared_data, tmp_path):
    import torch
    from studies.train import Training

    torch.set_num_threads(1)
    job = next(job for job in settings.queue(settings.load(True)) if job.name == "mixup")
    whole = torch.load(trained / f"{job.label}.pt")["network"]
    first = Training(job, tmp_path, shared_data)
    first.run_epoch()
    first.save()
    second = Training(job, tmp_path, shared_data)
    second.resume()
    while second.epoch < job.recipe.epochs:
        second.run_epoch()
    for name, values in second.network.state_dict().items():
        assert torch.equal(values, whole[name]), name


@pytest.mark.slow
def test_targets_are_those_of_the_package(shared_data):
    torch = pytest.importorskip("torch", reason="PyTorch trains the studies' networks, and is not installed")
    from studies.train import smoothing

    from onnxspec.noise import Noise

    x = torch.randn(64, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    expected = Noise(0.03, 0.2).smoothing(x.numpy())
    assert smoothing(x, 0.03, 0.2).numpy() == pytest.approx(expected, abs=1e-4)


def _module(name: str, *arguments: object) -> None:
    environment = os.environ | {"PYTHONPATH": os.pathsep.join((str(ROOT / "models"), str(ROOT)))}
    command = [sys.executable, "-m", name, *map(str, arguments)]
    subprocess.run(command, check=True, env=environment, cwd=ROOT)
