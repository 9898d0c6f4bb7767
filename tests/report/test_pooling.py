"""Pooled figures against plain sums over the rows they claim to pool."""

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest

from onnxspec.metrics import Bins
from onnxspec.report import pooling
from onnxspec.report.pooling import (
    BEYOND_POINTS,
    BY_PATH,
    STILL,
    PooledSpectrum,
    Pooling,
    Stratum,
    every_stratum,
    pooled_spectra,
    shape_figures,
)
from onnxspec.results import Reading, Rows
from onnxspec.settings import ESTIMATORS, KINDS, Measurement
from onnxspec.statistics import Design, permutation
from onnxspec.statistics.drawn import Drawn
from simulation import disjoint


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


@pytest.mark.parametrize(
    ("metric", "signal"), [("hff", "prob"), ("slope", "prob"), ("slope", "logit"), ("excess_tv", "prob")]
)
def test_the_ratio_of_kinds_is_the_ratio_of_their_figures(bundled_report, metric, signal):
    ratio = bundled_report.figure("between/within", metric, signal)
    between, within = (bundled_report.figure(kind, metric, signal) for kind in ("between", "within"))
    assert ratio.estimate == pytest.approx(between.estimate / within.estimate, rel=1e-9)
    assert ratio.low < ratio.estimate < ratio.high
    # Wider than either alone, and narrower than the corners of the two together.
    width = np.log(ratio.high / ratio.low)
    assert max(_log_width(between), _log_width(within)) < 1.05 * width
    assert width < 1.2 * (_log_width(between) + _log_width(within))


def _log_width(interval):
    return np.log(interval.high / interval.low)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("signal", ["prob", "logit"])
def test_pooled_spectra_keep_the_total(bundled_report, paths, kind, signal):
    at = chosen(bundled_report, paths, kind)
    spectrum = bundled_report.spectrum(kind, signal=signal)
    assert spectrum.power.sum() + spectrum.above == pytest.approx(paths[f"wiggle_{signal}"][at].mean(), rel=1e-5)
    assert np.all(spectrum.low <= spectrum.power)
    assert np.all(spectrum.power <= spectrum.high)
    assert spectrum.paths == len(at)


def test_spectra_pooled_a_few_bins_at_a_time_are_the_same(bundled_report, paths, monkeypatch):
    rows = Rows({name: column for name, column in paths.items() if len(column) == len(paths["kind"])})
    measured = bundled_report.attributes
    reading = Reading(Measurement(points=int(measured["points"])), float(measured["cutoff"]), False, np.arange(10))
    bins = Bins.common(rows["distance"], int(measured["points"]), float(measured["d_ref"]))

    def pooled():
        whole = Pooling(rows, tuple(bundled_report.classes["name"]), reading, {})
        power = lambda signal: iter([(slice(0, len(rows)), paths[f"power_{signal}"])])  # noqa: E731
        return pooled_spectra(whole, every_stratum(whole), bins, power)

    at_once = pooled()
    monkeypatch.setattr(pooling, "POWER_VALUES", 7 * len(rows))
    for one, other in zip(at_once, pooled(), strict=True):
        assert (one.stratum, one.selection, one.signal, one.paths) == (
            other.stratum,
            other.selection,
            other.signal,
            other.paths,
        )
        for name in ("power", "low", "high", "above"):
            np.testing.assert_array_equal(getattr(one, name), getattr(other, name))


