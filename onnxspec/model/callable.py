"""Any Python function `batch -> scores` in place of an ONNX file, so that live networks can be measured."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from onnxspec.errors import ModelError
from onnxspec.images.inputspec import InputSpec
from onnxspec.model.outputs import Scores, squeeze


@dataclass(frozen=True, eq=False)
class CallableModel:
    """A function from a batch (n, ...) of NumPy arrays, laid out as `spec` says, to scores (n, K).

    The result may be a NumPy array or anything like a torch tensor. The function is called from one thread at a time.
    `outputs` is K; `digest` identifies what the function computes, without it nothing is cached or resumed;
    `final_op` is "Sigmoid" or "Softmax" where the caller knows that the scores are such; `fixed_batch` is the number of
    images that every batch must have, None for any; `name` is what a report calls the function.
    """

    function: Callable[[NDArray[Any]], Any]
    spec: InputSpec
    outputs: int | None = None
    digest: str | None = None
    name: str = "callable"
    final_op: str = ""
    fixed_batch: int | None = None

    provider = "python"
    device_note = "a Python function, on whatever it uses"
    threads_allowed = False
    threads = 1
    in_flight = 0

    def with_threads(self, threads: int) -> "CallableModel":
        """Itself: what a function does with threads is its own affair."""
        return self

    def renew(self) -> None:
        """Nothing: what a function holds is its own affair."""

    def require_unchanged(self) -> None:
        """Nothing: the digest is the caller's promise."""

    def run(self, batch: NDArray[Any]) -> Scores:
        """Scores (n, K), float64 kept and everything else as float32, of `batch` (n, ...), as `InputSpec.cast` makes it.

        Raises
        ------
        ModelError
            The result is no array of shape (n, K), or K is not `outputs`.
        """
        result = self.function(np.ascontiguousarray(self.spec.cast(batch)))
        scores = squeeze(_as_array(result), len(batch))
        if self.outputs is not None and scores.shape[1] != self.outputs:
            raise ModelError(f"The function gave {scores.shape[1]} scores per image; {self.outputs} were expected.")
        return scores


def _as_array(result: Any) -> NDArray[Any]:
    for step in ("detach", "cpu"):  # torch tensors know their gradient and device
        if hasattr(result, step):
            result = getattr(result, step)()
    try:
        array = np.asarray(result)
    except (TypeError, ValueError, RuntimeError):
        array = np.asarray(None)
    if array.dtype.kind not in "fiub":
        raise ModelError(f"The function gave {type(result).__name__}; an array of scores (n, K) was expected.")
    return array
