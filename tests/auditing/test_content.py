"""Baselines that are not what they must be are refused in a line, their digests right or not."""

import base64
import json

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from onnxspec.auditing import content as contents
from onnxspec.auditing.baseline import Baseline, _digest
from onnxspec.cli import main
from onnxspec.errors import ExitCode, ReportError


@pytest.fixture(scope="module")
def whole(bundled_report, tmp_path_factory):
    """A baseline that was written, as text."""
    path = tmp_path_factory.mktemp("baseline") / "b.json"
    Baseline.of(bundled_report).write(path)
    return path.read_text()


@pytest.fixture
def audited(bundled_report, tmp_path, monkeypatch, capfd):
    """What the command says of a baseline of this text."""
    monkeypatch.chdir(tmp_path)

    def audit(text):
        (tmp_path / "b.json").write_text(text) if isinstance(text, str) else (tmp_path / "b.json").write_bytes(text)
        assert main(["audit", str(bundled_report.path), "--baseline", "b.json"]) == ExitCode.REFUSED
        out, err = capfd.readouterr()
        assert out == "" and len(err.splitlines()) == 1
        return err

    return audit


def sealed(content):
    """The text of a changed baseline with a digest that is right again."""
    content.pop("digest", None)
    return json.dumps(content | {"digest": _digest(content)})


def packed(values, dtype):
    return base64.b64encode(np.asarray(values, dtype).tobytes()).decode()


def at(*keys):
    """Sets a value by its keys; without one, takes the last key out."""

    def change(content, *new):
        for key in keys[:-1]:
            content = content[key]
        if new:
            content[keys[-1]] = new[0]
        else:
            del content[keys[-1]]

    return change


CHANGES = [
    (at("model"), ["x"], "is not whole"),
    (at("model", "name"), [5], "no text"),
    (at("model", "preprocess"), [[]], "preprocess is no table"),
    (at("data", "pairs"), [], "it has no 'pairs'"),
    (at("data", "digest"), [None], "no text"),
    (at("classes"), ["cat"], "no list of texts"),
    (at("classes"), [["cat"]], "its column class_a goes from 0 to 9"),
    (at("settings"), [[]], "is not whole"),
    (at("settings", "pairs"), [-1], "--pairs is -1"),
    (at("settings", "kinds"), [7], "is not whole"),
    (at("settings", "data"), ["/etc"], "its settings have data"),
    (at("settings", "preprocess"), ["/etc/passwd"], "its settings have preprocess"),
    (at("settings", "output"), [["x"]], "its output is"),
    (at("settings", "estimator"), ["magic"], "its estimator is 'magic'"),
    (at("settings", "cutoff"), [1e400], "is not a baseline"),
    (at("settings", "cutoff"), [0], "its cutoff is 0"),
    (at("settings", "cutoff"), [], "it has no 'cutoff'"),
    (at("floor"), [{}], "it has the signals"),
    (at("floor", "smell"), [1.0], "it has the signals"),
    (at("floor", "prob"), ["0"], "its floor is no power"),
    (at("floor", "prob"), [-1.0], "its floor is no power"),
    (at("paths", "hf_prob"), [], "its paths have no hf_prob"),
    (at("paths", "more"), [""], "its paths have a more"),
    (at("paths", "hf_prob"), ["AAAA"], "not whole"),
    (at("paths", "hf_prob"), ["!!!!"], "not whole"),
    (at("paths", "hf_prob"), [5], "not whole"),
    (at("paths", "hf_prob"), [packed([1.0], "<f4")], "of different length"),
    (at("paths", "kind"), [packed([5] * 800, "|i1")], "its column kind goes from 5 to 5"),
    (at("paths", "image_a"), [packed([-5] * 800, "<i4")], "its column image_a goes from -5 to -5"),
    (at("paths", "status"), [packed([255] * 800, "|u1")], "its column status goes from 255 to 255"),
    (at("settings", "cutoff"), [10**400], "its cutoff is 1000"),
    (at("version"), [2], "version 2; this onnxspec reads version 1"),
    (at("version"), [], "version None; this"),
    (at("format"), ["another"], "is not a baseline"),
]


@pytest.mark.parametrize(("change", "new", "said"), CHANGES)
def test_every_change_is_told_though_its_digest_is_right(change, new, said, whole, audited):
    content = json.loads(whole)
    change(content, *new)
    assert said in audited(sealed(content))


def test_one_pair_twice_is_told(whole, audited):
    content = json.loads(whole)
    for name in ("image_a", "image_b"):
        content["paths"][name] = packed([3] * 800, "<i4")
    assert "one pair of images twice" in audited(sealed(content))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[" * 900 + "]" * 900, "is not a baseline"),
        ('{"format": "onnxspec baseline", "version": 1, "x": ' + "[" * 500 + "]" * 500 + "}", "was changed"),
        ('{"format": "onnxspec baseline", "x": ' + "[" * 99_999, "is not a baseline"),
        ('{"format": "onnxspec baseline", "version": NaN}', "is not a baseline"),
        ('{"format": "onnxspec baseline", "version": Infinity}', "is not a baseline"),
        ('{"format": "onnxspec baseline", "version": ' + "9" * 5000 + "}", "is not a baseline"),
        ('{"format": "onnxspec baseline", "version": 1, "digest": {}}', "was changed"),
        (b"\xff\xfe{}", "is not a baseline"),
        ("", "is not a baseline"),
        ("null", "is not a baseline"),
    ],
)
def test_json_of_other_shapes(text, said, audited):
    assert said in audited(text)


def test_what_is_too_large_is_not_read(bundled_report, whole, audited, monkeypatch, tmp_path):
    monkeypatch.setattr(contents, "MOST_BYTES", 1000)
    assert "at most 1,000 are read" in audited(whole)
    (tmp_path / "sub").mkdir()
    with pytest.raises(ReportError, match="is no file"):
        Baseline.read(tmp_path / "sub")


def test_a_gigabyte_that_takes_no_room_is_not_read(bundled_report, tmp_path, capfd):
    with open(tmp_path / "b.json", "wb") as file:
        file.truncate(1 << 30)
    assert main(["audit", str(bundled_report.path), "--baseline", str(tmp_path / "b.json")]) == ExitCode.REFUSED
    assert "has 1,073,741,824 bytes" in capfd.readouterr().err


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), new=JSON)
def test_any_value_anywhere_is_read_back_or_refused(data, new, whole, tmp_path):
    content = json.loads(whole)
    table = content
    while True:
        key = data.draw(st.sampled_from(sorted(table)))
        if not isinstance(table[key], dict) or data.draw(st.booleans()):
            break
        table = table[key]
    table[key] = new
    (tmp_path / "b.json").write_text(sealed(content))
    try:
        read = Baseline.read(tmp_path / "b.json")
    except ReportError:
        return
    assert read.restored() and len(read.sample) == 800


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_byte_that_changes_is_noticed(data, whole, tmp_path):
    raw = bytearray(whole.encode())
    place = data.draw(st.integers(0, len(raw) - 1))
    raw[place] ^= 1 << data.draw(st.integers(0, 7))
    (tmp_path / "b.json").write_bytes(raw)
    try:
        read = Baseline.read(tmp_path / "b.json")
    except ReportError:
        return
    # Space between values means nothing.
    assert json.loads(bytes(raw)) == json.loads(whole) and len(read.sample) == 800
