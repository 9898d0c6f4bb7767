"""A comparison from its file: read back whole, and a damaged one is told in a line."""

import math
import shutil

import h5py
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from onnxspec.comparison import storing
from onnxspec.comparison.comparison import Comparison
from onnxspec.comparison.page import page
from onnxspec.comparison.reading import read
from onnxspec.errors import ReportError
from onnxspec.report import tables
from report.altered import refused, shown_or_refused


@pytest.fixture(scope="module")
def file(four, tmp_path_factory):
    path = tmp_path_factory.mktemp("written") / "four.h5"
    four.save(path)
    return path


def views(found):
    return [str(found), storing.to_json(found), page(found), *(storing.to_csv(found, one) for one in storing.TABLES)]


def test_what_is_written_is_read_back(four, file):
    again = Comparison.load(file)
    assert str(again) == str(four) and page(again) == page(four)
    assert again.to_dict() == four.to_dict()
    with h5py.File(file) as opened:
        assert again.digest == four.digest == opened.attrs["digest"]
    for name, rows in four.tables().items():
        assert storing.to_csv(again, name) == storing.to_csv(four, name), name
        assert len(again.tables()[name]) == len(rows)
    assert again.remarks == four.remarks and again.reference == four.reference


def test_figures_and_contrasts_can_be_asked_for_as_before(four, file):
    again = read(file)
    for kind in four.kinds:
        for model in four.models:
            assert again.figure(model.name, kind) == four.figure(model.name, kind)
        before, after = (one.contrast("sklearn", kind) for one in (four, again))
        assert (after.verdict, after.p, after.common.estimate) == (before.verdict, before.p, before.common.estimate)
        assert math.isnan(after.own.n_eff)


def without(table, **where):
    """Takes out the rows of a table whose columns are so."""

    def change(file):
        columns = {name: file[table][name][()] for name in file[table]}
        kept = [i for i in range(len(columns["row"])) if any(columns[n][i] != v for n, v in where.items())]
        for name, values in columns.items():
            kind = file[table][name].dtype
            del file[table][name]
            file[table].create_dataset(name, data=values[kept], dtype=kind)

    return change


def with_text(place, text):
    return lambda file: file[place].__setitem__(0, text)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda file: file.attrs.__setitem__("comparison_schema_version", 99), "schema version 99"),
        (lambda file: file.attrs.__setitem__("points", "many"), "'many' as points"),
        (lambda file: file.attrs.__delitem__("d_ref"), "damaged"),
        (lambda file: file.attrs.__setitem__("ended", '{"within": "never"}'), "attribute ended"),
        (lambda file: file.attrs.__setitem__("remarks", '[{"code": 1}]'), "attribute remarks"),
        (lambda file: file.__delitem__("figures"), "figures of kinds of paths"),
        (without("figures", model=b"twin", metric=b"hff"), "all figures of twin"),
        (without("contrasts", model=b"twin", kind=b"between"), "twin beside pytorch"),
        (without("models", name=b"pytorch"), "with the reference"),
        (with_text("models/name", "twin"), "a name each"),
        (with_text("ranking/model", "nobody"), "figures of its models alone"),
        (without("spectra", model=b"twin", kind=b"within"), "spectra of all models in the same bins"),
        (
            lambda file: file["spectra/frequency_per_reference"].__setitem__(2, 99.0),
            "spectra of all models in the same bins",
        ),
        (lambda file: file.attrs.__setitem__("d_ref", 0.0), "a d_ref above nought"),
        (lambda file: file.attrs.__setitem__("cutoff", float("inf")), "a cut-off and a d_ref"),
        (lambda file: file["models/position"].__setitem__(0, 3.0), "a place for all models or for none"),
        (lambda file: file["models"].move("digest", "other"), "damaged"),
    ],
)
def test_a_damaged_file_is_an_error_in_one_line(file, tmp_path, change, said):
    refused(file, tmp_path / "damaged.h5", change, read, said)


def test_a_file_from_before_spectra_were_kept_is_read_without(file, tmp_path, four):
    old = tmp_path / "old.h5"
    shutil.copy(file, old)
    with h5py.File(old, "r+") as opened:
        del opened["spectra"]
        tables.seal(opened)
    found = read(old)
    assert str(found) == str(four) and not found.spectra
    assert 'id="spectra"' not in page(found) and 'id="spectra"' in page(four)
    assert storing.to_csv(found, "spectra").splitlines() == [storing.to_csv(four, "spectra").splitlines()[0]]


def test_what_was_changed_or_is_something_else_is_said(file, tmp_path, bundled_report):
    shutil.copy(file, tmp_path / "edited.h5")
    with h5py.File(tmp_path / "edited.h5", "r+") as opened:
        opened["contrasts/p"][0] = 0.01
    with pytest.raises(ReportError, match="was changed since it was written"):
        read(tmp_path / "edited.h5")
    with h5py.File(file) as opened, h5py.File(tmp_path / "silent.h5", "w") as silent:
        for name in opened:
            opened.copy(name, silent)
        silent.attrs.update(dict(opened.attrs) | {"remarks": "[]"})
    with pytest.raises(ReportError, match="its names or its remarks are others"):
        read(tmp_path / "silent.h5")
    with pytest.raises(ReportError, match="is not a comparison"):
        read(bundled_report.path)
    with pytest.raises(ReportError, match="There is no file"):
        read(tmp_path / "none.h5")


@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_whatever_stands_anywhere_is_shown_or_refused(data, file, tmp_path):
    shown_or_refused(file, tmp_path / "strange.h5", data, lambda path: views(read(path)))


def test_a_line_says_what_it_is(four):
    assert len(repr(four)) < 300 and "sklearn" in repr(four)
