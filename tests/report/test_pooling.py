"""Pooled figures against plain sums over the rows they claim to pool."""

import numpy as np
import pytest

from onnxspec import statistics
from onnxspec.report.pooling import Pooling
from onnxspec.settings import KINDS


@pytest.fixture(scope="module")
def paths(bundled_report):
    return dict(bundled_report.paths)


def chosen(report, paths, kind, name=None, selection="right"):
    keep = paths["kind"] == KINDS.index(kind)
    if selection == "right":
        keep &= paths["ends_right"] == 2
    if name is not None:
        number = report.classes["name"].tolist().index(name)
        keep &= (paths["class_a"] == number) | (paths["class_b"] == number)
    return np.flatnonzero(keep)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("selection", ["right", "all"])
@pytest.mark.parametrize("signal", ["prob", "logit"])
def test_hff_is_the_ratio_of_means(bundled_report, paths, kind, selection, signal):
    at = chosen(bundled_report, paths, kind, selection=selection)
    at = at[paths["within_reach"][at] > 0]
    high, wiggle, chord = (paths[f"{part}_{signal}"][at].sum() for part in ("hf", "wiggle", "chord"))
    figure = bundled_report.figure(kind, "hff", signal, selection=selection)
    assert figure.estimate == pytest.approx(high / (wiggle + chord / 12), rel=1e-12)
    assert figure.paths == len(at)
    assert figure.low < figure.estimate < figure.high


@pytest.mark.parametrize("kind", KINDS)
def test_class_figures_pool_the_paths_that_touch_the_class(bundled_report, paths, kind):
    for name in bundled_report.classes["name"]:
        at = chosen(bundled_report, paths, kind, name)
        slope = bundled_report.figure(kind, "slope", "logit", class_a=name)
        assert slope.estimate == pytest.approx(paths["slope_logit"][at].mean(), rel=1e-12)


def test_class_pairs_pool_their_stratum(bundled_report, paths):
    names = bundled_report.classes["name"].tolist()
    a, b = 2, 6
    at = chosen(bundled_report, paths, "between", names[a])
    at = at[(paths["class_a"][at] == a) & (paths["class_b"][at] == b)]
    figure = bundled_report.figure("between", "excess_tv", class_a=names[a], class_b=names[b])
    assert figure.paths == len(at)
    assert figure.estimate == pytest.approx(paths["excess_tv"][at].mean())


def test_the_ratio_of_kinds_is_the_ratio_of_their_figures(bundled_report):
    ratio = bundled_report.figure("between/within", "hff")
    between, within = (bundled_report.figure(kind, "hff") for kind in ("between", "within"))
    assert ratio.estimate == pytest.approx(between.estimate / within.estimate, rel=1e-9)
    assert ratio.low < ratio.estimate < ratio.high


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("signal", ["prob", "logit"])
def test_pooled_spectra_keep_the_total(bundled_report, paths, kind, signal):
    at = chosen(bundled_report, paths, kind)
    spectrum = bundled_report.spectrum(kind, signal=signal)
    assert spectrum.power.sum() + spectrum.above == pytest.approx(paths[f"wiggle_{signal}"][at].mean(), rel=1e-5)
    assert np.all(spectrum.low <= spectrum.power)
    assert np.all(spectrum.power <= spectrum.high)
    assert spectrum.paths == len(at)


def test_class_spectra_are_those_of_their_paths(bundled_report, paths):
    name = bundled_report.classes["name"][4]
    at = chosen(bundled_report, paths, "within", name)
    spectrum = bundled_report.spectrum("within", name)
    assert spectrum.power.sum() + spectrum.above == pytest.approx(paths["wiggle_prob"][at].mean(), rel=1e-5)


def test_holm_adjusts_over_the_classes_of_a_kind(bundled_report, paths):
    names = bundled_report.classes["name"].tolist()
    everyone = chosen(bundled_report, paths, "within")
    p = []
    for name in names:
        own = chosen(bundled_report, paths, "within", name)
        rest = np.setdiff1d(everyone, own)
        ratios = [
            statistics.ratio(*(paths[c][at] for c in ("hf_prob", "total_prob", "image_a", "image_b")))
            for at in (own, rest)
        ]
        p.append(statistics.contrast(*ratios).p_value())
    reported = [bundled_report.p_holm("within", name) for name in names]
    assert reported == pytest.approx(statistics.holm(np.array(p)), rel=1e-6)


def test_every_estimator_has_a_headline(bundled_report):
    for estimator in ("sine", "cosine", "hann", "rfft", "mool"):
        figure = bundled_report.figure("between", "hff", estimator=estimator)
        assert 0 < figure.estimate < 1


def test_shape_figures_are_in_the_spectrum_s_range(bundled_report):
    frequencies = bundled_report.spectrum("between").frequency
    centroid = bundled_report.figure("between", "centroid")
    rolloff = bundled_report.figure("between", "rolloff")
    assert 0 < centroid.estimate < rolloff.estimate < frequencies[-1]
    decay = bundled_report.figure("between", "decay")
    assert decay.estimate < 0 or "more points" in decay.reason


def test_a_path_that_does_not_move_has_no_share_of_its_own():
    """MOOL's figure is a mean of ratios."""
    rng = np.random.default_rng(0)
    high, total = rng.random(20), 1 + rng.random(20)
    high[3] = total[3] = 0.0
    ends = np.arange(20), np.arange(20, 40)
    found = Pooling._mean_share(high, total, *ends)
    moving = np.arange(20) != 3
    assert found.value == pytest.approx((high[moving] / total[moving]).mean())
    assert found.interval().low < found.value < found.interval().high
