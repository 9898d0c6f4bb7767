"""Batches along paths for a model that forms the points itself: whole images and weights are what it is given."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from onnxspec.errors import DeviceError, ModelError, ResourceError
from onnxspec.images.inputspec import InputSpec
from onnxspec.images.preprocess import Preprocess
from onnxspec.model.outputs import Scores
from onnxspec.model.pathmodel import PathModel
from onnxspec.model.protocol import Classifier
from onnxspec.model.session import OnnxModel
from onnxspec.paths import families

VALUES_PER_BATCH = 2**24
LEAST, MOST = 16, 1024
"""Images in a batch on a device."""
# Other kernels, another order of summation: nothing that resembles a wrong axis, a wrong mean or a lost term.
_TOLERANCE = 0.02


@dataclass(frozen=True)
class GraphPaths:
    """Evaluates frames between whole images.

    anchor : image to what the model is given for it, uint8 pixels (h, w, c) or an input float32
    """

    model: PathModel
    anchor: Callable[[int], np.ndarray]

    @property
    def one_shape(self) -> bool:
        """Whether batches are padded to one shape."""
        return self.model.one_shape

    def takes(self, walk: families.Walk) -> bool:
        """Whether a walk is one of frames between whole images."""
        return isinstance(walk, families.Frames) and walk.images is not None

    def scores(self, walk: families.Walk, start: int, stop: int, tile: int) -> Scores:
        """Scores of points start..stop-1 of all points of a walk that it takes, (stop - start, K); `tile` in images."""
        assert isinstance(walk, families.Frames), "as asked before"
        size = self.model.fixed_batch or (tile if self.one_shape else max(stop - start, min(tile, 2)))
        parts = [self._scores(walk, at, min(at + size, stop), size) for at in range(start, stop, size)]
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    def renew(self) -> None:
        """Gives back what a device's memory is full of."""
        self.model.renew()

    def _scores(self, walk: families.Frames, start: int, stop: int, size: int) -> Scores:
        at = np.minimum(np.arange(start, start + size), stop - 1)
        path, point = np.divmod(at, walk.points)
        terms = walk.weights.shape[-1]
        index = (path - path[0]) * terms + np.arange(terms)[:, None]
        weights = np.ascontiguousarray(walk.weights[path, point].T)
        return self.model.scores(self._anchors(walk, path[0], path[-1], size), index, weights)[: stop - start]

    def _anchors(self, walk: families.Frames, first: int, last: int, size: int) -> np.ndarray:
        """Those of paths first..last; room for as many paths as `size` points can touch, so that the shape is the same."""
        assert walk.images is not None
        images = walk.images[first : last + 1].ravel().tolist()
        one = self.anchor(images[0])
        paths = min((size - 2) // walk.points + 2, len(walk)) if self.one_shape else last - first + 1
        anchors = np.empty((paths * walk.images.shape[1], *one.shape), one.dtype)
        for place, image in enumerate(images):
            anchors[place] = self.anchor(image)
        anchors[len(images) :] = one
        return anchors


def open_graph(
    model: Classifier,
    spec: InputSpec,
    preprocess: Preprocess,
    pixels: Callable[[int], np.ndarray],
    images: Sequence[int],
) -> GraphPaths:
    """The path in the model's graph, which was tried and gives what the host path gives.

    Parameters
    ----------
    pixels : an image's (h, w, c)
    images : to try it with, one or more

    Raises
    ------
    ModelError
        The graph resists, or gives something else: why.
    """
    if not isinstance(model, OnnxModel):
        raise ModelError("A Python function has no graph.")

    def prepared(image: int) -> np.ndarray:
        return preprocess.to_input(pixels(image)[None], spec)[0].astype(np.float32, copy=False)

    ends = [images[0], images[-1]]
    floating = pixels(ends[0]).dtype != np.uint8
    graph = GraphPaths(PathModel(model, spec, None if floating else preprocess), prepared if floating else pixels)
    try:
        graph.model.start()
        wanted = model.run(spec.cast(np.stack([prepared(image) for image in ends])))
        # There and back again: the second batch must not be given the first one's scores.
        for turn in (1, -1):
            _require_alike(graph.scores(_between(ends[::turn], 3), 0, 3, 3)[::2], wanted[::turn])
    except (DeviceError, ResourceError) as error:
        raise ModelError(error.message, error.hint) from None
    return graph


def sized_for_device(graph: GraphPaths, image: int, batch: int | None) -> tuple[int, float]:
    """The batch of a device, and the seconds that an image takes in it; `batch` where it is settled.

    A matter of the image's size and of memory, not of the clock: other shapes get other kernels, which round otherwise,
    and equal runs should not. Tried on points of a path from `image` to itself.
    """
    values = graph.anchor(image).size
    tile = graph.model.fixed_batch or batch or min(max(VALUES_PER_BATCH // values, LEAST), MOST)
    while True:
        try:
            return tile, _seconds_per_image(graph, image, tile)
        except ResourceError:
            if tile == 1 or graph.model.fixed_batch:
                raise
            graph.renew()
            tile //= 2


def _seconds_per_image(graph: GraphPaths, image: int, tile: int) -> float:
    """With the first run, which plans and allocates, left out."""
    walk = _between([image, image], tile)
    graph.scores(walk, 0, tile, tile)
    start = time.perf_counter()
    graph.scores(walk, 0, tile, tile)
    return (time.perf_counter() - start) / tile


def _between(ends: Sequence[int], points: int) -> families.Frames:
    """A straight line between two images, whose points are never formed here."""
    weights = families.line_at(np.linspace(0, 1, points))
    return families.Frames(lambda path: np.empty(0), weights, 1, images=np.array([ends]))


def _require_alike(given: np.ndarray, wanted: np.ndarray) -> None:
    if given.shape != wanted.shape:
        raise ModelError(f"With the path in its graph the model gives scores {given.shape} in place of {wanted.shape}.")
    scale = np.abs(wanted).max()
    worst = np.abs(given - wanted).max()
    if np.isfinite(scale) and not worst <= _TOLERANCE * scale:
        raise ModelError(
            f"With the path in its graph the model gives other scores: they differ by {worst:.2g}, and are at most {scale:.2g}."
        )
