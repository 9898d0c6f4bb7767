"""How far the images of a class lie from each other in the output space of an encoder, any ONNX model (n, D)."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from onnxspec.analysis.subject import first_readable, given_preprocess, patience
from onnxspec.engine.local import LocalEngine
from onnxspec.engine.workers import Pulse, within
from onnxspec.errors import ModelError, ReportError, UsageError
from onnxspec.images.cache import PixelCache
from onnxspec.images.dataset import ImageSet
from onnxspec.images.opening import open_images
from onnxspec.images.preprocess import fit
from onnxspec.images.value_range import ValueRange, require_meant
from onnxspec.listening import Listener
from onnxspec.model import machine
from onnxspec.model.opening import open_model
from onnxspec.model.session import OnnxModel
from onnxspec.report.report import Report
from onnxspec.settings import Settings

MOST = 1000


def class_distances(
    encoder: str, report: Report, data: Any, settings: Settings, listener: Listener, groups: Sequence[np.ndarray] = ()
) -> np.ndarray:
    """Mean pairwise Euclidean distance of every class's images, and of those in groups: (1 + groups, classes) float64.

    The images are those that the report used of the class, at most 1,000 of them; NaN for fewer than two.

    Parameters
    ----------
    groups : (n,) int each, indices into the data

    Raises
    ------
    UsageError
        No images, or nothing says how they become the encoder's input.
    ReportError
        The images are not those of the report.
    ModelError, ResourceError
        The encoder cannot be used, takes more memory than it may, or has not answered in time.
    """
    images = _images(report, data, settings)
    engine = _engine(encoder, images, settings)
    engine.on_images = listener.images
    listener.stage("embedding the images")
    return np.array([_mean_distances(engine, some, groups) for some in images_of_classes(report)]).T


def images_of_classes(report: Report) -> list[np.ndarray]:
    """The images that a report used of every class, (n,) int each, at most 1,000, in the order of the data."""
    paths = report.paths
    ends = np.concatenate([paths["image_a"], paths["image_b"]])
    classes = np.concatenate([paths["class_a"], paths["class_b"]])
    used = [np.unique(ends[classes == c]) for c in range(len(report.classes["name"]))]
    return [some[np.linspace(0, len(some) - 1, min(MOST, len(some))).astype(int)] for some in used]


def mean_pairwise(points: np.ndarray) -> float:
    """Mean Euclidean distance over all pairs of (n, D) points; NaN for fewer than two."""
    if len(points) < 2:
        return float("nan")
    x = points.astype(np.float64)
    x = x - x.mean(0)
    squares = np.square(x).sum(1)
    apart = np.sqrt(np.maximum(squares[:, None] + squares - 2 * (x @ x.T), 0))
    return float(apart[np.triu_indices(len(x), 1)].mean())


def _mean_distances(engine: LocalEngine, images: np.ndarray, groups: Sequence[np.ndarray]) -> list[float]:
    if len(images) < 2:
        return [float("nan")] * (1 + len(groups))
    points = engine.predict(images)
    return [mean_pairwise(points), *(mean_pairwise(points[np.isin(images, group)]) for group in groups)]


def _images(report: Report, data: Any, settings: Settings) -> ImageSet:
    inputs, known = settings.inputs, report.attributes
    source = data if data is not None else inputs.data
    if source is None:
        raise UsageError("An encoder needs the images, which a report does not keep.", f"Give --data: {known['data']}.")
    images = open_images(source, labels=inputs.labels, images_key=inputs.images_key, labels_key=inputs.labels_key)
    if images.digest != known["data_digest"]:
        raise ReportError(
            f"The images of {images.source} are not those of the report ({known['data']}): their digests are "
            f"{images.digest[:12]} and {known['data_digest'][:12]}.",
            "Give the images that the report was made of, labels included.",
        )
    return images


def _engine(encoder: str, images: ImageSet, settings: Settings) -> LocalEngine:
    inputs, execution = settings.inputs, settings.execution
    model = within(patience(settings), lambda: open_model(encoder, settings), "Loading the encoder")
    if not isinstance(model, OnnxModel):
        raise UsageError(f"An encoder is the path of an ONNX file; this is {type(encoder).__name__}.")
    given = given_preprocess(model, model.stamp, settings)
    if given is None:
        raise UsageError(
            f"Nothing says how images become the input of {model.name}, and an encoder's own outputs cannot tell.",
            "Say it with --preprocess, for example --preprocess imagenet.",
        )
    if (model.outputs or 2) < 2:
        raise ModelError(f"The encoder {model.name} has one output; a space of several was expected.")
    image = first_readable(images, inputs.skip_bad)
    spec, preprocess = fit(model.spec, given, image.shape, image.dtype != np.uint8)
    require_meant(ValueRange.of([image]), preprocess, spec, spoken=True)
    workers = execution.threads or machine.cores()
    pixels, pulse = PixelCache(images, preprocess, spec), Pulse(patience(settings))
    tile = execution.batch or 32
    return LocalEngine(model, pixels, preprocess, spec, tile=tile, workers=workers, pulse=pulse)
