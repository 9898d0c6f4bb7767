"""Pictures of one spatial frequency: the Fourier basis of images (method.md section 9; Yin et al. 2019).

U_ij(u, v) = sqrt(2 / HW) cos(2 pi (i u / H + j v / W) + pi / 4); where (i, j) is its own opposite, cos without sqrt 2
and phase. Each has unit L2 norm over its pixels, so its RMS is 1 / sqrt(HW), and the same waves that stand in a half
plane of (i, j) are an orthonormal half of all real images. (i, j) and (-i, -j) are one frequency: it is measured once,
and a picture of the plane shows it twice.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np


@dataclass(frozen=True, eq=False)
class Waves:
    """Some spatial frequencies of images of one size.

    height, width : in pixels; frequency : (waves, 2) int64, (i, j) cycles per height and per width, signed
    """

    height: int
    width: int
    frequency: np.ndarray

    @staticmethod
    def half_plane(height: int, width: int, highest: int | None = None) -> "Waves":
        """Every frequency once, from the lowest to the highest: (HW + those that are their own opposite) / 2.

        Parameters
        ----------
        highest : leaves out those with more cycles than that per height or per width
        """
        i, j = (part.ravel() for part in np.meshgrid(_signed(height), _signed(width), indexing="ij"))
        own, opposite = (sign * i % height * width + sign * j % width for sign in (1, -1))
        kept = own <= opposite
        if highest is not None:
            kept &= (abs(i) <= highest) & (abs(j) <= highest)
        frequency = np.column_stack([i[kept], j[kept]])
        order = np.lexsort((frequency[:, 1], frequency[:, 0], np.square(frequency).sum(1)))
        return Waves(height, width, frequency[order])

    def __len__(self) -> int:
        return len(self.frequency)

    def __getitem__(self, index: slice | np.ndarray) -> "Waves":
        return Waves(self.height, self.width, self.frequency[index])

    @property
    def radius(self) -> np.ndarray:
        """sqrt(i^2 + j^2), (waves,) float64: cycles per image."""
        return np.hypot(*self.frequency.T)

    @property
    def own_opposite(self) -> np.ndarray:
        """(waves,) bool: whether -(i, j) is the same frequency, as it is at zero and at Nyquist."""
        return (2 * self.frequency % (self.height, self.width) == 0).all(1)

    def images(self, span: slice = slice(None)) -> np.ndarray:
        """The waves of a span as images, (waves, height, width) float32 of unit L2 norm."""
        (cos_u, sin_u), (cos_v, sin_v) = self._rows, self._columns
        # cos(a + b) = cos a cos b - sin a sin b: two outer products instead of a cosine a pixel.
        return cos_u[span, :, None] * cos_v[span, None] - sin_u[span, :, None] * sin_v[span, None]

    def coordinates(self, pixels: np.ndarray) -> np.ndarray:
        """<x, U> for every wave, (..., waves) float64, of images (..., height, width)."""
        i, j = (self.frequency % (self.height, self.width)).T
        transform = np.fft.fft2(pixels)[..., i, j]
        return self._amplitude * (transform.real * np.cos(self._phase) + transform.imag * np.sin(self._phase))

    @property
    def axes(self) -> tuple[np.ndarray, np.ndarray]:
        """The frequencies along both axes of `plane`, (rows,) and (columns,) int64, ascending."""
        rows, columns = (np.unique(np.concatenate([at, -at])) for at in self.frequency.T)
        every = np.sort(_signed(self.height)), np.sort(_signed(self.width))
        return np.intersect1d(rows, every[0]), np.intersect1d(columns, every[1])

    def plane(self, values: np.ndarray) -> np.ndarray:
        """(waves,) values on the whole plane, both halves, zero in the middle: (rows, columns) float64 over `axes`.

        NaN where no wave of these stands.
        """
        whole = np.full((self.height, self.width), np.nan)
        for sign in (-1, 1):
            whole[tuple((sign * self.frequency % (self.height, self.width)).T)] = values
        rows, columns = self.axes
        return whole[np.ix_(rows % self.height, columns % self.width)]

    @property
    def _amplitude(self) -> np.ndarray:
        return np.sqrt(np.where(self.own_opposite, 1, 2) / (self.height * self.width))

    @property
    def _phase(self) -> np.ndarray:
        return np.where(self.own_opposite, 0, np.pi / 4)

    @cached_property
    def _rows(self) -> tuple[np.ndarray, np.ndarray]:
        """Amplitude times cosine and sine down the rows, (waves, height) float32 each, phase included."""
        angle = _angles(self.frequency[:, 0], self.height) + self._phase[:, None]
        return tuple((self._amplitude[:, None] * part(angle)).astype(np.float32) for part in (np.cos, np.sin))

    @cached_property
    def _columns(self) -> tuple[np.ndarray, np.ndarray]:
        """Cosine and sine along the columns, (waves, width) float32 each."""
        angle = _angles(self.frequency[:, 1], self.width)
        return tuple(part(angle).astype(np.float32) for part in (np.cos, np.sin))


def octaves(radius: np.ndarray) -> np.ndarray:
    """The band of every radius (waves,), int64: 0 for zero, k for 2^(k-1) up to but not 2^k cycles per image."""
    radius = np.asarray(radius, np.float64)
    return np.where(radius > 0, np.floor(np.log2(np.maximum(radius, 0.5))) + 1, 0).astype(np.int64)


def octave_range(band: int) -> tuple[float, float]:
    """From and to (not included) of a band of `octaves`, cycles per image; both 0 for band 0."""
    return (2.0 ** (band - 1), 2.0**band) if band else (0.0, 0.0)


def _signed(size: int) -> np.ndarray:
    """The frequencies of a discrete Fourier transform of `size` values, with their sign."""
    return np.fft.ifftshift(np.arange(size) - size // 2)


def _angles(frequency: np.ndarray, size: int) -> np.ndarray:
    """2 pi i u / size, (waves, size) float64, through whole numbers so that no angle is large."""
    return 2 * np.pi / size * (frequency[:, None] * np.arange(size) % size)
