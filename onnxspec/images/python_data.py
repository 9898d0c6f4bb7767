"""Images that a program passes: (images, labels), an array of images, or a sequence of (image, label)."""

import hashlib
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from onnxspec.errors import DataError
from onnxspec.images.arrays import ArrayLayout, array_set, as_array, label_indices, numbered_set
from onnxspec.images.dataset import ImageSet
from onnxspec.images.decode import eight_bits

SOURCE = "the data passed in"
"""What data without a place are called."""
_EXPECTED = "Expected: a path, (images, labels), or a sequence of (image, label)."


def from_python(data: Any) -> ImageSet:
    """An `ImageSet` of arrays or PIL images in memory, or of anything indexable that makes (image, label) pairs.

    Parameters
    ----------
    data : (images, labels) with images as in `arrays.array_set` or a list of images, labels None for none; an array of
        images without labels; or a sequence of (image, label), each image (H, W), (H, W, C) or PIL, which is indexed
        again whenever an image is read

    Raises
    ------
    DataError
        None of these, with what was found.
    """
    if isinstance(data, ImageSet):
        return data
    if isinstance(data, tuple) and len(data) == 2 and not all(isinstance(part, tuple) for part in data):
        return _images_and_labels(*data)
    if hasattr(data, "shape"):
        return array_set(as_array(data, SOURCE), None, SOURCE)
    if not (hasattr(data, "__len__") and hasattr(data, "__getitem__")) or isinstance(data, dict):
        raise DataError(f"The data are of type {type(data).__name__}.", _EXPECTED)
    return _pairs(data)


def _images_and_labels(images: Any, labels: Any) -> ImageSet:
    for what, values in (("images", images), ("labels", labels)):
        if values is not None and (not hasattr(values, "__len__") or isinstance(values, set | dict)):
            raise DataError(f"The {what} are of type {type(values).__name__}.", f"Pass a list of them. {_EXPECTED}")
    if hasattr(images, "shape"):
        return array_set(as_array(images, f"the images of {SOURCE}"), labels, SOURCE)
    if not isinstance(images, Sequence) or isinstance(images, str):
        raise DataError(f"The images are of type {type(images).__name__}.", _EXPECTED)
    if labels is None:
        labels = [None] * len(images)
    if len(images) != len(labels):
        raise DataError(f"There are {len(images)} images and {len(labels)} labels.", _EXPECTED)
    return _pairs(list(zip(images, labels, strict=True)))


def _pairs(data: Any) -> ImageSet:
    digest = hashlib.sha256()
    labels = []
    for i in range(len(data)):
        image, label = _pair(data, i)
        labels.append(label)
        digest.update(f"{image.shape}{image.dtype.str}".encode())
        digest.update(np.ascontiguousarray(image).data)
    if not labels:
        raise DataError("The data are empty.", _EXPECTED)
    unlabelled = all(label is None for label in labels)
    indices, class_names = label_indices(None if unlabelled else labels, len(labels), None, SOURCE)
    digest.update(f"{class_names}".encode())

    def read(i: int) -> tuple[NDArray[Any], None]:
        return _pair(data, i)[0], None

    return numbered_set(len(labels), indices, class_names, digest, read, SOURCE)


def _pair(data: Any, index: int) -> tuple[NDArray[Any], Any]:
    item = data[index]
    if not isinstance(item, tuple | list) or len(item) != 2:
        raise DataError(f"Item {index} of the data is of type {type(item).__name__}, no (image, label).", _EXPECTED)
    image, label = item
    if hasattr(image, "convert"):
        image = eight_bits(image, f"{index} of the data")
    array = as_array(image, f"image {index} of {SOURCE}")
    # The layout of an array of images, of which this is one.
    return ArrayLayout((1, *array.shape), array.dtype, SOURCE).image(array, index), label
