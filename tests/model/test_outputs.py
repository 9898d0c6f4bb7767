"""Shapes, kinds and single columns of scores."""

import numpy as np
import pytest

from onnxspec.errors import ModelError
from onnxspec.model.outputs import as_classes, detect, saturated, squeeze

RNG = np.random.default_rng(0)


def softmax(z):
    e = np.exp(z - z.max(1, keepdims=True))
    return e / e.sum(1, keepdims=True)


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


@pytest.mark.parametrize("shape", [(3, 5), (3, 5, 1, 1), (3, 5, 1), (3, 1), (1, 1, 1, 1)])
def test_trailing_ones_are_dropped(shape):
    assert squeeze(np.zeros(shape), shape[0]).shape == shape[:2]


@pytest.mark.parametrize("shape", [(3,), (), (3, 5, 7, 7), (3, 1, 5)])
def test_other_shapes_are_refused(shape):
    with pytest.raises(ModelError, match=r"\(3, K\) was expected"):
        squeeze(np.zeros(shape), 3)


def test_rows_must_match_images():
    with pytest.raises(ModelError, match="1 rows for 3 images"):
        squeeze(np.zeros((1, 5)), 3)


@pytest.mark.parametrize(
    ("given", "kept"), [(np.float16, np.float32), (np.float32, np.float32), (np.float64, np.float64), (int, np.float32)]
)
def test_precision_is_kept(given, kept):
    assert squeeze(np.zeros((3, 5), given), 3).dtype == kept


@pytest.mark.parametrize("classes", [2, 10, 1000])
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_softmax_outputs_are_probabilities(classes, dtype):
    p = softmax(RNG.normal(size=(50, classes)) * 3).astype(dtype)
    assert detect(p.astype(np.float32)) == "probabilities"


@pytest.mark.parametrize("classes", [2, 10, 1000])
def test_logits_are_logits(classes):
    assert detect(RNG.normal(size=(50, classes)).astype(np.float32)) == "logits"


def test_log_probabilities_are_logits():
    assert detect(np.log(softmax(RNG.normal(size=(50, 10)))), "LogSoftmax") == "logits"


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_percentages_are_no_logits(dtype):
    percent = (100 * softmax(RNG.normal(size=(50, 10)) * 3)).astype(dtype).astype(np.float32)
    with pytest.raises(ModelError, match="in percent"):
        detect(percent, "Mul")
    assert detect(percent - 1) == detect(percent[:, :9]) == "logits"


def test_rounded_softmax_needs_its_operator():
    p = np.round(softmax(RNG.normal(size=(50, 100))) * 255) / 255
    assert detect(p, "Softmax") == "probabilities"


@pytest.mark.parametrize("final", ["Sigmoid", ""])
def test_multi_label_is_refused(final):
    with pytest.raises(ModelError, match="multi-label"):
        detect(sigmoid(RNG.normal(size=(50, 10))), final)


@pytest.mark.parametrize("final", ["Gemm", "MatMul", "Conv", "Add"])
def test_small_logits_of_an_affine_layer_are_logits(final):
    z = RNG.uniform(0.1, 0.2, (200, 10))
    assert detect(z, final) == "logits"
    assert detect(z[:, :1], final) == "logits"


def test_a_few_scores_in_the_unit_interval_prove_nothing():
    z = RNG.uniform(0.1, 0.9, (3, 2))
    assert detect(z) == "logits"


def test_one_column():
    p = sigmoid(RNG.normal(size=(80, 1)))
    assert detect(p) == "probabilities"
    assert detect(p[:2], "Sigmoid") == "probabilities"
    assert detect(RNG.normal(size=(80, 1))) == "logits"


def test_rows_that_are_not_finite_do_not_decide():
    p = softmax(RNG.normal(size=(50, 10)))
    p[3] = np.nan
    assert detect(p) == "probabilities"
    assert detect(np.full((5, 10), np.nan)) == "logits"


def test_one_column_becomes_two_classes():
    z = RNG.normal(size=(20, 1))
    np.testing.assert_allclose(softmax(as_classes(z, "logits"))[:, 1:], sigmoid(z))
    p = sigmoid(z)
    np.testing.assert_allclose(as_classes(p, "probabilities"), np.hstack([1 - p, p]))
    assert as_classes(p.astype(np.float32), "probabilities").dtype == np.float32
    many = RNG.normal(size=(20, 3))
    assert as_classes(many, "logits") is many


def test_a_probability_ends_as_near_to_zero_as_to_one():
    """What is left of a float32 beside 1 is 2^-24 at least, and then nothing: a logit would leap from -17 to -87."""
    z = np.linspace(-40, 40, 161)[:, None]
    classes = as_classes(sigmoid(z).astype(np.float32), "probabilities")
    assert classes.min() == np.float32(2**-24)
    np.testing.assert_allclose(np.diff(np.log(classes.astype(float)), axis=1)[50:111], z[50:111], rtol=0.05, atol=1e-6)
    ends = saturated(sigmoid(z).astype(np.float32))
    assert ends[:40].all() and ends[-40:].all() and not ends[50:111].any()
    assert saturated(np.array([[1.0, 0.0], [1.0, 1e-30]], np.float32)).tolist() == [True, False]


def test_scores_near_zero_of_both_signs_are_logits():
    """A network whose last layer begins at zero."""
    assert detect(1e-6 * RNG.normal(size=(80, 10))) == "logits"
    assert detect(softmax(RNG.normal(size=(80, 10))) - 1e-6) == "probabilities"


def test_a_model_that_says_nothing_is_no_multi_label_one():
    with pytest.raises(ModelError, match="gives the same for all of 32 images"):
        detect(np.zeros((32, 10), np.float32))
