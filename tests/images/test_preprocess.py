import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from onnxspec.errors import DataError, UsageError
from onnxspec.images.inputspec import WHOLE_TYPES
from onnxspec.images.pixels import conversion_note
from onnxspec.images.preprocess import (
    FLOATING,
    INTERPOLATIONS,
    MODEL_SIZE,
    WHOLE_INPUTS,
    InputSpec,
    Preprocess,
    fit,
)
from onnxspec.images.presets import PRESETS, from_metadata

from .make import noise, property_test

RGB32 = InputSpec("NCHW", 3, 32, 32)


def pixels(preprocess: Preprocess, image: np.ndarray, spec: InputSpec = RGB32) -> np.ndarray:
    resolved, fitted = fit(spec, preprocess, image.shape)
    return fitted.pixels(image, resolved)


class TestPixels:
    @pytest.mark.parametrize("interpolation", INTERPOLATIONS)
    @pytest.mark.parametrize("shape", [(50, 40, 3), (20, 24, 3), (50, 40)])
    def test_resizing_is_pillows_own(self, interpolation, shape):
        image = noise(shape)
        spec = replace(RGB32, channels=1) if len(shape) == 2 else RGB32
        made = pixels(Preprocess(resize=(32, 32), interpolation=interpolation), image, spec)
        kernel = Image.Resampling[interpolation.upper()]
        expected = np.asarray(Image.fromarray(image).resize((32, 32), kernel)).reshape(spec.shape)
        np.testing.assert_array_equal(made, expected)

    def test_short_side_and_centre_as_torchvision_does_them(self):
        image = noise((300, 401, 3))
        made = pixels(Preprocess(resize=256, crop=(224, 224)), image, InputSpec("NCHW", 3, 224, 224))
        width = int(256 * 401 / 300)
        resized = np.asarray(Image.fromarray(image).resize((width, 256), Image.Resampling.BILINEAR))
        left = round((width - 224) / 2)
        np.testing.assert_array_equal(made, resized[16:240, left : left + 224])

    @property_test
    @given(
        have=st.tuples(st.integers(1, 40), st.integers(1, 40)),
        wanted=st.tuples(st.integers(1, 40), st.integers(1, 40)),
        channels=st.sampled_from([1, 3, 4]),
        model=st.sampled_from([1, 3]),
    )
    def test_any_image_becomes_the_models_size(self, have, wanted, channels, model):
        image = noise((*have, channels))
        made = pixels(Preprocess(), image, InputSpec("NHWC", model, *wanted))
        assert made.shape == (*wanted, model) and made.dtype == np.uint8

    def test_images_of_the_models_size_are_untouched(self):
        image = noise((32, 32, 3))
        np.testing.assert_array_equal(pixels(Preprocess(), image), image)

    def test_equal_aspect_is_one_exact_resize(self):
        image = noise((96, 48, 3))
        made = pixels(Preprocess(), image, InputSpec("NCHW", 3, 64, 32))
        np.testing.assert_array_equal(made, Image.fromarray(image).resize((32, 64), Image.Resampling.BILINEAR))

    def test_grey_is_repeated_and_colour_turned_grey_as_pillow_does(self):
        colour = noise((32, 32, 3))
        grey = pixels(Preprocess(), colour, InputSpec("NCHW", 1, 32, 32))
        np.testing.assert_array_equal(grey[..., 0], Image.fromarray(colour).convert("L"))
        np.testing.assert_array_equal(pixels(Preprocess(), grey), np.repeat(grey, 3, axis=2))
        assert conversion_note(3, 1) and conversion_note(1, 3) and conversion_note(4, 3)
        assert conversion_note(3, 3) is None

    def test_transparency_is_dropped_not_weighed(self):
        image = noise((64, 64, 4))
        np.testing.assert_array_equal(pixels(Preprocess(), image), pixels(Preprocess(), image[..., :3]))

    def test_channels_that_are_no_colours_are_resized_one_by_one(self):
        image = noise((64, 64, 5))
        made = pixels(Preprocess(), image, InputSpec("NCHW", 5, 32, 32))
        expected = Image.fromarray(image[..., 4]).resize((32, 32), Image.Resampling.BILINEAR)
        np.testing.assert_array_equal(made[..., 4], expected)

    def test_a_crop_larger_than_the_image_names_both(self):
        with pytest.raises(DataError, match=r"20 x 30 after resizing; the crop of 32 x 32.*resize=SHORT_SIDE"):
            pixels(Preprocess(crop=(32, 32)), noise((20, 30, 3)))

    def test_images_of_several_sizes_under_a_model_that_takes_any(self):
        spec, fitted = fit(InputSpec("NCHW", 3), Preprocess(), (40, 50, 3))
        assert spec.shape == (40, 50, 3) and fitted.crop is None
        with pytest.raises(DataError, match=r"30 x 30 x 3 comes out as 30 x 30 x 3; 40 x 50 x 3.*--preprocess"):
            fitted.pixels(noise((30, 30, 3)), spec)

    def test_floating_images_must_fit_already(self):
        image = np.random.default_rng(0).random((32, 32, 3), np.float32)
        np.testing.assert_array_equal(pixels(Preprocess(), image), image)
        with pytest.raises(DataError, match=r"floating-point arrays of 16 x 16 x 3; the model takes 32 x 32 x 3"):
            pixels(Preprocess(), image[::2, ::2])


