"""A few images and the space they live in, for the tests of path families."""

import numpy as np

from onnxspec.images.inputspec import InputSpec
from onnxspec.images.preprocess import Preprocess, fit
from onnxspec.paths.families import Walk
from onnxspec.paths.space import PixelSpace

MEAN, STD = (0.5, 0.4, 0.3), (0.2, 0.25, 0.3)
DIGEST = "5e" * 32


def images(count=6, height=12, width=16, channels=3, seed=0):
    """Smooth random 8-bit images (count, height, width, channels)."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (count, height // 4, width // 4, channels))
    return np.repeat(np.repeat(coarse, 4, 1), 4, 2).astype(np.uint8)


def space(shape=(12, 16, 3), layout="NCHW", floating=False, **preprocess):
    spec, made = fit(InputSpec(layout), Preprocess(**preprocess), shape, floating)
    return PixelSpace(made, spec, floating)


def walked(walk: Walk, path: int = 0, parts: int = 3) -> np.ndarray:
    """All points of a path, filled in a few parts as batches do: (points, *shape) float32."""
    out = np.full((walk.points, *walk.shape), np.nan, np.float32)
    for part in np.array_split(np.arange(walk.points), parts):
        span = slice(int(part[0]), int(part[-1]) + 1)
        walk.fill(path, span, out[span])
    return out
