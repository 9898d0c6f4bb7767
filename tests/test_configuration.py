"""Where settings come from: the project file, the environment and flags, in that order."""

import os
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onnxspec.cli import main
from onnxspec.configuration import load, project_table
from onnxspec.errors import UsageError
from onnxspec.settings import AUTO, Settings


@pytest.fixture(autouse=True)
def empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_later_sources_win(empty_folder, monkeypatch):
    (empty_folder / "onnxspec.toml").write_text("pairs = 10\nseed = 10\npoints = 17\n")
    monkeypatch.setenv("ONNXSPEC_PAIRS", "20")
    monkeypatch.setenv("ONNXSPEC_SEED", "20")
    settings = load(pairs=30, device=None)
    assert (settings.plan.pairs, settings.plan.seed, settings.measurement.points) == (30, 20, 17)
    assert settings.execution.device == "auto"


def test_pyproject_has_a_table_of_its_own(empty_folder):
    (empty_folder / "pyproject.toml").write_text("[tool.other]\nx = 1\n[tool.onnxspec]\npairs = 12\n")
    assert load().plan.pairs == 12


def test_both_project_files_speak_and_the_first_wins(empty_folder):
    (empty_folder / "pyproject.toml").write_text("[tool.onnxspec]\npairs = 12\nseed = 3\naudit = { limits = {} }\n")
    (empty_folder / "onnxspec.toml").write_text("pairs = 14\n")
    assert (load().plan.pairs, load().plan.seed) == (14, 3)
    assert project_table() == {"pairs": 14, "seed": 3, "audit": {"limits": {}}}


def test_a_value_that_cannot_be_used_is_found(empty_folder, monkeypatch):
    (empty_folder / "c.toml").write_text("points = 64\n")
    with pytest.raises(UsageError, match=r"In c\.toml: --points is 64; it must be 2"):
        load("c.toml")
    monkeypatch.setenv("ONNXSPEC_PAIRS", "x")
    with pytest.raises(UsageError, match=r"In the environment: The setting pairs is 'x'"):
        load()
    monkeypatch.delenv("ONNXSPEC_PAIRS")
    with pytest.raises(UsageError, match=r"^--points is 64"):
        load(points=64)


def test_tables_of_other_commands_are_left_alone(empty_folder):
    (empty_folder / "onnxspec.toml").write_text("pairs = 12\n[audit.limits]\naccuracy = { min = 0.9 }\n")
    assert load().plan.pairs == 12


def test_data_lie_relative_to_the_configuration(empty_folder):
    (empty_folder / "sub").mkdir()
    (empty_folder / "sub" / "c.toml").write_text('data = "images"\nlabels = "predicted"\n')
    inputs = load("sub/c.toml").inputs
    assert inputs.data == str((empty_folder / "sub" / "images").relative_to(empty_folder))
    assert inputs.labels == "predicted"


def test_a_tilde_is_the_home_of_whoever_runs_it(empty_folder, monkeypatch):
    for home in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(home, str(empty_folder))
    (empty_folder / "p.json").write_text("{}")
    (empty_folder / "onnxspec.toml").write_text('data = "~/images"\npreprocess = "~/p.json"\n')
    inputs = load().inputs
    assert (inputs.data, inputs.preprocess) == (str(empty_folder / "images"), str(empty_folder / "p.json"))


def test_preprocessing_remembers_who_spoke(empty_folder):
    (empty_folder / "onnxspec.toml").write_text("[preprocess]\nmean = 0.5\nstd = 0.5\n")
    assert load().inputs.preprocess_origin == "configuration"
    assert load(preprocess="imagenet").inputs.preprocess_origin == "flag"


def test_a_configuration_that_cannot_be_read_is_said(empty_folder):
    with pytest.raises(UsageError, match=r"no\.toml cannot be read: No such file"):
        load("no.toml")
    (empty_folder / "bad.toml").write_text("pairs = = 3")
    with pytest.raises(UsageError, match=r"bad\.toml is not TOML"):
        load("bad.toml")
    (empty_folder / "odd.toml").write_text("[tool]\n")
    with pytest.raises(UsageError, match="no setting 'tool'"):
        load("odd.toml")


