"""Points of paths formed on this machine: some batches ahead of the model, into buffers small enough to stay in cache.

While the network runs, the processor forgets how to form them, so that a few batches in one go cost less than each
by itself.
"""

import math
import threading

import numpy as np

from onnxspec.paths.families import Walk

AHEAD_VALUES = 1 << 18
"""Values of the inputs that are formed in one go, 1 MB."""


def ahead(shape: tuple[int, ...], tile: int = 1) -> int:
    """How many inputs of a shape to work on in one go: whole batches of a tile, at least one."""
    return tile * max(1, AHEAD_VALUES // (tile * math.prod(shape)))


class Formed:
    """The points of a walk, formed as they are asked for; by one thread.

    buffers : where a thread keeps its buffer from walk to walk
    """

    def __init__(self, walk: Walk, buffers: threading.local):
        self._walk, self._buffers = walk, buffers
        self._points, self._first = np.empty((0, 0), np.float32), 0

    def points(self, start: int, stop: int, tile: int) -> np.ndarray:
        """Points start..stop-1 of all points of the walk, (n, *shape) float32, until the next ones are asked for.

        They are asked for in their order; a point, and what is behind it, may be asked for again.
        """
        if stop > self._first + len(self._points):
            self._form(start, min(start + ahead(self._walk.shape, tile), len(self._walk) * self._walk.points))
        return self._points[start - self._first : stop - self._first]

    def _form(self, start: int, stop: int) -> None:
        walk, points = self._walk, self._buffer(stop - start)
        self._points = points[:0]  # where memory runs out half way, all of them are formed anew
        position = start
        while position < stop:
            path, point = divmod(position, walk.points)
            end = min(stop, (path + 1) * walk.points)
            walk.fill(path, slice(point, point + end - position), points[position - start : end - start])
            position = end
        self._points, self._first = points, start

    def _buffer(self, images: int) -> np.ndarray:
        shape = self._walk.shape
        held = getattr(self._buffers, "held", None)
        if held is None or held.shape[1:] != shape or len(held) < images:
            held = self._buffers.held = np.empty((images, *shape), np.float32)
        return held[:images]
