"""The report file: streamed, whole or not there, readable by xarray, with a digest of all that equal runs share."""

import errno
import os
import shutil
import subprocess

import h5py
import numpy as np
import pytest
import xarray

from onnxspec.errors import ResourceError, UsageError
from onnxspec.report import tables
from onnxspec.report.report import GROUPS
from onnxspec.report.writer import ReportWriter
from onnxspec.results import Rows

BINS = np.arange(1, 8) / 2


def rows(start: int, count: int) -> Rows:
    rng = np.random.default_rng(start)
    return Rows(
        {
            "kind": np.zeros(count, np.int8),
            "distance": np.arange(start, start + count, dtype=float),
            "power_prob": rng.random((count, 7)).astype(np.float32),
        }
    )


def writer_to(destination) -> ReportWriter:
    return ReportWriter(destination, destination.with_name("in the making"), BINS)


def test_rows_come_back_as_they_went_in(tmp_path):
    parts = [rows(0, 5), rows(5, 4000), rows(4005, 700)]
    whole = Rows.concatenated(parts)
    with writer_to(tmp_path / "r.h5") as writer:
        for part in parts:
            writer.append(part)
        back = writer.rows()
        chunks = list(writer.power("prob"))
        assert list(back.columns) == ["distance", "kind"]
        assert np.array_equal(back["distance"], whole["distance"])
        assert np.array_equal(np.concatenate([c for _, c in chunks]), whole["power_prob"])
        assert len(chunks) == 5
        writer.finish({"seed": 1, "estimator": "sine"}, {"host": "here"})
    with h5py.File(tmp_path / "r.h5") as file:
        assert np.array_equal(file["paths/power_prob"][()], whole["power_prob"])
        assert file["paths/distance"].attrs["units"] == "RMS pixel difference"


def test_a_report_that_is_not_finished_leaves_nothing(tmp_path):
    with pytest.raises(KeyboardInterrupt), writer_to(tmp_path / "r.h5") as writer:
        writer.append(rows(0, 5))
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []


def test_an_earlier_report_stays_until_the_new_one_is_whole(tmp_path):
    with writer_to(tmp_path / "r.h5") as writer:
        writer.append(rows(0, 5))
        writer.finish({"estimator": "sine"}, {})
    earlier = (tmp_path / "r.h5").read_bytes()
    with pytest.raises(ZeroDivisionError), writer_to(tmp_path / "r.h5") as writer:
        writer.append(rows(0, 5))
        _ = 1 / 0
    assert (tmp_path / "r.h5").read_bytes() == earlier


def test_an_earlier_report_that_is_open_on_windows_is_said(tmp_path, monkeypatch):
    def refused(*_):
        raise PermissionError(errno.EACCES, "Access is denied")

    monkeypatch.setattr("pathlib.Path.replace", refused)
    with (
        pytest.raises(ResourceError, match=r"r\.h5 cannot be replaced: Access is denied\. .*close it there"),
        writer_to(tmp_path / "r.h5") as writer,
    ):
        writer.append(rows(0, 5))
        writer.finish({"seed": 1, "estimator": "sine"}, {"host": "here"})
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_no_report_is_never_replaced(tmp_path):
    (tmp_path / "model.onnx").write_bytes(b"weights")
    with h5py.File(tmp_path / "images.h5", "w") as file:
        file["images"] = np.zeros(3)
    for name in ("model.onnx", "images.h5"):
        with pytest.raises(UsageError, match="nothing that onnxspec wrote, so it is not replaced"):
            writer_to(tmp_path / name)


def test_a_report_has_the_usual_permissions(tmp_path):
    with writer_to(tmp_path / "r.h5") as writer:
        writer.append(rows(0, 5))
        writer.finish({"estimator": "sine"}, {})
    (tmp_path / "other").write_text("")
    assert (tmp_path / "r.h5").stat().st_mode == (tmp_path / "other").stat().st_mode


