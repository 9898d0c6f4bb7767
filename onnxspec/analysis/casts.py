"""What a model rounds to, found out: of the casts in a graph ONNX Runtime may leave some, or all, undone.

On a CPU without kernels for half precision it computes between them in float32, and takes out casts there and back.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from onnxspec.engine.local import LocalEngine
from onnxspec.errors import OnnxspecError
from onnxspec.model.narrowing import HALF
from onnxspec.model.outputs import Scores
from onnxspec.model.session import OnnxModel
from onnxspec.model.widening import widened

ALIKE = 2e-6
"""RMS difference of scores, relative to them: ten times that of other float32 kernels; half precision made 6e-6 to 3e-4."""


def is_half(engine: LocalEngine) -> bool:
    """Whether values are rounded to half precision on their way, as far as is known."""
    return engine.spec.coarsest in HALF.values()


def wide(engine: LocalEngine) -> LocalEngine | None:
    """An engine for the same model on the CPU, in float32 throughout; None where that cannot be had."""
    if not isinstance(engine.model, OnnxModel):
        return None
    try:
        return replace(engine, model=widened(engine.model), spec=engine.spec.widened, graph=None)
    except OnnxspecError:
        return None


@np.errstate(invalid="ignore", over="ignore")
def forget_undone_casts(engine: LocalEngine, images: Sequence[int], scores: Scores) -> None:
    """Takes from the engine's `spec` what the model says to round to inside, where on some images it does not.

    Scores that are not finite, as half precision gives where it overflows, tell of casts that are done.

    Parameters
    ----------
    scores : of the images (n,), (n, K)
    """
    if not (engine.spec.inside and is_half(engine)) or (other := wide(engine)) is None:
        return
    try:
        wanted = other.raw(images).astype(np.float64)
    except OnnxspecError:
        return
    if np.square(scores - wanted).mean() <= ALIKE**2 * np.square(wanted).mean():
        engine.spec = replace(engine.spec, inside="")
