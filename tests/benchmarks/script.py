"""The plain script that a user would write instead: what onnxspec must not be slower than.

The default session, the whole path as one batch, broadcasting in float64, numpy.fft, one path after the other.
"""

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnxruntime


def open_script(model: Path, images: np.ndarray, points: int) -> Callable[[int], float]:
    """A function from a number of paths to the seconds that they take.

    Parameters
    ----------
    images : (n, ...) float32 in the model's layout, the ends of the paths
    """
    session = onnxruntime.InferenceSession(str(model), providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    t = np.linspace(0, 1, points).reshape(-1, *[1] * (images.ndim - 1))

    def power(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        path = (1 - t) * a + t * b
        logits = session.run(None, {name: path.astype(np.float32)})[0]
        exponential = np.exp(logits - logits.max(-1, keepdims=True))
        prob = exponential / exponential.sum(-1, keepdims=True)
        signals = np.stack([prob, logits - logits.mean(-1, keepdims=True)])
        return (np.abs(np.fft.rfft(signals, axis=1)) ** 2).sum(-1)

    def script(paths: int) -> float:
        start = time.perf_counter()
        for path in range(paths):
            power(images[path % len(images)], images[(path + 1) % len(images)])
        return time.perf_counter() - start

    return script