def test_a_report_is_written_where_permissions_cannot_be_set(tmp_path, without_modes):
    with writer_to(tmp_path / "r.h5") as writer:
        writer.append(rows(0, 5))
        writer.finish({"estimator": "sine"}, {})
    assert os.listdir(tmp_path) == ["r.h5"]


@pytest.mark.parametrize(("place", "message"), [("no/r.h5", "does not exist"), ("", "is a folder")])
def test_a_place_that_cannot_be_written_is_refused(tmp_path, place, message):
    with pytest.raises(UsageError, match=message):
        writer_to(tmp_path / place)


def test_a_full_disk_is_said_and_leaves_nothing(tmp_path):
    small = tmp_path / "small"
    small.mkdir()
    if shutil.which("mount") is None or os.name != "posix" or os.geteuid() != 0:
        pytest.skip("a full disk needs a small file system: root and mount")
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", small], capture_output=True).returncode:
        pytest.skip("a file system cannot be mounted here")
    try:
        with pytest.raises(ResourceError, match="disk is full"), writer_to(small / "r.h5") as writer:
            for start in range(0, 200_000, 4000):
                writer.append(rows(start, 4000))
            writer.finish({"estimator": "sine"}, {})
        assert list(small.iterdir()) == []
    finally:
        subprocess.run(["umount", small], check=True)


@pytest.mark.parametrize("group", GROUPS)
def test_xarray_reads_every_group(bundled_report, group):
    dataset = xarray.load_dataset(bundled_report.path, engine="h5netcdf", group=group)
    assert not [dim for dim in dataset.dims if str(dim).startswith("phony")]
    for name, variable in dataset.variables.items():
        assert variable.attrs["units"], name
        assert variable.attrs["long_name"], name
        assert variable.dtype.kind in "fiuUO", name


def test_xarray_sees_what_the_report_says(bundled_report):
    paths = xarray.load_dataset(bundled_report.path, engine="h5netcdf", group="paths")
    assert paths["power_prob"].dims == ("path", "bin")
    assert np.array_equal(paths["bin"], bundled_report.paths["bin"])
    tree = bundled_report.to_xarray()
    assert tree["spectra"]["power_prob"].dims == ("stratum", "frequency")
    assert tree["spectra"]["frequency"].attrs["units"] == "cycles per unit RMS distance"


def test_the_digest_covers_values_and_attributes_and_not_the_run(bundled_report, tmp_path):
    copy = tmp_path / "copy.h5"
    shutil.copy(bundled_report.path, copy)
    with h5py.File(copy, "r+") as file:
        before = file.attrs["digest"]
        assert tables.digest(file) == before
        file["run"].attrs["host"] = "elsewhere"
        assert tables.digest(file) == before
        file["paths/distance"][3] += 1e-9
        changed = tables.digest(file)
        assert changed != before
        file["classes/name"][0] = "other"
        assert tables.digest(file) != changed
        file.attrs["seed"] = 77
        assert tables.digest(file) not in (before, changed)


def test_the_file_has_no_booleans_references_or_compound_types(bundled_report):
    def check(name, item):
        if isinstance(item, h5py.Dataset):
            assert item.dtype.kind in "fiu" or h5py.check_string_dtype(item.dtype), name

    with h5py.File(bundled_report.path) as file:
        file.visititems(check)


def test_a_hundred_thousand_paths_of_ten_classes_stay_under_a_hundred_megabytes(bundled_report):
    with h5py.File(bundled_report.path) as file:
        per_path = sum(d.id.get_storage_size() / len(d) for d in file["paths"].values() if d.shape[0] == 800)
    assert per_path * 100_000 < 100e6


def test_a_path_that_is_no_utf8_is_kept_in_escapes(tmp_path):
    with h5py.File(tmp_path / "f.h5", "w") as file:
        tables.set_attributes(file, {"data": "non\udcffutf", "points": 9})
        assert (file.attrs["data"], file.attrs["points"]) == ("non\\udcffutf", 9)
