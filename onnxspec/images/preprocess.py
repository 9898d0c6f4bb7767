"""From an image to a model's input: the only place where pixels are resized, scaled, normalised and laid out.

Two steps, because paths and distances live between them: `Preprocess.pixels` makes (h, w, c) uint8 pixels of the
model's size, always RGB, and `Preprocess.to_input` makes of a stack of those the array that the model takes. The
second step is affine per channel, so a straight path in pixels is the same straight path in the model's input.

Wrong preprocessing is the first cause of wrong results, so nothing is assumed in silence: every field that was set
carries where it came from in `origin`, and a field without an origin is a documented default.
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from onnxspec.errors import DataError, UsageError
from onnxspec.images.inputspec import WHOLE_TYPES, InputSpec
from onnxspec.images.pixels import centre, resampled, with_channels

INTERPOLATIONS = ("nearest", "lanczos", "bilinear", "bicubic", "box", "hamming")
"""Pillow's filters in the order of its codes, which Hugging Face files use as numbers."""

MODEL_SIZE = "model's input size"
WHOLE_INPUTS = {name: f"model's {name} input" for name in WHOLE_TYPES}
METADATA = "model metadata"
DEFAULT = "default"
FLOATING = "floating-point images"
MAX_SIDE = 8192

_VALUES = ("scale", "mean", "std")


