"""Amplitude and phase paths of "Models Out of Line" (arXiv 2207.04075): one image's spectrum towards another's.

Channel by channel, only the amplitude or only the wrapped phase, in (-pi, pi], of the lowest spatial frequencies goes
over linearly from the source's to the target's; everything else stays the source's. Phases take no shortest arc, the
result is real and is not clipped. The path ends near the source, not at the target.

The constant of an image has an amplitude and a phase too (0 or pi), so a path depends on the space it is built in:
the published protocol's is CIFAR's normalised input (`onnxspec.parity`), the family's is pixels, which are never
negative, so that nothing depends on mean and std.
"""

import math
from collections.abc import Callable
from typing import Protocol

import numpy as np
from scipy import fft

from onnxspec.paths.families import NUMBERED, Where

WINDOW = 0.2


def low_frequencies(height: int, width: int) -> np.ndarray:
    """Which coefficients of an fft2 go over, (height, width) bool: at most .2 of the shorter side in both directions."""
    reach = math.floor(WINDOW * min(height, width))

    def near(side: int) -> np.ndarray:
        offset = fft.ifftshift(np.arange(side) - side // 2)
        return np.abs(offset) <= reach

    return near(height)[:, None] & near(width)


def blended(source: np.ndarray, target: np.ndarray, share: np.ndarray, component: str) -> np.ndarray:
    """Points of one path, (points, h, w, c) float64.

    Parameters
    ----------
    source, target : (h, w, c) float
    share : (points,) float64, the source's part in what is blended: 1 gives the source itself
    component : "amplitude" or "phase"
    """
    axes = (-2, -1)
    a, b = (fft.fft2(np.moveaxis(np.asarray(image, np.float64), -1, 0), axes=axes) for image in (source, target))
    low = low_frequencies(*source.shape[:2])
    own, other = a[:, low], b[:, low]
    part = np.asarray(share, np.float64)[:, None, None]
    amplitude, phase = np.abs(own), np.angle(own)
    if component == "amplitude":
        amplitude = part * amplitude + (1 - part) * np.abs(other)
    else:
        phase = part * phase + (1 - part) * np.angle(other)
    spectra = np.broadcast_to(a, (len(part), *a.shape)).copy()
    spectra[..., low] = amplitude * np.exp(1j * phase)
    return np.moveaxis(fft.ifft2(spectra, axes=axes).real, 1, -1)


def length(source: np.ndarray, target: np.ndarray, component: str, points: int) -> float:
    """RMS distance from point to point of one path, in the unit of its images; parameters as of `blended`."""
    steps = np.diff(blended(source, target, np.linspace(1.0, 0.0, points), component), axis=0)
    return float(np.sqrt(np.square(steps).mean((1, 2, 3))).sum())


class Space(Protocol):
    """Where paths are built, and how a point there becomes the model's input; `PixelSpace` is one."""

    @property
    def shape(self) -> tuple[int, ...]: ...

    def inputs(self, pixels: np.ndarray) -> np.ndarray:
        """(n, h, w, c) float64 -> (n, *shape) float32."""


class BlendedPaths:
    """A `Walk` along which one component of the spectrum goes over, both ends of the blend included.

    Parameters
    ----------
    component : "amplitude" or "phase"
    pixels : an image's index to its values (h, w, c) in `space`: its pixels, see `Preprocess.pixels`
    image_a, image_b : (paths,) int, sources and targets; where : see `Where`
    """

    def __init__(
        self,
        component: str,
        pixels: Callable[[int], np.ndarray],
        space: Space,
        image_a: np.ndarray,
        image_b: np.ndarray,
        points: int,
        where: Where = NUMBERED,
    ) -> None:
        self._component, self._pixels, self._space = component, pixels, space
        self._ends = np.column_stack([image_a, image_b])
        self.points, self.shape, self.where = points, space.shape, where

    def __len__(self) -> int:
        return len(self._ends)

    def fill(self, path: int, span: slice, out: np.ndarray) -> None:
        """See `Walk`."""
        source, target = (self._pixels(int(image)) for image in self._ends[path])
        share = np.linspace(1.0, 0.0, self.points)[span]
        out[...] = self._space.inputs(blended(source, target, share, self._component))
