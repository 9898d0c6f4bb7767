"""What the engine asks of a classifier, whether an ONNX file or a Python function."""

from typing import Any, Protocol

from numpy.typing import NDArray

from onnxspec.images.inputspec import InputSpec
from onnxspec.model.outputs import Scores


class Classifier(Protocol):
    """Images in, scores out.

    `outputs` is K, None where only running it tells; `fixed_batch` the batch size that the model insists on;
    `final_op` the operator that makes the scores ("" where unknown); `provider` what runs it, and `device_note` why;
    `digest` identifies what is computed, None where nothing does; `threads_allowed` whether several Python threads may
    call `run` at once, `threads` how many of its own work inside one `run`; `in_flight` how many of them keep devices
    busy, 0 where it runs on this machine's cores.
    """

    @property
    def name(self) -> str: ...
    @property
    def spec(self) -> InputSpec: ...
    @property
    def outputs(self) -> int | None: ...
    @property
    def fixed_batch(self) -> int | None: ...
    @property
    def final_op(self) -> str: ...
    @property
    def provider(self) -> str: ...
    @property
    def device_note(self) -> str: ...
    @property
    def digest(self) -> str | None: ...
    @property
    def threads_allowed(self) -> bool: ...
    @property
    def threads(self) -> int: ...
    @property
    def in_flight(self) -> int: ...

    def run(self, batch: NDArray[Any]) -> Scores:
        """Scores (n, K) float32 or float64, as the model gives them, of `batch` (n, ...) laid out as `spec` says."""
        ...

    def with_threads(self, threads: int) -> "Classifier":
        """The same classifier with `threads` threads inside one `run`; itself where that means nothing."""
        ...

    def renew(self) -> None:
        """Gives back the memory that it holds between batches, where memory has run out."""
        ...

    def require_unchanged(self) -> None:
        """Raises ModelError where what `digest` describes is no longer what runs: asked before results are written."""
        ...
