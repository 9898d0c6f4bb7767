"""Preprocessing files that models are published with: timm's config.json, Hugging Face's preprocessor_config.json."""

import math
import os
from collections.abc import Mapping
from typing import Any

import numpy as np

from onnxspec.errors import UsageError
from onnxspec.files import published_in, read_json_object
from onnxspec.images.preprocess import INTERPOLATIONS, Preprocess

BESIDE_MODEL = ("preprocessor_config.json", "config.json")

_TIMM_DEFAULTS: dict[str, Any] = {
    "crop_mode": "center",
    "crop_pct": 0.875,
    "interpolation": "bicubic",
    "mean": (0.485, 0.456, 0.406),
    "std": (0.229, 0.224, 0.225),
}
"""timm's own, for what a configuration leaves out or empty."""

_INT_IS_SHORT_SIDE = ("Bit", "ChineseCLIP", "CLIP", "ConvNext", "Levit", "MobileNet", "MobileViT", "PoolFormer")
"""Processors that mean the short side by a plain number; the others mean the square."""

_BILINEAR_BY_DEFAULT = ("ViT", "MobileNet")
"""Processors that every version of transformers resamples so without `resample`; others' defaults have changed."""

_STEPS = {
    *("do_resize", "do_center_crop", "do_rescale", "do_normalize", "do_flip_channel_order"),
    *("do_convert_rgb", "do_reduce_labels"),
}
"""What is done here; the last two because every image is RGB, and labels are reduced in segmentation maps alone."""

_PLAIN_GEOMETRY = {"keep_aspect_ratio": False, "ensure_multiple_of": 1, "size_divisor": 1, "use_square_size": False}
"""What changes the size beside `size` and `crop_size`, and the value with which it does not."""

_SPELL_OUT = "Give the fields yourself: --preprocess 'resize=...;crop=...;mean=...;std=...'."


def from_file(path: str | os.PathLike[str]) -> Preprocess:
    """Preprocessing from a timm or Hugging Face file.

    Raises
    ------
    UsageError
        The file cannot be read, is neither, or asks for something that `Preprocess` cannot express.
    """
    content = read_json_object(path, "preprocessing file")
    origin = os.path.basename(path)
    try:
        if (timm := _timm_table(content)) is not None:
            fields = _from_timm(timm)
        elif any(key.startswith(("do_", "image_mean")) for key in content):
            fields = _from_hugging_face(content)
        else:
            raise UsageError("it has neither timm's input_size nor Hugging Face's do_resize.", _SPELL_OUT)
        return Preprocess(**fields, origin=dict.fromkeys(fields, origin))
    except UsageError as error:
        raise UsageError(f"The preprocessing file {path} cannot be used: {error.message}", error.hint) from None
    except (TypeError, ValueError, KeyError, IndexError, ZeroDivisionError, OverflowError) as error:
        raise UsageError(
            f"The preprocessing file {path} cannot be used: {type(error).__name__}: {error}.",
            _SPELL_OUT,
        ) from None


def beside(model: str | os.PathLike[str]) -> Preprocess | None:
    """Preprocessing from a file beside the model, see `published_in`; None where there is none.

    Raises
    ------
    UsageError
        There is one, and it cannot be used.
    """
    for place in published_in(model):
        for name in BESIDE_MODEL:
            path = place / name
            # A config.json beside a model describes its architecture; only timm's says how to preprocess.
            if path.is_file() and (name != "config.json" or _timm_table(read_json_object(path, "file")) is not None):
                return from_file(path)
    return None


def _timm_table(content: Mapping[str, Any]) -> Mapping[str, Any] | None:
    table = content.get("pretrained_cfg", content)
    return table if isinstance(table, Mapping) and "input_size" in table else None


def _from_timm(table: Mapping[str, Any]) -> dict[str, Any]:
    """timm's evaluation transform: short side to floor(size / crop_pct), then the centre."""
    table = _TIMM_DEFAULTS | {key: value for key, value in table.items() if value}
    _, height, width = (int(side) for side in table["input_size"])
    fraction = float(table["crop_pct"])
    scaled = (math.floor(height / fraction), math.floor(width / fraction))
    resize: int | tuple[int, int] = scaled
    if table["crop_mode"] == "center":
        if height != width:
            raise _unsupported(f"a centre crop to {height} x {width}, which is not square")
        resize = scaled[0]
    elif table["crop_mode"] != "squash":
        raise _unsupported(f"crop_mode {table['crop_mode']!r}")
    return {
        "resize": resize,
        "crop": (height, width),
        "interpolation": str(table["interpolation"]),
        "mean": table["mean"],
        "std": table["std"],
        "order": "RGB",
    }


