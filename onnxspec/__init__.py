"""onnxspec: the frequency content of an image classifier between images.

    report = onnxspec.analyze("model.onnx", "images", pairs=400)
    print(report)

`analyze` measures, `Report` reads what was measured, `Settings` says how; every error is an `OnnxspecError`.
"""

import os
from importlib import import_module
from typing import TYPE_CHECKING, Any

from onnxspec.errors import ExitCode, OnnxspecError

# From 1.29 on ONNX Runtime tells its makers of every model that it loads, by name and the digest of its weights. It
# looks here once, when it is loaded. Who wants that says 0.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

if TYPE_CHECKING:
    from onnxspec.analysis.analyzing import analyze
    from onnxspec.auditing.gate import audit
    from onnxspec.comparison.comparing import compare
    from onnxspec.comparison.comparison import Comparison
    from onnxspec.images.preprocess import Preprocess
    from onnxspec.model.callable import CallableModel
    from onnxspec.paths.own import OwnFamily
    from onnxspec.report.report import Report
    from onnxspec.settings import Settings

__version__ = "0.4.0"
__all__ = [
    "CallableModel",
    "Comparison",
    "ExitCode",
    "OnnxspecError",
    "OwnFamily",
    "Preprocess",
    "Report",
    "Settings",
    "analyze",
    "audit",
    "compare",
]

# Loaded when they are asked for: `onnxspec --help` must not wait for ONNX Runtime.
_HOMES = {
    "analyze": "onnxspec.analysis.analyzing",
    "audit": "onnxspec.auditing.gate",
    "compare": "onnxspec.comparison.comparing",
    "CallableModel": "onnxspec.model.callable",
    "Comparison": "onnxspec.comparison.comparison",
    "OwnFamily": "onnxspec.paths.own",
    "Preprocess": "onnxspec.images.preprocess",
    "Report": "onnxspec.report.report",
    "Settings": "onnxspec.settings",
}


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES])


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
