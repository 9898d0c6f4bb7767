"""Settings: one flat set of names, filled by defaults, the project file, the environment and flags in that order."""

import math
import os
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onnxspec.cli import main
from onnxspec.errors import UsageError
from onnxspec.settings import AUTO, Settings, load


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


def test_tables_of_other_commands_are_left_alone(empty_folder):
    (empty_folder / "onnxspec.toml").write_text("pairs = 12\n[audit.limits]\naccuracy = { min = 0.9 }\n")
    assert load().plan.pairs == 12


def test_data_lie_relative_to_the_configuration(empty_folder):
    (empty_folder / "sub").mkdir()
    (empty_folder / "sub" / "c.toml").write_text('data = "images"\nlabels = "predicted"\n')
    inputs = load("sub/c.toml").inputs
    assert inputs.data == str((empty_folder / "sub" / "images").relative_to(empty_folder))
    assert inputs.labels == "predicted"


def test_preprocessing_remembers_who_spoke(empty_folder):
    (empty_folder / "onnxspec.toml").write_text("[preprocess]\nmean = 0.5\nstd = 0.5\n")
    assert load().inputs.preprocess_origin == "configuration"
    assert load(preprocess="imagenet").inputs.preprocess_origin == "flag"


@pytest.mark.parametrize(
    ("points", "nearest"), [(8, "9 and 17"), (32, "17 and 33"), (34, "33 and 65"), (100, "65 and 129"), (1, "9 and 17")]
)
def test_points_off_the_grid_name_the_two_nearest(points, nearest):
    with pytest.raises(UsageError, match=f"--points is {points}.*nearest are {nearest}"):
        Settings.of(points=points)


def test_lists_may_be_text_and_keep_their_order():
    assert Settings.of(kinds="between,within").plan.kinds == ("within", "between")
    assert Settings.of(signals=["logit"]).measurement.signals == ("logit",)


@pytest.mark.parametrize(
    ("text", "size"),
    [("4GB", 4 * 10**9), ("1.5 gb", 1_500_000_000), ("2GiB", 2**31), ("512M", 512 * 10**6), ("7", 7), (10**9, 10**9)],
)
def test_sizes_of_memory(text, size):
    assert Settings.of(max_memory=text).execution.max_memory == size


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"pears": 1}, "no setting 'pears'. Did you mean pairs"),
        ({"pairs": 1}, "--pairs is 1; it must be at least 2"),
        ({"pairs": 0}, "--pairs is 0; it must be at least 2"),
        ({"points": "0"}, "--points is 0; it must be at least 9"),
        ({"pairs": "many"}, "whole number"),
        ({"pairs": 2.5}, "whole number"),
        ({"seed": -1}, "--seed is -1"),
        ({"kinds": "across"}, "--kinds has no 'across'. Known: within, between"),
        ({"kinds": ""}, "--kinds is empty"),
        ({"signals": "label", "points": 33}, "needs at least 129 points"),
        ({"estimator": "welch"}, "no 'welch'"),
        ({"cutoff": -3}, "--cutoff is -3"),
        ({"cutoff": "high"}, "a number was expected"),
        ({"cutoff": "nan"}, "--cutoff is nan"),
        ({"batch": 0}, "--batch is 0"),
        ({"max_memory": "0"}, "--max-memory is 0"),
        ({"max_memory": "lots"}, "max_memory is 'lots'; a size such as 4GB, 512MB or 2GiB was expected"),
        ({"max_memory": "-4GB"}, "a size such as .* was expected"),
        ({"max_memory": "4 GB 2"}, "a size such as .* was expected"),
        ({"max_memory": True}, "a size such as .* was expected"),
        ({"data": ""}, "The setting data is ''; a name was expected"),
        ({"paths": "spiral"}, "--paths has no 'spiral'"),
    ],
)
def test_what_cannot_be_used_is_said(values, message):
    with pytest.raises(UsageError, match=message):
        Settings.of(**values)


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


NAMES = sorted(Settings().flat())
ODD = [
    [],
    [1],
    {},
    {"a": 1},
    True,
    False,
    -1,
    1.5,
    10**12,
    2**40 + 1,
    16**6000,
    math.nan,
    math.inf,
    -math.inf,
    "",
    "\0",
    "x",
]
FITTING = {
    "data", "labels", "classes", "images_key", "labels_key", "input", "output", "device", "preprocess_origin", "preprocess", "cache"
}  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("value", ODD, ids=lambda value: type(value).__name__)
def test_a_setting_takes_no_more_than_it_can_use(name, value):
    """Every setting is given everything that TOML can hold: it is refused by its name, or is of the setting's type."""
    try:
        taken = Settings.of(**{name: value}).flat()[name]
    except UsageError as error:
        assert re.search(f"{name}|--{name.replace('_', '-')}|no .* points", str(error)) and len(str(error)) < 5000
        return
    if name in FITTING:
        assert isinstance(taken, str) or (name == "preprocess" and isinstance(taken, dict))
    elif name == "cutoff":
        assert 0 < taken < math.inf
    elif name == "timeout":
        assert 0 <= taken < math.inf
    elif name in ("tf32", "thumbnails", "restrict_outputs", "resume"):
        assert isinstance(taken, bool)
    elif name in ("seed", "skip_bad", "max_memory"):
        assert isinstance(taken, int) and 0 <= taken < 2**63
    else:
        raise AssertionError(f"{name} took {value!r}")


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


@pytest.mark.parametrize("precision", [0, 1, -0.1, "nan", "fine"])
def test_a_precision_is_a_share(precision):
    with pytest.raises(UsageError, match="precision"):
        Settings.of(precision=precision)


def test_where_paths_are_formed_is_one_of_three():
    assert Settings.of(path_graph="off").execution.path_graph == "off"
    with pytest.raises(UsageError, match=r"--path-graph has no 'maybe'.*auto, on, off"):
        Settings.of(path_graph="maybe")
