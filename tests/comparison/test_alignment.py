"""Reports are laid side by side, read again where they differ, and refused where they cannot be."""

import numpy as np
import pytest

import onnxspec
from conftest import QUICKEST
from onnxspec.comparison.alignment import align
from onnxspec.comparison.comparing import compare
from onnxspec.errors import ReportError

MODEL = QUICKEST


def measured(digits, **settings):
    return onnxspec.analyze(MODEL, digits, **{"pairs": 30, "batch": 32, "points": 33} | settings)


def codes(member):
    return {remark.code for remark in member.remarks}


def test_the_reference_comes_out_as_it_is(reports):
    report = reports["sklearn"]
    member = align("sklearn", report, report)
    assert not member.remarks
    for name in ("hf_prob", "slope_logit", "distance"):
        assert np.array_equal(member.rows[name], report.paths[name])


def test_another_cutoff_is_computed_again(digits, reports):
    report = reports["sklearn"]
    other = measured(digits, cutoff=1.3 * report.attributes["cutoff"], pairs=60)
    member = align("other", other, report)
    assert codes(member) == {"cutoff"} and member.remarks[0].text.startswith("other was measured with f_c")
    for name in ("hf_prob", "hf_logit", "within_reach"):
        assert np.allclose(member.rows[name], report.paths[name], rtol=1e-5, atol=1e-20), name


def test_distances_are_the_reference_s(digits, reports):
    report = reports["sklearn"]
    images, labels = digits
    other = onnxspec.analyze(
        lambda b: -9 * np.square(10 * b.mean((1, 2, 3))[:, None] - np.arange(10.0)),
        (images, labels),
        pairs=60,
        points=33,
        preprocess="0..1;resize=14",
    )
    assert not np.array_equal(other.paths["distance"], report.paths["distance"])
    member = align("other", other, report)
    assert "distances" in codes(member)
    assert np.array_equal(member.rows["distance"], report.paths["distance"])
    change = member.rows["slope_prob"] * member.rows["distance"]
    assert np.allclose(change, other.paths["slope_prob"] * other.paths["distance"])
    share = member.rows["width"] / member.rows["distance"]  # of the path: a width goes as the distance
    assert np.allclose(share, other.paths["width"] / other.paths["distance"], equal_nan=True)
    assert np.isfinite(share).any()


def test_a_shorter_plan_is_paired_as_far_as_it_goes(digits, reports):
    short = measured(digits)
    member = align("short", short, reports["sklearn"])
    assert len(member.place) == 60
    assert codes(member) == {"missing"}
    assert np.array_equal(member.rows["image_a"], reports["sklearn"].paths["image_a"][member.place])
    longer = align("long", reports["sklearn"], short)
    assert longer.left_out == 60
    assert codes(longer) == {"left-out"}


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"points": 65}, "points on a path: 65 and 33"),
        ({"estimator": "hann"}, "estimators: hann and sine"),
        ({"labels": "predicted"}, "images that a model labelled"),
    ],
)
def test_what_cannot_be_compared_is_refused(digits, settings, message, reports):
    other = measured(digits, **settings)
    with pytest.raises(ReportError, match=message):
        align("other", other, reports["sklearn"])


def test_the_reference_is_called_as_it_is_shown(digits, reports):
    with pytest.raises(ReportError, match="other and first have different points"):
        compare({"first": reports["sklearn"], "other": measured(digits, points=65)})


def align_or_none(report, reference):
    try:
        return align("other", report, reference)
    except ReportError as error:
        assert "shares no pair" in str(error)
        return None


def test_other_images_are_refused(digits, reports):
    images, labels = digits
    other = measured((images[:-1], labels[:-1]))
    with pytest.raises(ReportError, match=r"different images.*stored otherwise"):
        align("other", other, reports["sklearn"])


def test_other_classes_are_named(digits, reports, monkeypatch):
    other = measured(digits)
    folders = other.classes["folder"].copy()
    folders[3] = "sock"
    monkeypatch.setitem(other.classes, "folder", folders)
    with pytest.raises(ReportError, match="only other has sock and only sklearn has"):
        align("other", other, reports["sklearn"])


def test_images_that_were_changed_in_place_are_refused(digits, reports, monkeypatch):
    """The listing of a folder stays the same when a file is overwritten by another of its size."""
    report, other = reports["sklearn"], measured(digits, pairs=60)
    for one, digest in ((report, "a" * 64), (other, "b" * 64)):
        monkeypatch.setitem(one.attributes, "content_digest", digest)
    with pytest.raises(ReportError, match="The images were changed between other and sklearn"):
        align("other", other, report)


def test_of_two_seeds_a_few_pairs_at_most_are_the_same(digits, reports):
    shared = align_or_none(measured(digits, seed=1), reports["sklearn"])
    assert shared is None or len(shared.place) < 20
