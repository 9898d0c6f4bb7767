"""A model with the path in its graph, on the devices that run the model itself."""

import threading
from dataclasses import replace
from functools import partial
from itertools import count
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from onnxspec.errors import ModelError, OnnxspecError
from onnxspec.images.inputspec import InputSpec
from onnxspec.images.preprocess import Preprocess
from onnxspec.model import outputs, pathgraph
from onnxspec.model.alone import alone
from onnxspec.model.binding import Binding, Feed
from onnxspec.model.outputs import Scores
from onnxspec.model.pathgraph import Front, PathGraph
from onnxspec.model.providers import CPU, Choice
from onnxspec.model.session import IN_FLIGHT, OnnxModel, result_or_problem, start_session
from onnxspec.model.spread import Spread


class PathModel:
    """Whole images and weights in, scores of the points out; several threads may share it.

    Parameters
    ----------
    model : whose file, devices and threads it uses
    spec : of the model's input, resolved
    preprocess : of uint8 pixels; None where anchors come as inputs of the model
    """

    def __init__(self, model: OnnxModel, spec: InputSpec, preprocess: Preprocess | None):
        self.model, self.spec, self.preprocess = model, spec, preprocess
        self._spreads: dict[int, Spread[_Seats]] = {}
        self._lock = threading.Lock()

    @property
    def fixed_batch(self) -> int | None:
        """The batch size that the file fixes."""
        return self.model.fixed_batch

    @property
    def one_shape(self) -> bool:
        """Whether batches should all have one shape: a device plans, or compiles, for every new one."""
        return self.model.provider != CPU

    def scores(self, anchors: NDArray[Any], index: NDArray[np.int64], weights: NDArray[np.float32]) -> Scores:
        """Scores of points, (n, K).

        Parameters
        ----------
        anchors : (a, h, w, c) uint8 pixels, or (a, ...) float32 inputs where there is no preprocessing
        index : (J, n) which anchors make up a point; n is the model's batch size where it has one
        weights : (J, n) of each

        Raises
        ------
        ModelError, ResourceError
            As `OnnxModel.run`; a ModelError also where the graph resists.
        """
        count = index.shape[1]
        axes = (1,) * (1 if self.spec.layout == "flat" else 3)
        with self._spread(len(index)).one() as seats:
            graph = seats.graph
            feed = {graph.anchors: anchors} | self.model.fillers(count)
            feed |= dict(zip(graph.indices, index, strict=True))
            feed |= {name: own.reshape(-1, *axes) for name, own in zip(graph.weights, weights, strict=True)}
            found = result_or_problem(partial(seats.run, feed), count, self.model.spec)
            # Whoever waits for its memory makes another as soon as this block is left.
            del seats
        if isinstance(found, OnnxspecError):
            raise found
        return outputs.squeeze(found, count)

    def start(self) -> None:
        """Makes the sessions of straight lines, on every device; raises as `scores` does."""
        if not self.model.info.memory.fits_beside_itself(self.model.limit):
            raise ModelError("Memory has no room for a second session, with the path in its graph.")
        self._spread(2).start()

    def renew(self) -> None:
        """Gives back what a device's memory is full of: the next batch finds new sessions."""
        with self._lock:
            for spread in self._spreads.values():
                alone(self.model.choices[0], spread.renew().clear)

    @property
    def bytes_sent(self) -> int:
        """Bytes that went to the devices so far, since the last `renew`."""
        with self._lock:
            return sum(seats.sent for spread in self._spreads.values() for seats in spread.start())

    def _spread(self, terms: int) -> "Spread[_Seats]":
        with self._lock:
            if terms not in self._spreads:
                front = Front(self.spec, self.preprocess, terms)
                # Makers that do not know this object: in a circle with it sessions would outlive it, and keep a device's memory.
                choices = self.model.choices
                makers = [partial(alone, choice, partial(_seats, self.model, front, choice)) for choice in choices]
                self._spreads[terms] = Spread(makers, IN_FLIGHT if self.one_shape else None)
            return self._spreads[terms]


def _seats(model: OnnxModel, front: Front, choice: Choice) -> "_Seats":
    proto, weights = model.graph()
    graph = pathgraph.build(proto, model.image_port.name, front)
    session = start_session(model.info, choice, model.threads, graph.content, weights)
    model.require_unchanged()
    # Without the model's bytes, which the session has its own of.
    return _Seats(session, replace(graph, content=b""), model.scores_port.name, choice)


class _Seats:
    """A session on one device and its bindings, of which each is used by one thread at a time."""

    def __init__(self, session: onnxruntime.InferenceSession, graph: PathGraph, output: str, choice: Choice) -> None:
        self.graph = graph
        self._make = partial(Binding, session, output, choice.memory, count(1) if choice.captures else None)
        self._choice = choice
        self._made: list[Binding] = []
        self._free: list[Binding] = []

    @property
    def sent(self) -> int:
        return sum(binding.sent for binding in self._made)

    def run(self, feed: Feed) -> NDArray[Any]:
        """As `Binding.run`, from any thread."""
        return alone(self._choice, partial(self._run, feed))

    def _run(self, feed: Feed) -> NDArray[Any]:
        try:
            binding = self._free.pop()
        except IndexError:
            binding = self._make()
            self._made.append(binding)
        result = binding.run(feed)
        self._free.append(binding)  # not after an error: what it holds is in doubt
        return result
