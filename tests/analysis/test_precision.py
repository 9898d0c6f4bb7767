"""Runs to a precision: where they stop, what they say, and that they walk what a run of so many pairs walks."""

import json

import numpy as np
import pytest

import onnxspec
from conftest import FASHION, QUICKEST
from model import build
from onnxspec import cli
from onnxspec.auditing.baseline import Baseline
from onnxspec.auditing.gate import audit
from onnxspec.comparison.comparing import compare
from onnxspec.errors import DataError, ReportError, UsageError
from onnxspec.sampling import FIRST_CHECK

MODEL, DATA = QUICKEST, FASHION / "test.npz"
CHEAP = {"points": 17, "cutoff": 5.0, "batch": 64}


@pytest.fixture(scope="module")
def stopped(tmp_path_factory):
    """Between classes it gets there, within a class the pairs run out."""
    output = tmp_path_factory.mktemp("stopped") / "report.h5"
    return onnxspec.analyze(MODEL, DATA, precision=0.1, pairs=500, output=output, **CHEAP)


def test_each_kind_stops_for_itself_and_says_why(stopped):
    assert stopped.ended == {"within": "pairs", "between": "precision"}
    assert stopped.attributes["precision"] == 0.1
    within, between = (np.count_nonzero(stopped.paths["kind"] == kind) for kind in (0, 1))
    assert within == 500 and FIRST_CHECK <= between < 500 and between % 100 == 0
    interval = stopped.figure("between", "hff")
    assert interval.half_width <= 0.1 and interval.paths >= FIRST_CHECK
    assert stopped.figure("within", "hff").half_width > 0.1
    (remark,) = (remark for remark in stopped.remarks if remark.code == "imprecise")
    assert "hff within is known to" in remark.text and "used up" in remark.text
    said = " ".join(str(stopped).split())
    assert "precision hff to 10%: within not reached: the pairs allowed are used up, between reached" in said
    assert f"500 within and {between} between, seed 0" in said
    assert stopped.to_dict()["ended"] == stopped.ended


def test_it_walks_what_a_run_of_so_many_pairs_walks(stopped):
    between = np.count_nonzero(stopped.paths["kind"] == 1)
    whole = onnxspec.analyze(MODEL, DATA, pairs=between, kinds="between", **CHEAP)
    of = stopped.paths["kind"] == 1
    for name, values in whole.paths.items():
        if name not in ("bin", "path"):
            np.testing.assert_array_equal(stopped.paths[name][of], values)
    assert whole.figure("between", "hff") == stopped.figure("between", "hff")
    assert whole.ended == {} and whole.attributes["precision"] is None


def test_a_run_that_goes_on_decides_as_it_would_have(stopped, tmp_path, monkeypatch):
    finished = []

    def keep(self, span, part, family, plain=onnxspec.report.spool.Spool.keep):
        plain(self, span, part, family)
        finished.append(span)
        if len(finished) == 20:
            raise KeyboardInterrupt

    monkeypatch.setattr("onnxspec.report.spool.Spool.keep", keep)
    how = {"precision": 0.1, "pairs": 500, "output": tmp_path / "r.h5", **CHEAP}
    with pytest.raises(KeyboardInterrupt, match="paths are kept"):
        onnxspec.analyze(MODEL, DATA, **how)
    again = onnxspec.analyze(MODEL, DATA, resume=True, **how)
    assert again.attributes["digest"] == stopped.attributes["digest"]
    assert len(set(map(str, finished))) == len(finished), "a shard was walked twice"


def test_a_kind_without_an_answer_ends_and_says_so():
    def constant(batch):
        return np.repeat(np.array([[0.3, -1.7, 0.1]]), len(batch), 0)

    images = np.random.default_rng(0).integers(0, 256, (900, 4, 4, 1), np.uint8)
    report = onnxspec.analyze(
        constant,
        (images, np.zeros(900, int)),
        kinds="within",
        preprocess="0..1",
        precision=0.1,
        pairs=2000,
        **CHEAP,
    )
    assert report.ended == {"within": "undefined"}
    assert len(report.paths["kind"]) == FIRST_CHECK


@pytest.mark.parametrize(("precision", "code"), [(0.5, 0), (0.01, 5)])
def test_only_a_precision_that_is_not_reached_is_inconclusive(tmp_path, capsys, precision, code):
    how = ["--kinds", "between", "--pairs", "250", "--points", "17", "--cutoff", "5", "-o", str(tmp_path / "r.h5")]
    assert cli.main(["analyze", str(MODEL), "--data", str(DATA), *how, "--precision", str(precision), "--json"]) == code
    out, err = capsys.readouterr()
    assert json.loads(out)["ended"] == {"between": "pairs" if code else "precision"}
    assert "At most 250 paths" in err
    assert (tmp_path / "r.h5").exists()


