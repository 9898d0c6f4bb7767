"""Values of images beside the preprocessing that they get."""

import numpy as np
import pytest

from onnxspec.errors import DataError
from onnxspec.images.inputspec import InputSpec
from onnxspec.images.preprocess import Preprocess, fit
from onnxspec.images.presets import from_metadata, read_preprocess
from onnxspec.images.value_range import ValueRange, require_meant

SPEC = InputSpec("NHWC", 3, 4, 4)
FRACTIONS, LEVELS = ValueRange(0.0, 1.0, True, 9), ValueRange(0.0, 255.0, True, 9)
STANDARDISED, OWN = ValueRange(-2.1, 2.6, True, 9), ValueRange(0.0, 16.0, True, 9)
BYTES, DARK = ValueRange(0.0, 255.0, False, 9), ValueRange(0.0, 0.04, True, 9)


def checked(value_range: ValueRange, said: str | None, dtype: type = np.float32) -> str:
    given = Preprocess() if said is None else read_preprocess(said, "flag")
    spec, fitted = fit(InputSpec("NHWC", 3, 4, 4, np.dtype(dtype)), given, (4, 4, 3), value_range.floating)
    require_meant(value_range, fitted, spec, said is not None)
    return value_range.reached(fitted, spec)


def test_is_that_of_all_images():
    images = np.array([[[[0.25], [1.5]]], [[[-3.0], [2.0]]], [[[0.0], [0.5]]]])
    assert ValueRange.of(images) == ValueRange(-3.0, 2.0, True, 3)
    assert ValueRange.of(np.array([[[[7]]]], np.uint8)) == ValueRange(7.0, 7.0, False, 1)
    assert FRACTIONS.fractions and not FRACTIONS.levels
    assert LEVELS.levels and not LEVELS.fractions
    others = ValueRange(0.0, 1.0, False, 9), ValueRange(-1.0, 1.0, True, 9), ValueRange(-9.0, 200.0, True, 9)
    assert not any(value_range.levels or value_range.fractions for value_range in (STANDARDISED, OWN, BYTES, *others))


@pytest.mark.parametrize("said", ["0..1", "-1..1", "imagenet", "mean=.286;std=.353"])
def test_levels_under_a_preprocessing_for_fractions(said):
    with pytest.raises(DataError, match=r"from 0 to 255, and the preprocessing is for 0 to 1.* Divide them by 255"):
        checked(LEVELS, said)


@pytest.mark.parametrize(
    ("said", "instead"),
    [
        ("scale=1/255", "mean=0;std=1"),
        ("scale=1/255;mean=.286;std=.353", "mean=0.286;std=0.353"),
        ("127/128", "scale=255;mean=127;std=128"),
    ],
)
def test_fractions_under_a_preprocessing_for_levels_and_what_to_say_is_right(said, instead):
    with pytest.raises(DataError) as caught:
        checked(FRACTIONS, said)
    assert "from 0 to 1, and the preprocessing is for 0 to 255" in caught.value.message
    assert f"--preprocess '{instead}'" in caught.value.hint
    assert checked(FRACTIONS, instead) == checked(BYTES, said)


def test_fractions_under_the_mean_and_std_of_levels():
    said = "mean=127.5;std=127.5"
    with pytest.raises(DataError, match=f"for 0 to 255: scale=1;{said}.* --preprocess 'scale=255;{said}'"):
        checked(FRACTIONS, said)
    assert checked(FRACTIONS, f"scale=255;{said}") == checked(LEVELS, said) == "-1 to 1"


def test_fractions_for_a_model_that_takes_whole_grey_levels():
    with pytest.raises(DataError, match=r"whole numbers from 0 to 255.* Multiply them by 255"):
        checked(FRACTIONS, None, np.uint8)
    assert checked(LEVELS, None, np.uint8) == "0 to 255"


@pytest.mark.parametrize(
    ("value_range", "said", "reached"),
    [
        (FRACTIONS, None, "0 to 1"),
        (FRACTIONS, "-1..1", "-1 to 1"),
        (FRACTIONS, "scale=1", "0 to 1"),
        (FRACTIONS, "scale=255", "0 to 255"),
        (LEVELS, None, "0 to 255"),
        (LEVELS, "0..255", "0 to 255"),
        (LEVELS, "scale=1/255;mean=.5;std=.5", "-1 to 1"),
        (LEVELS, "mean=0;std=255", "0 to 1"),
        (LEVELS, "mean=127.5;std=127.5", "-1 to 1"),
        (DARK, None, "0 to 0.04"),
        (DARK, "scale=1", "0 to 0.04"),
        (STANDARDISED, "mean=0;std=1", "-2.1 to 2.6"),
        (OWN, "mean=0;std=1", "0 to 16"),
        (OWN, "scale=1/16", "0 to 1"),
        (BYTES, "imagenet", "-2.12 to 2.64"),
        (BYTES, "0..255", "0 to 255"),
    ],
)
def test_what_may_be_meant_goes_on(value_range, said, reached):
    assert checked(value_range, said) == reached


def test_what_a_model_says_of_its_8_bit_images_holds_for_fractions():
    stamped = from_metadata('{"scale": 0.00392156862745098, "mean": 0.5, "std": 0.5}')
    spec, fitted = fit(SPEC, stamped, (4, 4, 3), floating=True)
    require_meant(FRACTIONS, fitted, spec, True)
    assert FRACTIONS.reached(fitted, spec) == "-1 to 1"
    with pytest.raises(DataError, match="for 0 to 1"):
        require_meant(LEVELS, fitted, spec, True)
