"""A model's input as planes of pixels: what a picture of one spatial frequency is added to.

Preprocessing is affine per channel, so a change of the pixels goes through its linear part alone: scale and 1 / std,
no mean. Whatever the layout, `planes` shows an input as channels of height by width.
"""

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


def change_per_pixel(preprocess: Preprocess, spec: InputSpec, floating: bool) -> NDArray[np.float64]:
    """How much each channel of the input changes with its pixels, (channels,) float64 in the model's order.

    Per unit of 0..1 pixels for uint8 images; per unit of their own where they are `floating`.
    """
    factor, _ = preprocess.affine(spec.shape[2])
    return factor if floating else factor * 255
