"""Which of an array file's entries are the images, the labels and the class names."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from onnxspec.errors import DataError
from onnxspec.images import names

MAX_LABEL_BYTES = 256 * 2**20
FETCH_AGAIN = "Copy or download it again, or write it anew."

IMAGES = ("images", "image", "x", "X", "data", "x_test", "X_test", "test_images", "x_val", "x_train", "X_train")
LABELS = ("labels", "label", "y", "Y", "targets", "target", "y_test", "test_labels", "y_val", "y_train")
CLASS_NAMES = ("class_names", "classes", "label_names")


@dataclass(frozen=True)
class ArrayInfo:
    """An array that a file declares, its values from byte `start` of their place: nothing of them is read yet."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    start: int = 0


@dataclass(frozen=True)
class ChosenKeys:
    """Names of the arrays to read; None where the file has none."""

    images: str
    labels: str | None
    class_names: str | None


def choose_keys(
    arrays: Mapping[str, ArrayInfo], images_key: str | None, labels_key: str | None, labelled: bool, source: str
) -> ChosenKeys:
    """The arrays that are meant: those named by flag, else the only one with a usual name; no labels unless `labelled`.

    Raises
    ------
    DataError
        A key that the file does not have, no usual name, or several; the message lists all keys with their shapes.
    """
    images = images_key or _only("images", [k for k in IMAGES if k in arrays], arrays, source)
    if images is None:
        raise DataError(f"{source} has no array with a usual name for images.", _listed("images", arrays))
    labels = labels_key or _only("labels", _matching(images, arrays), arrays, source) if labelled else None
    for key, what in ((images, "images"), (labels, "labels")):
        if key is not None and key not in arrays:
            raise DataError(f"{source} has no array {key!r}.", _listed(what, arrays))
    return ChosenKeys(images, labels, next((k for k in CLASS_NAMES if k in arrays), None))


def as_class_names(values: Any, source: str) -> tuple[str, ...]:
    """Strings, or bytes in UTF-8, from a one-dimensional array; DataError where they are none, too many or too long."""
    try:
        texts = [names.text(v) for v in np.ravel(values)[: names.MAX_CLASSES + 1]]
    except Exception as error:
        # numpy's strings can hold what are no characters, and what fails on them depends on its version.
        raise DataError(f"The class names of {source} cannot be read: {error}.", "Expected: strings.") from None
    return names.class_names(texts, source)


def _matching(images: str, arrays: Mapping[str, ArrayInfo]) -> list[str]:
    """Usual names of labels, those as long as the images first; the partner of x_test is y_test, not y_train."""
    usual = [k for k in LABELS if k in arrays]
    found = [k for k in usual if images in arrays and arrays[k].shape[:1] == arrays[images].shape[:1]] or usual
    _, _, split = images.lower().partition("_")
    partners = [k for k in found if split and k.lower().endswith(split)]
    return partners or found


def _only(what: str, found: Sequence[str], arrays: Mapping[str, ArrayInfo], source: str) -> str | None:
    if len(found) > 1:
        raise DataError(f"{source} has several arrays that could be the {what}.", _listed(what, arrays))
    return found[0] if found else None


def _listed(what: str, arrays: Mapping[str, ArrayInfo]) -> str:
    keys = ", ".join(f"{key} {'x'.join(map(str, info.shape)) or 'scalar'}" for key, info in list(arrays.items())[:20])
    return f"Name it with --{what}-key. The file has: {keys or 'no arrays'}."
