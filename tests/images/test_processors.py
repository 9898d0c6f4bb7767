import json
import math

import numpy as np
import pytest
from PIL import Image

from onnxspec.errors import UsageError
from onnxspec.images.inputspec import InputSpec
from onnxspec.images.preprocess import fit
from onnxspec.images.processors import beside, from_file

from .make import noise

TIMM = {
    "architecture": "resnet50",
    "num_classes": 1000,
    "pretrained_cfg": {
        "input_size": [3, 224, 224],
        "interpolation": "bicubic",
        "crop_pct": 0.95,
        "crop_mode": "center",
        "mean": [0.485, 0.456, 0.406],
        "std": [0.229, 0.224, 0.225],
    },
}
VIT = {
    "do_normalize": True,
    "do_rescale": True,
    "do_resize": True,
    "image_mean": [0.5, 0.5, 0.5],
    "image_std": [0.5, 0.5, 0.5],
    "image_processor_type": "ViTImageProcessor",
    "resample": 2,
    "rescale_factor": 0.00392156862745098,
    "size": {"height": 224, "width": 224},
}
CLIP = {
    "crop_size": {"height": 224, "width": 224},
    "do_center_crop": True,
    "do_normalize": True,
    "do_resize": True,
    "image_mean": [0.48145466, 0.4578275, 0.40821073],
    "image_std": [0.26862954, 0.26130258, 0.27577711],
    "resample": 3,
    "size": {"shortest_edge": 224},
}
RESNET = {
    "crop_pct": 0.875,
    "do_normalize": True,
    "do_resize": True,
    "feature_extractor_type": "ConvNextFeatureExtractor",
    "image_mean": [0.485, 0.456, 0.406],
    "image_std": [0.229, 0.224, 0.225],
    "resample": 3,
    "size": 224,
}
MOBILEVIT = {
    "crop_size": {"height": 256, "width": 256},
    "do_center_crop": True,
    "do_flip_channel_order": True,
    "do_rescale": True,
    "do_resize": True,
    "image_mean": [0.5, 0.5, 0.5],
    "image_processor_type": "MobileViTImageProcessor",
    "image_std": [0.5, 0.5, 0.5],
    "resample": 3,
    "size": {"shortest_edge": 288},
}
EFFICIENTNET = {
    "do_center_crop": False,
    "do_normalize": True,
    "do_resize": True,
    "image_mean": [0.485, 0.456, 0.406],
    "image_processor_type": "EfficientNetImageProcessor",
    "image_std": [0.47853944, 0.4732864, 0.47434163],
    "include_top": True,
    "resample": 0,
    "rescale_offset": False,
    "size": {"height": 224, "width": 224},
}


def read(tmp_path, content, name="preprocessor_config.json"):
    (tmp_path / name).write_text(content if isinstance(content, str) else json.dumps(content))
    return from_file(tmp_path / name)


def test_timm_resizes_the_short_side_to_size_over_crop_pct(tmp_path):
    made = read(tmp_path, TIMM, "config.json")
    assert (made.resize, made.crop, made.interpolation) == (math.floor(224 / 0.95), (224, 224), "bicubic")
    assert (made.scale, made.mean, made.order) == (1 / 255, (0.485, 0.456, 0.406), "RGB")
    assert made.origin["crop"] == "config.json"
    image = noise((300, 400, 3))
    spec, fitted = fit(InputSpec("NCHW", 3, 224, 224), made, image.shape)
    resized = Image.fromarray(image).resize((int(235 * 400 / 300), 235), Image.Resampling.BICUBIC)
    corner = (round((resized.width - 224) / 2), round((235 - 224) / 2))
    expected = resized.crop((*corner, corner[0] + 224, corner[1] + 224))
    np.testing.assert_array_equal(fitted.pixels(image, spec), np.asarray(expected))


