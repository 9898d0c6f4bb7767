"""The whole run: from a classifier and images to a report that equal runs repeat bit for bit."""

import json
import threading

import h5py
import numpy as np
import pytest

import onnxspec
from conftest import FASHION, QUICKEST
from onnxspec.errors import DataError, ModelError, ResourceError, UsageError
from onnxspec.paths.pairs import Pairs, draw
from onnxspec.report.findings import facts
from onnxspec.results import Reading, measure
from onnxspec.settings import Measurement

SIDE = 6


@pytest.fixture(scope="module")
def digits():
    """Two hundred bundled images of ten classes as arrays."""
    data = np.load(FASHION / "test.npz")
    kept = np.concatenate([np.flatnonzero(data["labels"] == c)[:20] for c in range(10)])
    return data["images"][kept], data["labels"][kept]


def line_of_two_classes(images: int, seed: int = 0):
    """Float images whose coordinate along the first pixel is 0 in class 0 and 1 in class 1, and noise elsewhere."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(2 * images, SIDE, SIDE, 1)).astype(np.float32)
    labels = np.repeat([0, 1], images)
    x[:, 0, 0, 0] = labels
    return x, labels


def wave(cycles: float, amplitude: float = 2.0, phase: float = 0.0):
    """Two logits that swing `cycles` times along every path between the classes."""

    def classifier(batch: np.ndarray) -> np.ndarray:
        z = amplitude * np.sin(2 * np.pi * cycles * batch[:, 0, 0, 0].astype(np.float64) + phase)
        return np.stack([z, -z], -1) / 2 + 3  # a shift that softmax and centring do not see

    return classifier


def codes(report: onnxspec.Report) -> set[str]:
    return {remark.code for remark in report.remarks}


@pytest.mark.parametrize(
    ("model", "forms"), [("pytorch", [(1, 1), (7, 2), (64, 2)]), ("flax", [(2, 1), (8, 2), (32, 2), (64, 2)])]
)
def test_batch_size_and_threads_do_not_change_a_bit(digits, model, forms):
    digests = {
        onnxspec.analyze(
            FASHION / f"{model}.onnx", digits, pairs=20, points=33, batch=batch, threads=threads
        ).attributes["digest"]
        for batch, threads in forms
    }
    assert len(digests) == 1


def test_seed_and_data_change_the_digest(digits):
    images, labels = digits
    first = onnxspec.analyze(QUICKEST, digits, pairs=20, points=33)
    seeded = onnxspec.analyze(QUICKEST, digits, pairs=20, points=33, seed=1)
    fewer = onnxspec.analyze(QUICKEST, (images[:-1], labels[:-1]), pairs=20, points=33)
    assert len({r.attributes["digest"] for r in (first, seeded, fewer)}) == 3


def test_two_exports_of_the_same_weights_agree():
    one, twin = (
        onnxspec.analyze(FASHION / f"{name}.onnx", FASHION / "test.npz", pairs=60, points=33)
        for name in ("pytorch", "twin")
    )
    for kind, figures in one.headline.items():
        for name, interval in figures.items():
            assert twin.headline[kind][name].estimate == pytest.approx(interval.estimate, rel=1e-4), (kind, name)


def test_no_image_is_lost_between_plan_and_report(bundled_report):
    paths = bundled_report.paths
    assert len(paths["kind"]) == 800
    used = np.unique([paths["image_a"], paths["image_b"]])
    assert np.array_equal(bundled_report.images["image"], used)
    assert bundled_report.classes["used"].sum() == len(used)
    right = bundled_report.classes["right"].sum() / len(used)
    assert bundled_report.accuracy.estimate == pytest.approx(right)


@pytest.mark.parametrize("cycles", [5.0, 7.5, 12.0])
def test_a_wave_is_found_at_its_frequency(cycles):
    report = onnxspec.analyze(wave(cycles), line_of_two_classes(40), kinds="between", pairs=40)
    paths = report.paths
    peak = paths["bin"][np.argmax(paths["power_logit"], axis=1)]
    assert np.all(peak == cycles)
    spectrum = report.spectrum("between", signal="logit", selection="all")
    assert paths["power_logit"].max(1) == pytest.approx(paths["wiggle_logit"], rel=1e-4)
    assert spectrum.power.sum() + spectrum.above == pytest.approx(paths["wiggle_logit"].mean(), rel=1e-3)
    assert "unresolved" not in codes(report)


@pytest.mark.parametrize("cycles", [19.3, 27.0, 32.0, 64.0, 96.0, 200.7])
def test_what_swings_between_the_points_is_never_missed(cycles):
    """Method section 12.1: above Nyquist, N - 1 = 32 and 2 (N - 1) = 64 cycles per path included."""
    report = onnxspec.analyze(wave(cycles, phase=0.4), line_of_two_classes(40), kinds="between", pairs=40, points=33)
    assert "unresolved" in codes(report)


def test_a_linear_model_has_no_logit_spectrum_and_no_warning(digits):
    weights = np.random.default_rng(0).normal(size=(784, 10)).astype(np.float32) / 28
    images, labels = digits
    report = onnxspec.analyze(lambda b: b.reshape(len(b), -1) @ weights, (images, labels), preprocess="0..1", pairs=40)
    assert report.paths["wiggle_logit"].max() < 1e-10
    assert not {"unresolved", "unconverged"} & codes(report)
    assert "noise" in codes(report)


def test_constant_outputs_leave_hff_undefined_and_say_why():
    score = np.array([[0.1, -1.7]])  # whose softmax does not come out the same for every row
    report = onnxspec.analyze(lambda b: np.repeat(score, len(b), 0), line_of_two_classes(30), pairs=20)
    interval = report.figure("within", "hff", selection="all")
    assert np.isnan(interval.estimate)
    assert "do not change" in interval.reason
    assert not {"unresolved", "unconverged"} & codes(report)


def test_the_order_of_the_outputs_does_not_matter(digits, tmp_path):
    images, labels = digits
    names = [f"animal {c}" for c in range(10)]
    named = [(image, names[label]) for image, label in zip(images, labels.tolist(), strict=True)]
    order = np.random.default_rng(3).permutation(10)
    weights = np.random.default_rng(0).normal(size=(784, 10)).astype(np.float32) / 5

    def classifier(batch):
        return np.tanh(batch.reshape(len(batch), -1) @ weights) * 3

    (tmp_path / "classes.txt").write_text("\n".join(names[c] for c in order))
    options = {"preprocess": "0..1", "pairs": 40, "points": 65}
    one = onnxspec.analyze(classifier, named, **options).paths
    two = onnxspec.analyze(
        lambda batch: classifier(batch)[:, order], named, classes=str(tmp_path / "classes.txt"), **options
    ).paths
    for column in ("image_a", "ends_right", "flips"):
        assert np.array_equal(one[column], two[column]), column
    for column in ("hf_prob", "wiggle_logit", "slope_prob", "excess_tv", "width"):
        assert one[column] == pytest.approx(two[column], rel=1e-9, abs=1e-12, nan_ok=True), column


def test_the_direction_of_a_path_does_not_matter():
    outputs = np.random.default_rng(0).normal(size=(20, 33, 4)).cumsum(1).astype(np.float32)
    labels = np.random.default_rng(1).integers(0, 4, 60)
    pairs = draw(labels, ("between",), 20, "ab" * 32, 0)
    turned = Pairs(pairs.kind, pairs.class_b, pairs.class_a, pairs.image_b, pairs.image_a)
    distance = np.random.default_rng(2).uniform(0.2, 0.5, 20)
    reading = Reading(Measurement(), 10.0, False, np.arange(4))
    there, back = measure(outputs, pairs, distance, reading), measure(outputs[:, ::-1], turned, distance, reading)
    for column in ("hf_prob", "hf_logit_hann", "total_prob_cosine", "slope_logit", "excess_tv", "flips", "width"):
        assert there[column] == pytest.approx(back[column], rel=1e-9, abs=1e-15, nan_ok=True), column
    assert np.array_equal(there["predicted_a"], back["predicted_b"])


def test_probe_images_are_announced(monkeypatch):
    monkeypatch.setattr("onnxspec.analysis.subject.PROBES", 100)
    report = onnxspec.analyze(QUICKEST, pairs=40)
    assert report.attributes["labelling"] == "probe"
    assert report.attributes["accuracy"] is None
    assert "probe" in codes(report)


def test_a_model_with_one_answer_for_everything_says_so():
    def always_two(batch):
        swing = np.abs(batch).mean((1, 2, 3))
        return np.stack([0 * swing, 1 - swing, 5 + swing], -1)

    report = onnxspec.analyze(always_two, np.random.default_rng(0).integers(0, 256, (60, 8, 8, 3), np.uint8), pairs=20)
    assert report.kinds == ("within",)
    assert "one-class" in codes(report)
    with pytest.raises(DataError, match="predicts class 2 for all images"):
        onnxspec.analyze(
            always_two, np.random.default_rng(0).integers(0, 256, (60, 8, 8, 3), np.uint8), kinds="between"
        )


def test_more_pairs_than_the_data_hold_are_capped(digits):
    images, labels = digits
    few = np.concatenate([np.flatnonzero(labels == c)[:3] for c in range(10)])
    report = onnxspec.analyze(QUICKEST, (images[few], labels[few]), pairs=100)
    assert (report.paths["kind"] == 0).sum() == 30
    assert {"capped", "reused"} <= codes(report)


def test_near_chance_is_a_warning(digits):
    images, labels = digits
    shuffled = np.random.default_rng(0).permutation(labels)
    report = onnxspec.analyze(QUICKEST, (images, shuffled), pairs=40)
    assert "accuracy" in codes(report)


def test_one_answer_for_everything_is_a_warning():
    def first(batch):
        return np.tile(np.float32([1, 0]), (len(batch), 1)) + 0.1 * batch.reshape(len(batch), -1)[:, :1] / 255

    images, labels = np.random.default_rng(0).random((200, 6, 6, 1), np.float32), (np.arange(200) >= 190).astype(int)
    report = onnxspec.analyze(first, (images, labels), kinds="within", pairs=60)
    (remark,) = (remark for remark in report.remarks if remark.code == "accuracy")
    assert "the same class is predicted for all" in remark.text
    assert "floating-point numbers from" in remark.text


def test_chance_is_one_of_all_outputs(digits):
    images, labels = digits
    two = np.isin(labels, [1, 2])
    half = np.where(np.arange(two.sum()) % 2, labels[two], 3 - labels[two])
    data = images[two], half
    options = {"pairs": 10, "points": 33, "kinds": "between"}
    assert "accuracy" not in codes(onnxspec.analyze(QUICKEST, data, **options))
    restricted = onnxspec.analyze(QUICKEST, data, restrict_outputs=True, **options)
    assert any("near chance (1 of 2)" in remark.text for remark in restricted.remarks)


def test_nan_names_pair_and_point():
    def broken(batch):
        z = batch[:, 0, 0, 0]
        return np.stack([z, np.where((z > 0.4) & (z < 0.6), np.nan, -z)], -1)

    with pytest.raises(ModelError, match=r"NaN or Inf between 0*\d+ and 0*\d+, at point \d+ of \d+"):
        onnxspec.analyze(broken, line_of_two_classes(30), kinds="between", pairs=10)


def test_nothing_is_left_behind_when_a_run_fails(tmp_path):
    calls = []

    def fails_late(batch):
        calls.append(1)
        if len(calls) > 40:
            raise RuntimeError("lost")
        return batch.reshape(len(batch), -1)[:, :2]

    with pytest.raises(RuntimeError, match="lost"):
        onnxspec.analyze(fails_late, line_of_two_classes(60), pairs=100, output=tmp_path / "r.h5")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("step", ["onnxspec.report.writer.ReportWriter.append", "onnxspec.report.spool.Spool.keep"])
def test_workers_end_with_a_run_that_fails_where_its_rows_are_kept(digits, tmp_path, monkeypatch, step):
    def full(*rows):
        raise ResourceError("The disk is full.")

    monkeypatch.setattr(step, full)
    before = set(threading.enumerate())
    with pytest.raises(ResourceError, match="The disk is full") as held:  # and with the error all that its frames know
        onnxspec.analyze(QUICKEST, digits, pairs=300, threads=2, output=tmp_path / "r.h5")
    assert held.value and set(threading.enumerate()) <= before


def test_a_folder_that_does_not_exist_is_refused_before_any_work(digits, tmp_path):
    with pytest.raises(UsageError, match=r"does not exist\. Create it: mkdir"):
        onnxspec.analyze(lambda batch: pytest.fail("ran"), digits, output=tmp_path / "no" / "r.h5")


def test_every_estimator_can_be_the_headline(digits):
    beside = onnxspec.analyze(QUICKEST, digits, pairs=20, points=33)
    for estimator in ("cosine", "hann", "rfft", "mool"):
        report = onnxspec.analyze(QUICKEST, digits, pairs=20, points=33, estimator=estimator)
        chosen = report.figure("between", "hff", selection="all")
        same = beside.figure("between", "hff", selection="all", estimator=estimator)
        assert chosen.estimate == pytest.approx(same.estimate, rel=1e-9)
    assert "not judged: rounding noise is known as power" in str(report)
    with h5py.File(beside.path) as plain, h5py.File(report.path) as magnitudes:
        units = {name: x.attrs["units"] for name, x in magnitudes["paths"].items()}
        assert units["power_logit"] == units["hf_logit"] == plain["paths/total_logit_mool"].attrs["units"] == "nat"
        assert units["wiggle_logit"] == units["hf_logit_sine"] == plain["paths/power_logit"].attrs["units"] == "nat2"
        assert magnitudes["spectra/power_logit"].attrs["units"] == "nat"
        assert magnitudes["paths/hf_prob"].attrs["long_name"] == "magnitudes from a tenth of the bins on of prob"


def test_all_signals_can_be_measured(digits):
    report = onnxspec.analyze(QUICKEST, digits, pairs=10, points=129, signals="prob,logit,label,distance")
    for signal in ("prob", "logit", "label", "distance"):
        assert 0 <= report.figure("between", "hff", signal, selection="all").estimate <= 1


def test_the_cutoff_can_be_given(bundled_report, digits):
    report = onnxspec.analyze(QUICKEST, digits, pairs=20, cutoff=5.0)
    assert report.attributes["cutoff"] == 5.0
    assert bundled_report.attributes["cutoff"] == pytest.approx(4 / bundled_report.attributes["d_ref"])


def test_settings_of_the_run_stand_in_the_report(bundled_report):
    settings = json.loads(bundled_report.attributes["settings"])
    assert settings["pairs"] == 400
    assert settings["points"] == 65
    with h5py.File(bundled_report.path) as file:
        assert "command" in file["run"].attrs


def test_the_form_of_the_path_is_in_the_report_and_in_what_a_run_goes_on_with(digits, tmp_path):
    output = tmp_path / "report.h5"
    settings = {"pairs": 20, "paths": "ellipse", "device": "cpu"}
    host = onnxspec.analyze(QUICKEST, digits, **settings)
    graph = onnxspec.analyze(QUICKEST, digits, output=output, path_graph="on", **settings)
    assert (host.attributes["path_form"], graph.attributes["path_form"]) == ("host", "graph")
    assert host.attributes["digest"] != graph.attributes["digest"]
    assert "path-graph" not in codes(graph)
    assert [dict(facts(one))["device"].partition(")")[2] for one in (host, graph)] == [
        "",
        ", paths formed in the model's graph",
    ]
    for name, values in host.paths.items():
        assert graph.paths[name] == pytest.approx(values, rel=1e-6, nan_ok=True), name


def test_a_graph_that_resists_is_said(digits):
    def classifier(batch):
        return 9 * batch.reshape(len(batch), -1)[:, 300:310]

    report = onnxspec.analyze(classifier, digits, pairs=20, preprocess="0..1", path_graph="on")
    (remark,) = [remark for remark in report.remarks if remark.code == "path-graph"]
    assert remark.text == "Paths are formed on the host. A Python function has no graph."
    assert report.attributes["path_form"] == "host"


def test_reports_from_before_there_was_a_choice_can_be_read(digits, tmp_path):
    from onnxspec.report import attributes

    output = tmp_path / "report.h5"
    onnxspec.analyze(QUICKEST, digits, pairs=20, output=output)
    with h5py.File(output, "r+") as file:
        del file.attrs["path_form"]
        assert attributes.of_report(file)["path_form"] == "host"