def test_class_spectra_are_those_of_their_paths(bundled_report, paths):
    name = bundled_report.classes["name"][4]
    at = chosen(bundled_report, paths, "within", name)
    spectrum = bundled_report.spectrum("within", name)
    assert spectrum.power.sum() + spectrum.above == pytest.approx(paths["wiggle_prob"][at].mean(), rel=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_classes_are_compared_over_paths_that_share_no_image(bundled_report, paths, kind):
    at = chosen(bundled_report, paths, kind)
    at = at[paths["within_reach"][at] > 0]
    at = at[permutation.unshared(paths["image_a"][at], paths["image_b"][at])]
    classes = permutation.Classes.touched(paths["class_a"][at], paths["class_b"][at])
    share = np.stack([paths["hf_prob"][at], paths["total_prob"][at]])
    p = permutation.against_the_rest(share, classes)
    assert len(p) == 10
    names = bundled_report.classes["name"].tolist()
    assert [bundled_report.p_holm(kind, name) for name in names] == [p[number] for number in range(10)]


def test_what_classes_are_compared_by_are_sums_of_their_figure(bundled_report, paths):
    rows = Rows(paths | {"hf_prob": paths["hf_prob_mool"], "total_prob": np.where(paths["kind"] > 0, 1.0, 0.0)})
    names = tuple(bundled_report.classes["name"])
    for estimator in ("sine", "mool"):
        reading = Reading(Measurement(estimator=estimator), 12.0, False, np.arange(10))
        pooling = Pooling(rows, names, reading, {})
        at = np.flatnonzero(rows["within_reach"] > 0)
        high, total = pooling.share(at, "prob").sum(1)
        assert high / total == pytest.approx(pooling.hff(at, "prob").interval().estimate)


def alike(rng, classes, ends):
    """Pooling of paths within classes that are alike; an image is as wiggly or calm on every path that it ends.

    ends : (2, paths) int, images of a class that its paths join
    """
    images = int(ends.max()) + 1
    image_a, image_b = np.concatenate([ends + number * images for number in range(classes)], axis=1)
    of = np.repeat(np.arange(classes, dtype=np.int32), ends.shape[1])
    count = len(of)
    effect = rng.standard_normal(classes * images)
    high = np.exp(effect[image_a] + effect[image_b] + 0.5 * rng.standard_normal(count))
    total = high + np.exp(3 + 0.5 * rng.standard_normal(count))
    columns = {"kind": np.zeros(count, np.int8), "class_a": of, "class_b": of, "image_a": image_a, "image_b": image_b}
    columns |= {"ends_right": np.full(count, 2), "within_reach": np.ones(count, int), "slope_prob": np.sqrt(total)}
    suffixes = ("", *(f"_{estimator}" for estimator in ESTIMATORS if estimator != "sine"))
    columns |= {
        f"{part}_prob{suffix}": power for suffix in suffixes for part, power in (("hf", high), ("total", total))
    }
    columns |= dict.fromkeys(("wiggle_prob", "chord_prob", *BY_PATH), total)
    reading = Reading(Measurement(signals=("prob",)), 12.0, False, np.arange(classes))
    return Pooling(Rows(columns), tuple(map(str, range(classes))), reading, {})


@pytest.mark.parametrize(
    ("classes", "ends"), [(60, np.array(disjoint(10))), (40, np.array([*combinations(range(8), 2)]).T)]
)
def test_classes_that_are_alike_rarely_get_a_star(classes, ends):
    """A t distribution and Holm's bound would give one in 8 and in 10 of these twenty cases."""
    rng = np.random.default_rng(5)
    starred = [any(f.p_holm < 0.05 for f in alike(rng, classes, ends).figures()) for _ in range(20)]
    assert sum(starred) <= 3


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_every_estimator_has_a_headline_of_its_own(bundled_report, paths, estimator):
    at = chosen(bundled_report, paths, "between")
    at = at[paths["within_reach"][at] > 0]
    suffix = "" if estimator == "sine" else f"_{estimator}"
    high, total = (paths[f"{part}_prob{suffix}"][at] for part in ("hf", "total"))
    expected = (high / total).mean() if estimator == "mool" else high.sum() / total.sum()
    assert bundled_report.figure("between", "hff", estimator=estimator).estimate == pytest.approx(expected)


def test_a_spectrum_without_power_has_no_shape_and_needs_no_points():
    bins = Bins(0.5, 20)
    none = PooledSpectrum(Stratum("within"), "all", "prob", *np.zeros((3, 20)), 0.0, 5)
    reading = Reading(Measurement(), 4.0, False, np.arange(2))
    for spectrum, reason in ((none, "there is no power"), (replace(none, power=np.eye(20)[1]), "too few bins")):
        (decay,) = (one for one in shape_figures(spectrum, bins, reading, 1.0) if one.metric == "decay")
        assert decay.interval.reason.startswith(reason)


def test_shape_figures_are_in_the_spectrum_s_range(bundled_report):
    frequencies = bundled_report.spectrum("between").frequency
    centroid = bundled_report.figure("between", "centroid")
    rolloff = bundled_report.figure("between", "rolloff")
    assert 0 < centroid.estimate < rolloff.estimate < frequencies[-1]
    decay = bundled_report.figure("between", "decay")
    assert decay.estimate < 0 or "more points" in decay.reason


def of_one_class(high, total, floor=(0.0,), drawn=None):
    """Pooling of paths within one class."""
    one, ends = np.ones(len(high), int), np.arange(2 * len(high)).reshape(2, -1)
    columns = {"kind": 0 * one, "class_a": one, "class_b": one, "image_a": ends[0], "image_b": ends[1]}
    columns |= {"ends_right": 2 * one, "within_reach": one, "hf_prob": high, "total_prob": total}
    reading = Reading(Measurement(), 12.0, False, np.arange(10))
    return Pooling(Rows(columns), ("a", "b"), reading, {"prob": np.array(floor)}, drawn=drawn)


def mean_of_shares(high, total, noise=0.0):
    """The mean of the shares of paths of one class, pooled over all of them."""
    return of_one_class(high, total, [noise]).hff_mean(np.arange(len(high)), "prob")


def test_noise_is_all_where_its_power_in_all_bins_is_no_less_than_there_is():
    high, total, every = np.linspace(0.1, 0.2, 20), np.ones(20), np.arange(20)
    for noise, reason in ((0.9, ""), (1.0, STILL), (1.1, STILL)):
        assert of_one_class(high, total, np.full(8, noise / 8)).hff(every, "prob").reason == reason


def test_a_mean_of_shares_is_a_share_to_the_ends_of_its_interval():
    found = mean_of_shares(np.array([0.9, 0.0, 0.0]), np.ones(3)).interval()
    assert (found.low, found.estimate, found.high) == (0.0, pytest.approx(0.3), 1.0)


def test_where_paths_were_drawn_is_told_or_taken_from_the_rows():
    high, some = np.linspace(0.1, 0.2, 20), np.array([3, 5])
    told = Drawn(np.arange(20) % 4, np.full(20, 30))
    assert of_one_class(high, 1 + high, drawn=told).design(some).drawn.of.tolist() == [30, 30]
    assert of_one_class(high, 1 + high).design(some).drawn.of.tolist() == [20, 20]


def test_a_path_that_does_not_move_has_no_share_of_its_own():
    """MOOL's figure is a mean of ratios."""
    rng = np.random.default_rng(0)
    high, total = rng.random(20), 1 + rng.random(20)
    high[3] = total[3] = 0.0
    found = mean_of_shares(high, total)
    moving = np.arange(20) != 3
    assert found.value == pytest.approx((high[moving] / total[moving]).mean())
    assert found.interval().low < found.value < found.interval().high


def test_paths_out_of_reach_count_nowhere_and_are_named_where_they_are_all(bundled_report, paths):
    reading = Reading(Measurement(), 12.0, False, np.arange(10))
    within = np.zeros(len(paths["kind"]), int)
    within[::2] = 1
    pooling = Pooling(Rows({**paths, "within_reach": within}), tuple(bundled_report.classes["name"]), reading, {})
    every = np.arange(len(within))
    assert pooling.hff(every, "prob").interval() == pooling.hff(every[::2], "prob").interval()
    assert pooling.hff(every[1::2], "prob").interval().reason == BEYOND_POINTS
    assert pooling.hff(every[:0], "prob").interval().reason.startswith("0 paths")


def test_a_path_that_is_noise_has_no_share_of_its_own():
    """Less a noise floor its power may be next to nothing, on either side of it: a share of that is anything."""
    high, total = np.array([0.1, 0.2, -1e-3]), np.array([1.0, 1.0, 1e-5])
    assert mean_of_shares(high, total, 1e-4).value == pytest.approx(0.15)
    assert np.isnan(mean_of_shares(-high, total, 1e-4).interval().estimate)


def undrawn(design):
    return Design(design.image_a, design.image_b)


def test_what_classes_differ_by_is_no_chance(bundled_report, paths):
    """Every pair of classes is walked as often as any other, and the figure is the same without it."""
    reading = Reading(Measurement(), float(bundled_report.attributes["cutoff"]), False, np.arange(10))
    pooling = Pooling(paths, tuple(bundled_report.classes["name"]), reading, {})
    between = np.flatnonzero((paths["kind"] == 1) & pooling.right)
    found = pooling.hff(between, "prob")
    plain = replace(found, design=undrawn(found.design)).interval()
    assert found.interval().half_width < 0.95 * plain.half_width
    assert found.interval().estimate == plain.estimate and found.interval().n_eff <= plain.n_eff
    shown = bundled_report.figure("between", "hff")
    assert (shown.low, shown.high) == pytest.approx((found.interval().low, found.interval().high))
    one = np.flatnonzero((paths["kind"] == 0) & (paths["class_a"] == 3) & pooling.right)
    alone = pooling.hff(one, "prob")
    assert alone.interval() == replace(alone, design=undrawn(alone.design)).interval()


def test_no_share_is_given_where_noise_is_all(bundled_report, paths):
    """Neither of the sums nor of the single paths."""
    measurement = Measurement(points=int(bundled_report.attributes["points"]))
    reading = Reading(measurement, float(bundled_report.attributes["cutoff"]), False, np.arange(10))
    noise = {signal: np.full(31, 1e9) for signal in ("prob", "logit")}
    found = Pooling(paths, tuple(bundled_report.classes["name"]), reading, noise).figures()
    shares = [one for one in found if one.metric in ("hff", "hff_mean") and one.stratum.kind in KINDS]
    assert {one.metric for one in shares} == {"hff", "hff_mean"}
    assert {one.interval.reason for one in shares} == {"the outputs do not change beyond noise"}


def test_no_class_has_a_star_that_its_interval_does_not_bear_out(bundled_report, paths):
    """One path carries all of a class whose others are still: calm by the shuffling, and anything by its interval."""
    reading = Reading(Measurement(), float(bundled_report.attributes["cutoff"]), False, np.arange(10))
    rng, high = np.random.default_rng(0), paths["hf_prob"].copy()
    at = np.flatnonzero((paths["kind"] == 0) & (paths["ends_right"] == 2))
    own = at[paths["class_a"][at] == 3]
    high[at] = 0.02 * paths["total_prob"][at].mean() * rng.lognormal(0, 0.3, len(at))
    high[own] *= 1e-6
    high[own[0]] *= 2e4
    pooling = Pooling(Rows({**paths, "hf_prob": high}), tuple(bundled_report.classes["name"]), reading, {})
    name = str(bundled_report.classes["name"][3])
    (found,) = (
        one
        for one in pooling.figures()
        if one.stratum == Stratum("within", name) and (one.metric, one.signal) == ("hff", "prob")
    )
    whole = pooling.hff(at, "prob").interval().estimate
    assert found.interval.low < whole < found.interval.high and found.interval.carried_by_few
    assert found.p_holm > 0.05
    by_shuffling = pooling._against_the_rest()[Stratum("within", name), "prob"]
    assert by_shuffling < 0.05
