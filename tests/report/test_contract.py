"""A report that is not what a report must be is refused in one line, whichever way it is not."""

import shutil
import time
import tracemalloc
from contextlib import nullcontext

import h5py
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import onnxspec
from onnxspec.cli import main
from onnxspec.errors import ExitCode, OnnxspecError, ReportError
from onnxspec.report import storage
from onnxspec.report.terminal import as_text
from report.altered import sealed
from report.damages import DAMAGES, attribute, damaged, shared_text, value


@pytest.mark.parametrize("name", DAMAGES)
def test_every_damage_is_told_in_a_line(name, bundled_report, tmp_path, capfd):
    damage, said = DAMAGES[name]
    path = damaged(bundled_report, tmp_path / "r.h5", damage)
    started = time.monotonic()
    assert main(["show", str(path)]) == ExitCode.REFUSED
    out, err = capfd.readouterr()
    assert (out, len(err.splitlines())) == ("", 1)
    assert said in err and "r.h5" in err
    assert time.monotonic() - started < 5


@pytest.mark.parametrize("name", ["a link to another file", "terabytes in chunks", "a class out of range", "no column"])
@pytest.mark.parametrize(
    "line",
    [
        ["show", "r.h5", "--json"],
        ["show", "r.h5", "--csv", "paths"],
        ["report", "r.h5"],
        ["plot", "r.h5", "-o", "f.svg"],
        ["plot", "r.h5", "e-2.h5", "--what", "series", "-o", "f.svg"],
        ["compare", "r.h5", "e-2.h5"],
        ["audit", "r.h5", "--write-baseline", "b.json"],
    ],
)
def test_every_command_refuses_it_and_writes_nothing(name, line, bundled_report, tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    damage, said = DAMAGES[name]
    damaged(bundled_report, tmp_path / "r.h5", damage)
    shutil.copy(bundled_report.path, "e-2.h5")
    assert main(line) == ExitCode.REFUSED
    assert said in capfd.readouterr().err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["e-2.h5", "r.h5"]


def test_one_text_in_every_cell_is_not_read(bundled_report, tmp_path, capfd):
    path = damaged(bundled_report, tmp_path / "r.h5", lambda file: None)
    shared_text(path)
    tracemalloc.start()
    try:
        assert main(["show", str(path)]) == ExitCode.REFUSED
        assert tracemalloc.get_traced_memory()[1] < 20_000_000
    finally:
        tracemalloc.stop()
    assert "declares 44,700,000 bytes of text at /figures/reason" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("group", "shape", "chunk", "refused"),
    [
        ("paths", (20_000, 63), (64, 63), False),
        ("paths_waves", (20_000, 63), (64, 63), False),
        ("paths", (1_260_000,), (4096,), True),  # scalars are read whole
        ("paths", (2, 17 << 20), (1, 1 << 20), True),  # and a row at once
        ("paths", (2 << 20, 10), (2 << 20, 10), True),  # and a chunk
        ("strips", (20_000, 63), (64, 63), True),
    ],
)
def test_the_power_of_paths_may_be_packed_as_well_as_zeros_are(group, shape, chunk, refused, tmp_path, monkeypatch):
    monkeypatch.setattr(storage, "ALWAYS_ALLOWED", 0)
    with h5py.File(tmp_path / "r.h5", "w") as file:
        file.create_dataset(f"{group}/power_prob", shape, "f4", chunks=chunk, compression="gzip")[...] = 0.0
    with h5py.File(tmp_path / "r.h5") as file:
        budget = storage.Budget(tmp_path / "r.h5")
        said = pytest.raises(storage.Flaw, match="would unpack to far more") if refused else nullcontext()
        with said:
            storage.array(file[group], "power_prob", budget)


