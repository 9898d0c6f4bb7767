"""Signs of wrong preprocessing: seen where they are, and nowhere else."""

import numpy as np
import pytest

from onnxspec.analysis import plausibility
from onnxspec.images.classes import ClassMap
from onnxspec.images.inputspec import InputSpec
from onnxspec.images.preprocess import fit
from onnxspec.images.presets import read_preprocess
from onnxspec.images.value_range import ValueRange


def of_images(low, high, said="mean=0;std=1", floating=True):
    spec, fitted = fit(InputSpec("NCHW", 1, 4, 4), read_preprocess(said, "flag"), (4, 4), floating)
    return plausibility.of_images(ValueRange(low, high, floating, 9), fitted, spec)


@pytest.mark.parametrize(("low", "high", "floating"), [(0, 255, False), (0, 1, True), (-0.02, 1.03, True)])
def test_nothing_to_say_of_usual_images(low, high, floating):
    assert not of_images(low, high, floating=floating)


def test_images_that_use_an_eighth_of_their_range_are_said():
    (remark,) = of_images(0, 16, floating=False)
    assert remark.text == "No value of the first 9 images is above 16 of 255."
    assert not of_images(0, 32, floating=False) and not of_images(0, 16, "scale=1/16", floating=False)


def test_units_of_their_own_are_said():
    (remark,) = of_images(-2.1, 2.6, "mean=0;std=.5")
    assert remark.text.startswith(
        "The images are floating-point numbers from -2.1 to 2.6 and reach the model as -4.2 to"
    )
    assert "in their own units" in remark.text and not remark.hint
    assert "divided by 255" in of_images(0, 255, "0..255")[0].hint


def test_fractions_that_a_model_gets_for_levels_are_said():
    (remark,) = of_images(0, 1, "0..255")
    assert "reach the model as 0 to 1." in remark.text and "units" not in remark.text
    assert "scale=255" in remark.hint


def test_answers_that_are_always_others_are_of_one_that_knows():
    true = np.repeat(np.arange(10), 10)
    (remark,) = plausibility.of_answers((true + 1) % 10, true, 10)
    assert "0% on 100 images, far below chance (1 of 10)" in remark.text and "class order" in remark.hint
    assert "preprocess" not in remark.hint


def test_logits_of_probabilities_that_have_come_to_their_end_are_said():
    assert plausibility.of_logits(np.zeros(8, bool)) == []
    (remark,) = plausibility.of_logits(np.arange(8) < 2)
    assert remark.text.startswith("25% of 8 images have a probability of 0 or 1") and "with its logits" in remark.hint


@pytest.mark.parametrize(
    ("output_of", "labels", "said"),
    [
        (range(4), [0, 1, 2, 3], None),
        (range(4), [0, 1, 3, -1], "no image of 1 of 4 classes of the model: c."),
        ([0, 1, 3], [0, 1, 2], "no image of 1 of 4 classes of the model: c."),
        ([0], [0, 0], None),  # a few classes of many are looked at
        ([0, 1], [0, 0], "no image of 1 of 4 classes of the model: b."),
    ],
)
def test_classes_without_an_image_are_named(output_of, labels, said):
    known = ClassMap(np.array(output_of), ("a", "b", "c", "d"), None, "")
    found = plausibility.of_classes(known, np.array(labels))
    assert [said in remark.text for remark in found] == [True] * (said is not None)


def test_a_softmax_of_probabilities_is_said():
    logits = np.random.default_rng(0).normal(0, 3, (16, 10))
    once = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    twice = np.exp(once) / np.exp(once).sum(1, keepdims=True)
    assert plausibility.of_probabilities(once) == []
    assert plausibility.of_probabilities(np.concatenate([twice, once[:1]])) == []
    (remark,) = plausibility.of_probabilities(twice.astype(np.float32))
    assert "more than e times another" in remark.text


@pytest.mark.parametrize(
    ("predicted", "true", "outputs", "said"),
    [
        ([0] * 200, [0] * 190 + [1] * 10, 2, "95% on 200 images, and the same class is predicted for all"),
        ([0] * 200, [0] * 200, 2, None),
        ([0, 1] * 100, [0, 1, 1, 0] * 50, 2, "50% on 200 images, near chance (1 of 2)"),
        ([0, 1] * 100, [0, 1, 1, 0] * 50, 1000, None),
        (list(range(100)), [5] * 100, 100, "1% on 100 images, near chance (1 of 100)"),
    ],
)
def test_answers_of_one_that_sees_nothing(predicted, true, outputs, said):
    remarks = plausibility.of_answers(np.array(predicted), np.array(true), outputs, "Perhaps this.")
    assert bool(remarks) == bool(said)
    for remark in remarks:
        assert said in remark.text and remark.text.endswith(". Perhaps this.") and remark.code == "accuracy"