def test_timm_flat_squashed_and_by_default(tmp_path):
    made = read(tmp_path, {"input_size": [3, 64, 96], "crop_mode": "squash", "crop_pct": 1.0}, "config.json")
    assert (made.resize, made.crop) == ((64, 96), (64, 96))
    made = read(tmp_path, {"input_size": [3, 224, 224], "crop_pct": None, "mean": []}, "config.json")
    assert (made.resize, made.interpolation) == (256, "bicubic")
    assert (made.mean, made.std) == ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))


def test_vit_resizes_exactly(tmp_path):
    made = read(tmp_path, VIT)
    assert (made.resize, made.crop, made.interpolation) == ((224, 224), None, "bilinear")
    assert (made.mean, made.std, made.scale) == ((0.5,) * 3, (0.5,) * 3, VIT["rescale_factor"])


def test_clip_crops_the_centre_and_rescales_without_being_told(tmp_path):
    made = read(tmp_path, CLIP)
    assert (made.resize, made.crop, made.interpolation, made.scale) == (224, (224, 224), "bicubic", 1 / 255)


def test_convnext_enlarges_by_crop_pct_below_384(tmp_path):
    made = read(tmp_path, RESNET | {"size": {"shortest_edge": 224}})
    assert (made.resize, made.crop) == (256, (224, 224))
    made = read(tmp_path, RESNET | {"size": {"shortest_edge": 384}})
    assert (made.resize, made.crop) == ((384, 384), (384, 384))


def test_convnext_enlarges_without_being_told(tmp_path):
    made = read(tmp_path, RESNET | {"crop_pct": None})
    assert (made.resize, made.crop) == (256, (224, 224))


def test_poolformer_enlarges_at_every_size_and_crops_to_its_own(tmp_path):
    table = CLIP | {"image_processor_type": "PoolFormerImageProcessor", "size": 384, "crop_pct": 0.95}
    made = read(tmp_path, table)
    assert (made.resize, made.crop) == (404, (224, 224))
    assert read(tmp_path, {key: value for key, value in table.items() if key != "crop_pct"}).resize == 426


def test_levit_enlarges_the_short_side(tmp_path):
    made = read(tmp_path, CLIP | {"image_processor_type": "LevitImageProcessor"})
    assert (made.resize, made.crop) == (256, (224, 224))


def test_efficientnet_divides_by_std_twice(tmp_path):
    made = read(tmp_path, EFFICIENTNET)
    assert made.mean == (0.485, 0.456, 0.406) and made.std == pytest.approx((0.229, 0.224, 0.225), rel=1e-6)
    # ((pixels / 255 - 1) - 0) / 1, and then by std.
    offset = EFFICIENTNET | {"rescale_offset": True, "do_normalize": False}
    made = read(tmp_path, offset)
    assert (made.mean, made.std) == ((1.0,), tuple(EFFICIENTNET["image_std"]))
    assert read(tmp_path, offset | {"include_top": False}).std == (1.0,)


def test_what_images_go_through_anyhow_is_no_hindrance(tmp_path):
    also = {"do_convert_rgb": True, "do_reduce_labels": True, "do_pad": None, "ensure_multiple_of": 1}
    assert read(tmp_path, VIT | also) == read(tmp_path, VIT)


def test_convnext_files_from_before_sizes_were_tables(tmp_path):
    made = read(tmp_path, RESNET)
    assert (made.resize, made.crop) == (256, (224, 224))


def test_a_plain_number_is_the_short_side_for_clip_and_the_square_for_others(tmp_path):
    old = {"do_resize": True, "size": 256, "do_center_crop": True, "crop_size": 224, "do_normalize": False}
    assert read(tmp_path, old | {"feature_extractor_type": "CLIPFeatureExtractor", "resample": 3}).resize == 256
    assert read(tmp_path, old | {"image_processor_type": "BitImageProcessor", "resample": 3}).resize == 256
    made = read(tmp_path, old | {"feature_extractor_type": "DeiTFeatureExtractor", "resample": 3})
    assert (made.resize, made.crop) == ((256, 256), (224, 224))


