"""JSON and CSV read back by strict readers, and are inert in a spreadsheet."""

import csv
import io
import json
import re
import tracemalloc
from types import SimpleNamespace

import h5py
import numpy as np
import pytest

from onnxspec.errors import UsageError
from onnxspec.report import tables
from onnxspec.report.export import TABLES, to_csv, to_json
from onnxspec.report.terminal import as_text
from report.altered import altered

HOSTILE = {
    "Trouser": "=cmd|' /C calc'!A0",
    "Shirt": 'one, "two"\nthree',
    "Coat": "-1+1",
    "Bag": "@SUM(A1)",
    "Dress": "\x1b[31mred",
    "Sandal": "\t=1",
}


def rows(report, table):
    return list(csv.DictReader(io.StringIO(to_csv(report, table))))


def column(rows, name):
    return np.array([float(row[name]) if row[name] else np.nan for row in rows])


def group(report, name):
    with h5py.File(report.path) as file:
        return {column: tables.read_column(file[name][column]) for column in file[name]}


def no_constant(text):
    raise AssertionError(f"{text} is not JSON")


def test_json_is_strict(bundled_report):
    text = to_json(bundled_report)
    answer = json.loads(text, parse_constant=no_constant)
    assert text.isascii()
    assert answer["model"] == "pytorch"
    assert len(answer["figures"]) == len(bundled_report.figures["kind"])
    undefined = [figure for figure in answer["figures"] if figure["reason"]]
    assert all(figure["estimate"] is None for figure in undefined)


def test_json_has_what_the_screen_concludes(bundled_report):
    found, screen = json.loads(to_json(bundled_report)), as_text(bundled_report)
    assert [check["name"] for check in found["checks"]] == ["converged", "resolved", "above noise", "repeatable"]
    for check in found["checks"]:
        assert re.search(rf"^{check['name']} +{'yes' if check['passed'] else 'NO'} ", screen, re.MULTILINE)
    assert found["answer"] in screen and "between classes against within" in found["answer"].lower()


def test_paths_are_told_by_their_names_as_everywhere(bundled_report):
    read, paths, names = rows(bundled_report, "paths"), bundled_report.paths, bundled_report.classes["name"]
    assert [row["kind"] for row in read] == [("within", "between")[kind] for kind in paths["kind"]]
    for end in ("class_a", "class_b"):
        assert [row[end] for row in read] == names[paths[end]].tolist()


@pytest.mark.parametrize("table", ["figures", "classes", "paths", "checks"])
def test_csv_reads_back_to_the_same_numbers_and_names(bundled_report, table):
    stored = group(bundled_report, table)
    read = rows(bundled_report, table)
    compared = 0
    for name in read[0]:
        if name in stored and not (table == "paths" and name in ("kind", "class_a", "class_b")):
            if stored[name].dtype.kind == "O":
                assert [row[name] for row in read] == stored[name].tolist()
            else:
                np.testing.assert_array_equal(column(read, name).astype(stored[name].dtype), stored[name])
            compared += 1
    assert compared >= 7
    one_dimensional = {name for name, values in stored.items() if values.shape == (len(read),)}
    assert one_dimensional <= set(read[0]) | {"bin"}


def test_paths_carry_their_power_bin_by_bin(bundled_report):
    read = rows(bundled_report, "paths")
    power = bundled_report.paths["power_prob"]
    for i, frequency in enumerate(bundled_report.paths["bin"]):
        np.testing.assert_array_equal(column(read, f"power_prob_{frequency:g}").astype(np.float32), power[:, i])


def test_spectra_are_long(bundled_report):
    read = rows(bundled_report, "spectra")
    for signal in ("prob", "logit"):
        for selection in ("right", "all"):
            spectrum = bundled_report.spectrum("between", signal=signal, selection=selection)
            wanted = {"kind": "between", "class_a": "", "class_b": "", "signal": signal, "selection": selection}
            found = [row for row in read if wanted.items() <= row.items()]
            np.testing.assert_array_equal(column(found, "frequency"), spectrum.frequency)
            for name, values in (("power", spectrum.power), ("low", spectrum.low), ("high", spectrum.high)):
                np.testing.assert_array_equal(column(found, name).astype(np.float32), values)
            assert {row["paths"] for row in found} == {str(spectrum.paths)}


def test_every_power_says_its_unit(bundled_report):
    read = rows(bundled_report, "spectra")
    with h5py.File(bundled_report.path) as file:
        stored = {signal: file[f"spectra/power_{signal}"].attrs["units"] for signal in ("prob", "logit")}
    assert {(row["signal"], row["unit"]) for row in read} == set(stored.items()) == {("prob", "1"), ("logit", "nat2")}


@pytest.mark.parametrize("table", ["figures", "classes", "spectra"])
def test_names_are_no_formulas_and_no_lines(bundled_report, tmp_path, table):
    report = altered(bundled_report, tmp_path / "r.h5", HOSTILE)
    text = to_csv(report, table)
    read = list(csv.DictReader(io.StringIO(text)))
    assert len(text.splitlines()) == len(read) + 1
    assert "\x1b" not in text
    words = {row[name] for row in read for name in ("class_a", "class_b", "name") if name in row}
    assert {"'=cmd|' /C calc'!A0", r'one, "two"\nthree', "'-1+1", "'@SUM(A1)", r"\x1b[31mred", r"\t=1"} <= words
    assert not [word for word in words if word.startswith(("=", "+", "-", "@"))]


def test_negative_numbers_stay_numbers(bundled_report, tmp_path):
    report = altered(bundled_report, tmp_path / "r.h5", figures__low=-0.5)
    assert {row["low"] for row in rows(report, "figures")} == {"-0.5"}


def test_every_figure_says_its_unit(bundled_report):
    units = {(row["kind"], row["signal"], row["metric"]): row["unit"] for row in rows(bundled_report, "figures")}
    assert units["within", "prob", "hff"] == units["between", "prob", "excess_tv"] == "1"
    assert units["within", "prob", "slope"] == "1 per unit RMS pixel difference"
    assert units["between", "logit", "slope"] == "nat per unit RMS pixel difference"
    assert units["between", "logit", "wiggle"] == "nat2"
    assert units["between", "prob", "width"] == "RMS pixel difference"
    assert units["between", "prob", "rolloff"] == "cycles per unit RMS distance"
    assert units["between/within", "logit", "slope"] == "1"
    with h5py.File(bundled_report.path) as file:
        assert file["figures/estimate"].attrs["units"] != "1" == file["figures/paths"].attrs["units"]


def test_a_signal_that_nobody_knows_is_shown_all_the_same(bundled_report, tmp_path):
    report = altered(bundled_report, tmp_path / "r.h5", figures__signal="sign")
    assert {row["unit"] for row in rows(report, "figures") if row["metric"] == "slope"} == {"1"}


def test_an_unknown_table(bundled_report):
    with pytest.raises(UsageError, match=f"no table 'figure'. Known: {', '.join(TABLES)}"):
        to_csv(bundled_report, "figure")


def test_a_long_table_is_not_all_text_at_once():
    power = np.random.default_rng(0).random((20_000, 16), np.float32)
    of_path = {"path": np.arange(20_000)} | dict.fromkeys(("kind", "class_a", "class_b"), np.zeros(20_000, int))
    names = {"name": np.array(["cat"], object)}
    report = SimpleNamespace(paths={"bin": np.arange(16) / 2, **of_path, "power_prob": power}, classes=names)
    tracemalloc.start()
    text = to_csv(report, "paths")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert text.count("\n") == 20_001
    assert peak < 4 * len(text)
