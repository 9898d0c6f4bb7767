"""One batch after another through the same buffers on the device: ONNX Runtime's IOBinding."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

Feed = Mapping[str, NDArray[Any]]


class Binding:
    """Buffers of a session for batches of one shape at a time; used by one thread at a time.

    Parameters
    ----------
    output : the name of the one output that is wanted
    memory : where buffers lie, ONNX Runtime's name of a device and its number: ("cpu", 0), ("cuda", 1)

    `sent` counts the bytes that went into the buffers.
    """

    def __init__(self, session: onnxruntime.InferenceSession, output: str, memory: tuple[str, int]):
        self._session, self._output, self._memory = session, output, memory
        self._shapes: Sequence[tuple[str, tuple[int, ...], np.dtype]] = ()
        self.sent = 0

    def run(self, feed: Feed) -> NDArray[Any]:
        """The output for the inputs `feed`, by name; raises one of `runtime.ERRORS`."""
        shapes = [(name, values.shape, values.dtype) for name, values in feed.items()]
        if shapes != self._shapes:
            self._bind(feed)
            self._shapes = shapes
        for name, values in feed.items():
            self._buffers[name].update_inplace(values)
            self.sent += values.nbytes
        self._session.run_with_iobinding(self._bound)
        # A copy: the next batch is written to the same place.
        return np.array(self._bound.copy_outputs_to_cpu()[0])

    def _bind(self, feed: Feed) -> None:
        self._shapes = ()
        self._bound = self._session.io_binding()
        self._buffers = {
            name: onnxruntime.OrtValue.ortvalue_from_shape_and_type(values.shape, values.dtype, *self._memory)
            for name, values in feed.items()
        }
        for name, buffer in self._buffers.items():
            self._bound.bind_ortvalue_input(name, buffer)
        self._bound.bind_output(self._output, *self._memory)
