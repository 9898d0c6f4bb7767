"""What a path leaves behind, column by column, against the oracle."""

from dataclasses import replace

import numpy as np
import pytest

from onnxspec.paths.pairs import Pairs
from onnxspec.results import Reading, Remark, advised, measure
from onnxspec.settings import Measurement
from oracle import estimators, functionals, mool
from oracle import signals as oracle_signals
from simulation import walk

KEPT = np.array([4, 0, 2, 5])


def pairs(count):
    whole = np.arange(count, dtype=np.int32)
    return Pairs(np.ones(count, np.int8), whole % 2, whole % 2 + 1, 10 * whole, 10 * whole + 1)


def reading(columns=None, estimator="sine"):
    return Reading(Measurement(points=33, estimator=estimator), 12.0, False, KEPT[:3], columns)


@pytest.mark.parametrize("columns", [None, KEPT])
@pytest.mark.parametrize("estimator", ["sine", "hann"])
def test_rows_are_the_oracles(columns, estimator):
    case, of = walk("noise", classes=6, paths=4), pairs(4)
    rows = measure(case.logits, of, case.distance, reading(columns, estimator))
    kept = np.arange(6) if columns is None else columns
    for path, logits in enumerate(case.logits[..., kept]):
        prob, d = oracle_signals.probabilities(logits), case.distance[path]
        ends = [kept[np.argmax(logits[end])] for end in (0, -1)]
        assert [rows["predicted_a"][path], rows["predicted_b"][path]] == ends
        assert rows["same_prediction"][path] == (ends[0] == ends[1])
        assert rows["ends_right"][path] == sum(ends == KEPT[[of.class_a[path], of.class_b[path]]])
        assert rows["within_reach"][path] == functionals.usable(33, 12.0 * d)
        assert rows["flips"][path] == functionals.flips(prob)
        for name, signal in (("prob", prob), ("logit", oracle_signals.centred(logits))):
            found = {key: rows[f"{key}_{name}"][path] for key in ("wiggle", "chord", "slope")}
            expected = functionals.wiggle(signal), functionals.chord(signal), functionals.slope(signal, d)
            assert tuple(found.values()) == pytest.approx(expected)
            for other in ("sine", "cosine", "hann", "rfft"):
                suffix = name if other == estimator else f"{name}_{other}"
                frequency, power = estimators.ESTIMATORS[other](signal)
                assert rows[f"hf_{suffix}"][path] == pytest.approx(functionals.hf(frequency, power, 12.0 * d))
                assert rows[f"total_{suffix}"][path] == pytest.approx(functionals.everything(other, power, signal))
            assert rows[f"power_{name}"][path] == pytest.approx(estimators.ESTIMATORS[estimator](signal)[1], rel=1e-5)
        magnitude = mool.magnitude(prob[:-1])
        share = rows["hf_prob_mool"][path] / rows["total_prob_mool"][path]
        assert share == pytest.approx(mool.high_share(magnitude))


def test_a_noise_floor_is_missing_in_all_that_sines_add_up_to():
    """And in nothing else."""
    case, of = walk("noise", classes=6, paths=4), pairs(4)
    floor = {"prob": 1e-6 * np.arange(1.0, 32), "logit": 1e-4 * np.arange(31.0, 0, -1)}
    plain, less = (measure(case.logits, of, case.distance, replace(reading(), floor=one)) for one in (None, floor))
    k = np.arange(1, 32)
    missing = {f"power_{name}": np.tile(own, (4, 1)) for name, own in floor.items()}
    for name, own in floor.items():
        missing |= {f"{key}_{name}": np.full(4, own.sum()) for key in ("wiggle", "total")}
        missing[f"hf_{name}"] = [functionals.hf(k / 2, own, 12.0 * d) for d in case.distance]
        change = (plain[f"slope_{name}"] * case.distance) ** 2 - np.square(np.pi * k) @ own
        assert less[f"slope_{name}"] == pytest.approx(np.sqrt(change) / case.distance)
    for name, column in plain.columns.items():
        if not name.startswith("slope"):
            found = np.nan_to_num(column) - np.nan_to_num(less[name])
            kept_as_float32 = name.startswith("power")
            np.testing.assert_allclose(found, missing.get(name, 0), rtol=0.05 if kept_as_float32 else 1e-9, atol=1e-14)


def test_curves_are_those_of_the_classes_that_get_highest():
    case = walk("noise", classes=6, paths=3)
    curves = measure(case.logits, pairs(3), case.distance, reading(KEPT)).curves
    for path, logits in enumerate(case.logits[..., KEPT]):
        prob = oracle_signals.probabilities(logits)
        order = np.argsort(-prob.max(0))
        assert curves["output"][path].tolist() == KEPT[order].tolist()
        np.testing.assert_allclose(curves["prob"][path], prob.T[order], rtol=1e-6)


def test_no_more_than_five_classes_of_a_path_may_be_shown():
    case = walk("noise", classes=6, paths=3)
    curves = measure(case.logits, pairs(3), case.distance, reading()).curves
    assert (curves["output"].shape, curves["prob"].shape) == ((3, 5), (3, 5, 33))


def test_remarks_of_one_code_share_their_advice():
    told = [("a", "One.", "Do."), ("b", "Two."), ("a", "Three.", "Do."), ("a", "One.", "Do."), ("a", "Four.", "Else.")]
    remarks = [Remark(*one) for one in told]
    assert advised(remarks) == [("One. Three.", "Do."), ("Two.", ""), ("Four.", "Else.")]
    assert [*map(str, remarks[:2])] == ["One. Do.", "Two."]
