"""Two models on the same paths: what is found, and when it is not to be trusted."""

from dataclasses import replace

import numpy as np
import pytest

import onnxspec
from conftest import FASHION
from onnxspec.comparison.alignment import align
from onnxspec.comparison.contrasts import (
    DEPENDS,
    SAME,
    TOO_FEW,
    UNDECIDED,
    Quantity,
    compared,
    contrast,
    strata,
    verdict,
)
from onnxspec.report.pooling import Pooling
from onnxspec.results import Rows
from onnxspec.statistics import Design, Pooled, permutation

HFF = Quantity("prob", "hff")


def pooled(value: float, error: float, paths: int = 400) -> Pooled:
    """A log factor with an error, every path as important as the others."""
    rng = np.random.default_rng(0)
    influence = rng.standard_normal(paths) * error / np.sqrt(paths)
    return Pooled(value, influence, Design.apart(paths), True)


@pytest.mark.parametrize(
    ("common", "own", "shared", "words"),
    [
        (pooled(0.5, 0.1), pooled(0.4, 0.1), 0.9, "higher"),
        (pooled(-0.5, 0.1), pooled(-0.4, 0.1), 0.9, "lower"),
        (pooled(0.1, 0.1), pooled(0.1, 0.1), 0.9, UNDECIDED),
        (pooled(0.5, 0.1), pooled(-0.1, 0.1), 0.9, DEPENDS),
        (pooled(0.1, 0.1), pooled(-0.5, 0.1), 0.9, DEPENDS),
        (pooled(0.5, 0.1), pooled(0.4, 0.1), 0.79, DEPENDS),
        (pooled(0.05, 0.1), pooled(-0.05, 0.1), 0.9, UNDECIDED),
        (pooled(0.5, 0.1), pooled(0.4, 0.1), 0.8, "higher"),
        (pooled(0.5, 0.1), replace(pooled(np.nan, 0.1), reason="0 paths"), 0.9, "higher"),
        (pooled(0.5, 0.1), pooled(-4e-8, 1e-8), 0.9, DEPENDS),
        (pooled(4e-8, 1e-8), pooled(-0.5, 0.1), 0.9, DEPENDS),
        (pooled(0.0, 4e-4), pooled(0.0, 4e-4), 1.0, SAME),
        (pooled(9e-5, 4.8e-4), pooled(9e-5, 4.8e-4), 1.0, UNDECIDED),
        (pooled(-9e-5, 4.8e-4), pooled(-9e-5, 4.8e-4), 1.0, UNDECIDED),
        (replace(pooled(4e-8, 1e-8), logarithmic=False), pooled(4e-8, 1e-8), 1.0, "higher"),
        (pooled(4e-8, 1e-8), pooled(-4e-8, 1e-8), 1.0, SAME),
        (pooled(4e-8, 0.1), pooled(-4e-8, 0.1), 1.0, UNDECIDED),
        (pooled(4e-8, np.nan), pooled(4e-8, np.nan), 1.0, SAME),
        (pooled(4e-2, np.nan), pooled(4e-2, np.nan), 1.0, TOO_FEW),
    ],
)
def test_verdicts(common, own, shared, words):
    assert verdict(common, own, common.p_value(), shared) == words


def test_an_undefined_contrast_has_no_verdict():
    empty = Pooled(np.nan, np.zeros(0), Design.apart(0), True, "0 paths")
    assert verdict(empty, pooled(1, 0.1), np.nan, 1.0) == "undefined"


@pytest.fixture(scope="module")
def members(reports):
    return [align(name, reports[name], reports["pytorch"]) for name in ("pytorch", "sklearn")]


def test_a_contrast_is_over_pairs_right_under_both(members, reports):
    reference, model = members
    (stratum, places), *_ = strata(reference)
    found = contrast(model, reference, stratum, HFF, places)
    ends = [reports[name].paths["ends_right"] == 2 for name in ("pytorch", "sklearn")]
    reach = reports["pytorch"].paths["within_reach"] > 0
    kind = reports["pytorch"].paths["kind"] == 0
    both = ends[0] & ends[1] & reach & kind
    assert found.pairs == both.sum()
    assert (found.reference_pairs, found.own_pairs) == tuple((end & reach & kind).sum() for end in ends)
    hf, total = (
        [reports[name].paths[f"{column}_prob"][both].sum() for name in ("sklearn", "pytorch")]
        for column in ("hf", "total")
    )
    assert found.common.estimate == pytest.approx(hf[0] / total[0] / (hf[1] / total[1]))


