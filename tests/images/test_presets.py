import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onnxspec.errors import ModelError, OnnxspecError, UsageError
from onnxspec.images.preprocess import Preprocess
from onnxspec.images.presets import PRESETS, from_metadata, from_table, read_preprocess

from .make import property_test


def test_named_conventions():
    assert read_preprocess("imagenet", "flag") == PRESETS["imagenet"]
    assert PRESETS["127/128"].scale == 1 and PRESETS["127/128"].std == (128.0,)
    assert PRESETS["imagenet-bgr"].mean == (0.406, 0.456, 0.485)
    assert {"imagenet", "cifar10", "0..1", "0..255", "-1..1", "127/128", "imagenet-bgr"} <= set(PRESETS)


def test_a_convention_leaves_the_scale_of_floating_images_alone():
    assert "scale" not in PRESETS["imagenet"].origin and "scale" in PRESETS["0..255"].origin


def test_key_value_text():
    made = read_preprocess("scale=1/255; mean=.5,.4,.3; std=2; resize=256; crop=224x220; order=bgr", "flag")
    assert made == Preprocess(resize=256, crop=(224, 220), scale=1 / 255, mean=(0.5, 0.4, 0.3), std=(2.0,), order="BGR")
    assert set(made.origin) == {"scale", "mean", "std", "resize", "crop", "order"}
    assert set(made.origin.values()) == {"flag"}


def test_a_convention_with_fields_beside_it():
    made = read_preprocess("imagenet;resize=256;crop=224", "flag")
    assert (made.resize, made.crop, made.mean) == (256, (224, 224), PRESETS["imagenet"].mean)
    assert made.origin["crop"] == "flag" and made.origin["mean"] == "preset imagenet"


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("imagenet;scale=1", (1.0, PRESETS["imagenet"].mean, PRESETS["imagenet"].std)),
        ("imagenet;std=.25,.25,.25", (1 / 255, PRESETS["imagenet"].mean, (0.25, 0.25, 0.25))),
        ("cifar10;mean=.5", (1 / 255, (0.5,), PRESETS["cifar10"].std)),
    ],
)
def test_a_field_beside_a_convention_leaves_the_others_of_it(text, values):
    made = read_preprocess(text, "flag")
    assert (made.scale, made.mean, made.std) == values


def test_auto_tables_and_ready_made():
    assert read_preprocess("auto", "flag") is None
    ready = Preprocess(scale=1.0)
    assert read_preprocess(ready, "flag") is ready
    table = {"preset": "cifar10", "resize": [40, 40], "crop": [32, 32], "interpolation": "bicubic"}
    made = read_preprocess(table, "onnxspec.toml")
    assert made.resize == (40, 40) and made.mean == PRESETS["cifar10"].mean
    assert made.origin["interpolation"] == "onnxspec.toml"


def test_no_resize_can_be_said():
    made = from_table({"resize": "none"}, "flag")
    assert made.resize is None and made.origin == {"resize": "flag"}


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("imagnet", "neither a named convention nor a file.*Did you mean imagenet"),
        ("nowhere.json", "neither .*Known: 0..1"),
        ("men=.5", "no field 'men'. Did you mean mean"),
        ("mean=grey", "mean is 'grey'; a number"),
        ("scale=1/0", "scale is '1/0'"),
        ("resize=big", "resize is 'big'; whole numbers"),
        ("crop=1,2,3", "height and width"),
        ("nothing;resize=3", "no preprocessing called 'nothing'"),
        ("std=0", "it divides"),
    ],
)
def test_text_that_says_nothing(value, message):
    with pytest.raises(UsageError, match=message):
        read_preprocess(value, "flag")


def test_metadata():
    made = from_metadata('{"mean": [0.5], "std": 0.25, "crop": [28, 28], "order": "RGB"}')
    assert made.mean == (0.5,) and made.std == (0.25,) and made.crop == (28, 28)
    assert set(made.origin.values()) == {"model metadata"}


@pytest.mark.parametrize("text", ["", "[]", "{", '{"mean": "x"}', '{"size": 3}', "[" * 10_000, '{"scale": 1e999}'])
def test_metadata_that_is_not_usable(text):
    with pytest.raises(ModelError, match=r"metadata onnxspec.preprocess is not usable.*onnxspec stamp"):
        from_metadata(text)


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text("ab01x,./- ", max_size=5),
    lambda inner: st.lists(inner, max_size=4),
    max_leaves=5,
)


@property_test
@given(st.dictionaries(st.sampled_from(["resize", "crop", "mean", "std", "scale", "order", "interpolation"]), JSON))
def test_whatever_stands_in_a_table_is_a_preprocessing_or_an_error_for_the_user(table):
    try:
        made = from_metadata(json.dumps(table))
    except OnnxspecError:
        return
    assert from_metadata(made.to_json()) == made


def test_the_quotes_of_a_hint_that_cmd_hands_on_are_no_part_of_it():
    """Hints and README write single quotes, which mean nothing to cmd.exe."""
    assert read_preprocess("'resize=256;crop=224'", "flag") == read_preprocess("resize=256;crop=224", "flag")
    assert read_preprocess("'imagenet'", "flag") == PRESETS["imagenet"]
    with pytest.raises(UsageError, match='no field "\'resize"'):
        read_preprocess("'resize=256;crop=224", "flag")
