"""The terminal page of a heat map says what the heat map holds."""

from dataclasses import replace

import numpy as np
import pytest

from onnxspec.heatmap.view import View, answer, octave
from onnxspec.report.page import interval_text
from onnxspec.report.rendering import rendered


@pytest.mark.parametrize("encoding", ["utf-8", "ascii", "latin-1"])
def test_it_fits_eighty_columns_in_any_encoding(bundled_map, encoding):
    text = rendered(View(bundled_map), 80, encoding)
    assert max(map(len, text.splitlines())) <= 80
    assert text.isascii() == (encoding != "utf-8")
    assert "\x1b" not in text


def test_figures_are_those_of_the_heat_map(bundled_map):
    text = " ".join(str(bundled_map).split())
    assert f"accuracy {interval_text(bundled_map.accuracy, 100)} %" in text
    assert f"{len(bundled_map.waves)} frequencies of 28x28 pixels" in text
    rings, filtered = bundled_map.rings, bundled_map.filtered_accuracy
    assert f"{100 * rings.increase.estimate[2]:.0f} [" in text
    assert f"{100 * filtered.estimate[0]:.0f} [" in text
    assert "not clipped" in text


def test_octaves_in_words(bundled_map):
    words = [octave(bundled_map, ring) for ring in range(len(bundled_map.rings.low))]
    assert words[:3] == ["0", "1-1.41", "2-3.61"]


def with_wrong(found, wrong):
    return replace(found, wrong=wrong, wrong_before=np.zeros_like(found.wrong_before))


def test_the_answer_names_the_octaves_or_that_it_cannot(bundled_map):
    low = bundled_map.waves.radius < 2
    wrong = np.tile(low & (bundled_map.waves.radius > 0), (len(bundled_map.images), 1)).astype(np.uint8)
    assert answer(with_wrong(bundled_map, wrong)).startswith("Most sensitive to 1-1.41 (+100 points), least to ")
    assert "undecided" in answer(with_wrong(bundled_map, np.zeros_like(wrong)))


def test_unlabelled_images_have_other_words(bundled_map):
    text = str(replace(bundled_map, attributes=bundled_map.attributes | {"labelling": "predicted"}))
    assert "changed answers" in text and "same answer" in text and "accuracy" not in text


def test_octaves_that_are_not_told_apart_from_the_named_ones_are_said(bundled_map):
    """Two low octaves that turn half of the images wrong, and all others none."""
    low = (bundled_map.waves.radius > 0) & (bundled_map.waves.radius < 4)
    half = np.arange(len(bundled_map.images)) % 2 == 0
    wrong = (half[:, None] & low).astype(np.uint8)
    said = answer(with_wrong(bundled_map, wrong))
    assert said.startswith("Most sensitive to 1-1.41 (+50 points; not told apart: 2-3.61), least to 4-7.81 (0 points;")
