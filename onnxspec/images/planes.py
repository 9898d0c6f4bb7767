"""A model's input as channels of height by width, whatever its layout: what a picture of one frequency is added to."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from onnxspec.images.inputspec import InputSpec
from onnxspec.images.preprocess import Preprocess


def planes(inputs: NDArray[Any], spec: InputSpec, preprocess: Preprocess) -> NDArray[Any]:
    """A view of inputs as planes; what is written to it is written to them.

    Parameters
    ----------
    inputs : (n, c, h, w), (n, h, w, c) or (n, size), contiguous, as `Preprocess.to_input` lays them out
    spec : resolved

    Returns
    -------
    (n, c, h, w), channels in the model's order
    """
    height, width, channels = spec.shape
    if preprocess.channels_first(spec):
        return inputs.reshape(len(inputs), channels, height, width)
    return np.moveaxis(inputs.reshape(len(inputs), height, width, channels), -1, 1)
