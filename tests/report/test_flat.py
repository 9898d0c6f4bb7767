"""Rows of named values as CSV, JSON and HDF5."""

import io
import json

import h5py
import xarray

from onnxspec.report import flat

ROWS = [
    {"name": "=danger\n", "place": 1, "estimate": 0.1},
    {"name": "plain", "place": 2, "estimate": float("nan")},
]


def test_csv_keeps_rows_on_lines_and_formulas_text():
    assert flat.to_csv(ROWS) == "name,place,estimate\n'=danger\\n,1,0.1\nplain,2,\n"


def test_json_is_strict():
    assert json.loads(flat.to_json({"rows": ROWS, "pair": (1.0, float("inf"))})) == {
        "rows": [ROWS[0], {"name": "plain", "place": 2, "estimate": None}],
        "pair": [1.0, None],
    }


def test_hdf5_has_units_names_and_a_digest(tmp_path):
    path = tmp_path / "t.h5"
    path.write_bytes(flat.to_hdf5({"rows": ROWS, "none": []}, {"seed": 1, "limit": None}, {"place": "rank"}, {}))
    read = xarray.load_dataset(path, engine="h5netcdf", group="rows")
    assert read["place"].attrs == {"units": "1", "long_name": "rank"}
    assert read["name"].values.tolist() == ["=danger\n", "plain"]
    with h5py.File(path) as file:
        assert list(file) == ["rows"]
        digest = file.attrs["digest"]
    other = flat.to_hdf5({"rows": ROWS[:1]}, {"seed": 1}, {}, {})
    with h5py.File(io.BytesIO(other)) as file:
        assert file.attrs["digest"] != digest


def test_a_table_without_a_row_is_its_headings():
    assert flat.to_csv([], ("model", "place")) == "model,place\n"
