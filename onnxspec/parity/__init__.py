"""The published measurements, exact to their definition (method.md section 8), in their own units.

`mool` : "Models Out of Line", arXiv 2207.04075; `sbp` : "Spectral Bias in Practice", arXiv 2110.02424. They share
nothing with a report but the model, the images and the walk: pairs, path rules and functionals are the papers'.
"""

from onnxspec.parity.measuring import run
from onnxspec.parity.protocols import PROTOCOLS, defaults
from onnxspec.parity.result import ParityResult

__all__ = ["PROTOCOLS", "ParityResult", "defaults", "run"]
