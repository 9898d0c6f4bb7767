"""The input that the papers' networks take, CIFAR's normalised pixels: where their paths are defined and measured.

It decides how long a path is, and so where its points lie, and what an amplitude and a phase are. The network at hand
may have been trained with another mean and std: a path that is straight in the one normalised space is straight in
the other, so its points are found here, with steps of 1 here, and then given to the network as *it* normalises them.
A network with the paper's own mean and std gets what the papers' code gave theirs, to rounding.

The constants are colour's. One grey channel takes their averages, with a remark: such a figure is no published one's
equal. Images of other channels, and arrays that are no 8-bit pixels, have no such space.
"""

import numpy as np

from onnxspec.errors import DataError
from onnxspec.parity.protocols import Protocol
from onnxspec.paths.space import LEVELS, PixelSpace


class NormalisedSpace:
    """Images (h, w, c) float64, (pixels / 255 - mean) / std, and the model's input for them.

    Raises
    ------
    DataError
        The images are neither colour nor grey, or not of 8 bits.
    """

    def __init__(self, protocol: Protocol, pixels: PixelSpace) -> None:
        channels = pixels.pixels[2]
        if channels not in (1, 3) or pixels.unit != LEVELS:
            kind = f"{channels} channels" if pixels.unit == LEVELS else "floating-point values"
            raise DataError(
                f"The images have {kind}, and --protocol {protocol.name} is defined on 8-bit colour pixels.",
                "Pass images as they were photographed, or measure without --protocol.",
            )
        self._pixels = pixels
        self._mean, self._std = (_fitting(values, channels) for values in (protocol.mean, protocol.std))

    @property
    def shape(self) -> tuple[int, ...]:
        """Of one input of the model."""
        return self._pixels.shape

    @property
    def published(self) -> bool:
        """Whether the images are of CIFAR-10's size and channels."""
        return self._pixels.pixels == (32, 32, 3)

    def normalised(self, pixels: np.ndarray) -> np.ndarray:
        """The space's image (h, w, c) float64 of 8-bit pixels (h, w, c)."""
        return (pixels / LEVELS - self._mean) / self._std

    def inputs(self, points: np.ndarray) -> np.ndarray:
        """The model's input for points (n, h, w, c) float64: (n, *shape) float32, in its own mean and std."""
        return self._pixels.inputs(LEVELS * (points * self._std + self._mean))

    def distance(self, pixels_a: np.ndarray, pixels_b: np.ndarray) -> float:
        """L2 distance of two images given as 8-bit pixels."""
        return float(np.linalg.norm(self.normalised(pixels_a) - self.normalised(pixels_b)))


def _fitting(values: tuple[float, ...], channels: int) -> np.ndarray:
    return np.array(values) if channels == len(values) else np.full(channels, np.mean(values))
