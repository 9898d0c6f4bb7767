"""`open_images`: whatever holds the images, by what it is."""

import os
from dataclasses import replace
from typing import Any

from onnxspec.errors import DataError, UsageError
from onnxspec.images.dataset import EXPECTED, PREDICTED, ImageSet

HDF5_EXTENSIONS = (".h5", ".hdf5", ".hdf")


def open_images(
    source: Any, *, labels: str | None = None, images_key: str | None = None, labels_key: str | None = None
) -> ImageSet:
    """The images that a path or a Python object holds. They are listed here and read one by one later.

    Parameters
    ----------
    source : path of a folder (class folders or flat), a zip or tar (or a folder in one: data.zip/test), an .npz or
        .h5 file; or Python data, see `python_data.from_python`
    labels : path of a file with lines file,label (folders and archives); "predicted" to ignore the labels
    images_key, labels_key : names of the arrays in .npz and .h5 files, where the usual ones do not serve

    Raises
    ------
    DataError
        Nothing there that can be read as images; the message has what was found and what was expected.
    UsageError
        An option that this kind of source does not have.
    """
    if not isinstance(source, str | os.PathLike):
        from onnxspec.images.python_data import from_python

        images = from_python(source)
        return images if _labelled(labels, images.source) else replace(images, labels=None, class_names=())
    way = {"source": os.path.abspath(source), "images_key": images_key, "labels_key": labels_key}
    way["labels"] = labels if labels in (None, PREDICTED) else os.path.abspath(labels)
    return replace(_of_path(os.fspath(source), labels, images_key, labels_key), way=way)


def _of_path(path: str, labels: str | None, images_key: str | None, labels_key: str | None) -> ImageSet:
    if path.lower().endswith((".npz", *HDF5_EXTENSIONS)) and os.path.isfile(path):
        return _array_file(path, images_key, labels_key, _labelled(labels, path))
    if images_key or labels_key:
        raise UsageError(
            f"--images-key and --labels-key name arrays of .npz and .h5 files; {path} is neither.", "Leave them out."
        )
    if os.path.isdir(path):
        from onnxspec.images.folder import open_folder

        return open_folder(path, labels)
    archive, inside = _archive_and_folder(path)
    from onnxspec.images.archive import open_archive

    return open_archive(archive, inside, labels)


def _array_file(path: str, images_key: str | None, labels_key: str | None, labelled: bool) -> ImageSet:
    if path.lower().endswith(".npz"):
        from onnxspec.images.npz import open_npz

        return open_npz(path, images_key, labels_key, labelled)
    from onnxspec.images.hdf5 import open_hdf5

    return open_hdf5(path, images_key, labels_key, labelled)


def _labelled(labels: str | None, source: str) -> bool:
    """Whether arrays keep their own labels: all that --labels can say of them is "predicted"."""
    if labels not in (None, PREDICTED):
        raise UsageError(
            f"--labels {labels} is for folders and archives; {source} is an array.",
            "Put the labels beside the images, as the array 'labels'.",
        )
    return labels is None


def _archive_and_folder(path: str) -> tuple[str, str]:
    """data.zip/test is the folder test in data.zip."""
    head, last, inside = path.rstrip("/" + os.sep), path, ""
    while last and not os.path.exists(head):
        head, last = os.path.split(head)  # on Windows a slash may lean either way, and in `way` it does
        inside = f"{last}/{inside}".rstrip("/")
    if not os.path.isfile(head):
        found = f"{path} is neither a folder nor a file." if os.path.exists(path) else f"There is no {path}."
        raise DataError(found, EXPECTED)
    return head, inside
