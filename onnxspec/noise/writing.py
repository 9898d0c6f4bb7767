"""Soft targets in a file, for any framework to train on: an .npz, or an .h5 where they are many.

targets      (images, classes) float32    smoothing  (images,) float64
labels       (images,) int64, columns of targets    names  (images,)    class_names  (classes,)
direction    (channels, height, width) float64, of sinusoidal noise only
settings     JSON: noise, input, preprocessing, digests
"""

import json
import os
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from onnxspec import interruption
from onnxspec.errors import UsageError
from onnxspec.files import hdf5_to_read
from onnxspec.images.opening import HDF5_EXTENSIONS
from onnxspec.noise.making import Targets
from onnxspec.report import tables
from onnxspec.report.guarded import GuardedFile
from onnxspec.saving import replacing, require_place

ENDINGS = (".npz", *HDF5_EXTENSIONS)
_OURS = {"targets", "smoothing"}
MAX_NPZ_BYTES = 4 * 2**30
_BLOCK_VALUES = 1 << 22


def require_destination(path: str | os.PathLike[str]) -> None:
    """Refuses a file that could not be written, before any work is done (UsageError)."""
    if Path(path).suffix.lower() not in ENDINGS:
        ending = Path(path).suffix
        raise UsageError(
            f"{path} has {f'the ending {ending}' if ending else 'no ending'}, which does not say what to write.",
            f"Use {' or '.join(ENDINGS)}.",
        )
    require_place(path)
    if os.path.exists(path) and not _are_targets(Path(path)):
        raise UsageError(f"{path} exists and holds no soft targets, so it is not replaced.", "Choose another name.")


def write_targets(found: Targets, destination: str | os.PathLike[str]) -> None:
    """Writes targets, under their name only when they are whole.

    Raises
    ------
    UsageError
        The ending is none of `ENDINGS`, the folder is missing, or they are too many for an .npz.
    ResourceError
        The disk is full.
    """
    require_destination(destination)
    as_npz = Path(destination).suffix.lower() == ".npz"
    if as_npz and found.nbytes > MAX_NPZ_BYTES:
        raise UsageError(
            f"The targets have {found.nbytes / 2**30:.1f} GB, and an .npz is written whole.", "Write an .h5 file."
        )
    with replacing(destination) as place:
        if as_npz:
            with place.open("wb") as file:
                np.savez_compressed(file, **_arrays(found))
        else:
            _write_hdf5(found, place)


def _are_targets(path: Path) -> bool:
    """Whether a file holds what is written here."""
    try:
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                return {f"{name}.npy" for name in _OURS} <= set(archive.namelist())
        with interruption.limited_to_reading(path), hdf5_to_read(path) as file:
            return set(file) >= _OURS
    except (OSError, zipfile.BadZipFile):
        return False


def _arrays(found: Targets) -> dict[str, Any]:
    """What an .npz holds; text is plain, so that nothing needs unpickling."""
    arrays = {
        "targets": found.targets(),
        "smoothing": found.s,
        "labels": found.labels.astype(np.int64),
        "names": np.array(found.names),
        "class_names": np.array(found.class_names),
        "settings": np.array(json.dumps(found.settings)),
    }
    return arrays if found.noise.direction is None else arrays | {"direction": found.noise.direction}


def _write_hdf5(found: Targets, place: Path) -> None:
    disk = GuardedFile(place)
    try:
        with _opened(disk) as file:
            _fill(file, found)
    finally:
        disk.close()
        disk.check()


@contextmanager
def _opened(disk: GuardedFile) -> Iterator[h5py.File]:
    """HDF5 does not bear an interrupt: the caller shields what it writes, piece by piece."""
    with interruption.shield():
        file = h5py.File(disk, "w", libver=("earliest", "v110"))
    try:
        yield file
    finally:
        with interruption.shield():
            file.close()


def _fill(file: h5py.File, found: Targets) -> None:
    with interruption.shield():
        targets = _described(file, found)
    for start, stop in _blocks(targets.shape):
        values = found.targets(slice(start, stop))
        with interruption.shield():
            targets[start:stop] = values


def _described(file: h5py.File, found: Targets) -> h5py.Dataset:
    """Everything but the values of the targets, whose dataset this is."""
    tables.scale(file, "image", np.arange(len(found), dtype=np.int64), "1", "number of the image")
    tables.scale(file, "class", np.arange(len(found.class_names), dtype=np.int32), "1", "column of the class")
    shape = (len(found), len(found.class_names))
    targets = file.create_dataset("targets", shape, np.float32, chunks=True, compression="gzip", shuffle=True)
    tables.described(targets, "1", "soft target", [file["image"], file["class"]])
    tables.column(file, "smoothing", found.s, "1", "s: how much of the label is spread", ("image",))
    tables.column(file, "labels", found.labels.astype(np.int64), "1", "column of the right class", ("image",))
    tables.column(file, "names", list(found.names), "1", "name of the image", ("image",))
    tables.column(file, "class_names", list(found.class_names), "1", "name of the class", ("class",))
    if found.noise.direction is not None:
        file["direction"] = found.noise.direction
    file.attrs["settings"] = json.dumps(found.settings)
    return targets


def _blocks(shape: tuple[int, int]) -> Iterator[tuple[int, int]]:
    rows = max(1, _BLOCK_VALUES // shape[1])
    return ((start, min(start + rows, shape[0])) for start in range(0, shape[0], rows))
