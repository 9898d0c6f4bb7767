"""What a classifier's outputs are: their shape, logits or probabilities, and one column made into two classes."""

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from onnxspec.errors import ModelError

Kind = Literal["logits", "probabilities"]
Scores = NDArray[np.floating[Any]]

# float16 probabilities of many classes miss a sum of 1 by this much; float32 ones by 1e-6.
_SUM_TOLERANCE = 2e-3
# A softmax rounded to 8 bits: the operator says what it is, the sum need only agree roughly.
_SOFTMAX_SUM_TOLERANCE = 0.1
_RANGE_TOLERANCE = 1e-4
# Without word from the graph, this many scores in [0, 1], none outside, are called multi-label.
_BOUNDED_SCORES = 64
_SQUASHING = ("Sigmoid", "HardSigmoid")
# Nothing holds these operators' results inside [0, 1]: they make logits, however small.
_UNBOUNDED = ("Gemm", "MatMul", "Conv", "Add", "FusedGemm", "FusedMatMul", "GlobalAveragePool", "ReduceMean")


def squeeze(raw: NDArray[Any], images: int) -> Scores:
    """Scores (n, K) of a model's raw output (n, K) or (n, K, 1, ...), float64 kept, everything else as float32.

    Raises
    ------
    ModelError
        The output has another shape, or not one row for each of the `images`.
    """
    scores = np.asarray(raw)
    if scores.ndim < 2 or any(length != 1 for length in scores.shape[2:]):
        raise ModelError(
            f"The model's output has the shape {scores.shape} for {images} images; ({images}, K) was expected: "
            "one score per class and image.",
            "Choose another output with --output NAME, or export the model with its class scores.",
        )
    if len(scores) != images:
        raise ModelError(
            f"The model gave {len(scores)} rows for {images} images; one per image was expected.",
            "Have it give a row for each image, along the first axis.",
        )
    flat = scores.reshape(scores.shape[:2])
    return flat if flat.dtype == np.float64 else flat.astype(np.float32, copy=False)


def detect(scores: Scores, final_op: str = "") -> Kind:
    """Whether `scores` (n, K) are logits or probabilities (method.md section 2).

    Probabilities lie in [0, 1] and, for K > 1, sum to 1 in every row. Give rows of several images: a handful of
    logits can lie in [0, 1] by chance. So scores in [0, 1] that do not sum to 1 are multi-label only if `final_op`,
    the operator that made them, is a sigmoid, or is unknown and there are at least 64 of them; after an affine
    operator they are logits, and so they are where none is far from zero and some lie below it. One column is a
    probability under the same rule.

    Raises
    ------
    ModelError
        Multi-label scores: every class has a probability of its own. Or probabilities in percent.
    """
    finite = scores[np.isfinite(scores).all(axis=1)]
    inside = bool(((finite >= -_RANGE_TOLERANCE) & (finite <= 1 + _RANGE_TOLERANCE)).all())
    # Rounding leaves of a zero hardly anything below it, and never without an output near 1.
    small = len(finite) and finite.min() < 0 and finite.max() <= _RANGE_TOLERANCE
    if len(finite) and not inside:
        _require_no_percent(finite)
    if not len(finite) or not inside or small:
        return "logits"
    if scores.shape[1] > 1:
        tolerance = _SOFTMAX_SUM_TOLERANCE if final_op == "Softmax" else _SUM_TOLERANCE
        if np.abs(finite.sum(axis=1, dtype=np.float64) - 1).max() <= tolerance:
            return "probabilities"
    if not _is_bounded(finite.size, final_op):
        return "logits"
    if scores.shape[1] == 1:
        return "probabilities"
    if final_op == "Softmax":
        raise ModelError(
            "The model ends in a Softmax, and its outputs do not sum to 1 over the classes: it is taken over another axis.",
            "Export the model with its softmax over the classes (axis 1), or with its logits.",
        )
    if len(finite) > 1 and (finite == finite[0]).all():
        raise ModelError(
            f"The model gives the same for all of {len(finite)} images, in [0, 1] and with a sum that is not 1.",
            "See that the images reach it, and that these are its class scores: --output NAME chooses another.",
        )
    raise ModelError(
        "The model's outputs lie in [0, 1] and do not sum to 1: a multi-label model, whose classes do not exclude "
        f"each other{f' (it ends in {final_op})' if final_op else ''}; onnxspec needs one distribution over the classes.",
        "Labels that may go together are not measured. If every image has one class, export the model with its logits "
        "or its softmax, or choose these with --output NAME.",
    )


def _require_no_percent(finite: Scores) -> None:
    """Refuses rows (n, K) that are at least 0 and sum to 100, as no logits do: their softmax would be of no use."""
    percent = np.abs(finite.sum(axis=1, dtype=np.float64) / 100 - 1) <= _SUM_TOLERANCE
    if finite.shape[1] > 1 and finite.min() >= 0 and len(finite) > 1 and percent.all():
        raise ModelError(
            "The model's outputs are at least 0 and sum to 100: probabilities in percent.",
            "Export the model with its probabilities in 0..1, or with its logits.",
        )


def as_classes(scores: Scores, kind: Kind) -> Scores:
    """Scores (n, K), K >= 2: one column z becomes (0, z) for logits, (1 - z, z) for a probability.

    A probability goes as near to 0 as it can to 1: what is left of 1 would else fall from there to nothing at once.
    """
    if scores.shape[1] > 1:
        return scores
    if kind == "logits":
        return np.concatenate([np.zeros_like(scores), scores], axis=1)
    least = np.finfo(scores.dtype).epsneg
    bounded = np.clip(scores, least, 1 - least)
    return np.concatenate([1 - bounded, bounded], axis=1)


def saturated(scores: Scores) -> np.ndarray:
    """Which rows of probabilities (n, K) have come to the end of what tells one from another, (n,) bool."""
    if scores.shape[1] > 1:
        return (scores == 0).any(axis=1)
    least = np.finfo(scores.dtype).epsneg
    return ((scores <= least) | (scores >= 1 - least))[:, 0]


def _is_bounded(count: int, final_op: str) -> bool:
    return final_op in _SQUASHING or (final_op not in _UNBOUNDED and count >= _BOUNDED_SCORES)
