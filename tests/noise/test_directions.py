"""Files of directions: whatever is in them, a direction or one line."""

import os

import h5py
import numpy as np
import pytest

from onnxspec.errors import DataError, UsageError
from onnxspec.noise import inputs
from onnxspec.noise.inputs import read_direction

VALUES = np.arange(12.0).reshape(3, 2, 2)


def _h5(fill):
    def make(path):
        with h5py.File(path, "w") as file:
            fill(file)

    return make


def _linked(path):
    with h5py.File(path.with_name("other.h5"), "w") as file:
        file["x"] = VALUES
    _h5(lambda file: file.__setitem__("direction", h5py.ExternalLink("other.h5", "x")))(path)


def _flipped(path):
    np.savez_compressed(path, direction=VALUES)
    content = bytearray(path.read_bytes())
    content[150:170] = b"\xff" * 20
    path.write_bytes(content)


def _declared(path):
    path.write_bytes(
        b"\x93NUMPY\x01\x00v\x00{'descr': '<f8', 'fortran_order': False, 'shape': (10000000, 1000000), }\n"
    )


DAMAGED = {
    "group.h5": _h5(lambda file: file.create_group("direction")),
    "text.h5": _h5(lambda file: file.__setitem__("direction", "text")),
    "other.hdf5": _h5(lambda file: file.__setitem__("other", VALUES)),
    "linked.h5": _linked,
    "unfilled.h5": _h5(lambda file: file.create_dataset("direction", (10**7, 10**6), "f8", chunks=(1024, 1024))),
    "cut.npz": lambda path: path.write_bytes(b"PK\x03\x04" + bytes(50)),
    "flipped.npz": _flipped,
    "declared.npy": _declared,
    "text.npy": lambda path: path.write_text("hello"),
    "complex.npy": lambda path: np.save(path, VALUES * 1j),
    "objects.npy": lambda path: np.save(path, np.array([{}], object), allow_pickle=True),
}


@pytest.mark.parametrize("name", DAMAGED)
def test_what_is_no_direction_is_one_line(tmp_path, name):
    DAMAGED[name](tmp_path / name)
    with pytest.raises(DataError, match=r"holds no direction|cannot be read: ") as found:
        read_direction(tmp_path / name)
    assert "\n" not in str(found.value)


def test_an_array_that_unpacks_to_more_than_a_direction_has_is_not_read(tmp_path, monkeypatch):
    np.savez_compressed(tmp_path / "bomb.npz", direction=np.zeros(1000))
    monkeypatch.setattr(inputs, "MAX_LABEL_BYTES", 8000)
    with pytest.raises(DataError, match="holds no direction"):
        read_direction(tmp_path / "bomb.npz")


@pytest.mark.parametrize("name", ["d.npy", "d.npz", "d.h5", "d.HDF5"])
def test_a_direction_is_read_from_every_kind_of_file(tmp_path, name):
    path = tmp_path / name
    if name.endswith(".npy"):
        np.save(path, VALUES)
    elif name.endswith(".npz"):
        np.savez(path, direction=VALUES)
    else:
        _h5(lambda file: file.__setitem__("direction", VALUES))(path)
    assert np.array_equal(read_direction(path), VALUES)
    assert os.listdir(tmp_path) == [name]


@pytest.mark.parametrize(
    ("given", "message"),
    [(-1, "seed is -1"), (VALUES * 1j, "complex128; real numbers"), (VALUES.astype(str), "real numbers were expected")],
)
def test_what_is_no_direction_in_a_program_is_refused(given, message):
    with pytest.raises(UsageError, match=message):
        inputs.as_direction(given, VALUES.shape)


def test_a_seed_may_be_numpys():
    assert np.array_equal(inputs.as_direction(np.int64(3), VALUES.shape), inputs.as_direction(3, VALUES.shape))
