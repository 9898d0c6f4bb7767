"""The published measurements, exact to their definition (method.md section 8), in their own units.

`mool` : "Models Out of Line", arXiv 2207.04075; `sbp` : "Spectral Bias in Practice", arXiv 2110.02424. They share
nothing with a report but the model, the images and the walk: pairs, path rules and functionals are the papers'.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from onnxspec.parity.measuring import run
    from onnxspec.parity.protocols import PROTOCOLS, defaults
    from onnxspec.parity.result import ParityResult

__all__ = ["PROTOCOLS", "ParityResult", "defaults", "run"]

# Loaded when they are asked for: a result is read and shown without ONNX Runtime.
_HOMES = {
    "PROTOCOLS": "onnxspec.parity.protocols",
    "ParityResult": "onnxspec.parity.result",
    "defaults": "onnxspec.parity.protocols",
    "run": "onnxspec.parity.measuring",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