@dataclass(frozen=True)
class Preprocess:
    """How an image becomes a model's input: x = (pixels * scale - mean) / std, pixels 0..255.

    resize : short side (aspect kept), (h, w) exactly, "cover" (aspect kept, just covering the crop), or None
    crop : (h, w) of the centre, or None
    interpolation : Pillow's antialiased resampling filter
    scale : factor on 0..255 pixels; `fit` makes it 1 for floating images, unless somebody set it for them
    mean, std : one number for all channels, or one per channel in the order of the model's channels
    order : of the model's channels, RGB or BGR
    layout : how a flat input is flattened, HWC or CHW
    origin : where each field that was set came from
    """

    resize: int | tuple[int, int] | Literal["cover"] | None = None
    crop: tuple[int, int] | None = None
    interpolation: str = "bilinear"
    scale: float = 1 / 255
    mean: tuple[float, ...] = (0.0,)
    std: tuple[float, ...] = (1.0,)
    order: str = "RGB"
    layout: str = "HWC"
    origin: Mapping[str, str] = field(default_factory=dict, compare=False)

    def __post_init__(self) -> None:
        for name in ("mean", "std"):
            object.__setattr__(self, name, _numbers(name, getattr(self, name)))
        given = {f.name: "given" for f in _fields() if getattr(self, f.name) != f.default}
        object.__setattr__(self, "origin", given | dict(self.origin))
        if self.resize not in (None, "cover"):
            _check_size("resize", self.resize, short_side=True)
        if self.crop is not None:
            _check_size("crop", self.crop)
        _check_choice("interpolation", self.interpolation, INTERPOLATIONS)
        _check_choice("order", self.order, ("RGB", "BGR"))
        _check_choice("layout", self.layout, ("HWC", "CHW"))
        if self.resize == "cover" and self.crop is None:
            raise UsageError("resize is cover, and there is no crop to cover.", "Add crop=HEIGHT,WIDTH.")
        if not (math.isfinite(self.scale) and self.scale > 0):
            raise UsageError(f"scale is {self.scale}; a number above 0 was expected.")
        if 0 in self.std:
            raise UsageError(f"std is {self.std}; it divides, so 0 is not possible.")

    def over(self, other: "Preprocess") -> "Preprocess":
        """This preprocessing with the fields that it leaves unset taken from `other`.

        scale, mean and std belong together and come from one source.
        """
        names = {name for name in other.origin if name not in self.origin}
        if any(name in self.origin for name in _VALUES):
            names -= set(_VALUES)
        taken = {name: getattr(other, name) for name in names}
        return replace(self, **taken, origin={n: other.origin[n] for n in names} | dict(self.origin))

    @property
    def fixes_size(self) -> bool:
        """Whether images of every size come out in one size."""
        return self.crop is not None or isinstance(self.resize, tuple)

    def output_size(self, size: tuple[int, int]) -> tuple[int, int]:
        """(height, width) that an image of `size` = (height, width) ends up with."""
        return self.crop or self._resized_size(size)

    def pixels(self, image: NDArray[Any], spec: InputSpec) -> NDArray[Any]:
        """The image at the model's size and channels, before scaling.

        Parameters
        ----------
        image : (H, W) or (H, W, C), uint8 RGB or grey, or floating in its own units (never resized or converted)
        spec : resolved

        Returns
        -------
        (h, w, c) of the image's dtype, always RGB, contiguous

        Raises
        ------
        DataError
            The image cannot be brought to that shape; the message has both.
        """
        image = image[..., None] if image.ndim == 2 else image
        if image.dtype != np.uint8:
            if image.shape != spec.shape:
                raise DataError(
                    f"The images are floating-point arrays of {_shape(image.shape)}; the model takes "
                    f"{_shape(spec.shape)} (height, width, channels).",
                    "Floating-point images are not resized or converted: do that first, or pass uint8 images.",
                )
            return np.ascontiguousarray(image)
        shape = image.shape
        image = with_channels(image, spec.shape[2])
        size = self._resized_size((shape[0], shape[1]))
        if size != image.shape[:2]:
            image = resampled(image, size, self.interpolation)
        if self.crop is not None:
            image = centre(image, self.crop)
        if image.shape != spec.shape:
            raise DataError(
                f"An image of {_shape(shape)} comes out as {_shape(image.shape)}; "
                f"{_shape(spec.shape)} (height, width, channels) is needed.",
                "Say how it becomes that size: --preprocess 'resize=SHORT_SIDE;crop=HEIGHT,WIDTH'.",
            )
        return np.ascontiguousarray(image)

    def affine(self, channels: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Factor and offset, (channels,) float64 each, in the model's channel order: x = pixels * factor + offset.

        Raises
        ------
        DataError
            mean or std has another number of channels.
        """
        for name, values in (("mean", self.mean), ("std", self.std)):
            if len(values) not in (1, channels):
                raise DataError(
                    f"The preprocessing has {len(values)} values of {name} ({self.origin.get(name, DEFAULT)}); "
                    f"the model takes {channels} channel{'' if channels == 1 else 's'}.",
                    f"Give one value{'' if channels == 1 else f' for all channels, or {channels}'}: --preprocess '{name}=...'.",
                )
        std = np.broadcast_to(np.asarray(self.std, float), channels)
        return self.scale / std, -np.broadcast_to(np.asarray(self.mean, float), channels) / std

    def channels_first(self, spec: InputSpec) -> bool:
        """Whether the model's input holds one channel after the other, as axes of its own or flattened."""
        return spec.layout == "NCHW" or (spec.layout == "flat" and self.layout == "CHW")

    def to_input(self, pixels: NDArray[Any], spec: InputSpec) -> NDArray[Any]:
        """What the model takes for a stack of pixels.

        Parameters
        ----------
        pixels : (n, h, w, c), from `pixels`; uint8, or floating
        spec : resolved

        Returns
        -------
        (n, c, h, w), (n, h, w, c) or (n, size) of `spec.dtype`, contiguous; computed in `spec.computed`; an
        input of whole numbers gets the pixels themselves, rounded and clipped to 0..255 where they are floating
        """
        if self.order == "BGR" and pixels.shape[-1] == 3:
            pixels = pixels[..., ::-1]
        channels_first = self.channels_first(spec)
        source = np.moveaxis(pixels, -1, 1) if channels_first else pixels
        if spec.whole:
            x = spec.cast(source)
        else:
            factor, offset = self.affine(pixels.shape[-1])
            along = (slice(None), None, None) if channels_first else (slice(None),)
            x = np.empty(source.shape, spec.computed)
            np.multiply(source, factor.astype(x.dtype)[along], out=x, casting="unsafe")
            x += offset.astype(x.dtype)[along]
        return np.ascontiguousarray(x.reshape(len(x), -1) if spec.layout == "flat" else x, spec.dtype)

    def _resized_size(self, size: tuple[int, int]) -> tuple[int, int]:
        height, width = size
        if self.resize is None:
            return size
        if isinstance(self.resize, tuple):
            return self.resize
        if self.resize == "cover":
            assert self.crop is not None
            top, left = self.crop
            if top * width >= left * height:
                return top, max(left, top * width // height)
            return max(top, left * height // width), left
        short = min(size)
        return self.resize * height // short, self.resize * width // short

    def fields_and_origins(self) -> dict[str, tuple[Any, str]]:
        """Every field's value (JSON-ready) and where it came from (`DEFAULT` where nothing set it)."""
        return {f.name: (_plain(getattr(self, f.name)), self.origin.get(f.name, DEFAULT)) for f in _fields()}

    def as_dict(self) -> dict[str, dict[str, Any]]:
        """Every field's value and origin, JSON-ready, in the form that all results have them in."""
        return {name: {"value": value, "from": origin} for name, (value, origin) in self.fields_and_origins().items()}

    def to_json(self) -> str:
        """The fields that were set, as the JSON object that `onnxspec stamp` writes into a model."""
        return json.dumps({f.name: _plain(getattr(self, f.name)) for f in _fields() if f.name in self.origin})

    def __str__(self) -> str:
        """One line for the summary: the values, grouped by where they came from."""
        groups: dict[str, list[str]] = {}
        for name, (value, origin) in self.fields_and_origins().items():
            if value is not None and not (name == "layout" and origin == DEFAULT):
                groups.setdefault(origin, []).append(f"{name} {_short(value)}")
        return "; ".join(f"{', '.join(values)} ({origin})" for origin, values in groups.items())


def fit(
    spec: InputSpec, preprocess: Preprocess, image_shape: Sequence[int], floating: bool = False
) -> tuple[InputSpec, Preprocess]:
    """The resolved spec, and the preprocessing completed by what the model itself demands.

    Where no resize or crop is set and the model has a fixed size, images are resized to cover it and cropped to its
    centre (exactly resized where the aspect is the same); an input of whole numbers takes the pixels as they are; `floating`
    images are not scaled by the 1/255 of 8-bit ones. All of it is recorded in `origin`.

    Raises
    ------
    DataError
        Images of `image_shape` ((H, W) or (H, W, C)) cannot become this input, or mean and std do not fit it.
    """
    made = preprocess.output_size((image_shape[0], image_shape[1]))
    resolved = spec.resolved(image_shape, made, preprocess.fixes_size)
    height, width, channels = resolved.shape
    model_has_size = spec.layout == "flat" or (spec.height is not None and spec.width is not None)
    demanded: dict[str, Any] = {}
    if model_has_size and not preprocess.fixes_size and "crop" not in preprocess.origin:
        demanded["crop"] = (height, width)
        if "resize" not in preprocess.origin:
            demanded["resize"] = "cover"
    origin = dict.fromkeys(demanded, MODEL_SIZE)
    # A model's own metadata speak of the 8-bit images it was trained on, as the presets do.
    said = preprocess.origin.get("scale", METADATA)
    if floating and said == METADATA and math.isclose(preprocess.scale, 1 / 255, rel_tol=1e-4):
        demanded["scale"], origin["scale"] = 1.0, FLOATING
    if spec.whole:
        demanded |= {"scale": 1.0, "mean": (0.0,), "std": (1.0,)}
        origin |= dict.fromkeys(_VALUES, WHOLE_INPUTS[spec.dtype.name])
    preprocess = replace(preprocess, **demanded, origin=dict(preprocess.origin) | origin)
    preprocess.affine(channels)
    return resolved, preprocess


def _fields() -> list[Any]:
    return [f for f in fields(Preprocess) if f.name != "origin"]


def _numbers(name: str, value: Any) -> tuple[float, ...]:
    try:
        numbers = tuple(float(v) for v in (value if isinstance(value, list | tuple | np.ndarray) else (value,)))
    except (TypeError, ValueError):
        numbers = ()
    if not numbers or not all(map(math.isfinite, numbers)):
        raise UsageError(f"{name} is {value!r}; a number, or one per channel, was expected.")
    return numbers


def _check_size(name: str, value: Any, short_side: bool = False) -> None:
    sides = value if isinstance(value, tuple) else (value,)
    counts = (isinstance(value, tuple) and len(sides) == 2) or (short_side and not isinstance(value, tuple))
    if not counts or not all(type(side) is int and 1 <= side <= MAX_SIDE for side in sides):
        one = "a short side, or " if short_side else ""
        raise UsageError(f"{name} is {value!r}; {one}height and width, from 1 to {MAX_SIDE} pixels were expected.")


def _check_choice(name: str, value: Any, known: tuple[str, ...]) -> None:
    if value not in known:
        raise UsageError(f"{name} is {value!r}.", f"Known: {', '.join(known)}.")


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _short(value: Any) -> str:
    if isinstance(value, list):
        return " ".join(_short(v) for v in value)
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _shape(shape: Sequence[int]) -> str:
    return " x ".join(map(str, shape))