class TestFit:
    def test_the_models_size_is_recorded_as_the_origin(self):
        _, fitted = fit(RGB32, PRESETS["imagenet"], (40, 50, 3))
        assert fitted.fields_and_origins()["crop"] == ([32, 32], MODEL_SIZE)
        assert fitted.fields_and_origins()["resize"] == ("cover", MODEL_SIZE)
        assert fitted.fields_and_origins()["mean"] == ([0.485, 0.456, 0.406], "preset imagenet")
        assert fitted.fields_and_origins()["interpolation"] == ("bilinear", "default")

    def test_a_resize_that_was_set_stays_and_the_crop_is_the_models(self):
        _, fitted = fit(RGB32, Preprocess(resize=36), (40, 50, 3))
        assert (fitted.resize, fitted.crop, fitted.origin["crop"]) == (36, (32, 32), MODEL_SIZE)

    def test_sizes_that_contradict_the_model(self):
        with pytest.raises(DataError, match=r"makes 224 x 224 images; the model takes 32 x 32.*crop=HEIGHT,WIDTH"):
            fit(RGB32, Preprocess(resize=256, crop=(224, 224)), (300, 300, 3))

    def test_open_sizes_come_from_the_preprocessing_first(self):
        spec, _ = fit(InputSpec("NHWC", None), Preprocess(resize=24, crop=(20, 22)), (40, 50, 4))
        assert spec.shape == (20, 22, 3)

    def test_wrong_channels_have_both_numbers(self):
        with pytest.raises(DataError, match=r"The images have 2 channels and the model takes 3"):
            fit(RGB32, Preprocess(), (32, 32, 2))

    @pytest.mark.parametrize(
        ("size", "image", "shape"),
        [
            (784, (28, 28), (28, 28, 1)),
            (784, (32, 32, 3), (28, 28, 1)),
            (3072, (32, 32, 3), (32, 32, 3)),
            (1024, (32, 32, 3), (32, 32, 1)),
            (3072, (64, 50), (32, 32, 3)),
            (60, (4, 5, 3), (4, 5, 3)),
            (None, (4, 5, 4), (4, 5, 3)),
        ],
    )
    def test_flat_inputs_find_their_shape(self, size, image, shape):
        spec, fitted = fit(InputSpec("flat", size=size), Preprocess(), image)
        assert spec.shape == shape and spec.size == np.prod(shape)
        assert fitted.to_input(fitted.pixels(noise(image), spec)[None], spec).shape == (1, np.prod(shape))

    def test_flat_inputs_that_cannot_fit(self):
        with pytest.raises(DataError, match=r"28 x 28 pixels of 1 channels, 784 values; the model takes 100[0-9] val"):
            fit(InputSpec("flat", size=1001), Preprocess(), (28, 28))

    @pytest.mark.parametrize("dtype", WHOLE_TYPES)
    def test_models_of_whole_numbers_take_pixels_as_they_are(self, dtype):
        image = noise((32, 32, 3))
        spec, fitted = fit(replace(RGB32, dtype=np.dtype(dtype)), PRESETS["imagenet"], image.shape)
        assert fitted.origin["mean"] == WHOLE_INPUTS[dtype] == f"model's {dtype} input" and fitted.scale == 1
        x = fitted.to_input(image[None], spec)
        assert x.dtype == dtype
        np.testing.assert_array_equal(x[0], np.moveaxis(image, -1, 0))
        between = np.array([-3.0, 0.4, 0.6, 300.0])[None, :, None, None].repeat(3, axis=3)
        np.testing.assert_array_equal(fitted.to_input(between, spec)[0, 0, :, 0], [0, 0, 1, 255])

    def test_other_types_are_no_input(self):
        assert InputSpec("NHWC", dtype=np.int32).whole
        with pytest.raises(UsageError, match=r"type of the input is int8.*uint8"):
            InputSpec("NHWC", dtype=np.dtype(np.int8))

    def test_mean_for_another_number_of_channels(self):
        with pytest.raises(DataError, match=r"3 values of mean \(preset imagenet\); the model takes 1 channel"):
            fit(InputSpec("NCHW", 1, 28, 28), PRESETS["imagenet"], (28, 28))