def test_a_variable_that_nearly_names_a_setting_is_refused(monkeypatch):
    for own in ("ONNXSPEC_VERSION", "ONNXSPEC_SUPERVISE", "ONNXSPEC_TELL", "ONNXSPEC_SCREENSHOTS", "ONNXSPEC_HOME"):
        monkeypatch.setenv(own, "1")
    assert load() == Settings()
    monkeypatch.setenv("ONNXSPEC_PAIR", "20")
    with pytest.raises(UsageError, match=r"ONNXSPEC_PAIR is no setting.*ONNXSPEC_PAIRS\?"):
        load()


def test_switches_from_the_environment(monkeypatch):
    monkeypatch.setenv("ONNXSPEC_TF32", "yes")
    monkeypatch.setenv("ONNXSPEC_RESTRICT_OUTPUTS", "0")
    settings = load()
    assert settings.execution.tf32 is True
    assert settings.inputs.restrict_outputs is False


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"a = " + b"[" * 10**5, "is not TOML"),
        (b"a." * 10**4 + b"a = 1", r"Line 1 .* has 10,000 dots"),
        (b"pairs = 1" + b"0" * 10**4, "is not TOML"),
        (b"pairs = 0x1" + b"0" * 10**4, "pairs is an enormous number"),
        (b"pairs = 1000000000000", r"--pairs is 1,000,000,000,000; it must be at most 1,000,000"),
        (b"points = 1099511627777", r"--points is 1,099,511,627,777; it must be at most 16,385"),
        (b"batch = 1000000000", r"--batch is 1,000,000,000; it must be at most 16,384"),
        (b"tf32 = 'maybe'", "tf32 is 'maybe'; true or false was expected"),
        (b"cutoff = inf", "--cutoff is inf"),
        (b"preprocess = [1]", "preprocess is .*; a text or a table"),
        (b"\xff\xfe", "is not UTF-8"),
        (b"pairs = 3\0", "is not TOML"),
        (b" " * (2**20 + 1), "longer than 1 MB"),
        (b"data = 'a\\0b'\nlabels = 3", "labels is 3"),
    ],
)
def test_hostile_configurations_end_in_one_line(content, message, empty_folder, capsys):
    (empty_folder / "c.toml").write_bytes(content)
    assert main(["analyze", "m.onnx", "--config", "c.toml"]) == 2
    error = capsys.readouterr().err
    assert re.search(message, error) and error.count("\n") == 1


def test_configurations_that_are_no_files(empty_folder, capsys):
    (empty_folder / "folder.toml").mkdir()
    names = ["folder.toml", "a\0b"]
    if hasattr(os, "mkfifo"):
        os.mkfifo(empty_folder / "fifo.toml")
        names.append("fifo.toml")
    for name in names:
        assert main(["analyze", "m.onnx", "--config", name]) == 2
        assert "cannot be read" in capsys.readouterr().err


@pytest.mark.parametrize("text", ["tool = 3", "[tool]\nonnxspec = [1]"])
def test_tables_that_are_none(empty_folder, text):
    (empty_folder / "pyproject.toml").write_text(text)
    with pytest.raises(UsageError, match="is not a table"):
        load()


def test_a_byte_order_mark_is_no_content(empty_folder):
    (empty_folder / "c.toml").write_bytes(b"\xef\xbb\xbfpairs = 12\n")
    assert load("c.toml").plan.pairs == 12


@given(st.binary(max_size=60))
def test_any_bytes_are_settings_or_an_error(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("any") / "c.toml"
    path.write_bytes(content)
    try:
        load(path)
    except UsageError:
        pass


def test_what_the_run_is_to_settle_is_said_in_words_or_not_at_all(empty_folder):
    (empty_folder / "onnxspec.toml").write_text('points = "auto"\npairs = "auto"\nprecision = 0.05\n')
    loaded = load()
    assert (loaded.measurement.points, loaded.plan.pairs, loaded.plan.precision) == (AUTO, AUTO, 0.05)
    assert loaded.plan.most == 20_000 and Settings().plan.most == 400
    assert loaded.updated(pairs=900).plan.most == 900
    assert Settings.of(signals="label").measurement.points == AUTO
