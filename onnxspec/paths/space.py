"""The two spaces a path lives in: pixels, where it is defined and measured, and the model's input, where it is walked.

Preprocessing joins them by one affine map per channel, so what is straight in one is straight in the other. A point
is mapped with its offset; a direction, a difference of points, takes the linear part alone (method.md section 1).
"""

from dataclasses import replace

import numpy as np

from onnxspec.images.inputspec import InputSpec
from onnxspec.images.preprocess import Preprocess

LEVELS = 255.0


class PixelSpace:
    """Pixels as real numbers, in the units of the images: 0..255 of 8-bit images, else their own.

    pixels : (h, w, c) of an image as the model sees it; unit : what counts as 1 in RMS distances

    Parameters
    ----------
    spec : resolved; floating : the images are floating-point arrays in units of their own
    """

    def __init__(self, preprocess: Preprocess, spec: InputSpec, floating: bool = False) -> None:
        self.unit = 1.0 if floating else LEVELS
        self._affine = preprocess
        self._linear = replace(preprocess, mean=(0.0,))
        self._spec = replace(spec, dtype=np.dtype(np.float32))
        self.pixels = spec.shape

    @property
    def shape(self) -> tuple[int, ...]:
        """Of one input of the model."""
        return self.inputs(np.zeros((1, *self.pixels))).shape[1:]

    @property
    def change(self) -> np.ndarray:
        """What the channels of the model's input change by per `unit` of pixels, (channels,) float64 in the model's order."""
        factor, _ = self._affine.affine(self.pixels[2])
        return factor * self.unit

    def inputs(self, pixels: np.ndarray) -> np.ndarray:
        """What the model gets for pixels (n, h, w, c) float: (n, *shape) float32."""
        return self._affine.to_input(np.asarray(pixels, np.float64), self._spec)

    def directions(self, differences: np.ndarray) -> np.ndarray:
        """What the model's input changes by where pixels change by (n, h, w, c) float: (n, *shape) float32."""
        return self._linear.to_input(np.asarray(differences, np.float64), self._spec)

    def rms(self, differences: np.ndarray) -> np.ndarray:
        """RMS pixel difference, (n,) float64, of differences (n, *shape) in the model's input; 8-bit pixels count as 0..1."""
        per_pixel = self.directions(np.ones((1, *self.pixels)))
        pixels = (np.asarray(differences, np.float64) / per_pixel).reshape(len(differences), -1)
        return np.sqrt(np.square(pixels).mean(-1)) / self.unit
