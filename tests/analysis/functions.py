"""Functions as models whose answers are known, and images of noise for them, whose first pixel is their class."""

import numpy as np

from onnxspec.engine.local import LocalEngine
from onnxspec.images.cache import PixelCache
from onnxspec.images.inputspec import InputSpec
from onnxspec.images.opening import open_images
from onnxspec.images.preprocess import Preprocess, fit
from onnxspec.model.callable import CallableModel
from onnxspec.paths.pairs import draw
from onnxspec.settings import KINDS

LABELS = np.repeat([0, 1], 40)
DIGEST = "ab" * 32
PAIRS = draw(LABELS, KINDS, 20, DIGEST, 0)


def images():
    x = np.random.default_rng(0).normal(size=(80, 4, 4, 1)).astype(np.float32)
    x[:, 0, 0, 0] = LABELS
    return x


def engine(function, x=None, dtype=np.float32):
    x = images() if x is None else x
    data = open_images((x, LABELS))
    spec, made = fit(InputSpec("NHWC", dtype=np.dtype(dtype)), Preprocess(), x.shape[1:], x.dtype != np.uint8)
    return LocalEngine(CallableModel(function, spec), PixelCache(data, made, spec), made, spec, tile=16)


def swinging(cycles, amplitude=1.0):
    def function(batch):
        z = amplitude * np.sin(2 * np.pi * cycles * batch[:, 0, 0, 0].astype(np.float64))
        return np.stack([z, -z], -1)

    return function
