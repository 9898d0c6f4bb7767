"""Settings: one flat set of names, each refused by its name where it cannot be used."""

import math
import re

import pytest

from onnxspec.errors import UsageError
from onnxspec.settings import Settings


def test_settings_are_given_whole_or_by_name():
    assert Settings.given(None) == Settings()
    assert Settings.given({"pairs": 20}, seed=3) == Settings.of(pairs=20, seed=3)
    assert Settings.given(Settings.of(pairs=20), pairs=30) == Settings.of(pairs=30)
    with pytest.raises(UsageError, match="no setting 'pair'"):
        Settings.given({"pair": 20})
    with pytest.raises(UsageError, match="settings is 3; Settings or a table"):
        Settings.given(3)


@pytest.mark.parametrize(
    ("points", "nearest"), [(8, "9 and 17"), (32, "17 and 33"), (34, "33 and 65"), (100, "65 and 129"), (1, "9 and 17")]
)
def test_points_off_the_grid_name_the_two_nearest(points, nearest):
    with pytest.raises(UsageError, match=f"--points is {points}.*nearest are {nearest}"):
        Settings.of(points=points)


def test_lists_may_be_text_and_come_in_the_order_of_what_is_known():
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
        ({"points": "many"}, "points is .many.; a whole number or auto was expected"),
        ({"seed": "x"}, "seed is .x.; a whole number was expected"),
        ({"cutoff": "high"}, "a number was expected"),
        ({"cutoff": "nan"}, "--cutoff is nan"),
        ({"cutoff": 1e101}, "--cutoff is 1e\\+101; .* at most 1e\\+100"),
        ({"cutoff": 1e-320}, "--cutoff is 1e-320"),
        ({"timeout": 1e9}, "--timeout is 1000000000.0; .* up to 10,000,000"),
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


NAMES = sorted(Settings().flat())
ODD = [
    None,
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
OPTIONAL = {
    "data", "labels", "classes", "images_key", "labels_key", "preprocess", "input", "output", "precision", "cutoff",
    "batch", "threads", "max_memory", "resume", "cache", "cluster",
}  # fmt: skip
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
    if taken is None:
        assert value is None and name in OPTIONAL
    elif name in FITTING:
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


@pytest.mark.parametrize("precision", [0, 1, -0.1, "nan", "fine"])
def test_a_precision_is_a_share(precision):
    with pytest.raises(UsageError, match="precision"):
        Settings.of(precision=precision)


def test_where_paths_are_formed_is_one_of_three():
    assert Settings.of(path_graph="off").execution.path_graph == "off"
    with pytest.raises(UsageError, match=r"--path-graph has no 'maybe'.*auto, on, off"):
        Settings.of(path_graph="maybe")


def test_names_of_settings_are_texts():
    with pytest.raises(UsageError, match="A setting is called 1"):
        Settings.given({1: 2})


@pytest.mark.parametrize(
    ("given", "seed"), [(2**53 + 1, 2**53 + 1), ("9007199254740993", 2**53 + 1), ("1e3", 1000), ("7.0", 7)]
)
def test_whole_numbers_are_read_to_the_last_digit(given, seed):
    assert Settings.of(seed=given).plan.seed == seed
