"""A protocol's result from its file: read back whole, and a damaged one is told in a line."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from conftest import FASHION, QUICKEST
from onnxspec import parity
from onnxspec.parity import storing
from onnxspec.parity.reading import read
from onnxspec.settings import Settings
from report.altered import refused, shown_or_refused


@pytest.fixture(scope="module")
def results():
    few = Settings.of(pairs=2)
    return {name: parity.run(QUICKEST, FASHION / "test.npz", few, name) for name in ("mool", "sbp")}


@pytest.fixture(scope="module")
def files(results, tmp_path_factory):
    folder = tmp_path_factory.mktemp("written")
    for name, result in results.items():
        result.save(folder / f"{name}.h5")
    return folder


def views(result):
    return [str(result), storing.to_json(result)]


@pytest.mark.parametrize("name", ["mool", "sbp"])
def test_what_is_written_is_read_back(results, files, name):
    before, after = results[name], parity.ParityResult.load(files / f"{name}.h5")
    assert views(after)[0] == views(before)[0]
    assert after.to_dict() == before.to_dict()
    assert after.paths.keys() == before.paths.keys()
    for column, values in before.paths.items():
        assert np.array_equal(after.paths[column], values, equal_nan=values.dtype.kind == "f"), column
    assert (after.power is None) == (name == "mool")
    if after.power is not None:
        assert np.array_equal(after.spectrum(7), before.spectrum(7))


@pytest.mark.parametrize(
    ("name", "change", "said"),
    [
        ("mool", lambda file: file.attrs.__setitem__("accuracy", "high"), "'high' as accuracy"),
        ("mool", lambda file: file.__delitem__("paths"), "damaged"),
        ("mool", lambda file: file["paths/family"].__setitem__(0, "arc"), "paths of known families"),
        ("mool", lambda file: file["figures/family"].__setitem__(0, "phase"), "damaged"),
        ("mool", lambda file: file.__delitem__("figures"), "figures or spectra"),
        ("sbp", lambda file: file["spectra/family"].__setitem__(0, "arc"), "spectra of known families"),
        ("sbp", lambda file: file.__delitem__("spectra"), "figures or spectra"),
    ],
)
def test_a_damaged_file_is_an_error_in_one_line(files, tmp_path, name, change, said):
    refused(files / f"{name}.h5", tmp_path / "damaged.h5", change, read, said)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), name=st.sampled_from(["mool", "sbp"]))
def test_whatever_stands_anywhere_is_shown_or_refused(data, name, files, tmp_path):
    shown_or_refused(files / f"{name}.h5", tmp_path / "strange.h5", data, lambda path: views(read(path)))
