"""Soft targets for a data set: what `Noise` makes of every image, as a network sees it through a preprocessing."""

import hashlib
import os
from dataclasses import dataclass
from typing import Any

import numpy as np

from onnxspec import __version__
from onnxspec.analysis.subject import first_readable
from onnxspec.errors import DataError, UsageError
from onnxspec.images.cache import PixelCache
from onnxspec.images.classes import map_classes, read_classes
from onnxspec.images.inputspec import InputSpec
from onnxspec.images.opening import open_images
from onnxspec.images.preprocess import Preprocess, fit
from onnxspec.images.presets import read_preprocess
from onnxspec.images.value_range import ValueRange, require_meant
from onnxspec.listening import Listener, Silence
from onnxspec.noise.found import CONCENTRATED
from onnxspec.noise.inputs import Input, as_direction
from onnxspec.noise.measuring import concentrated, concentration
from onnxspec.noise.targets import Noise, phi, smoothing, soft_targets
from onnxspec.results import Remark
from onnxspec.settings import Given, Inputs, Settings

_BLOCK = 256


@dataclass(frozen=True, eq=False)
class Targets:
    """Noise in the labels of a data set.

    s : (images,) float64 smoothing; labels : (images,) int64; concentration : of the phases, see `NoiseOf`
    settings : all that fixes them, JSON-ready, with the digests of the data and of the targets
    """

    noise: Noise
    s: np.ndarray
    labels: np.ndarray
    names: tuple[str, ...]
    class_names: tuple[str, ...]
    concentration: float
    remarks: tuple[Remark, ...]
    settings: dict[str, Any]

    def __len__(self) -> int:
        return len(self.s)

    @property
    def nbytes(self) -> int:
        """Size of the soft targets."""
        return 4 * len(self) * len(self.class_names)

    def targets(self, some: slice = slice(None)) -> np.ndarray:
        """Soft targets of some images, (n, classes) float32."""
        return soft_targets(self.labels[some], self.s[some], len(self.class_names))


def make_targets(
    data: Any = None,
    settings: Given = None,
    *,
    frequency: float,
    amplitude: float,
    direction: "int | np.ndarray | str | os.PathLike[str] | None" = None,
    listener: Listener | None = None,
    **overrides: Any,
) -> Targets:
    """Soft targets for labelled images, as a network sees them through a preprocessing.

    Parameters
    ----------
    data : as for `analyze`, labelled; settings, overrides : data, preprocess, classes, labels, skip_bad and the like
    frequency, amplitude, direction : see `fitting.fit`

    Raises
    ------
    UsageError
        No data, no preprocessing, or a number out of its range.
    DataError
        The images cannot be read, or have no labels.
    """
    settings, listener = Settings.given(settings, **overrides), listener or Silence()
    inputs = settings.inputs
    Noise(frequency, amplitude)
    source = data if data is not None else inputs.data
    if source is None:
        raise UsageError("There are no images to make targets for.", "Give labelled ones with --data.")
    given = _preprocess(inputs)
    listener.stage("opening the images")
    images = open_images(source, labels=inputs.labels, images_key=inputs.images_key, labels_key=inputs.labels_key)
    if images.labels is None or not len(images):
        raise DataError(f"{images.source} holds no labelled images.", "Noise goes into labels: give class folders.")
    image = first_readable(images, inputs.skip_bad)
    output_of, class_names = _classes(images.class_names, inputs.classes)
    if len(class_names) < 2:
        raise DataError(f"{images.source} has one class, and noise spreads labels over several.", "Give more classes.")
    per_channel = max(len(given.mean), len(given.std))
    spec = InputSpec("NCHW", channels=per_channel if per_channel > 1 else None)
    spec, preprocess = fit(spec, given, image.shape, image.dtype != np.uint8)
    require_meant(ValueRange.of([image]), preprocess, spec, spoken=True)
    pixels = PixelCache(images, preprocess, spec, skip_bad=inputs.skip_bad)
    seen = Input.of(spec, preprocess)
    noise = Noise(frequency, amplitude, as_direction(direction, seen.shape))
    listener.stage("measuring the noise")
    kept, positions = [], []
    for start in range(0, len(images), _BLOCK):
        some = [i for i in range(start, min(start + _BLOCK, len(images))) if pixels.readable(i)]
        if some:
            kept += some
            positions.append(noise.position(preprocess.to_input(np.stack([pixels.get(i) for i in some]), spec)))
            listener.images(len(some))
    position = np.concatenate(positions)
    labels = output_of[images.labels[kept]]
    s = smoothing(position, frequency, amplitude)
    alike = concentration(position, frequency)
    remarks = [Remark("channels", f"Channels were converted: {note}.") for note in sorted(pixels.notes)]
    if alike > CONCENTRATED:
        remarks.append(concentrated([frequency], position, radial=noise.direction is None))
    return Targets(
        noise,
        s,
        labels,
        tuple(images.names[i] for i in kept),
        class_names,
        alike,
        tuple(remarks),
        {
            "tool_version": __version__,
            "noise": "radial" if direction is None else "sinusoidal",
            "frequency": frequency,
            "amplitude": amplitude,
            "phi": phi(seen.dimensions),
            "shape": list(seen.shape),
            "preprocess": preprocess.as_dict(),
            "data": images.source,
            "data_digest": images.digest,
            "content_digest": _content_digest(pixels),
            "targets_digest": _digest(s, labels, class_names),
        },
    )


def _preprocess(inputs: Inputs) -> Preprocess:
    given = None
    if inputs.preprocess is not None:
        given = read_preprocess(inputs.preprocess, inputs.preprocess_origin)
    if given is None:
        raise UsageError(
            "The noise is a function of the network's normalised input, and nothing says how images become it.",
            "Give what training does, --preprocess 'mean=.286;std=.353'; 'resize=..;crop=..' for images of other sizes.",
        )
    return given


def _classes(class_names: tuple[str, ...], classes_file: str | None) -> tuple[np.ndarray, tuple[str, ...]]:
    """Column of every class of the data, and the names of all columns."""
    if classes_file is None:
        return np.arange(len(class_names)), class_names
    lines = read_classes(classes_file)
    known = map_classes(class_names, len(lines), classes_file)
    return known.output_of, known.names


def _content_digest(pixels: PixelCache) -> str:
    known = pixels.content_digests
    return hashlib.sha256("\n".join(known[i] for i in sorted(known)).encode()).hexdigest() if known else ""


def _digest(s: np.ndarray, labels: np.ndarray, class_names: tuple[str, ...]) -> str:
    digest = hashlib.sha256("\0".join(class_names).encode("utf-8", "backslashreplace"))
    digest.update(np.ascontiguousarray(labels, "<i8").data)
    digest.update(np.ascontiguousarray(s, "<f8").data)
    return digest.hexdigest()