def test_what_does_not_go_with_a_precision_is_refused(stopped):
    with pytest.raises(UsageError, match="ellipse paths were asked for too"):
        onnxspec.analyze(MODEL, DATA, precision=0.1, paths="ellipse", **CHEAP)
    with pytest.raises(UsageError, match="ellipse paths were asked for too"):
        compare([MODEL, FASHION / "keras.onnx"], DATA, precision=0.1, paths="ellipse", **CHEAP)
    with pytest.raises(UsageError, match="walks the same pairs every time"):
        audit(MODEL, DATA, precision=0.1, policy={"limits": {"accuracy": {"min": 0.1}}})
    with pytest.raises(ReportError, match="a baseline has a fixed number"):
        Baseline.of(stopped)
    with pytest.raises(UsageError, match="--precision is 2; it must be between 0 and 1"):
        onnxspec.analyze(MODEL, DATA, precision=2)


def test_models_stop_on_their_difference_in_step(tmp_path):
    models = [MODEL, build.reweighted(MODEL, 2, tmp_path / "other.onnx")]
    how = {"kinds": "between", "precision": 0.04, "pairs": 600, "reports": tmp_path} | CHEAP
    found = compare(models, DATA, **how)
    assert found.ended == {"between": "precision"}
    factor = found.contrast("other", "between")
    assert factor.common.half_width <= 0.04 and factor.pairs >= FIRST_CHECK
    reports = [onnxspec.Report(tmp_path / f"{name}.h5") for name in ("sklearn", "other")]
    walked = {len(report.paths["kind"]) for report in reports}
    (pairs,) = walked
    assert pairs < 600
    for report in reports:
        assert (report.attributes["pairs"], report.ended) == (pairs, {})
    plain = compare(models, DATA, **how | {"precision": None, "pairs": pairs, "reports": None})
    assert repr(plain.contrast("other", "between")) == repr(factor)  # NaN is not itself
    assert found.to_dict()["ended"] == found.ended and plain.ended == {}


def test_differences_that_are_not_known_well_enough_are_inconclusive(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    models = [str(FASHION / name) for name in ("sklearn.onnx", "epoch-10.onnx")]
    how = ["--data", str(DATA), "--kinds", "between", "--points", "17", "--cutoff", "5", "--pairs", "220"]
    assert cli.main(["compare", *models, *how, "--precision", "0.01", "-o", "c.h5", "--html", "c.html"]) == 5
    out, err = capsys.readouterr()
    said = " ".join(out.split())
    assert all(f"{name}: at most 220 paths" in err for name in ("sklearn", "epoch-10"))
    assert "factors of hff to 1%: between not reached: the pairs allowed are used up" in said
    assert "differences of hff between are not known to 1%, as was asked: the pairs allowed are used up" in said
    assert "factors of hff to 1%" in (tmp_path / "c.html").read_text()


@pytest.mark.slow
def test_the_factor_of_a_twin_is_known_however_few_paths_carry_it(evaluated):
    """Its difference is rounding on the heaviest paths; that of another network, which few carry too, is not known."""
    how = {"kinds": "within", "precision": 0.1, "pairs": 250, "cache": evaluated} | CHEAP
    model = FASHION / "pytorch.onnx"
    twin, other = (compare([model, FASHION / f"{name}.onnx"], DATA, **how) for name in ("twin", "keras"))
    assert (twin.ended, other.ended) == ({"within": "precision"}, {"within": "pairs"})
    assert all(one.contrast(one.models[1].name, "within").common.carried_by_few for one in (twin, other))
    assert twin.contrast("twin", "within").verdict == "the same" and twin.models[1].paths == 250


def test_a_report_cannot_grow_and_predictions_are_not_right(stopped):
    with pytest.raises(UsageError, match="is a report, which has its pairs"):
        compare({"a": stopped, "b": MODEL}, DATA, precision=0.1)
    images = np.load(DATA)["images"][:200]
    with pytest.raises(DataError, match="have no labels"):
        compare({"a": MODEL, "b": FASHION / "keras.onnx"}, images, precision=0.1, **CHEAP)


def test_more_images_are_asked_for_where_all_pairs_were_walked():
    """Six images of each of two classes: 30 pairs within and 36 between, and no more."""
    data = np.load(FASHION / "test.npz")
    kept = np.concatenate([np.flatnonzero(data["labels"] == c)[:6] for c in (0, 6)])
    report = onnxspec.analyze(MODEL, (data["images"][kept], data["labels"][kept]), pairs=100, **CHEAP)
    hints = {remark.hint for remark in report.remarks if remark.code == "few-paths"}
    assert hints == {"Use more images to pin it down."}
