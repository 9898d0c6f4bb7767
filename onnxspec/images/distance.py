"""How far apart two images are: the length that paths have, and that frequencies are measured by."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray


def rms_distance(a: NDArray[Any], b: NDArray[Any]) -> Any:
    """RMS difference of pixels, float64: in 0..1 for uint8, in their own units for floating arrays.

    Parameters
    ----------
    a, b : (..., h, w, c) of one dtype

    Returns
    -------
    float for one pair, (...) float64 for stacks
    """
    if a.dtype == np.uint8:
        # Whole numbers: the same distance to the last bit whatever the order of summation. The types are the smallest
        # that hold them (16 bits a square, 32 a row of up to 2^16 of them): most of the time goes into moving them.
        rows = (*a.shape[:-2], a.shape[-2] * a.shape[-1])
        difference = np.maximum(a, b).reshape(rows) - np.minimum(a, b).reshape(rows)
        squares = np.multiply(difference, difference, dtype=np.uint16)
        squares = squares.sum(axis=-1, dtype=np.uint32 if rows[-1] <= 2**16 else np.uint64).sum(axis=-1, dtype=np.int64)
        return np.sqrt(squares / math.prod(a.shape[-3:])) / 255
    return np.sqrt(np.square(np.subtract(a, b, dtype=np.float64)).mean(axis=(-3, -2, -1)))
