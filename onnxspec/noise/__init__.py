"""Noise fitting: which frequencies of label noise a network takes up while it is trained (method.md section 10).

What stands here needs NumPy and SciPy alone, for training loops; `fitting.fit` measures checkpoints.
"""

from onnxspec.noise.losses import ClosedForms, LogLikelihood, uniform
from onnxspec.noise.targets import Noise, phi, radius, random_direction, smoothing, soft_targets, wave

__all__ = [
    "ClosedForms",
    "LogLikelihood",
    "Noise",
    "phi",
    "radius",
    "random_direction",
    "smoothing",
    "soft_targets",
    "uniform",
    "wave",
]
