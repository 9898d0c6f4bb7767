"""What a model's image input is: layout, size, channels and type."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from onnxspec.errors import DataError, UsageError
from onnxspec.images.pixels import colour_channels, convertible

LAYOUTS = ("NCHW", "NHWC", "flat")
WHOLE_TYPES = ("uint8", "uint16", "uint32", "uint64", "int16", "int32", "int64")
"""Taken to hold grey levels, 0 to 255; int8 does not reach that far, and is a quantised input's."""
TYPES = ("float32", "float16", "float64", *WHOLE_TYPES)


@dataclass(frozen=True)
class InputSpec:
    """The image input of a model, without its batch axis; None stands for what the model leaves open.

    `layout` is "NCHW", "NHWC" or "flat"; `size` is the number of features of a flat input. `dtype` is one
    of TYPES; `inside` the half precision that the model rounds to all the same, "float16" or "bfloat16", or "".

    Raises
    ------
    UsageError
        There is no such layout, or no images are fed in that type.
    """

    layout: Literal["NCHW", "NHWC", "flat"]
    channels: int | None = None
    height: int | None = None
    width: int | None = None
    dtype: np.dtype[Any] = field(default_factory=lambda: np.dtype(np.float32))
    size: int | None = None
    inside: str = ""

    def __post_init__(self) -> None:
        if self.layout not in LAYOUTS:
            raise UsageError(f"The layout of the input is {self.layout!r}.", f"Known: {', '.join(LAYOUTS)}.")
        object.__setattr__(self, "dtype", np.dtype(self.dtype))
        if self.dtype.name not in TYPES:
            raise UsageError(f"The type of the input is {self.dtype.name}.", f"Known: {', '.join(TYPES)}.")

    @property
    def whole(self) -> bool:
        """Whether it takes grey levels themselves, whole numbers from 0 to 255."""
        return self.dtype.kind in "iu"  # of TYPES; a type's name takes longer to make, and this is asked of every batch

    @property
    def coarsest(self) -> str:
        """The coarsest type that an input is rounded to: "uint8" (any `whole` one), "bfloat16", "float16" or "float32"."""
        if self.whole:
            return "uint8"
        return self.inside or ("float16" if self.dtype == np.float16 else "float32")

    @property
    def widened(self) -> "InputSpec":
        """The same in float32 throughout, where it is of half precision."""
        return replace(self, dtype=np.dtype(np.float32) if self.dtype == np.float16 else self.dtype, inside="")

    @property
    def shape(self) -> tuple[int, int, int]:
        """(height, width, channels) of a resolved spec."""
        if self.height is None or self.width is None or self.channels is None:
            raise ValueError(f"{self} is not resolved")
        return self.height, self.width, self.channels

    @property
    def computed(self) -> np.dtype[Any]:
        """What preprocessing computes in: float32, or the float64 that the model takes."""
        return np.dtype(np.float64 if self.dtype == np.float64 else np.float32)

    def cast(self, inputs: NDArray[Any]) -> NDArray[Any]:
        """Real numbers as `dtype`, of any shape: rounded and cut off to 0..255 if `whole`; themselves where nothing changes."""
        if self.whole and inputs.dtype not in (np.uint8, self.dtype):
            inputs = np.clip(np.rint(inputs), 0, 255)
        return inputs.astype(self.dtype, copy=False)

    def resolved(self, image_shape: Sequence[int], made: tuple[int, int], fixed: bool) -> "InputSpec":
        """This spec with its open dimensions filled: size from the preprocessing, else from the images.

        Parameters
        ----------
        image_shape : (H, W) or (H, W, C) of one image of the data
        made : (height, width) that the preprocessing makes of it, which is `fixed` where it was asked for

        Raises
        ------
        DataError
            Images or preprocessing cannot fit this input; the message has both sizes.
        """
        channels = image_shape[2] if len(image_shape) == 3 else 1
        if self.layout == "flat":
            return self._unflattened(made, channels, fixed)
        for own, other in ((self.height, made[0]), (self.width, made[1])):
            if own is not None and fixed and own != other:
                raise DataError(
                    f"The preprocessing makes {_size(made)} images; the model takes {_size((self.height, self.width))}.",
                    "Correct crop and resize: --preprocess 'resize=SHORT_SIDE;crop=HEIGHT,WIDTH'.",
                )
        taken = self.channels if self.channels is not None else colour_channels(channels)
        if not convertible(channels, taken):
            raise DataError(
                f"The images have {channels} channel{'s' * (channels != 1)} and the model takes {taken}.",
                "Pass images with the model's channels.",
            )
        return replace(
            self,
            channels=taken,
            height=made[0] if self.height is None else self.height,
            width=made[1] if self.width is None else self.width,
        )

    def _unflattened(self, made: tuple[int, int], channels: int, fixed: bool) -> "InputSpec":
        """A flat input has no shape of its own: the data's if it fits, else the square that does."""
        area = made[0] * made[1]
        size = area * colour_channels(channels) if self.size is None else self.size
        sides = [made]
        if not fixed:
            sides += [(side, side) for side, _ in squares(size)]
        for height, width in sides:
            taken, rest = divmod(size, height * width)
            if not rest and convertible(channels, taken):
                return replace(self, size=size, channels=taken, height=height, width=width)
        raise DataError(
            f"The images have {_size(made)} pixels of {channels} channels, {area * channels} values; "
            f"the model takes {size} values.",
            "Say how images of another size become that many values: --preprocess 'resize=HEIGHT,WIDTH'.",
        )


def squares(values: int) -> list[tuple[int, int]]:
    """The square images of so many values, grey and then colour: side in pixels, and channels."""
    return [(side, c) for c in (1, 3) if (side := math.isqrt(values // c)) ** 2 * c == values]


def _size(size: tuple[int | None, int | None]) -> str:
    return " x ".join("any" if s is None else str(s) for s in size)
