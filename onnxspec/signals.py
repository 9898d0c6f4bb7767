"""Logits become signals: what about the outputs is followed along a path (method.md section 2).

Arrays in, arrays out; NumPy and SciPy only. Everywhere `outputs : (paths, points, classes)`.
"""

import numpy as np
from scipy import special

SMALLEST = float(np.finfo(np.float32).tiny)


def restricted(outputs: np.ndarray, columns: np.ndarray | None, probabilities: bool) -> np.ndarray:
    """The outputs of some classes only; probabilities are made to sum to 1 again where they are not all zero.

    Parameters
    ----------
    outputs : (..., classes) float; columns : (kept,) int output indices, or None for all
    """
    if columns is None:
        return outputs
    kept = outputs[..., columns]
    if not probabilities:
        return kept
    total = kept.sum(-1, keepdims=True, dtype=np.float64)
    return np.divide(kept, total, out=np.zeros(kept.shape, np.float64), where=total > 0).astype(kept.dtype)


def prob(outputs: np.ndarray, probabilities: bool) -> np.ndarray:
    """Softmax at every point, (paths, points, classes) float64; `probabilities` pass as they are."""
    outputs = np.asarray(outputs, np.float64)
    return outputs if probabilities else special.softmax(outputs, axis=-1)


def logit(outputs: np.ndarray, probabilities: bool) -> np.ndarray:
    """Logits less their mean over classes, (paths, points, classes) float64.

    Of probabilities, log p is taken, floored at the smallest normal float32.
    """
    outputs = np.asarray(outputs, np.float64)
    if probabilities:
        outputs = np.log(np.maximum(outputs, SMALLEST))
    return outputs - outputs.mean(-1, keepdims=True)


def labels(outputs: np.ndarray) -> np.ndarray:
    """The predicted class at every point, (paths, points) int64."""
    return np.argmax(outputs, axis=-1)


def label(outputs: np.ndarray, probabilities: bool) -> np.ndarray:
    """One-hot predicted class, (paths, points, classes) float64: blind to temperature."""
    found = np.zeros(np.shape(outputs))
    np.put_along_axis(found, labels(outputs)[..., None], 1.0, -1)
    return found


def distance(outputs: np.ndarray, probabilities: bool) -> np.ndarray:
    """||p(t) - p(0)||_2, (paths, points, 1) float64: the scalar of Fridovich-Keil et al. 2022."""
    p = prob(outputs, probabilities)
    return np.linalg.norm(p - p[:, :1], axis=-1, keepdims=True)


SIGNALS = {"prob": prob, "logit": logit, "label": label, "distance": distance}
