"""The driver: a model, images and a protocol become its figures."""

import os
from pathlib import Path
from typing import Any

from onnxspec.analysis.subject import open_subject
from onnxspec.listening import Listener, Silence
from onnxspec.parity.planning import prepare
from onnxspec.parity.pooling import concluded
from onnxspec.parity.protocols import defaults, named, require_open
from onnxspec.parity.result import ParityResult
from onnxspec.parity.storing import write
from onnxspec.parity.walking import walked
from onnxspec.report.destination import require_writable
from onnxspec.settings import Given, Settings


def run(
    model: Any,
    data: Any = None,
    settings: Given = None,
    protocol: str = "mool",
    output: str | os.PathLike[str] | None = None,
    listener: Listener | None = None,
) -> ParityResult:
    """Measures a classifier as a paper does.

    Parameters
    ----------
    model, data : see `onnxspec.analyze`; the images need true labels
    settings : None for `defaults(protocol)`; its `pairs` are those of every class and every pair of classes
    protocol : "mool" or "sbp"
    output : where the HDF5 result goes; None writes none

    Raises
    ------
    OnnxspecError
        The model, the images or the settings cannot be used; nothing is written then.
    """
    rules = named(protocol)
    settings = Settings.given(defaults(protocol) if settings is None else settings)
    require_open(rules, settings)
    if output is not None:
        require_writable(Path(output))
    listener = listener or Silence()
    listener.stage("opening the model and the images")
    prepared = prepare(open_subject(model, data, settings), rules, settings, listener)
    listener.stage("walking the paths")
    result = concluded(prepared, settings, walked(prepared))
    if output is not None:
        write(result, output)
    return result
