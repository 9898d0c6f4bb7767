"""Preprocessing files that models are published with: timm's config.json, Hugging Face's preprocessor_config.json."""

import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from onnxspec.errors import UsageError
from onnxspec.files import read_json_object
from onnxspec.images.preprocess import INTERPOLATIONS, Preprocess

BESIDE_MODEL = ("preprocessor_config.json", "config.json")

TIMM_CROP_PCT = 0.875
"""timm's own default where a configuration has no crop_pct."""

_INT_IS_SHORT_SIDE = ("CLIP", "ConvNext", "PoolFormer", "MobileNet", "MobileViT")
"""Processors that meant the short side by a plain number, before size was a table; the others meant the square."""

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
    """Preprocessing from a file in the model's folder (or above a folder called onnx); None where there is none.

    Raises
    ------
    UsageError
        There is one, and it cannot be used.
    """
    folder = Path(model).parent
    for place in [folder, folder.parent] if folder.name == "onnx" else [folder]:
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
    _, height, width = (int(side) for side in table["input_size"])
    mode = table.get("crop_mode") or "center"
    fraction = float(table.get("crop_pct") or TIMM_CROP_PCT)
    scaled = (math.floor(height / fraction), math.floor(width / fraction))
    resize: int | tuple[int, int] = scaled
    if mode == "center":
        if height != width:
            raise _unsupported(f"a centre crop to {height} x {width}, which is not square")
        resize = scaled[0]
    elif mode != "squash":
        raise _unsupported(f"crop_mode {mode!r}")
    return {
        "resize": resize,
        "crop": (height, width),
        "interpolation": str(table.get("interpolation", "bilinear")),
        "mean": table.get("mean", 0.0),
        "std": table.get("std", 1.0),
        "order": "RGB",
    }


def _from_hugging_face(table: Mapping[str, Any]) -> dict[str, Any]:
    """transformers' image processors; a step whose do_ flag is absent is done where its numbers are there."""
    kind = str(table.get("image_processor_type") or table.get("feature_extractor_type") or "")
    if kind.startswith(("Levit", "Perceiver")):
        raise _unsupported(f"the geometry of {kind}")
    fields: dict[str, Any] = {"order": "BGR" if table.get("do_flip_channel_order") else "RGB"}
    fields |= _hugging_face_geometry(table, kind)
    resample = table.get("resample", INTERPOLATIONS.index("bilinear"))
    if not 0 <= int(resample) < len(INTERPOLATIONS):
        raise _unsupported(f"resample {resample!r}")
    fields["interpolation"] = INTERPOLATIONS[int(resample)]
    # Extractors older than do_rescale brought pixels to 0..1 whenever they normalised. 1/255 itself stays unset, as in
    # the presets: floating-point images are in 0..1 already.
    scale = float(table.get("rescale_factor", 1 / 255)) if table.get("do_rescale", True) else 1.0
    if not math.isclose(scale, 1 / 255):
        fields["scale"] = scale
    if table.get("do_rescale", True) and table.get("rescale_offset"):
        raise _unsupported("rescale_offset")
    if table.get("include_top") and "EfficientNet" in kind:
        raise _unsupported("include_top, which normalises twice")
    normalised = table.get("do_normalize", "image_mean" in table)
    fields["mean"] = table["image_mean"] if normalised else 0.0
    fields["std"] = table["image_std"] if normalised else 1.0
    return fields


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
    fraction = table.get("crop_pct")
    if fraction is not None and isinstance(resize, int):
        # ConvNeXt's rule: below 384 pixels a crop of the enlarged image, from there on squashed to the square.
        crop, resize = (resize, resize), int(resize / float(fraction)) if resize < 384 else (resize, resize)
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