def with_still_paths(member, every, estimator):
    """A member of which every so many-th path does not move at all, by an estimator."""
    still = np.arange(len(member.rows)) % every == 0
    columns = {f"{part}_prob": np.where(still, 0.0, member.rows[f"{part}_prob"]) for part in ("hf", "total")}
    rows, of = Rows({**member.rows.columns, **columns}), member.pooling
    reading = replace(of.reading, measurement=replace(of.reading.measurement, estimator=estimator))
    return replace(member, rows=rows, pooling=Pooling(rows, of.strata.class_names, reading, {}))


def test_means_of_shares_are_compared_over_paths_that_move_under_both(members):
    """A path that does not move has no share of its own: the two would be means over different paths."""
    reference, model = (with_still_paths(one, every, "mool") for one, every in zip(members, (5, 7), strict=True))
    (stratum, places), *_ = strata(reference)
    found = contrast(model, reference, stratum, HFF, places)
    reach = reference.rows["within_reach"][places] > 0
    usable = [one.pooling.right[places] & (one.rows["total_prob"][places] > 0) & reach for one in (model, reference)]
    assert not np.array_equal(*usable)
    at = places[usable[0] & usable[1]]
    shares = [(one.rows["hf_prob"][at] / one.rows["total_prob"][at]).mean() for one in (model, reference)]
    assert (found.scale, found.pairs) == ("difference", len(at))
    assert found.common.estimate == pytest.approx(shares[0] - shares[1])
    own = [places[one] for one in usable]
    shares = [
        (one.rows["hf_prob"][rows] / one.rows["total_prob"][rows]).mean()
        for one, rows in zip((model, reference), own, strict=True)
    ]
    assert found.own.estimate == pytest.approx(shares[0] - shares[1])
    assert (found.own_pairs, found.reference_pairs) == tuple(map(len, own))


@pytest.mark.parametrize(("every", "depends"), [((2, 3), True), ((50, 70), False)])
def test_what_is_found_on_a_part_of_what_either_has_depends_on_it(members, every, depends):
    reference, model = (with_still_paths(one, some, "mool") for one, some in zip(members, every, strict=True))
    (stratum, places), *_ = strata(reference)
    found = contrast(model, reference, stratum, HFF, places)
    assert (found.pairs < 0.8 * min(found.own_pairs, found.reference_pairs)) is depends
    assert (found.verdict == DEPENDS) is depends


def test_classes_are_compared_in_the_main_quantities_alone(members):
    reference, model = members
    found = compared(model, reference, strata(reference))
    of_classes, of_kinds = (
        {one.quantity.metric for one in found if bool(one.stratum.class_a) is it} for it in (True, False)
    )
    assert of_classes == {"hff", "slope", "excess_tv"} < of_kinds


def test_sums_are_compared_over_still_paths_too(members):
    reference, model = (with_still_paths(one, every, "sine") for one, every in zip(members, (5, 7), strict=True))
    (stratum, places), *_ = strata(reference)
    assert (
        contrast(model, reference, stratum, HFF, places).pairs == contrast(*members[::-1], stratum, HFF, places).pairs
    )


def test_a_handful_of_pairs_tells_nothing_apart(members):
    reference, model = members
    for stratum, places in strata(reference)[:2]:
        slope = Quantity("prob", "slope")
        counts = [contrast(model, reference, stratum, slope, places[:few]).pairs for few in range(len(places) + 1)]
        few, enough = np.searchsorted(counts, 9, side="right") - 1, np.searchsorted(counts, 10)
        handful, found = (contrast(model, reference, stratum, slope, places[:paths]) for paths in (few, enough))
        assert (handful.pairs, found.pairs) == (9, 10)
        assert np.isnan(handful.p) and handful.verdict in (TOO_FEW, DEPENDS) and np.isfinite(handful.common.low)
        assert np.isfinite(found.p)


def test_a_model_against_itself_is_the_same(members):
    reference = members[0]
    for one in compared(reference, reference, strata(reference)):
        if one.verdict != "undefined":
            assert one.verdict == SAME or one.pairs < one.own_pairs
            assert one.common.low == one.common.high == one.common.estimate == 1


def test_swapping_the_two_turns_the_factor_over(members):
    reference, model = members
    (stratum, places), *_ = strata(reference)
    for quantity in (HFF, Quantity("logit", "slope"), Quantity("prob", "excess_tv")):
        one = contrast(model, reference, stratum, quantity, places)
        other = contrast(reference, model, stratum, quantity, places)
        assert one.common.estimate == pytest.approx(1 / other.common.estimate)
        assert one.common.low == pytest.approx(1 / other.common.high)
        assert one.own.estimate == pytest.approx(1 / other.own.estimate)
        assert one.p == pytest.approx(other.p)


