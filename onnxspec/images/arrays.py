"""Images and labels as arrays: what shapes and types stand for, whichever file or program they come from."""

import hashlib
import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from onnxspec.errors import DataError
from onnxspec.images import names
from onnxspec.images.dataset import ImageSet, Reader
from onnxspec.images.decode import MAX_PIXELS

MAX_IMAGE_BYTES = 4 * MAX_PIXELS
_SMALLER = "Resize or crop them first."


def array_set(images: NDArray[Any], labels: Any, source: str, class_names: tuple[str, ...] | None = None) -> ImageSet:
    """An `ImageSet` of arrays in memory.

    Parameters
    ----------
    images : (n, h, w), (n, h, w, c) or (n, c, h, w) with c 1 or 3; 0..255 integers, or floating in their own units
    labels : (n,) or (n, 1) whole numbers or strings, (n, K) one-hot, or None
    class_names : label k is called class_names[k]; None takes the labels' own digits or strings

    Raises
    ------
    DataError
        Shapes, types or values that are none of these, with what was found.
    """
    layout = ArrayLayout(images.shape, images.dtype, source)
    indices, found = label_indices(labels, len(images), class_names, source)
    digest = hashlib.sha256(f"{images.shape}{images.dtype.str}{found}".encode())
    digest.update(np.ascontiguousarray(images).data)

    def read(i: int) -> tuple[NDArray[Any], None]:
        return layout.image(images[i], i), None

    return numbered_set(len(images), indices, found, digest, read, source)


def as_array(values: Any, what: str) -> NDArray[Any]:
    """What NumPy makes of an array of some kind; DataError where it cannot, as of tensors that have a gradient."""
    try:
        return np.asarray(values)
    except (TypeError, ValueError, RuntimeError) as error:
        problem = f"{what} cannot become a NumPy array: {' '.join(str(error).split())}"
        raise DataError(
            problem[0].upper() + problem[1:], "Of a torch tensor, pass tensor.detach().float().cpu().numpy()."
        ) from None


def numbered_set(
    count: int, labels: NDArray[np.int64] | None, class_names: tuple[str, ...], digest: Any, reader: Reader, source: str
) -> ImageSet:
    """An `ImageSet` of images without names, which are called "000000", "000001", ...

    Parameters
    ----------
    labels : (count,) int64, or None; class_names, reader, source : as of `ImageSet`
    digest : the SHA-256 of all but the labels, to which they are added
    """
    if labels is not None:
        digest.update(np.ascontiguousarray(labels, "<i8").data)
    numbers = tuple(f"{i:06d}" for i in range(count))
    return ImageSet(numbers, labels, class_names, digest.hexdigest(), reader, source)


class ArrayLayout:
    """Where the channels of an array of images are, and how its values become pixels."""

    def __init__(self, shape: tuple[int, ...], dtype: np.dtype[Any], source: str):
        self.source = source
        self.channels_first = len(shape) == 4 and shape[1] in (1, 3) and shape[3] not in (1, 3)
        if len(shape) not in (3, 4) or 0 in shape:
            raise DataError(
                f"The images of {source} have the shape {_shape(shape)}.",
                "Expected: (n, height, width), (n, height, width, channels) or (n, channels, height, width).",
            )
        height, width = shape[2:4] if self.channels_first else shape[1:3]
        if height * width > MAX_PIXELS:
            raise DataError(
                f"The images of {source} are {_shape(shape[1:])}, more than {MAX_PIXELS:,} pixels each.", _SMALLER
            )
        if math.prod(shape[1:]) * dtype.itemsize > MAX_IMAGE_BYTES:
            raise DataError(
                f"The images of {source} are {_shape(shape[1:])}, more than {MAX_IMAGE_BYTES:,} bytes each.", _SMALLER
            )
        if dtype.kind not in "uif":
            raise DataError(
                f"The images of {source} are of type {dtype}.", "Expected: uint8 0..255, or floating-point numbers."
            )

    def image(self, values: NDArray[Any], index: int) -> NDArray[Any]:
        """(h, w) or (h, w, c), uint8 or floating, from one item of the array; DataError where values cannot be that."""
        values = np.moveaxis(values, 0, -1) if self.channels_first else values
        if values.dtype.kind == "f":
            if not np.isfinite(values).all():
                raise DataError(
                    f"Image {index} of {self.source} has NaN or infinite values.", "Leave it out, or replace them."
                )
            return values if values.dtype == np.float64 else values.astype(np.float32)
        if values.dtype == np.uint8:
            return values
        if values.min() < 0 or values.max() > 255:
            raise DataError(
                f"Image {index} of {self.source} has whole numbers from {values.min()} to {values.max()}.",
                "Expected: 0..255; bring anything else to floating-point numbers in 0..1.",
            )
        return values.astype(np.uint8)


def label_indices(
    labels: Any, count: int, class_names: tuple[str, ...] | None, source: str
) -> tuple[NDArray[np.int64] | None, tuple[str, ...]]:
    """(n,) int64 indices into the returned class names; (None, ()) for no labels. Raises DataError as `array_set`."""
    if labels is None:
        return None, ()
    array = as_array(labels, f"the labels of {source}")
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    elif array.ndim == 2 and _one_hot(array):
        array = array.argmax(axis=1)
    if array.ndim != 1 or len(array) != count:
        raise DataError(
            f"{source} has {count} images and labels of the shape {_shape(np.shape(labels))}.",
            f"Expected: a label for each image, ({count},), ({count}, 1) or one-hot ({count}, classes).",
        )
    if array.dtype.kind == "S":
        array = np.char.decode(array, "utf-8", "replace")
    elif array.dtype.kind == "O":
        array = np.array([names.text(v) for v in array])
    elif array.dtype.kind == "f":
        array = _whole(array, source)
    if array.dtype.kind not in "uiU":
        raise DataError(f"The labels of {source} are of type {array.dtype}.", "Expected: whole numbers or strings.")
    if array.dtype.kind != "U" and array.size and array.min() < 0:
        raise DataError(
            f"The labels of {source} go down to {array.min()}; whole numbers from 0 were expected.",
            "Leave out images without a label.",
        )
    if class_names is None or array.dtype.kind == "U":
        try:
            values, indices = np.unique(array, return_inverse=True)
            texts = [str(v) for v in values]
        except Exception as error:
            # numpy's strings can hold what are no characters, and what fails on them depends on its version.
            raise DataError(
                f"The labels of {source} cannot be read: {error}.", "Expected: whole numbers or strings."
            ) from None
        return indices.astype(np.int64), names.class_names(texts, source)
    if array.max() >= len(class_names):
        raise DataError(
            f"The labels of {source} go from {array.min()} to {array.max()}, and there are {len(class_names)} class names.",
            "Name every class, in the order of the labels, or leave the names out.",
        )
    return array.astype(np.int64), class_names


def _whole(labels: NDArray[Any], source: str) -> NDArray[np.int64]:
    """Floating-point labels as the whole numbers they are."""
    odd = labels[~(np.isfinite(labels) & (labels == np.rint(labels)) & (np.abs(labels) < 2**53))]
    if odd.size:
        raise DataError(
            f"The labels of {source} are of type {labels.dtype}, such as {odd[0]}.",
            "Expected: whole numbers or strings.",
        )
    return labels.astype(np.int64)


def _one_hot(array: NDArray[Any]) -> bool:
    if array.dtype.kind not in "uifb":
        return False
    return bool(np.all((array == 0) | (array == 1)) and np.all(array.sum(axis=1) == 1))


def _shape(shape: tuple[int, ...]) -> str:
    return f"({', '.join(map(str, shape))})"
