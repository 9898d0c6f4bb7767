"""A family of one's own: any function from two images and times to points, a decoder's path through its codes, say.

    def through_codes(a, b, t):                       # (*shape), (*shape), (n,) -> (n, *shape)
        return decode((1 - t)[:, None] * encode(a) + t[:, None] * encode(b))

    onnxspec.analyze("model.onnx", "images", own_paths={"codes": through_codes})

Paths that are weighted sums of images need no function: `Frames` takes their weights.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from onnxspec.errors import UsageError
from onnxspec.paths.families import NUMBERED, Where
from onnxspec.paths.space import PixelSpace

Path = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]


@dataclass(frozen=True)
class OwnFamily:
    """What a run is given of a family of one's own: `function` and `closed` as of `OwnPaths`."""

    function: Path
    closed: bool = False


class OwnPaths:
    """A `Walk` along what a function draws, in the model's input space.

    Parameters
    ----------
    function : (image_a, image_b, t) -> (n, *shape); the images are (*shape) float32 inputs of the model, t (n,)
        float64 in 0..1 and the result anything that NumPy takes as real numbers. It may be called for a path's points
        in several parts and from several threads.
    anchors : a path's number to its two images, (2, *shape) float32
    closed : whether t = 1 is t = 0 again: the points are j / points, else j / (points - 1) with both ends
    where : see `Where`
    """

    def __init__(
        self,
        function: Path,
        anchors: Callable[[int], np.ndarray],
        points: int,
        count: int,
        shape: tuple[int, ...],
        closed: bool = False,
        where: Where = NUMBERED,
    ) -> None:
        self._function, self._anchors, self._count = function, anchors, count
        self._t = np.arange(points) / (points if closed else points - 1)
        self.points, self.shape, self.closed, self.where = points, shape, closed, where

    def __len__(self) -> int:
        return self._count

    def fill(self, path: int, span: slice, out: np.ndarray) -> None:
        """See `Walk`.

        Raises
        ------
        UsageError
            The function gives another shape, or no finite real numbers.
        """
        out[...] = self._drawn(path, self._t[span])

    def length(self, path: int, space: PixelSpace) -> float:
        """RMS pixel distance from point to point: the polygon that is walked, closed where the path is."""
        points = self._drawn(path, self._t)
        steps = np.diff(points, axis=0, append=points[:1]) if self.closed else np.diff(points, axis=0)
        return float(space.rms(steps).sum())

    def _drawn(self, path: int, t: np.ndarray) -> np.ndarray:
        image_a, image_b = self._anchors(path)
        drawn = np.asarray(self._function(image_a, image_b, t))
        wanted = (len(t), *self.shape)
        if drawn.shape != wanted:
            raise UsageError(f"The path's function gave {drawn.shape} for {len(t)} times; {wanted} was expected.")
        with np.errstate(over="ignore"):
            single = drawn.astype(np.float32, copy=False) if drawn.dtype.kind in "fiub" else np.full(1, np.nan)
        if not np.isfinite(single).all():
            raise UsageError(
                f"The path's function gave {drawn.dtype} with values that are no finite real numbers in float32.",
                f"Finite inputs of the model were expected {self.where(path)}.",
            )
        return single
