"""Images plus one wave each: x + eps U_ij on every channel, with a random sign per image, wave and channel.

As in Yin et al. 2019 ("A Fourier Perspective on Model Robustness in Computer Vision") U has unit L2 norm over the
pixels of a channel, so that eps is the L2 norm of what is added to each channel, in units of pixels (0..1 for uint8
images), and eps / sqrt(HW) its RMS. Nothing is clipped.
"""

import hashlib
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from onnxspec.paths.waves import Waves

SEED = 1988


def signs(pixels: NDArray, waves: int, channels: int, seed: int) -> np.ndarray:
    """(waves, channels) float64 of -1 and 1 that the seed and the image's own pixels fix, whoever asks and when."""
    content = hashlib.sha256(np.ascontiguousarray(pixels).tobytes()).digest()
    rng = np.random.default_rng([int.from_bytes(content[:8], "little"), seed, SEED])
    return 2.0 * rng.integers(0, 2, (waves, channels)) - 1


class Perturbed:
    """A `Walk` whose paths are images and whose points are waves.

    anchors : path to its input (*shape) float32
    steps : path to how far it goes along every wave, (waves, channels) float64 in units of the input
    planes : shows inputs (n, *shape) as planes (n, channels, height, width), see `onnxspec.images.planes`
    names : (paths,) what the images are called in errors
    """

    def __init__(
        self,
        waves: Waves,
        anchors: Callable[[int], np.ndarray],
        steps: Callable[[int], np.ndarray],
        planes: Callable[[np.ndarray], np.ndarray],
        names: Sequence[str],
    ):
        self._waves, self._names = waves, names
        self._anchors, self._steps, self._planes = anchors, steps, planes
        self._path = -1
        self._at(0)

    @property
    def points(self) -> int:
        """Waves, each a point of every path."""
        return len(self._waves)

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one input."""
        return self._anchor.shape

    def __len__(self) -> int:
        return len(self._names)

    def fill(self, path: int, span: slice, out: np.ndarray) -> None:
        """Writes points `span` of a path to `out` (n, *shape) float32."""
        self._at(path)
        out[:] = self._anchor
        shown = self._planes(out)
        shown += self._step[span, :, None, None] * self._waves.images(span)[:, None]

    def where(self, path: int) -> str:
        """The path in words, for errors."""
        return f"for {self._names[path]} with a wave added"

    def _at(self, path: int) -> None:
        if path != self._path:
            self._anchor, self._step = self._anchors(path), self._steps(path).astype(np.float32)
            self._path = path
