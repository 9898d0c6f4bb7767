"""Targets in files: what was computed, under names that any framework reads, without pickles."""

import json

import h5py
import numpy as np
import pytest
import xarray

from conftest import FASHION
from noise import made
from onnxspec.errors import DataError, UsageError
from onnxspec.noise import Noise
from onnxspec.noise.inputs import as_direction, read_direction
from onnxspec.noise.making import make_targets
from onnxspec.noise.writing import write_targets

DATA = made.images(60)


def of(**options):
    return make_targets(DATA, **({"frequency": 0.3, "amplitude": 0.2, "preprocess": "-1..1"} | options))


def test_targets_are_known_again_where_files_have_no_locks(tmp_path, without_locks):
    write_targets(of(), tmp_path / "t.h5")
    write_targets(of(), tmp_path / "t.h5")


@pytest.mark.parametrize("direction", [None, 2])
def test_both_files_hold_the_same(tmp_path, direction):
    found = of(direction=direction)
    write_targets(found, tmp_path / "t.npz")
    write_targets(found, tmp_path / "t.h5")
    read = np.load(tmp_path / "t.npz", allow_pickle=False)
    with h5py.File(tmp_path / "t.h5") as file:
        for name in ("targets", "smoothing", "labels", *(["direction"] if direction else [])):
            assert np.array_equal(file[name][()], read[name])
            assert file[name].dtype == read[name].dtype
        for name in ("names", "class_names"):
            assert file[name].asstr()[()].tolist() == read[name].tolist()
        assert json.loads(file.attrs["settings"]) == json.loads(str(read["settings"])) == found.settings
    assert read["targets"].dtype == np.float32 and read["targets"].shape == (60, 3)
    if direction is None:
        assert xarray.load_dataset(tmp_path / "t.h5", engine="h5netcdf")["targets"].dims == ("image", "class")


def test_targets_are_those_of_a_training_loop():
    x = (np.moveaxis(DATA[0], -1, 1) / np.float32(255) - 0.5) / 0.5
    expected = Noise(0.3, 0.2).targets(x.astype(np.float32), DATA[1], 3)
    assert of().targets() == pytest.approx(expected, abs=1e-6)


def test_the_digest_is_of_the_noise_and_the_images():
    first = of().settings["targets_digest"]
    assert of().settings["targets_digest"] == first
    for other in ({"frequency": 0.31}, {"amplitude": 0.1}, {"direction": 1}, {"preprocess": "0..1"}):
        assert of(**other).settings["targets_digest"] != first


def test_a_class_file_gives_the_order_of_the_columns(tmp_path):
    (tmp_path / "c.txt").write_text("2\nbackground\n0\n1\n")
    found = of(classes=str(tmp_path / "c.txt"))
    assert found.class_names == ("2", "background", "0", "1")
    assert np.array_equal(found.targets().argmax(1), np.array([2, 3, 0])[DATA[1]])


def test_a_written_direction_is_read_again(tmp_path):
    found = of(direction=4)
    for name in ("t.npz", "t.h5"):
        write_targets(found, tmp_path / name)
        assert np.array_equal(as_direction(tmp_path / name, made.SHAPE), found.noise.direction)
    np.save(tmp_path / "u.npy", 3 * found.noise.direction)
    assert as_direction(tmp_path / "u.npy", made.SHAPE) == pytest.approx(found.noise.direction)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("gone.npz", None, "cannot be read"),
        ("bad.npz", b"nothing", "no direction"),
        ("bad.h5", b"nothing", "cannot be read"),
    ],
)
def test_a_file_without_a_direction_is_refused(tmp_path, name, content, message):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=message):
        read_direction(tmp_path / name)


def test_an_array_file_of_something_else_is_no_direction():
    with pytest.raises(DataError, match="no direction"):
        read_direction(FASHION / "test.npz")


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"preprocess": None}, UsageError, "--preprocess"),
        ({"preprocess": "auto"}, UsageError, "--preprocess"),
        ({"amplitude": 0.6}, UsageError, "at most 0.5"),
        ({"labels": "predicted"}, DataError, "no labelled images"),
        ({"direction": np.ones(5)}, UsageError, r"shape \(5,\)"),
    ],
)
def test_what_makes_no_targets_is_said(options, error, message):
    with pytest.raises(error, match=message):
        of(**options)


def test_images_in_8_bit_levels_need_a_preprocessing_for_them():
    images, labels = DATA
    with pytest.raises(DataError, match="for 0 to 1"):
        make_targets((images.astype(np.float32), labels), frequency=0.3, amplitude=0.2, preprocess="-1..1")


def test_no_data_is_said():
    with pytest.raises(UsageError, match="--data"):
        make_targets(frequency=1, amplitude=0.1, preprocess="0..1")


def test_what_cannot_be_written_is_said_and_leaves_nothing(tmp_path, monkeypatch):
    for name in ("t.csv", "nowhere/t.npz"):
        with pytest.raises(UsageError):
            write_targets(of(), tmp_path / name)
    monkeypatch.setattr("onnxspec.noise.writing.MAX_NPZ_BYTES", 100)
    with pytest.raises(UsageError, match=r"\.h5"):
        write_targets(of(), tmp_path / "t.npz")
    assert not list(tmp_path.iterdir())
