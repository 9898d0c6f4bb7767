"""Straight paths in steps of 1: t = 0, 1, 2, ... below the distance, so that the far end is excluded."""

from collections.abc import Callable, Sequence

import numpy as np


def times(distance: float, single: bool) -> np.ndarray:
    """t of a path of that L2 length, (points,), as shares of it: float32 or float64 arithmetic as published."""
    dtype: type[np.floating] = np.float32 if single else np.float64
    length = dtype(distance)
    return np.arange(0, float(length), 1, dtype=dtype) / length


class UnitSteps:
    """A `Walk` over several paths of different length end to end, as if they were one: batches stay full.

    Parameters
    ----------
    anchors : a path's number to its two ends, (2, *shape) float32 inputs of the model
    shares : of every path its t as shares of its length, (points,) each
    where : all of them in words, for errors
    """

    def __init__(
        self,
        anchors: Callable[[int], np.ndarray],
        shares: Sequence[np.ndarray],
        shape: tuple[int, ...],
        where: str = "",
    ) -> None:
        self._anchors, self._shares, self.shape, self._where = anchors, shares, shape, where
        self._starts = np.concatenate([[0], np.cumsum([len(share) for share in shares])])
        self.points = int(self._starts[-1])
        self._last: tuple[int, np.ndarray] | None = None

    def __len__(self) -> int:
        return 1

    def fill(self, path: int, span: slice, out: np.ndarray) -> None:
        """See `Walk`; there is one path, number 0."""
        at = span.start
        while at < span.stop:
            one = int(np.searchsorted(self._starts, at, side="right")) - 1
            end = min(span.stop, int(self._starts[one + 1]))
            share = self._shares[one][at - self._starts[one] : end - self._starts[one]]
            a, b = self._ends(one)
            out[at - span.start : end - span.start] = a + share.reshape(-1, *[1] * a.ndim) * (b - a)
            at = end

    def where(self, path: int) -> str:
        """See `Walk`."""
        return self._where

    def split(self, outputs: np.ndarray) -> list[np.ndarray]:
        """The outputs (1, points, outputs) path by path: (points of the path, outputs) each."""
        return np.split(outputs[0], self._starts[1:-1])

    def _ends(self, path: int) -> np.ndarray:
        if self._last is None or self._last[0] != path:
            self._last = path, self._anchors(path).astype(np.float64)
        return self._last[1]
