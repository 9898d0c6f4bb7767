"""What the view of one class says of it beside the others."""

import io

import numpy as np
import pytest
from rich.console import Console

import onnxspec
from onnxspec.report.class_view import class_summary
from report.altered import with_classes


def text_of(report, name):
    console = Console(width=200, record=True, file=io.StringIO())
    console.print(class_summary(report, name))
    return console.export_text()


@pytest.fixture(scope="module")
def two_classes(tmp_path_factory):
    images = np.random.default_rng(0).integers(0, 255, (40, 8, 8, 3)).astype(np.uint8)
    return onnxspec.analyze(
        lambda batch: 200 * (batch.mean((2, 3)) - 0.5)[:, :2],
        (images, images.mean((1, 2))[:, :2].argmax(-1)),
        output=tmp_path_factory.mktemp("two") / "r.h5",
        pairs=30,
        preprocess="0..1",
    )


def test_of_two_classes_every_path_between_touches_both(two_classes):
    assert "there are no paths without this one" in text_of(two_classes, "0")


def test_a_p_that_is_not_small_shows_nothing(bundled_report):
    f = bundled_report.figures
    name = next(str(n) for n, p in zip(f["class_a"], f["p_holm"], strict=True) if n and p > 0.05)
    assert "is not shown to differ from the other classes" in text_of(bundled_report, name)
    assert "does not differ" not in text_of(bundled_report, name)


def test_few_paths_are_counted(bundled_report, tmp_path):
    text = text_of(with_classes(bundled_report, tmp_path / "r.h5", ["a", "b"]), "a")
    assert "too few paths to be compared with the other classes: 0, of 10" in text
