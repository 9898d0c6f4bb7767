"""Where a path runs: families of frames, weights over anchor images (method.md section 1).

x(t_j) = sum_i W[j, i] v_i with J anchors v and weights W (points, J). A straight line is J = 2.
"""

from collections.abc import Callable
from typing import Protocol

import numpy as np

Where = Callable[[int], str]
"""A path by its number in words, for errors: "between a.png and b.png"."""
NUMBERED: Where = "path {}".format


class Walk(Protocol):
    """Paths of one family, ready to be evaluated: `points` on each, `shape` of one input of the model."""

    @property
    def points(self) -> int: ...
    @property
    def shape(self) -> tuple[int, ...]: ...

    def __len__(self) -> int:
        """How many paths."""
        ...

    def fill(self, path: int, span: slice, out: np.ndarray) -> None:
        """Writes points `span` of a path to `out` (n, *shape) float32, contiguous. By one thread."""
        ...

    def where(self, path: int) -> str:
        """As of `Where`."""
        ...


class Frames:
    """A `Walk` along frames.

    anchors : path to its anchors (J, *shape) float32; called for paths in order, each once
    weights : (points, J) for all or (paths, points, J), float32
    images : (paths, J) int where anchors are whole images of the data, None where they are something else
    """

    def __init__(
        self,
        anchors: Callable[[int], np.ndarray],
        weights: np.ndarray,
        paths: int,
        where: Where = NUMBERED,
        images: np.ndarray | None = None,
    ):
        self._anchors_of, self._paths, self.where, self.images = anchors, paths, where, images
        self.weights = np.broadcast_to(weights, (paths, *weights.shape[-2:]))
        self._path = -1

    def __len__(self) -> int:
        return self._paths

    @property
    def points(self) -> int:
        """Points on every path."""
        return self.weights.shape[1]

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one input."""
        return self._at(max(self._path, 0)).shape[1:]

    def fill(self, path: int, span: slice, out: np.ndarray) -> None:
        """Writes points `span` of a path to `out`."""
        combine(self.weights[path, span], self._at(path), out)

    def _at(self, path: int) -> np.ndarray:
        if path != self._path:
            self._anchors, self._path = self._anchors_of(path), path
        return self._anchors


def line(points: int) -> np.ndarray:
    """The straight line at t_j = j / (points - 1), both ends included: weights (points, 2) float32."""
    return line_at(np.arange(points) / (points - 1))


def line_at(t: np.ndarray) -> np.ndarray:
    """The straight line at any t (..., ) in 0..1: weights (..., 2) float32; exact where t is a dyadic fraction."""
    return np.stack([1.0 - t, t], axis=-1).astype(np.float32)


def combine(weights: np.ndarray, anchors: np.ndarray, out: np.ndarray) -> np.ndarray:
    """Points of one path as multiply and add, which gives the same numbers in a graph and on the host.

    Parameters
    ----------
    weights : (points, J) float32; anchors : (J, ...) float32
    out : (points, ...) float32, contiguous, written to

    Returns
    -------
    out
    """
    # Not a matrix product: it is faster yet, but how it rounds is up to the linear algebra that NumPy was built with.
    np.einsum("pj,jv->pv", weights, anchors.reshape(len(anchors), -1), out=out.reshape(len(out), -1))
    return out
