"""The driver: a model and images become a heat map."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from numbers import Integral, Real
from typing import Any

import numpy as np

from onnxspec import signals
from onnxspec.analysis.provenance import Clock, run_attributes, subject_attributes
from onnxspec.analysis.subject import TRUE, Subject, open_subject
from onnxspec.errors import DataError, UsageError
from onnxspec.heatmap.filters import Filter, Filtered, filters
from onnxspec.heatmap.perturbed import Perturbed, signs
from onnxspec.heatmap.result import SIGNALS, HeatMap
from onnxspec.images.dataset import generator
from onnxspec.images.planes import planes
from onnxspec.images.preprocess import MAX_SIDE
from onnxspec.listening import Ahead, Listener, Silence
from onnxspec.paths.waves import Waves
from onnxspec.results import Remark
from onnxspec.settings import Given, Settings

IMAGES = 400
HIGHEST = 32
EPS_AT_32, EXPONENT = 4.0, 0.35
VALUES_PER_ITEM = 2**18
MOST_IMAGES = 8
SEED = 2019


def heat_map(
    model: Any,
    data: Any = None,
    settings: Given = None,
    *,
    eps: float | None = None,
    images: int = IMAGES,
    highest: int = HIGHEST,
    listener: Listener | None = None,
    **overrides: Any,
) -> HeatMap:
    """Measures what one wave of every spatial frequency, and the loss of many, does to a classifier's answers.

    Parameters
    ----------
    model, data, settings, overrides : as of `onnxspec.analyze`; of the plan only the seed counts, of the measurement
        nothing
    eps : L2 norm per channel of the wave that is added, in units of pixels (0..1 for uint8 images); None: 4 at 32 x 32 and
        15.6 at 224 x 224, as Yin et al. 2019 took, and (HW)^.35 between
    images : how many are used (fewer if the data end)
    highest : no wave has more cycles per height or width

    Raises
    ------
    OnnxspecError
        The model, the images or the settings cannot be used.
    """
    clock = Clock()
    _require(eps, images, highest)
    settings, listener = Settings.given(settings, **overrides), listener or Silence()
    listener.stage("opening the model and the images")
    subject = open_subject(model, data, settings)
    height, width, _ = subject.engine.spec.shape
    waves, filtering = Waves.half_plane(height, width, highest), filters(height, width)
    eps = _default_eps(subject, height, width) if eps is None else float(eps)
    chosen = _chosen(subject, images, settings.plan.seed)
    passes = len(chosen) * (1 + len(waves) + len(filtering))
    listener.plan(Ahead(len(waves), passes, passes * subject.seconds_per_image))
    subject.engine.on_images = listener.images
    listener.stage("adding waves")
    seen = _seen(subject, chosen)
    wrong, change = _perturbed(seen, waves, eps, settings.plan.seed)
    listener.stage("filtering images")
    wrong_filtered = _filtered(seen, filtering)
    attributes = _attributes(seen, settings) | {
        "eps": eps,
        "rms": eps / math.sqrt(height * width),
        "highest": min(highest, MAX_SIDE),
    }
    names, remarks = tuple(seen.name(image) for image in range(len(chosen))), tuple(_remarks(seen, images))
    run = run_attributes(subject, clock)
    before = seen.wrong(seen.clean, slice(None))
    return HeatMap(waves, filtering, chosen, names, before, wrong, wrong_filtered, change, attributes, run, remarks)


def default_eps(height: int, width: int) -> float:
    """4 at 32 x 32 and 15.6 at 224 x 224 pixels, as Yin et al. 2019 took for CIFAR-10 and ImageNet (4 and 15.7)."""
    return EPS_AT_32 * (height * width / 32**2) ** EXPONENT


def _default_eps(subject: Subject, height: int, width: int) -> float:
    """The default, unless the images plainly have another unit."""
    eps = default_eps(height, width)
    if subject.value_range.levels:
        raise DataError(
            f"The images are floating-point numbers from {subject.value_range}, and the default --eps, {eps:.3g}, is for 0 to 1.",
            f"Divide them by 255 or pass them as uint8, or say --eps {255 * eps:.4g}.",
        )
    return eps


@dataclass(frozen=True)
class _Seen:
    """The images as they are: clean outputs (n, outputs), and what would be right, (n,) int output indices."""

    subject: Subject
    chosen: np.ndarray
    clean: np.ndarray
    expected: np.ndarray

    def kept(self, outputs: np.ndarray) -> np.ndarray:
        """The outputs that count."""
        return signals.restricted(outputs, self.subject.columns, self.subject.probabilities)

    def wrong(self, outputs: np.ndarray, span: slice) -> np.ndarray:
        """1 where outputs (images of the span, ..., outputs) are wrong, uint8."""
        expected = self.expected[span].reshape(-1, *[1] * (outputs.ndim - 2))
        return (_predicted(self.subject, outputs) != expected).astype(np.uint8)

    def change(self, signal: str, outputs: np.ndarray, span: slice) -> np.ndarray:
        """L2 norm of what outputs (images of the span, points, outputs) differ by, (images, points) float32."""
        now, before = (
            signals.SIGNALS[signal](self.kept(some), self.subject.probabilities)
            for some in (outputs, self.clean[span, None])
        )
        return np.linalg.norm(now - before, axis=-1).astype(np.float32)

    def input(self, image: int) -> np.ndarray:
        """What the model takes for the image as it is, (*shape) float32."""
        return self.subject.engine.anchors([int(self.chosen[image])])[0]

    def pixels(self, image: int) -> np.ndarray:
        """Its pixels, (h, w, c)."""
        return self.subject.engine.pixels.get(int(self.chosen[image]))

    def name(self, image: int) -> str:
        """What it is called."""
        return self.subject.images.names[int(self.chosen[image])]

    @property
    def planes(self) -> Callable[[np.ndarray], np.ndarray]:
        """Shows inputs as planes."""
        engine = self.subject.engine
        return partial(planes, spec=engine.spec, preprocess=engine.preprocess)


def _require(eps: float | None, images: int, highest: int) -> None:
    if eps is not None and not (isinstance(eps, Real) and math.isfinite(eps) and eps > 0):
        raise UsageError(f"--eps is {eps}; a number above 0 was expected.", "It is an L2 norm, of 0..1 pixels.")
    for name, value, least in (("images", images, 2), ("highest", highest, 1)):
        if not isinstance(value, Integral) or value < least:
            raise UsageError(f"--{name} is {value}; it must be a whole number, at least {least}.")


def _chosen(subject: Subject, wanted: int, seed: int) -> np.ndarray:
    """The first readable ones of the images that count in an order that data and seed fix, (n,) int64."""
    order = generator(subject.images.digest, seed, SEED).permutation(len(subject.images))
    readable = (i for i in order[subject.labels[order] >= 0] if subject.engine.pixels.readable(int(i)))
    found = [int(image) for image, _ in zip(readable, range(wanted), strict=False)]
    if len(found) < 2:
        raise DataError(
            f"{subject.images.source} holds {len(found)} readable images with a class; two are needed.", "Give more."
        )
    return np.array(found, np.int64)


def _seen(subject: Subject, chosen: np.ndarray) -> _Seen:
    clean = subject.engine.predict(chosen)
    if subject.labelling == TRUE:
        return _Seen(subject, chosen, clean, subject.output_of[subject.labels[chosen]])
    return _Seen(subject, chosen, clean, _predicted(subject, clean))


def _predicted(subject: Subject, outputs: np.ndarray) -> np.ndarray:
    """Predicted output indices of (..., outputs)."""
    best = signals.labels(signals.restricted(outputs, subject.columns, subject.probabilities))
    return best if subject.columns is None else subject.columns[best]


def _perturbed(seen: _Seen, waves: Waves, eps: float, seed: int) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """What is wrong, (n, waves) uint8, and by signal how much changes, (n, waves) float32."""
    engine, channels = seen.subject.engine, seen.subject.engine.spec.shape[2]
    per_pixel = engine.space.change

    def work(item: tuple[slice, slice]) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        images, span = item
        indices = range(len(seen.chosen))[images]

        def steps(path: int) -> np.ndarray:
            own = signs(seen.pixels(indices[path]), len(waves), channels, seed)
            return eps * per_pixel * own[span]

        walk = Perturbed(waves[span], lambda path: seen.input(indices[path]), steps, seen.planes, _names(seen, indices))
        given = engine.walk(walk)
        return seen.wrong(given, images), {signal: seen.change(signal, given, images) for signal in SIGNALS}

    shape = len(seen.chosen), len(waves)
    wrong, change = np.empty(shape, np.uint8), {signal: np.empty(shape, np.float32) for signal in SIGNALS}
    items = list(_items(*shape, seen.clean.shape[-1]))
    for item, (own_wrong, own_change) in zip(items, engine.map(work, items), strict=True):
        wrong[item] = own_wrong
        for signal in SIGNALS:
            change[signal][item] = own_change[signal]
    return wrong, change


def _filtered(seen: _Seen, filtering: tuple[Filter, ...]) -> np.ndarray:
    """What is wrong under every filter, (n, filters) uint8."""
    engine = seen.subject.engine

    def work(item: tuple[slice, slice]) -> np.ndarray:
        images, span = item
        indices = range(len(seen.chosen))[images]
        anchors = [seen.input(image) for image in indices]
        names = _names(seen, indices)
        walk = Filtered(filtering[span], engine.spec.shape[:2], anchors.__getitem__, seen.planes, names)
        return seen.wrong(engine.walk(walk), images)

    wrong = np.empty((len(seen.chosen), len(filtering)), np.uint8)
    items = list(_items(*wrong.shape, seen.clean.shape[-1]))
    for item, own in zip(items, engine.map(work, items), strict=True):
        wrong[item] = own
    return wrong


def _items(images: int, points: int, outputs: int) -> Iterator[tuple[slice, slice]]:
    """Blocks of images and points, so small that their outputs are; the same whatever runs them."""
    wide = max(1, min(points, VALUES_PER_ITEM // outputs))
    high = min(MOST_IMAGES, max(1, VALUES_PER_ITEM // (wide * outputs)))
    for start in range(0, images, high):
        for first in range(0, points, wide):
            yield slice(start, min(start + high, images)), slice(first, min(first + wide, points))


def _names(seen: _Seen, indices: range) -> list[str]:
    return [seen.name(image) for image in indices]


def _remarks(seen: _Seen, wanted: int) -> Iterator[Remark]:
    subject = seen.subject
    yield from subject.remarks
    if len(seen.chosen) < wanted:
        yield Remark(
            "capped", f"The data hold {len(seen.chosen):,} usable images, fewer than {wanted:,}; all were used."
        )
    if subject.engine.pixels.unreadable:
        yield Remark("skipped", f"Unreadable images were left out: {len(subject.engine.pixels.unreadable)}.")
    if subject.engine.spec.whole:
        yield Remark(
            "clipped", "The model takes whole grey levels, so what was added was rounded to them and clipped to 0..255."
        )
    if seen.pixels(0).dtype != np.uint8:
        yield Remark("units", "The images are floating-point arrays: eps is in their own units.", "Set it with --eps.")
    if subject.labelling != TRUE:
        yield Remark(
            "unlabelled",
            "The images are not labelled: an error is another answer than on the image as it is.",
            "Pass labelled images with --data FOLDER.",
        )
    yield from subject.implausible(_predicted(subject, seen.clean), seen.expected)


def _attributes(seen: _Seen, settings: Settings) -> dict[str, Any]:
    """Root attributes: equal for equal runs."""
    subject = seen.subject
    height, width, channels = subject.engine.spec.shape
    return subject_attributes(subject, settings) | {"height": height, "width": width, "channels": channels}
