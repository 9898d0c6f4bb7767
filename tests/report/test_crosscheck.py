"""The headline's intervals beside those of a bootstrap: of which paths, and what is said where there is none."""

import io
import math

import numpy as np
import pytest
from rich.console import Console

import onnxspec
from onnxspec.report.crosscheck import CrossChecks, cross_checks
from onnxspec.report.page import interval_text
from onnxspec.statistics.bootstrap import bootstrap_t

KINDS = ("within", "between")


def printed(report):
    console = Console(file=io.StringIO(), width=80)
    console.print(CrossChecks(report))
    return console.file.getvalue()


@pytest.fixture(scope="module")
def recurring():
    """Twelve images of each of two classes, so that every one stands in many pairs."""
    rng = np.random.default_rng(0)
    images, labels = rng.integers(0, 256, (24, 6, 6, 1), np.uint8), np.arange(24) % 2
    images[:, 0, 0] = np.where(labels, 255, 0)[:, None]
    weights = rng.normal(size=(36, 2)) * 6

    def classifier(batch):
        flat = batch.reshape(len(batch), -1).astype(np.float64)
        sure = 9 * (flat[:, :1] - 0.5)
        return np.concatenate([-sure, sure], 1) + np.sin(flat @ weights)

    return onnxspec.analyze(classifier, (images, labels), preprocess="0..1", pairs=60, points=33)


@pytest.mark.parametrize("signal", ["prob", "logit"])
@pytest.mark.parametrize("kind", KINDS)
def test_disjoint_paths_are_all_drawn_again(bundled_report, kind, signal):
    (found,) = (one for one in cross_checks(bundled_report) if (one.kind, one.signal) == (kind, signal))
    paths = bundled_report.paths
    rows = paths["kind"] == KINDS.index(kind)
    counts = (paths["ends_right"][rows] == 2) & (paths["within_reach"][rows] > 0)
    shares = (paths[f"{name}_{signal}"][rows] * counts for name in ("hf", "total"))
    expected = bootstrap_t(*shares, 10 * paths["class_a"][rows] + paths["class_b"][rows])
    assert (found.drawn.low, found.drawn.high) == (expected.low, expected.high)
    assert found.usual == bundled_report.figure(kind, "hff", signal)
    assert found.drawn.estimate == pytest.approx(found.usual.estimate, rel=1e-6)
    assert found.left == 0 and found.drawn.paths == found.usual.paths


def test_the_two_agree_between_the_classes_of_the_bundled_network(bundled_report):
    """Of more than fifty effective paths, both must say the same within a tenth of the width."""
    for one in cross_checks(bundled_report):
        if one.usual.n_eff > 50:
            width = one.usual.high - one.usual.low
            assert abs(one.drawn.low - one.usual.low) < 0.1 * width > abs(one.drawn.high - one.usual.high)
    assert sum(one.usual.n_eff > 50 for one in cross_checks(bundled_report)) >= 2


def test_what_is_printed(bundled_report):
    text = printed(bundled_report)
    for one in cross_checks(bundled_report):
        assert interval_text(one.usual, 100) in text and interval_text(one.drawn, 100) in text
    assert "fewer" not in text
    assert max(map(len, text.splitlines())) <= 80


def test_of_paths_that_share_an_image_one_is_drawn(recurring):
    for one in cross_checks(recurring):
        paths = recurring.paths
        rows = np.flatnonzero((paths["kind"] == KINDS.index(one.kind)) & (paths["ends_right"] == 2))
        assert one.usual.paths == len(rows) and one.drawn.paths == len(rows) - one.left
        assert one.drawn.paths == one.apart.paths <= 12
        assert one.drawn.estimate == pytest.approx(one.apart.estimate, nan_ok=True) or one.drawn.reason
    text = " ".join(printed(recurring).split())
    assert "Paths that share an image do not vary by themselves." in text and " fewer " in text
    assert all(not one.drawn.high > 1 for one in cross_checks(recurring))


def test_what_is_undefined_stays_so():
    """Outputs that do not change have no share of fast wiggling, by either way."""
    images = np.random.default_rng(1).integers(0, 256, (40, 4, 4, 1), np.uint8)
    constant = np.tile([1.0, 0.0], (1, 1))
    report = onnxspec.analyze(
        lambda batch: np.repeat(constant, len(batch), 0), (images, np.arange(40) % 2), preprocess="0..1", pairs=20
    )
    found = list(cross_checks(report))
    assert found and all(math.isnan(one.drawn.estimate) and one.drawn.reason == one.usual.reason for one in found)
    assert printed(report).count("undefined") >= len(found)
