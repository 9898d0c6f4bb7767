"""Mean spectra of a comparison against those of the reports, and against plain means."""

from dataclasses import replace

import numpy as np
import pytest

import onnxspec
from conftest import QUICKEST
from onnxspec.comparison.alignment import align
from onnxspec.comparison.mean_spectra import mean_spectra


@pytest.fixture(scope="module")
def members(reports):
    return [align(name, report, reports["pytorch"]) for name, report in reports.items()]


def columns(bins, model, kind, signal, *names):
    found = [one for one in bins if (one.model, one.kind, one.signal) == (model, kind, signal)]
    return [np.array([getattr(one, name) for one in found]) for name in names]


def test_on_the_same_paths_they_are_the_reports_own(members):
    found = mean_spectra(members, members[0])
    for member in members:
        for kind in ("within", "between"):
            for signal, unit in (("prob", "1"), ("logit", "nat2")):
                own = member.report.spectrum(kind, signal=signal)
                names = ("frequency", "frequency_per_reference", "power", "low", "high")
                frequency, cycles, *drawn = columns(found, member.name, kind, signal, *names)
                assert np.array_equal(frequency, own.frequency) and np.array_equal(cycles, own.cycles)
                for values, expected in zip(drawn, (own.power, own.low, own.high), strict=True):
                    np.testing.assert_allclose(values, expected, rtol=1e-6)
                units, paths = columns(found, member.name, kind, signal, "unit", "paths")
                assert set(units) == {unit} and set(paths) == {own.paths}


def test_they_are_over_the_paths_that_the_reference_has_and_in_its_bins(digits, reports):
    short = onnxspec.analyze(QUICKEST, digits, pairs=30, batch=32, points=33)
    reference, longer = align("short", short, short), align("long", reports["sklearn"], short)
    assert longer.left_out
    found = mean_spectra([reference, longer], reference)
    for kind in ("within", "between"):
        ours, theirs = (columns(found, name, kind, "prob", "frequency", "power", "paths") for name in ("short", "long"))
        for one, other in zip(ours, theirs, strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-18)


def test_a_kind_that_a_model_has_not_walked_is_undefined(digits, reports):
    between = onnxspec.analyze(QUICKEST, digits, pairs=30, batch=32, points=33, kinds="between")
    reference = align("both", reports["sklearn"], reports["sklearn"])
    found = mean_spectra([reference, align("one", between, reports["sklearn"])], reference)
    (power, paths) = columns(found, "one", "within", "prob", "power", "paths")
    assert np.isnan(power).all() and not paths.any()
    assert np.isfinite(columns(found, "one", "between", "prob", "power")).all()


def test_signals_that_not_all_have_are_left_out(members):
    one = replace(members[0], signals=("logit",))
    assert {bin.signal for bin in mean_spectra([one], one)} == {"logit"}
