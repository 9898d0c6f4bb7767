"""Images in an HDF5 file, read one by one. What leads out of the file (links, external storage) is refused."""

import hashlib
import threading
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from onnxspec import interruption
from onnxspec.errors import DataError
from onnxspec.files import hdf5_to_read
from onnxspec.images.arrayfile import FETCH_AGAIN, ArrayInfo, as_class_names, choose_keys
from onnxspec.images.arrays import ArrayLayout, label_indices, numbered_set
from onnxspec.images.dataset import ImageSet
from onnxspec.images.decode import UnreadableImageError
from onnxspec.images.stored import checked, refuse_chunk_bomb, whole

if TYPE_CHECKING:
    import h5py

MAX_OBJECTS = 10_000
MAX_DEPTH = 8


def open_hdf5(
    path: str, images_key: str | None = None, labels_key: str | None = None, labelled: bool = True
) -> ImageSet:
    """Images, labels and class names of an HDF5 file; images stay on disk until they are read.

    The digest covers shapes, types, stored sizes and labels; the images' own bytes are in what `read` returns.

    Raises
    ------
    DataError
        Damaged, links or storage outside the file, values that are declared and not stored, or no images that can be
        told; see also `stored.checked` and `arrays.array_set`.
    """
    try:
        with interruption.limited_to_reading(path):
            file = hdf5_to_read(path)
            keys = choose_keys(_arrays(file, path), images_key, labels_key, labelled, path)
            images = checked(file, keys.images, path)
            labels = None if keys.labels is None else whole(file, keys.labels, path)
            names = None if keys.class_names is None else as_class_names(whole(file, keys.class_names, path), path)
    except DataError:
        raise
    except Exception as error:
        # h5py's exceptions follow the place in HDF5 where damage was met; all of them mean the same.
        raise DataError(f"{path} is not an HDF5 file that can be read: {error}.", FETCH_AGAIN) from None
    layout = ArrayLayout(images.shape, images.dtype, path)
    indices, class_names = label_indices(labels, len(images), names, path)
    lock = threading.Lock()

    def read(i: int) -> tuple[NDArray[Any], str]:
        try:
            with lock:
                refuse_chunk_bomb(images, i, path)
                values = images[i]
        except (OSError, RuntimeError, ValueError, TypeError, MemoryError) as error:
            raise UnreadableImageError(f"{i} of {path}", str(error)) from None
        return layout.image(values, i), hashlib.sha256(np.ascontiguousarray(values).data).hexdigest()

    digest = hashlib.sha256(f"{images.shape}{images.dtype.str}{images.id.get_storage_size()}{class_names}".encode())
    return numbered_set(len(images), indices, class_names, digest, read, path)


def _arrays(file: "h5py.File", path: str) -> dict[str, ArrayInfo]:
    """Every dataset that a few hard links lead to, by its path; no other links are followed."""
    import h5py

    found: dict[str, ArrayInfo] = {}
    # HDF5's own visit recurses, as deep as the file says.
    pending = [("", file, 0)]
    objects = 0
    while pending:
        prefix, group, depth = pending.pop()
        for name in group:
            if (objects := objects + 1) > MAX_OBJECTS:
                raise DataError(f"{path} holds more than {MAX_OBJECTS:,} objects.", "Keep the images in one dataset.")
            if not isinstance(group.get(name, getlink=True), h5py.HardLink):
                continue
            item = group[name]
            if isinstance(item, h5py.Group) and depth < MAX_DEPTH:
                pending.append((f"{prefix}{name}/", item, depth + 1))
            elif isinstance(item, h5py.Dataset) and item.shape is not None:
                found[f"{prefix}{name}"] = ArrayInfo(item.shape, item.dtype)
    return found
