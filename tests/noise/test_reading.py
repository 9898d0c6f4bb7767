"""What noise fitting found from its file: read back whole, and a damaged one is told in a line."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from noise.conftest import A, F
from onnxspec.noise import storing
from onnxspec.noise.found import NoiseFit
from onnxspec.noise.reading import read
from report.altered import refused, shown_or_refused


@pytest.fixture(scope="module")
def file(course, tmp_path_factory):
    path = tmp_path_factory.mktemp("written") / "course.h5"
    course.save(path)
    return path


def views(found):
    tables = (storing.to_csv(found, one) for one in storing.TABLES)
    return [str(found), storing.to_json(found), *tables]


def test_what_is_written_is_read_back(course, file):
    again = NoiseFit.load(file)
    before, after = views(course), views(again)
    assert after[0] == before[0] and after[2:] == before[2:]
    assert json.loads(after[1]) == json.loads(before[1])
    assert again.remarks == course.remarks
    assert again.noise(F, A).dip.at == course.noise(F, A).dip.at
    assert again.figure("e-3", F, A).estimate == course.figure("e-3", F, A).estimate


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda file: file.attrs.__setitem__("phi", "much"), "'much' as phi"),
        (lambda file: file.__delitem__("noises"), "every checkpoint's figures"),
        (lambda file: file["fits/model"].__setitem__(0, "e-2"), "every checkpoint's figures"),
        (lambda file: file["noises/dip_model"].__setitem__(0, "nobody"), "damaged"),
        (lambda file: file["fits"].move("clean_low", "low"), "damaged"),
    ],
)
def test_a_damaged_file_is_an_error_in_one_line(file, tmp_path, change, said):
    refused(file, tmp_path / "damaged.h5", change, read, said)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_whatever_stands_anywhere_is_shown_or_refused(data, file, tmp_path):
    shown_or_refused(file, tmp_path / "strange.h5", data, lambda path: views(read(path)))