def _from_hugging_face(table: Mapping[str, Any]) -> dict[str, Any]:
    """transformers' image processors; a step whose do_ flag is absent is done where its numbers are there.

    Half of an odd margin is rounded as torchvision does it, and by transformers always down: there a crop may lie one
    pixel higher or further left.
    """
    kind = str(table.get("image_processor_type") or table.get("feature_extractor_type") or "")
    if kind.startswith("Perceiver"):
        raise _unsupported(f"the geometry of {kind}")
    for key, value in table.items():
        other_step = key.startswith("do_") and value and key not in _STEPS
        if other_step or value not in (None, _PLAIN_GEOMETRY.get(key, value)):
            raise _unsupported(f"{key} {value!r}")
    flipped = table.get("do_flip_channel_order", kind.startswith("MobileViT"))
    fields: dict[str, Any] = {"order": "BGR" if flipped else "RGB"}
    fields |= _hugging_face_geometry(table, kind)
    if fields["resize"] is not None:
        fields["interpolation"] = _hugging_face_resample(table.get("resample"), kind)
    return fields | _hugging_face_values(table, kind)


def _hugging_face_resample(code: Any, kind: str) -> str:
    if code is None and kind and not kind.startswith(_BILINEAR_BY_DEFAULT):
        raise UsageError(f"it has no resample, and what {kind} does then depends on its version.", _SPELL_OUT)
    code = INTERPOLATIONS.index("bilinear") if code is None else int(code)
    if not 0 <= code < len(INTERPOLATIONS):
        raise _unsupported(f"resample {code!r}")
    return INTERPOLATIONS[code]


def _hugging_face_values(table: Mapping[str, Any], kind: str) -> dict[str, Any]:
    # Extractors older than do_rescale brought pixels to 0..1 whenever they normalised. 1/255 itself stays unset, as in
    # the presets: floating-point images are in 0..1 already.
    rescaled = table.get("do_rescale", True)
    factor = table.get("rescale_factor")
    scale = (1 / 255 if factor is None else float(factor)) if rescaled else 1.0
    mean, std = np.zeros(1), np.ones(1)
    # MobileViT never normalises, though transformers 5 writes a mean into its files.
    if table.get("do_normalize", "image_mean" in table) and not kind.startswith("MobileViT"):
        mean, std = (np.array(table[name], float, ndmin=1) for name in ("image_mean", "image_std"))
    if rescaled and table.get("rescale_offset"):
        mean = mean + 1
    if kind.startswith("EfficientNet") and table.get("include_top", True):
        # What was normalised is divided by std once more.
        std = std * np.array(table["image_std"], float)
    return ({} if math.isclose(scale, 1 / 255) else {"scale": scale}) | {"mean": mean, "std": std}


def _hugging_face_geometry(table: Mapping[str, Any], kind: str) -> dict[str, Any]:
    resize: int | tuple[int, int] | None = None
    crop: tuple[int, int] | None = None
    size = table.get("size")
    if isinstance(size, int) and kind.startswith(_INT_IS_SHORT_SIDE):
        size = {"shortest_edge": size}
    if table.get("do_resize", size is not None):
        resize = _short_side(size) or _hugging_face_size(size)
    if table.get("do_center_crop", "crop_size" in table):
        crop = _hugging_face_size(table["crop_size"])
    fraction = table.get("crop_pct", 0.9 if kind.startswith("PoolFormer") else None)
    if isinstance(resize, int) and kind.startswith("Levit"):
        resize = int(256 / 224 * resize)
    elif kind.startswith("PoolFormer") and resize and fraction:
        if isinstance(resize, tuple):
            raise _unsupported(f"crop_pct with the size {size!r}")
        resize = int(resize / float(fraction))
    elif isinstance(resize, int) and (kind.startswith("ConvNext") or (fraction and not kind)):
        # Below 384 pixels a crop of the enlarged image, from there on squashed to the square.
        crop = resize, resize
        resize = int(resize / float(fraction or 0.875)) if resize < 384 else crop
    return {"resize": resize, "crop": crop}


def _short_side(size: Any) -> int | None:
    return int(size["shortest_edge"]) if isinstance(size, Mapping) and set(size) == {"shortest_edge"} else None


def _hugging_face_size(size: Any) -> tuple[int, int]:
    if isinstance(size, int):
        return size, size
    if isinstance(size, list | tuple):
        return int(size[0]), int(size[1])
    if isinstance(size, Mapping) and "height" in size and "width" in size:
        return int(size["height"]), int(size["width"])
    if (side := _short_side(size)) is not None:
        return side, side
    raise _unsupported(f"the size {size!r}")


def _unsupported(what: str) -> UsageError:
    return UsageError(f"it asks for {what}, which onnxspec does not do.", _SPELL_OUT)