class TestToInput:
    @pytest.mark.parametrize("layout", ["NCHW", "NHWC", "flat"])
    @pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
    @pytest.mark.parametrize("name", ["imagenet", "127/128", "imagenet-bgr", "0..255", "-1..1"])
    def test_is_the_formula(self, layout, dtype, name):
        stack = noise((3, 8, 6, 3))
        spec, fitted = fit(InputSpec(layout, 3, 8, 6, np.dtype(dtype), 144), PRESETS[name], (8, 6, 3))
        x = fitted.to_input(stack, spec)
        ordered = stack[..., ::-1] if name.endswith("bgr") else stack
        expected = (ordered * fitted.scale - np.array(fitted.mean)) / np.array(fitted.std)
        expected = np.moveaxis(expected, -1, 1) if layout == "NCHW" else expected
        expected = expected.reshape(3, -1) if layout == "flat" else expected
        assert x.dtype == dtype and x.flags.c_contiguous
        np.testing.assert_allclose(x, expected, rtol=2e-3 if dtype == "float16" else 1e-6, atol=1e-6)

    def test_bgr_statistics_follow_their_channels(self):
        stack = noise((1, 4, 4, 3))
        spec = InputSpec("NHWC", 3, 4, 4)
        rgb = PRESETS["imagenet"].to_input(stack, spec)
        np.testing.assert_array_equal(PRESETS["imagenet-bgr"].to_input(stack, spec), rgb[..., ::-1])

    def test_flat_by_channels(self):
        stack = noise((2, 4, 5, 3))
        spec = InputSpec("flat", 3, 4, 5, size=60)
        x = Preprocess(layout="CHW", scale=1.0).to_input(stack, spec)
        np.testing.assert_array_equal(x, np.moveaxis(stack, -1, 1).reshape(2, -1))

    @pytest.mark.parametrize(
        ("preprocess", "value", "origin"),
        [
            (PRESETS["-1..1"], 0.5, FLOATING),
            (from_metadata('{"scale": 0.0039215687, "mean": 0.5, "std": 0.5}'), 0.5, FLOATING),
            (from_metadata('{"scale": 2}'), 1.5, "model metadata"),
            (Preprocess(scale=2.0), 1.5, "given"),
            (Preprocess(origin={"scale": "flag"}), 0.75 / 255, "flag"),
        ],
    )
    def test_floating_images_are_scaled_only_where_that_was_said_of_them(self, preprocess, value, origin):
        stack = np.full((1, 2, 2, 3), 0.75)
        spec, fitted = fit(InputSpec("NHWC", 3, 2, 2), preprocess, (2, 2, 3), floating=True)
        np.testing.assert_allclose(fitted.to_input(stack, spec), value, rtol=1e-6)
        # What is stated is what was done.
        assert fitted.fields_and_origins()["scale"] == (fitted.scale, origin)
        np.testing.assert_allclose((0.75 * fitted.scale - fitted.mean[0]) / fitted.std[0], value, rtol=1e-6)

    def test_a_path_in_pixels_is_the_same_path_in_the_input(self):
        a, b = noise((1, 8, 8, 3), 1), noise((1, 8, 8, 3), 2)
        spec, middle = InputSpec("NCHW", 3, 8, 8), (0.25 * a + 0.75 * b).astype(np.float32)
        preprocess = PRESETS["127/128"]
        ends = [preprocess.to_input(end, spec) for end in (a, b)]
        np.testing.assert_allclose(preprocess.to_input(middle, spec), 0.25 * ends[0] + 0.75 * ends[1], atol=1e-6)


