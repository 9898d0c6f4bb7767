"""Paths along image frequencies through a run's images: one per image and octave of image frequency (section 9).

They are d_ref long, from half of it before the image to half of it behind, so that f_c means on them what it means on
the line between two typical images. How far the data themselves reach along a wave is its spread.
"""

import math
from dataclasses import dataclass
from functools import partial

import numpy as np

from onnxspec.analysis.planning import Frozen
from onnxspec.images.cache import PixelCache
from onnxspec.images.planes import planes
from onnxspec.paths import fourier
from onnxspec.paths.families import Frames
from onnxspec.paths.space import PixelSpace
from onnxspec.paths.waves import Waves


@dataclass(frozen=True)
class Plan:
    """Which images are crossed along which of the `waves`.

    spread : (paths,) float64 standard deviation of the images along a path's wave, as an RMS distance; NaN of one image
    """

    frozen: Frozen
    space: PixelSpace
    crossings: fourier.Crossings
    waves: Waves
    spread: np.ndarray

    @property
    def amplitude(self) -> float:
        """A, the L2 norm per channel in units of pixels that makes a path d_ref long."""
        return self.frozen.reference * math.sqrt(self.waves.height * self.waves.width) / 2

    def walk(self, span: slice) -> Frames:
        """The paths of a span."""
        engine = self.frozen.subject.engine
        return fourier.walk(
            self.crossings[span],
            self.waves,
            self.frozen.settings.measurement.points,
            self.amplitude,
            lambda image: engine.anchors([image])[0],
            partial(planes, spec=engine.spec, preprocess=engine.preprocess),
            self.space.change,
            self.frozen.subject.images.names,
        )

    def length(self, span: slice) -> np.ndarray:
        """How long they are: all alike."""
        whole = fourier.length(self.amplitude, self.waves.height, self.waves.width)
        return np.full(len(self.crossings[span]), whole)


def plan(frozen: Frozen, space: PixelSpace, images: np.ndarray) -> Plan:
    """The paths through (images,) int32 images, band by band of each."""
    height, width, channels = frozen.subject.engine.spec.shape
    every = Waves.half_plane(height, width)
    drawn = fourier.draw(images, every, frozen.subject.images.digest, frozen.settings.plan.seed)
    used, wave = np.unique(drawn.wave, return_inverse=True)
    waves = every[used]
    spread = _spread(frozen.subject.engine.pixels, space, images, waves) / math.sqrt(height * width * channels)
    return Plan(frozen, space, fourier.Crossings(drawn.band, drawn.image, wave), waves, spread[wave])


def _spread(pixels: PixelCache, space: PixelSpace, images: np.ndarray, waves: Waves) -> np.ndarray:
    """Spread of the images along every wave, (waves,) float64 in units of pixels."""
    if len(images) < 2:
        return np.full(len(waves), np.nan)
    # Image by image: all their coordinates along hundreds of waves are less than their spectra.
    channels = (np.moveaxis(np.asarray(pixels.get(int(image)), np.float64), -1, 0) / space.unit for image in images)
    return fourier.spread(np.stack([waves.coordinates(one) for one in channels]))
