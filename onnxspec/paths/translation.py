"""A loop near the data: an image moved once around a small circle, back to where it was (as crops augment images).

Shifts are below a pixel, so the image is interpolated: by the cosine series of its mirror continuation, the exact
shift of an image mirrored at its borders. Unlike a bilinear shift it neither blurs at fractions of a pixel nor has
kinks at whole ones, which would put frequencies into the outputs that are the interpolation's, and unlike a periodic
Fourier shift it has no seam where opposite borders meet. It is linear and separable: x -> R(dy) x R(dx)^T.
"""

from collections.abc import Callable

import numpy as np

from onnxspec.paths.families import NUMBERED, Where
from onnxspec.paths.space import PixelSpace

RADIUS = 1 / 32
"""Of the circle, over the shorter side of the image: one pixel of 32, two at the far point of the loop."""


def shift(side: int, by: np.ndarray) -> np.ndarray:
    """Matrices that move a mirrored signal of `side` samples by (points,) samples: (points, side, side) float64."""
    return np.cos(_angles(side, by)) @ _coefficients(side)


def shift_rate(side: int, by: np.ndarray) -> np.ndarray:
    """The derivative of `shift` by the shift, (points, side, side) float64, per sample."""
    return (_frequencies(side) * np.sin(_angles(side, by))) @ _coefficients(side)


def _frequencies(side: int) -> np.ndarray:
    """Of the cosines, (side,) float64 radians per sample."""
    return np.pi * np.arange(side) / side


def _angles(side: int, by: np.ndarray) -> np.ndarray:
    """Of every cosine where each moved sample comes from, (points, side samples, side cosines) float64 radians."""
    return (np.arange(side)[:, None] + 0.5 - np.asarray(by)[:, None, None]) * _frequencies(side)


def _coefficients(side: int) -> np.ndarray:
    """The cosine coefficients of samples (DCT-II), (side cosines, side samples) float64."""
    forward = 2 / side * np.cos(_frequencies(side)[:, None] * (np.arange(side) + 0.5))
    forward[0] /= 2
    return forward


class TranslationLoops:
    """A `Walk` of one closed loop an image, the image itself first.

    Parameters
    ----------
    pixels : an image's index to its pixels (h, w, c); image : (paths,) int; points : N = 2^m on one turn; where : see `Where`
    """

    def __init__(
        self,
        pixels: Callable[[int], np.ndarray],
        space: PixelSpace,
        image: np.ndarray,
        points: int,
        where: Where = NUMBERED,
    ) -> None:
        self._pixels, self._space, self._image = pixels, space, np.asarray(image)
        self.points, self.shape, self.where = points, space.shape, where
        height, width, _ = space.pixels
        turn = 2 * np.pi * np.arange(points) / points
        radius = RADIUS * min(height, width)
        self._along = radius * (1 - np.cos(turn)), radius * np.sin(turn)
        self._speed = 2 * np.pi * radius * np.sin(turn), 2 * np.pi * radius * np.cos(turn)
        self._rows, self._columns = shift(height, self._along[0]), shift(width, self._along[1])

    def __len__(self) -> int:
        return len(self._image)

    def fill(self, path: int, span: slice, out: np.ndarray) -> None:
        """See `Walk`."""
        image = np.asarray(self._pixels(int(self._image[path])), np.float64)
        out[...] = self._space.inputs(_moved(self._rows[span], image, self._columns[span]))

    def length(self, path: int) -> float:
        """RMS pixel distance that the loop covers: the mean over the turn of the speed, exact but for aliasing."""
        image = np.asarray(self._pixels(int(self._image[path])), np.float64)
        height, width, _ = self._space.pixels
        down = self._speed[0][:, None, None] * shift_rate(height, self._along[0])
        right = self._speed[1][:, None, None] * shift_rate(width, self._along[1])
        rate = _moved(down, image, self._columns) + _moved(self._rows, image, right)
        return float(np.sqrt(np.square(rate).mean((1, 2, 3))).mean() / self._space.unit)


def _moved(rows: np.ndarray, image: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """R x C^T for every point and channel: (points, h, h), (h, w, c), (points, w, w) -> (points, h, w, c)."""
    planes = rows[:, None] @ np.moveaxis(image, -1, 0) @ columns[:, None].transpose(0, 1, 3, 2)
    return np.moveaxis(planes, 1, -1)