@pytest.mark.parametrize(
    ("kept", "said"), [(0, "not an HDF5 file"), (7, "not an HDF5 file"), (8, "cut short"), (0.5, "cut short")]
)
def test_a_file_that_was_cut_short(kept, said, bundled_report, tmp_path, capfd):
    whole = bundled_report.path.read_bytes()
    (tmp_path / "r.h5").write_bytes(whole[: kept if kept in (0, 7, 8) else len(whole) // 2])
    assert main(["show", str(tmp_path / "r.h5")]) == ExitCode.REFUSED
    err = capfd.readouterr().err
    assert said in err and len(err.splitlines()) == 1


def test_a_folder_and_a_file_that_may_not_be_read(bundled_report, tmp_path, capfd):
    assert main(["show", str(tmp_path)]) == ExitCode.REFUSED
    assert "There is no report" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (value("figures/estimate", 0.5, 7), "its digest is another"),
        (value("paths/hf_prob", 0.5, 7), "its digest is another"),
        (value("classes/name", "Another"), "its digest is another"),
        (attribute("accuracy", 0.99), "its digest is another"),
        (attribute("model", "another"), "its names or its remarks are others"),
        (attribute("remarks", "[]"), "its names or its remarks are others"),
        (attribute("digest", "0" * 64), "its digest is another"),
    ],
)
def test_a_report_that_was_changed_is_not_used(change, said, bundled_report, tmp_path, capfd):
    path = damaged(bundled_report, tmp_path / "r.h5", change)
    assert main(["show", str(path)]) == ExitCode.REFUSED
    out, err = capfd.readouterr()
    assert out == "" and f"was changed since it was written: {said}" in err


def test_a_report_that_is_replaced_while_it_is_read_is_noticed(bundled_report, tmp_path):
    path = damaged(bundled_report, tmp_path / "r.h5", lambda file: None)
    report = onnxspec.Report(path)
    damaged(bundled_report, path, value("paths/hf_prob", 0.5, 7))
    with pytest.raises(ReportError, match="was written again while it was read"):
        report.paths["hf_prob"]


COLUMNS = ("paths/hf_prob", "figures/estimate", "spectra/power_prob", "checks/high", "strips/hff", "classes/used")
NUMBERS = st.one_of(
    st.sampled_from([np.nan, np.inf, -np.inf, 0.0, -1.0, 1e300, 5e-324]), st.floats(), st.integers(-9, 2**31)
)


def _views(path):
    """What `show` says in every form, or the error that the report ends in."""
    from onnxspec.report.export import TABLES, to_csv, to_json

    report = onnxspec.Report(path)
    return [
        as_text(report, 80, "utf-8"),
        to_json(report),
        *(to_csv(report, table) for table in TABLES if table != "paths"),
    ]


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(column=st.sampled_from(COLUMNS), number=NUMBERS, whole=st.booleans(), data=st.data())
def test_any_number_in_any_column_is_shown_or_refused(column, number, whole, data, bundled_report, tmp_path):
    path = damaged(bundled_report, tmp_path / "r.h5", lambda file: None)
    with h5py.File(path, "r+") as file, np.errstate(all="ignore"):
        values = file[column][()]
        try:
            new = np.asarray(number).astype(values.dtype)
        except (OverflowError, ValueError):
            return
        at = ... if whole else data.draw(st.integers(0, len(values) - 1))
        file[column][at] = new
        sealed(file)
    try:
        assert all(_views(path))
    except OnnxspecError as error:
        assert isinstance(error, ReportError)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_byte_that_flips_is_noticed_or_means_nothing(data, bundled_report, tmp_path):
    whole = bytearray(bundled_report.path.read_bytes())
    at = data.draw(st.integers(8, len(whole) - 1))
    whole[at] ^= 1 << data.draw(st.integers(0, 7))
    path = tmp_path / "r.h5"
    path.write_bytes(whole)
    try:
        after = onnxspec.Report(path)
    except ReportError:
        return
    # Space that HDF5 leaves between objects, time and host of the run, references of dimension scales.
    assert after.to_dict()["figures"] == bundled_report.to_dict()["figures"]
    for name, values in bundled_report.paths.items():
        np.testing.assert_array_equal(after.paths[name], values)