def test_only_another_scale_is_set(tmp_path):
    assert "scale" not in read(tmp_path, VIT).origin and "scale" not in read(tmp_path, TIMM).origin
    made = read(tmp_path, VIT | {"rescale_factor": 1 / 127.5})
    assert made.scale == 1 / 127.5 and "scale" in made.origin


def test_mobilevit_is_bgr_and_not_normalised_though_its_files_have_a_mean(tmp_path):
    made = read(tmp_path, MOBILEVIT)
    assert (made.resize, made.crop, made.order) == (288, (256, 256), "BGR")
    assert (made.mean, made.std) == ((0.0,), (1.0,))


def test_steps_that_are_switched_off(tmp_path):
    made = read(tmp_path, VIT | {"do_resize": False, "do_rescale": False, "do_normalize": False})
    assert (made.resize, made.scale, made.mean, made.std) == (None, 1.0, (0.0,), (1.0,))
    assert made.origin["resize"] == "preprocessor_config.json"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"architecture": "resnet50"}, "neither timm's input_size nor Hugging Face's do_resize"),
        ("[1, 2]", "not a JSON object"),
        ("{", "is not JSON"),
        ({"input_size": [3, 224, 224], "crop_mode": "border"}, "crop_mode 'border'.*Give the fields yourself"),
        ({"input_size": [3, 224, 192]}, "not square"),
        ({"input_size": [3, 224, 224], "interpolation": "random"}, "interpolation is 'random'"),
        ({"input_size": [3]}, "cannot be used: ValueError"),
        ({"input_size": [3, 224, 224], "crop_pct": "x"}, "cannot be used: ValueError"),
        (VIT | {"size": {"longest_edge": 224}}, "the size .'longest_edge': 224"),
        (VIT | {"image_processor_type": "PerceiverImageProcessor"}, "geometry of Perceiver"),
        (RESNET | {"image_processor_type": "PoolFormerImageProcessor", "size": [224, 192]}, "crop_pct with the size"),
        (VIT | {"do_pad": True}, "asks for do_pad True"),
        (VIT | {"keep_aspect_ratio": True}, "asks for keep_aspect_ratio True"),
        (VIT | {"ensure_multiple_of": 32}, "asks for ensure_multiple_of 32"),
        (CLIP | {"feature_extractor_type": "CLIPFeatureExtractor", "resample": None}, "has no resample, and what CLIP"),
        (VIT | {"image_std": [0, 0, 0]}, "it divides"),
        (VIT | {"resample": 17}, "cannot be used: it asks for resample 17"),
        ({"do_normalize": True}, "cannot be used: KeyError: 'image_mean'"),
    ],
)
def test_files_that_cannot_be_used(tmp_path, content, message):
    with pytest.raises(UsageError, match=message):
        read(tmp_path, content)


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(UsageError, match="cannot be read: No such file"):
        from_file(tmp_path / "none.json")


def test_beside_the_model(tmp_path):
    assert beside(tmp_path / "model.onnx") is None
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "vit", "id2label": {}}))
    assert beside(tmp_path / "model.onnx") is None
    (tmp_path / "config.json").write_text(json.dumps(TIMM))
    found = beside(tmp_path / "model.onnx")
    assert found is not None and found.resize == 235
    (tmp_path / "preprocessor_config.json").write_text(json.dumps(VIT))
    found = beside(str(tmp_path / "model.onnx"))
    assert found is not None and found.resize == (224, 224)


def test_above_a_folder_called_onnx(tmp_path):
    (tmp_path / "preprocessor_config.json").write_text(json.dumps(VIT))
    assert beside(tmp_path / "onnx" / "model.onnx") is not None
    assert beside(tmp_path / "other" / "model.onnx") is None
