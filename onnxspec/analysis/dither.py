"""The smallest disturbance that the arithmetic of a model's input knows: what it makes of that is rounding noise."""

import math

import numpy as np

from onnxspec.engine.local import Dither

FLOAT32_UNIT = float(np.finfo(np.float32).eps)
SMALLEST = float(np.finfo(np.float32).smallest_subnormal)
THIRD = 1 / 3
_DIGITS = {"float16": (11, -24), "bfloat16": (8, -133)}
"""Binary digits of a type, and the power of two that is its smallest number."""


def dither(rng: np.random.Generator, coarsest: str) -> Dither:
    """Moves every value of a float32 batch, before it is rounded to the coarsest type (`InputSpec.coarsest`).

    A float32 value goes one unit in the last place up or down: the noise is what the network's own rounding makes of
    that. To a coarser type a value is rounded anew after it was moved by up to a third of a unit of that type, which
    takes every sixth to another number: half the mean square of the difference is then 1/12 unit^2, that of the
    rounding itself (by up to half a unit it would be 1/8). A unit of float32 would mostly be rounded away: of a
    ResNet-20 in float16 the floor was 500 to 1,000 times too low with that.
    """

    def moved(batch: np.ndarray) -> np.ndarray:
        if coarsest == "float32":
            return _next(batch, _signs(rng, batch.shape))
        return batch + rng.uniform(-THIRD, THIRD, batch.shape).astype(np.float32) * _unit(batch, coarsest)

    return moved


def _signs(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """One or minus one, (n, ...) int8: a draw of whole words an image, so that its batch does not matter."""
    values = math.prod(shape[1:])
    words = rng.integers(2**32, size=(shape[0], -(-values // 32)), dtype=np.uint32)
    bits = np.unpackbits(words.view(np.uint8), axis=1, count=values).view(np.int8)
    return (2 * bits - 1).reshape(shape)


def _next(values: np.ndarray, signs: np.ndarray) -> np.ndarray:
    """The float32 numbers next to values, of greater or, where the sign is minus, of smaller magnitude."""
    # As whole numbers: they are in the order of the magnitudes, and `nextafter` takes thirty times as long.
    beside = (values.view(np.int32) + signs).view(np.float32)
    return np.where(values == 0, np.copysign(np.float32(SMALLEST), signs), beside)


def _unit(values: np.ndarray, coarsest: str) -> np.ndarray | float:
    """How far apart numbers of a coarse type are at float32 values."""
    if coarsest == "uint8":
        return 1.0
    digits, least = _DIGITS[coarsest]
    exponents = np.where(values == 0, least, np.frexp(values)[1] - digits)
    return np.ldexp(np.float32(1), np.maximum(exponents, least))
