"""What x is: the input that a network takes, in one layout for all networks that take the same."""

import os
from dataclasses import dataclass, replace
from numbers import Integral
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from onnxspec import interruption
from onnxspec.errors import DataError, UsageError
from onnxspec.files import open_regular
from onnxspec.images.arrayfile import MAX_LABEL_BYTES
from onnxspec.images.inputspec import InputSpec
from onnxspec.images.opening import HDF5_EXTENSIONS
from onnxspec.images.preprocess import Preprocess
from onnxspec.images.stored import whole
from onnxspec.noise.targets import random_direction, unit

KEY = "direction"
_REAL = "fiu"


@dataclass(frozen=True)
class Input:
    """How images become x; equal for networks that see the same numbers, in whatever layout.

    shape : (channels, height, width); preprocess : its layout settled, since x is brought to one layout
    """

    shape: tuple[int, int, int]
    preprocess: Preprocess

    @staticmethod
    def of(spec: InputSpec, preprocess: Preprocess) -> "Input":
        """From a resolved spec and a fitted preprocessing."""
        height, width, channels = spec.shape
        return Input((channels, height, width), replace(preprocess, layout="CHW"))

    @property
    def dimensions(self) -> int:
        """D, the number of values of x."""
        return int(np.prod(self.shape))

    def __str__(self) -> str:
        return f"{' x '.join(map(str, self.shape))} (channels, height, width), {self.preprocess}"


def require_same(name: str, own: Input, first_name: str, first: Input) -> None:
    """Refuses a network that sees other numbers than the first: the noise is a function of these.

    Raises
    ------
    DataError
        The inputs differ; the message has both.
    """
    if own != first:
        raise DataError(
            f"{name} takes {own}; {first_name} takes {first}. The noise is a function of the input, so that they are not "
            "asked about the same noise.",
            "Measure them apart, or say the preprocessing of all with --preprocess.",
        )


def as_direction(
    given: "int | np.ndarray | str | os.PathLike[str] | None", shape: tuple[int, int, int]
) -> np.ndarray | None:
    """A direction u of this shape, unit-L2: from a seed, an array or a file that holds one; None stays None.

    Raises
    ------
    UsageError
        It has another number of values, is zero or not of real numbers, or a seed below 0.
    DataError
        The file cannot be read, or holds no direction.
    """
    if given is None:
        return None
    if isinstance(given, Integral):
        if given < 0:
            raise UsageError(f"The direction's seed is {given}; a whole number from 0 on was expected.")
        return random_direction(shape, int(given))
    values = read_direction(given) if isinstance(given, str | os.PathLike) else np.asarray(given)
    if values.dtype.kind not in _REAL:
        raise UsageError(f"The direction holds {values.dtype}; real numbers were expected.")
    if values.size != np.prod(shape):
        raise UsageError(
            f"The direction has the shape {values.shape} and the input {shape} (channels, height, width).",
            "Give one of the input's shape, or a seed.",
        )
    return unit(values.reshape(shape))


def read_direction(path: str | os.PathLike[str]) -> np.ndarray:
    """The array `direction` of an .npz or .h5 file (`onnxspec noise targets` writes it), or the array of an .npy file."""
    try:
        values = _read(Path(path))
    except (OSError, DataError) as error:
        said = getattr(error, "strerror", None) or str(error).rstrip(".")
        raise DataError(f"The direction {path} cannot be read: {said}.") from None
    except Exception:
        # NumPy, zipfile and h5py fail on damage in ways without number; all of them mean the same.
        values = None
    if not isinstance(values, np.ndarray) or values.dtype.kind not in _REAL:
        raise DataError(
            f"{path} holds no direction.", f"Expected: an .npy file, or the array {KEY} in an .npz or .h5 file."
        )
    return values


def _read(path: Path) -> Any:
    with open_regular(path) as content:
        if path.suffix.lower() in HDF5_EXTENSIONS:
            with interruption.limited_to_reading(path), h5py.File(content, "r") as file:
                linked = isinstance(file.get(KEY, getlink=True), h5py.HardLink)
                return whole(file, KEY, str(path)) if linked else None
        loaded = np.load(content, allow_pickle=False)
        if isinstance(loaded, np.ndarray):
            return loaded
        return loaded[KEY] if loaded.zip.getinfo(f"{KEY}.npy").file_size <= MAX_LABEL_BYTES else None