class TestPreprocess:
    def test_values_come_from_one_source_and_sizes_field_by_field(self):
        stamped = from_metadata('{"scale": 1, "mean": [1, 2, 3], "std": [4, 5, 6], "resize": 40, "crop": [32, 32]}')
        flag = Preprocess(mean=(0.5,), resize=36, origin={"mean": "flag", "resize": "flag"})
        both = flag.over(stamped)
        assert (both.scale, both.mean, both.std) == (1 / 255, (0.5,), (1.0,))
        assert (both.resize, both.crop) == (36, (32, 32))
        assert both.origin == {"mean": "flag", "resize": "flag", "crop": "model metadata"}

    def test_nothing_over_something_is_that(self):
        assert Preprocess().over(PRESETS["imagenet"]) == PRESETS["imagenet"]
        assert Preprocess().over(PRESETS["imagenet"]).origin == PRESETS["imagenet"].origin

    @pytest.mark.parametrize("name", PRESETS)
    def test_json_goes_there_and_back(self, name):
        _, fitted = fit(InputSpec("NCHW", 3, 32, 32), replace(PRESETS[name], resize=40), (50, 50, 3))
        assert from_metadata(fitted.to_json()) == fitted
        assert set(json.loads(fitted.to_json())) == set(fitted.origin)

    def test_one_line_says_values_and_origins(self):
        line = str(fit(RGB32, PRESETS["imagenet"], (32, 32, 3))[1])
        assert "mean 0.485 0.456 0.406" in line and "(preset imagenet)" in line
        assert "crop 32 32 (model's input size)" in line and "bilinear" in line and "\n" not in line

    @pytest.mark.parametrize(
        ("fields", "message"),
        [
            ({"std": (0.0,)}, "std is"),
            ({"scale": float("nan")}, "scale is nan"),
            ({"scale": -1.0}, "scale is -1"),
            ({"mean": ()}, "mean is"),
            ({"mean": ("x",)}, "mean is"),
            ({"std": (float("inf"),)}, "std is"),
            ({"order": "GBR"}, "order is 'GBR'. Known: RGB, BGR"),
            ({"interpolation": "cubic"}, "Known: .*bicubic"),
            ({"layout": "NCHW"}, "Known: HWC, CHW"),
            ({"resize": 0}, "resize is 0"),
            ({"resize": 100_000}, "from 1 to 8192"),
            ({"crop": (1, 2, 3)}, "height and width"),
            ({"resize": "cover"}, "no crop to cover"),
        ],
    )
    def test_values_out_of_range(self, fields, message):
        with pytest.raises(UsageError, match=message):
            Preprocess(**fields)
