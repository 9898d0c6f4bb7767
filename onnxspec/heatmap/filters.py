"""Images without their high or their low frequencies, their mean kept.

A filter that keeps the mean of every channel commutes with preprocessing, which is affine per channel: to filter the
model's input is to filter the pixels and then subtract mean and divide by std. Nothing is clipped or rounded.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import fft

LOW, HIGH = "low-pass", "high-pass"
OCTAVES = 13


@dataclass(frozen=True)
class Filter:
    """One filter: low-pass keeps |f| <= cutoff, high-pass |f| > cutoff and zero; cycles per image."""

    kind: str
    cutoff: float

    def gain(self, height: int, width: int) -> np.ndarray:
        """1 for what is kept and 0 for the rest, (height, width // 2 + 1) float64, laid out as rfft2 does."""
        radius = np.hypot(fft.fftfreq(height, 1 / height)[:, None], fft.rfftfreq(width, 1 / width))
        low = radius <= self.cutoff
        return (low if self.kind == LOW else ~low | (radius == 0)).astype(np.float64)


def filters(height: int, width: int) -> tuple[Filter, ...]:
    """Both kinds at 1, 2, 3, 4, 6, 8, 12, 16, ... cycles per image, below the highest that there is."""
    highest = np.hypot(height // 2, width // 2)
    cutoffs = sorted(float(base * 2**octave) for base in (1, 3) for octave in range(OCTAVES))
    return tuple(Filter(kind, cutoff) for kind in (LOW, HIGH) for cutoff in cutoffs if cutoff < highest)


class Filtered:
    """A `Walk` whose paths are images and whose points are filters; parameters as of `Perturbed`."""

    def __init__(
        self,
        filters: Sequence[Filter],
        size: tuple[int, int],
        anchors: Callable[[int], np.ndarray],
        planes: Callable[[np.ndarray], np.ndarray],
        names: Sequence[str],
    ):
        self._filters, self._names, self._size = filters, names, size
        self._anchors, self._planes = anchors, planes
        self._gains = np.stack([one.gain(*size) for one in filters])[:, None]
        self._path = -1
        self._at(0)

    @property
    def points(self) -> int:
        """Filters, each a point of every path."""
        return len(self._filters)

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one input."""
        return self._shape

    def __len__(self) -> int:
        return len(self._names)

    def fill(self, path: int, span: slice, out: np.ndarray) -> None:
        """Writes points `span` of a path to `out` (n, *shape) float32."""
        self._at(path)
        self._planes(out)[:] = fft.irfft2(self._spectrum * self._gains[span], self._size)

    def where(self, path: int) -> str:
        """The path in words, for errors."""
        return f"for {self._names[path]}, filtered"

    def _at(self, path: int) -> None:
        if path != self._path:
            anchor = self._anchors(path)
            self._shape = anchor.shape
            self._spectrum = fft.rfft2(self._planes(anchor[None]).astype(np.float64))
            self._path = path