@pytest.mark.parametrize("quantity", [HFF, Quantity("logit", "slope")])
def test_classes_are_corrected_within_their_kind(members, quantity):
    """Over the common paths that share no image, by what swapping the two models would make of all classes."""
    reference, model = members
    found = [one for one in compared(model, reference, strata(reference)) if one.quantity == quantity]
    column = {"hff": "hf_prob", "slope": "slope_logit"}[quantity.metric]
    for stratum, places in reference.pooling.strata.kinds():
        of_kind = [one for one in found if one.stratum.kind == stratum.kind and one.stratum.class_a]
        assert len(of_kind) == 10
        at = places[
            reference.pooling.right[places] & model.pooling.right[places] & (reference.rows["within_reach"][places] > 0)
        ]
        rows = reference.rows
        at = at[permutation.unshared(rows["image_a"][at], rows["image_b"][at])]
        high = [one.rows[column][at] for one in (model, reference)]
        total = [one.rows["total_prob"][at] if quantity == HFF else np.ones(len(at)) for one in (model, reference)]
        classes = permutation.Classes.touched(rows["class_a"][at], rows["class_b"][at])
        p = permutation.between_models(*map(np.stack, zip(high, total, strict=True)), classes)
        assert len(p) == {"within": 0, "between": 5}[stratum.kind]
        names = reference.pooling.strata.class_names
        known = [max(p.get(names.index(one.stratum.class_a), np.nan), one.p) for one in of_kind]
        assert np.array_equal([one.p_holm for one in of_kind], known, equal_nan=True)
        assert all(one.p_holm < 0.05 for one in of_kind if one.verdict in ("higher", "lower"))


@pytest.fixture(scope="module")
def longer(digits, tmp_path_factory):
    """Two bundled networks over a plan and over four times as much of it."""
    folder, images = tmp_path_factory.mktemp("longer"), np.load(FASHION / "test.npz")
    data = images["images"][:600], images["labels"][:600]
    return {
        (name, pairs): onnxspec.analyze(
            FASHION / f"{name}.onnx", data, pairs=pairs, points=33, output=folder / f"{name}-{pairs}.h5"
        )
        for name, pairs in (("sklearn", 60), ("sklearn", 240), ("epoch-10", 60))
    }


def contrasts_of(model, reference):
    members = [align(name, report, reference) for name, report in (("reference", reference), ("model", model))]
    return compared(members[1], members[0], strata(members[0]))


def test_what_only_one_of_two_has_walked_changes_nothing(longer):
    """method.md section 1: two runs pair over their common prefix."""
    short, long, model = (longer[key] for key in (("sklearn", 60), ("sklearn", 240), ("epoch-10", 60)))
    found = [
        {(one.stratum, one.quantity): one for one in contrasts_of(*pair) if not one.stratum.class_a}
        for pair in ((model, short), (model, long))
    ]
    assert len(found[0]) == len(found[1]) > 10
    for key, one in found[0].items():
        other = found[1][key]
        for name in ("common", "own"):
            np.testing.assert_allclose(ends(getattr(one, name)), ends(getattr(other, name)), rtol=1e-6)
        assert (one.pairs, one.own_pairs, one.reference_pairs) == (other.pairs, other.own_pairs, other.reference_pairs)
        assert one.verdict == other.verdict
    assert any(one.verdict == "higher" for one in found[0].values())


def test_a_factor_the_other_way_round_is_its_inverse(longer):
    long, model = longer["sklearn", 240], longer["epoch-10", 60]
    there, back = contrasts_of(model, long), contrasts_of(long, model)
    for one, other in zip(there, back, strict=False):
        if one.stratum.class_a:
            break
        assert (one.stratum, one.quantity) == (other.stratum, other.quantity)
        estimate, low, high = ends(one.common)
        with np.errstate(divide="ignore"):
            np.testing.assert_allclose(ends(other.common), 1 / np.array([estimate, high, low]), rtol=1e-4)


def ends(interval):
    return interval.estimate, interval.low, interval.high


def test_the_lines_are_counted_that_all_models_have(longer):
    found = onnxspec.compare({"long": longer["sklearn", 240], "short": longer["epoch-10", 60]})
    assert "33 points on the same 120 lines between images" in " ".join(str(found).split())
