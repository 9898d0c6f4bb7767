"""Which spatial frequencies of an image a classifier depends on: the Fourier heat map, and filtered images.

perturbed    images plus one wave each
filters      images without their high or their low frequencies
measuring    `heat_map`, the driver
intervals    what was measured on images becomes figures with intervals
result       what comes of it; `storing` and `reading` are its file, `figure` its picture, `view` and `plane`
             its terminal page
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from onnxspec.heatmap.measuring import heat_map
    from onnxspec.heatmap.result import HeatMap

__all__ = ["HeatMap", "heat_map"]

# Loaded when they are asked for: a heat map is read and shown without ONNX Runtime.
_HOMES = {"heat_map": "onnxspec.heatmap.measuring", "HeatMap": "onnxspec.heatmap.result"}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
