"""One batch after another through the same buffers on the device: ONNX Runtime's IOBinding."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

Feed = Mapping[str, NDArray[Any]]

# What ONNX Runtime takes for a run that neither captures nor replays.
_NO_GRAPH = -1
_HOST = ("cpu", 0)


class Binding:
    """Buffers of a session for batches of one shape at a time; used by one thread at a time.

    Parameters
    ----------
    output : the name of the one output that is wanted
    memory : where buffers lie, ONNX Runtime's name of a device and its number: ("cuda", 1); None where ONNX Runtime has
        no name for it: every batch is bound by itself then
    captures : numbers for the CUDA graphs that the session captures, one a shape, no two the same in a session;
        None where it captures none

    `sent` counts the bytes that went into the buffers. Host memory is pageable: with the path in the
    graph two images of 150 kB serve 65 points, too little for pinned memory to gain (an estimate, not measured).
    """

    def __init__(
        self,
        session: onnxruntime.InferenceSession,
        output: str,
        memory: tuple[str, int] | None,
        captures: Iterator[int] | None = None,
    ):
        self._session, self._output, self._memory, self._captures = session, output, memory, captures
        self._shapes: Sequence[tuple[str, tuple[int, ...], np.dtype]] = ()
        self._options: onnxruntime.RunOptions | None = None
        self.sent = 0

    def run(self, feed: Feed) -> NDArray[Any]:
        """The output for the inputs `feed`, by name; raises one of `runtime.ERRORS`."""
        shapes = [(name, values.shape, values.dtype) for name, values in feed.items()]
        if shapes != self._shapes:
            self._bind(feed)
            self._shapes = shapes
        self._fill(feed)
        self.sent += sum(values.nbytes for values in feed.values())
        self._session.run_with_iobinding(self._bound, self._options)
        # A copy: the next batch is written to the same place.
        return np.array(self._bound.copy_outputs_to_cpu()[0])

    def _bind(self, feed: Feed) -> None:
        self._shapes = ()
        self._bound = self._session.io_binding()
        self._buffers = {} if self._memory is None else {name: self._room(v.shape, v.dtype) for name, v in feed.items()}
        for name, buffer in self._buffers.items():
            self._bound.bind_ortvalue_input(name, buffer)
        self._bound.bind_output(self._output, *(self._memory or _HOST))
        if self._captures is not None:
            self._fill(feed)
            self._options = self._prepared_capture(next(self._captures))

    def _fill(self, feed: Feed) -> None:
        for name, values in feed.items():
            if name in self._buffers:
                self._buffers[name].update_inplace(values)
            else:
                # What lies on the host goes to the device when it is bound, and what is written there later never does.
                self._bound.bind_cpu_input(name, values)

    def _room(self, shape: Sequence[int], kind: Any) -> onnxruntime.OrtValue:
        return onnxruntime.OrtValue.ortvalue_from_shape_and_type(shape, kind, *(self._memory or _HOST))

    def _prepared_capture(self, number: int) -> onnxruntime.RunOptions:
        """Options to capture a graph with, and to replay it. It writes where it was captured: to a buffer that stays."""
        self._session.run_with_iobinding(self._bound, _graph_options(_NO_GRAPH))
        (given,) = self._bound.get_outputs()
        result = self._room(given.shape(), given.element_type())
        self._bound.bind_ortvalue_output(self._output, result)
        return _graph_options(number)


def _graph_options(number: int) -> onnxruntime.RunOptions:
    options = onnxruntime.RunOptions()
    options.add_run_config_entry("gpu_graph_id", str(number))
    return options
