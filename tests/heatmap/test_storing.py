"""The file of a heat map: read back whole, by xarray too, never over something else."""

import json

import h5py
import numpy as np
import pytest
import xarray
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from conftest import FASHION
from onnxspec.errors import ReportError, UsageError
from onnxspec.heatmap import HeatMap, heat_map, storing
from onnxspec.report import tables
from report.altered import shown_or_refused


@pytest.fixture(scope="module")
def file(bundled_map, tmp_path_factory):
    path = tmp_path_factory.mktemp("map") / "map.h5"
    bundled_map.save(path)
    return path


def test_what_is_written_is_read_back(bundled_map, file):
    again = HeatMap.load(file)
    assert str(again) == str(bundled_map)
    assert again.to_dict() == bundled_map.to_dict()
    assert np.array_equal(again.wrong, bundled_map.wrong)
    assert np.array_equal(again.change["prob"], bundled_map.change["prob"])
    assert again.names == bundled_map.names and again.remarks == bundled_map.remarks


def test_xarray_reads_every_group(bundled_map, file):
    waves = xarray.open_dataset(file, engine="h5netcdf", group="map")
    assert waves["error"].dims == ("wave",)
    assert waves["wrong"].dims == ("image", "wave")
    assert np.allclose(waves["wrong"].mean("image"), bundled_map.error.estimate)
    assert waves["change_logit"].attrs["units"] == "nat"
    assert "interval" in waves["increase_low"].attrs["long_name"]
    assert np.allclose(np.hypot(waves["i"], waves["j"]), waves["frequency"])
    rings = xarray.open_dataset(file, engine="h5netcdf", group="rings")
    assert np.array_equal(rings["error"], bundled_map.rings.error)
    filters = xarray.open_dataset(file, engine="h5netcdf", group="filters")
    assert filters["wrong"].dims == ("image", "filter")
    images = xarray.open_dataset(file, engine="h5netcdf", group="images")
    assert images["name"].values.tolist() == list(bundled_map.names)


def test_every_variable_has_a_unit_and_a_name(file):
    def check(name, item):
        if isinstance(item, h5py.Dataset):
            assert item.attrs["units"] and item.attrs["long_name"], name

    with h5py.File(file) as opened:
        opened.visititems(check)


def test_equal_runs_have_equal_digests(bundled_map, file, tmp_path):
    other = heat_map(FASHION / "pytorch.onnx", FASHION / "test.npz", images=40, highest=6, threads=1)
    other.save(tmp_path / "other.h5")
    changed = heat_map(FASHION / "pytorch.onnx", FASHION / "test.npz", images=40, highest=6, eps=1.0)
    changed.save(tmp_path / "changed.h5")
    digests = [h5py.File(path).attrs["digest"] for path in (file, tmp_path / "other.h5", tmp_path / "changed.h5")]
    assert digests[0] == digests[1] != digests[2]


def test_json_has_all_figures(bundled_map):
    data = json.loads(storing.to_json(bundled_map))
    assert len(data["map"]) == len(bundled_map.waves)
    assert data["accuracy"]["estimate"] == bundled_map.accuracy.estimate
    assert [row["cutoff"] for row in data["filters"]] == [one.cutoff for one in bundled_map.filters]
    assert data["rings"][0]["waves"] == 1


def test_a_heat_map_is_replaced_and_nothing_else(bundled_map, tmp_path, bundled_report):
    bundled_map.save(tmp_path / "map.h5")
    bundled_map.save(tmp_path / "map.h5")
    (tmp_path / "notes.txt").write_text("mine")
    for path in (tmp_path / "notes.txt", bundled_report.path):
        before = path.read_bytes()
        with pytest.raises(UsageError, match="is no heat map, so it is not replaced"):
            bundled_map.save(path)
        assert path.read_bytes() == before
    with pytest.raises(UsageError, match="cannot be written"):
        bundled_map.save(tmp_path / "no" / "map.h5")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["map.h5", "notes.txt"]


def test_what_is_no_heat_map_is_said(file, tmp_path, bundled_report):
    with pytest.raises(ReportError, match="There is no file"):
        HeatMap.load(tmp_path / "none.h5")
    with pytest.raises(ReportError, match="is not a heat map"):
        HeatMap.load(bundled_report.path)


def _elsewhere(file):
    del file["map"]
    file["map"] = h5py.ExternalLink("map.h5", "map")


def _never_written(file):
    del file["map/error"]
    file.create_dataset("map/error", (10**6, 10**7), "f4", chunks=(1000, 1000))


@pytest.mark.parametrize(
    ("change", "said"), [(_elsewhere, "has a link at /map"), (_never_written, "declares .* values at /map/error")]
)
def test_what_leads_out_of_the_file_or_was_never_written_is_refused(file, tmp_path, change, said):
    damaged = tmp_path / "damaged.h5"
    damaged.write_bytes(file.read_bytes())
    with h5py.File(damaged, "r+") as opened:
        change(opened)
    with pytest.raises(ReportError, match=said):
        HeatMap.load(damaged)


def _set(name, value):
    return lambda file: file.attrs.__setitem__(name, value)


def _cut(name):
    def change(file):
        values = file[name][:-1]
        del file[name]
        file[name] = values

    return change


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (_set("heatmap_schema_version", 99), "schema version 99"),
        (_set("preprocess", "[1, 2]"), "attribute preprocess that is no table"),
        (_set("preprocess", "{"), "attribute preprocess that is not JSON"),
        (_set("remarks", '[{"colour": 1}]'), "attribute remarks that is no list"),
        (_set("height", "many"), "has .many. as height"),
        (_set("width", 28.0), "has .28.0. as width"),
        (_set("height", -3), "no size"),
        (lambda file: file.attrs.__delitem__("eps"), "damaged"),
        (lambda file: file.__delitem__("filters"), "damaged"),
        (_cut("map/wrong"), "40 x 85 numbers"),
        (_cut("filters/cutoff"), "damaged"),
        (_cut("images/wrong"), "40 numbers"),
    ],
)
def test_a_damaged_file_is_an_error_in_one_line(file, tmp_path, change, said):
    damaged = tmp_path / "damaged.h5"
    damaged.write_bytes(file.read_bytes())
    with h5py.File(damaged, "r+") as opened:
        change(opened)
    with pytest.raises(ReportError, match="99" if said.endswith("99") else "was changed since it was written"):
        HeatMap.load(damaged)
    with h5py.File(damaged, "r+") as opened:
        tables.seal(opened)
    with pytest.raises(ReportError, match=said):
        HeatMap.load(damaged)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_whatever_stands_anywhere_is_shown_or_refused(data, file, tmp_path):
    def views(path):
        found = HeatMap.load(path)
        return [str(found), storing.to_json(found)]

    shown_or_refused(file, tmp_path / "strange.h5", data, views)
