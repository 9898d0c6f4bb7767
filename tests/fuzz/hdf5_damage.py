"""Damage to HDF5 files: the structures of the format as bytes, and datasets that are something else."""

import io
from collections.abc import Callable
from random import Random

import h5py
import numpy as np

from . import hostile

_SIGNATURES = (
    b"\x89HDF",
    b"TREE",
    b"HEAP",
    b"SNOD",
    b"OHDR",
    b"FRHP",
    b"FHDB",
    b"FHIB",
    b"BTHD",
    b"GCOL",
    b"OCHK",
    b"BTLF",
)


def structure(content: bytes) -> list[tuple[int, int]]:
    """Spans behind the signatures of HDF5's structures, and the start of the file, where the superblock is."""
    spans = [(0, 800)]
    for signature in _SIGNATURES:
        at = content.find(signature)
        while at >= 0 and len(spans) < 200:
            spans.append((at, at + 160))
            at = content.find(signature, at + 1)
    return spans


def damaged(content: bytes, rng: Random) -> tuple[bytes, str]:
    """The file with changes to its bytes, mostly to its structures."""
    return hostile.damaged(content, rng, structure(content))


def rebuilt(images: np.ndarray, labels: np.ndarray, rng: Random) -> tuple[bytes, str]:
    """A sound HDF5 file whose images or labels are not what they should be."""
    change = rng.choice(_CHANGES)
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        file["images"], file["labels"] = images, labels
        change(file, rng)
    return buffer.getvalue(), change.__name__.strip("_").replace("_", " ")


def _remade(file: h5py.File, rng: Random, **how: object) -> None:
    name = rng.choice(("images", "labels"))
    values = file[name][()]
    del file[name]
    file.create_dataset(name, data=values, **how)  # type: ignore[arg-type]


def _external_storage(file: h5py.File, rng: Random) -> None:
    name = rng.choice(("images", "labels"))
    shape, dtype = file[name].shape, file[name].dtype
    del file[name]
    file.create_dataset(name, shape, dtype, external=[("../around/secret.bin", 0, h5py.h5f.UNLIMITED)])


def _external_link(file: h5py.File, rng: Random) -> None:
    name = rng.choice(("images", "labels"))
    del file[name]
    file[name] = h5py.ExternalLink("../around/other.h5", "/images")


def _soft_link(file: h5py.File, rng: Random) -> None:
    name = rng.choice(("images", "labels"))
    file.move(name, "elsewhere")
    file[name] = h5py.SoftLink(rng.choice(("/elsewhere", "/images", "/labels", "/nowhere", "/")))


def _group_cycle(file: h5py.File, rng: Random) -> None:
    group = file.create_group("group")
    group["back"] = file["/"]
    file[rng.choice(("x", "data"))] = group


def _virtual(file: h5py.File, rng: Random) -> None:
    name = rng.choice(("images", "labels"))
    layout = h5py.VirtualLayout(shape=file[name].shape, dtype=file[name].dtype)
    layout[...] = h5py.VirtualSource("../around/other.h5", "images", shape=file[name].shape)
    del file[name]
    file.create_virtual_dataset(name, layout)


def _declared_huge(file: h5py.File, rng: Random) -> None:
    name = rng.choice(("images", "labels"))
    shape = (rng.choice((2**31, 2**40, 2**62)), *file[name].shape[1:]) if rng.random() < 0.7 else (2, 2**20, 2**20)
    dtype = file[name].dtype
    del file[name]
    chunks = tuple(min(side, 8) for side in shape)
    try:
        file.create_dataset(name, shape, dtype, chunks=chunks, compression="gzip")
    except (ValueError, OSError):
        file.create_dataset(name, (2**31, 28, 28), dtype, chunks=(1, 28, 28))


def _other_type(file: h5py.File, rng: Random) -> None:
    name = rng.choice(("images", "labels"))
    values = file[name][()]
    del file[name]
    kinds = ("<f2", "<f8", ">f4", "<i8", "<u8", "?", "<c8", "S4", "|i1", ">u2")
    if (kind := rng.choice((*kinds, "compound", "text", "reference", "empty", "enum", "vlen"))) in kinds:
        file[name] = values.astype(kind)
    elif kind == "compound":
        file[name] = np.zeros(values.shape, [("a", "u1"), ("b", "f4")])
    elif kind == "text":
        file[name] = np.full(values.shape, "text", dtype=h5py.string_dtype())
    elif kind == "reference":
        file.create_dataset(name, values.shape[:1], h5py.ref_dtype)
    elif kind == "empty":
        file[name] = h5py.Empty("f4")
    elif kind == "enum":
        file.create_dataset(name, values.shape, h5py.enum_dtype({"A": 0, "B": 1}))
    else:
        file.create_dataset(name, values.shape[:1], h5py.vlen_dtype("u1"))


def _other_shape(file: h5py.File, rng: Random) -> None:
    name = rng.choice(("images", "labels"))
    values = file[name][()]
    del file[name]
    shapes = (
        values[:0],
        values[:1],
        values[..., None],
        values.ravel(),
        values[None],
        values.sum(),
        values.T,
        values[::2],
    )
    file[name] = rng.choice(shapes)


def _unusual_values(file: h5py.File, rng: Random) -> None:
    name = rng.choice(("images", "labels"))
    values = file[name][()].astype(np.float64)
    values.ravel()[rng.randrange(values.size)] = rng.choice(hostile.FLOATS)
    del file[name]
    file[name] = values


def _packed(file: h5py.File, rng: Random) -> None:
    _remade(file, rng, chunks=True, compression=rng.choice(("gzip", "lzf")), shuffle=True, fletcher32=True)


def _more_arrays(file: h5py.File, rng: Random) -> None:
    for i in range(rng.choice((1, 500))):
        file[f"{rng.choice(hostile.TEXTS).replace('/', '')[:200] or 'n'}{i}".replace("\0", "")] = 1.0
    file[rng.choice(("x", "y", "class_names"))] = rng.choice((np.zeros(3), np.array([b"a", b"\xff\x1b[31m"])))


_CHANGES: tuple[Callable[[h5py.File, Random], None], ...] = (
    *(_external_storage, _external_link, _soft_link, _group_cycle, _virtual, _declared_huge),
    *(_other_type, _other_type, _other_shape, _unusual_values, _packed, _more_arrays),
)
