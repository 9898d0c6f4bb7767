"""How far the values of images go, beside what the preprocessing supposes.

Numbers do not say their unit: floating-point images may be fractions, 8-bit levels or something of their own. A
preprocessing made for one of these gives, on another, figures that are off by 255, so what is plainly not meant is
refused and what is unusual is said.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from onnxspec.errors import DataError
from onnxspec.images.inputspec import InputSpec
from onnxspec.images.preprocess import FLOATING, Preprocess

# Resampling overshoots 0..1 by a little.
_OVERSHOOT = 0.1
# Images in 8-bit levels, many at a time, have values in the upper half.
_BRIGHT, _BRIGHTEST = 128, 255
# Below an eighth of their range, 8-bit images are not dark but of another range: 12 bits in 16, say.
_DARK = 32
# A preprocessing that leaves less than this between black and white was made for other values.
_LEAST_CONTRAST = 0.05


@dataclass(frozen=True)
class ValueRange:
    """The least and the greatest value of `images` images, and whether they are floating-point numbers."""

    low: float
    high: float
    floating: bool
    images: int

    @staticmethod
    def of(pixels: Iterable[NDArray]) -> "ValueRange":
        """Of (h, w, c) images of one dtype, at least one."""
        ends = [(float(one.min()), float(one.max()), one.dtype != np.uint8) for one in pixels]
        low, high, floating = zip(*ends, strict=True)
        return ValueRange(min(low), max(high), any(floating), len(ends))

    @property
    def fractions(self) -> bool:
        """Whether these are floating-point numbers in 0..1."""
        return self.floating and self.low >= -_OVERSHOOT and self.high <= 1 + _OVERSHOOT

    @property
    def levels(self) -> bool:
        """Whether these are floating-point numbers that plainly are 8-bit levels, 0..255."""
        return self.floating and self.low >= 0 and _BRIGHT <= self.high <= _BRIGHTEST

    @property
    def dark(self) -> bool:
        """Whether 8-bit images use so little of their range that it hardly is theirs."""
        return not self.floating and self.high < _DARK

    def reached(self, preprocess: Preprocess, spec: InputSpec) -> str:
        """From where to where the model's input goes, in words; `spec` and `preprocess` as `fit` gives them."""
        factor, offset = preprocess.affine(spec.shape[2])
        ends = np.array([self.low * factor + offset, self.high * factor + offset])
        return f"{ends.min():.3g} to {ends.max():.3g}"

    def __str__(self) -> str:
        return f"{self.low:.3g} to {self.high:.3g}"


def require_meant(value_range: ValueRange, preprocess: Preprocess, spec: InputSpec, spoken: bool) -> None:
    """Refuses floating-point images under a preprocessing that plainly supposes others.

    Parameters
    ----------
    preprocess, spec : as `fit` gives them
    spoken : whether anybody said how the values are brought to the model's

    Raises
    ------
    DataError
        The images are 0..255 and mean and std those of 0..1, or the images are 0..1 and would come to nearly one value.
    """
    found = f"The images are floating-point numbers from {value_range}, and"
    if spec.whole:
        if value_range.fractions:
            raise DataError(f"{found} the model takes whole numbers from 0 to 255.", "Multiply them by 255.")
        return
    unscaled = preprocess.origin.get("scale") == FLOATING
    if value_range.levels and spoken and unscaled and max(map(abs, (*preprocess.mean, *preprocess.std))) <= 1:
        raise DataError(
            f"{found} the preprocessing is for 0 to 1: {_words(preprocess)}.",
            "Divide them by 255 or pass them as uint8; if the model takes them as they are, add scale=1 to --preprocess.",
        )
    factor, _ = preprocess.affine(spec.shape[2])
    if value_range.fractions and value_range.low < value_range.high and np.abs(factor).max() < _LEAST_CONTRAST:
        raise DataError(
            f"{found} the preprocessing is for 0 to 255: scale={preprocess.scale:.6g};{_words(preprocess)}.",
            f"Say it for 0 to 1: --preprocess '{_for_fractions(preprocess)}'.",
        )


def _for_fractions(preprocess: Preprocess) -> str:
    scale = preprocess.scale * _BRIGHTEST
    return _words(preprocess) if np.isclose(scale, 1) else f"scale={scale:.6g};{_words(preprocess)}"


def _words(preprocess: Preprocess) -> str:
    """mean and std as `--preprocess` takes them."""
    values = {"mean": preprocess.mean, "std": preprocess.std}
    return ";".join(f"{name}={','.join(f'{v:.6g}' for v in numbers)}" for name, numbers in values.items())
