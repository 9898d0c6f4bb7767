"""`fit`: checkpoints and labelled images in, what each makes of noise of every frequency and amplitude out."""

import json
import math
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from onnxspec import __version__, series, signals, statistics
from onnxspec.analysis.subject import TRUE, Subject, open_subject
from onnxspec.errors import DataError, OnnxspecError, UsageError
from onnxspec.images.planes import planes
from onnxspec.listening import Listener, Silence
from onnxspec.noise import dips
from onnxspec.noise.found import CONCENTRATED, CheckpointOf, FitOf, NoiseFit, NoiseOf
from onnxspec.noise.inputs import Input, as_direction, require_same
from onnxspec.noise.losses import ClosedForms, LogLikelihood, perfect
from onnxspec.noise.measuring import concentrated, concentration, measure
from onnxspec.noise.targets import Noise, phi, smoothing
from onnxspec.results import Remark
from onnxspec.settings import Given, Settings
from onnxspec.statistics import Interval, Pooled, paired

BLOCK = 4096


def fit(
    models: Sequence[Any],
    data: Any = None,
    settings: Given = None,
    *,
    frequencies: Sequence[float],
    amplitudes: Sequence[float],
    direction: "int | np.ndarray | str | os.PathLike[str] | None" = None,
    at: Sequence[float] | None = None,
    listener: Listener | None = None,
    **overrides: Any,
) -> NoiseFit:
    """Measures how far checkpoints fit noise of given frequencies in the labels, and where over training the dip is.

    Parameters
    ----------
    models : ONNX files or callables
    data, settings, overrides : as for `analyze`; the images must be labelled
    frequencies : cycles per unit L2 norm of the normalised input; amplitudes : A, at most .5; every two are combined
    direction : of sinusoidal noise: a seed, an array (channels, height, width) or a file that holds one; None is radial
    at : places of the models; None takes the numbers in their names

    Raises
    ------
    OnnxspecError
        Models, images or numbers cannot be used, or the models do not take the same input.
    """
    settings, listener = Settings.given(settings, **overrides), listener or Silence()
    noises = _noises(frequencies, amplitudes)
    if not models:
        raise UsageError("There is no checkpoint.", "onnxspec noise fit epoch-*.onnx --data IMAGES --frequency 0.1")
    names = _names(models)
    places = _places(names, at)
    order = np.argsort(places, kind="stable")
    source = data if data is not None else settings.inputs.data
    first: _First | None = None
    checkpoints, likelihoods, remarks = [], [], []
    for i in order:
        listener.stage(f"{names[i]}: opening")
        subject = _open(names[i], models[i], source if first is None else first.subject.images, settings)
        first = first or _First(names[i], subject, direction, listener)
        first.require_alike(names[i], subject)
        listener.stage(f"{names[i]}: evaluating")
        subject.engine.on_images = listener.images
        found, predicted = _evaluate(subject, first.images)
        true = subject.output_of[subject.labels[first.images]]
        accuracy = statistics.proportion(int((predicted == true).sum()), len(true))
        checkpoints.append(CheckpointOf(names[i], places[i], str(subject.model.digest or ""), accuracy))
        likelihoods.append(found)
        said = (*subject.remarks, *subject.implausible(predicted, true))
        remarks += [Remark(r.code, f"{names[i]}: {r.text}", r.hint) for r in said]
    assert first is not None
    return _concluded(first, noises, checkpoints, likelihoods, remarks)


class _First:
    """The first network that was opened, which settles what the input, the images and their noise are."""

    def __init__(self, name: str, subject: Subject, direction: Any, listener: Listener):
        engine = subject.engine
        self.name, self.subject = name, subject
        self.input = Input.of(engine.spec, engine.preprocess)
        self.direction = as_direction(direction, self.input.shape)
        listener.stage("measuring the noise")
        skipping = engine.pixels.skip_bad > 0
        every = range(len(subject.images))
        self.images = np.array([i for i in every if not skipping or engine.pixels.readable(i)])
        self.position = self._position()

    def _position(self) -> np.ndarray:
        engine, noise = self.subject.engine, Noise(1.0, 0.5, self.direction)

        def of(images: np.ndarray) -> np.ndarray:
            return noise.position(planes(engine.anchors(images.tolist()), engine.spec, engine.preprocess))

        blocks = [self.images[i : i + 256] for i in range(0, len(self.images), 256)]
        return np.concatenate(list(engine.map(of, blocks)))

    def require_alike(self, name: str, subject: Subject) -> None:
        require_same(name, Input.of(subject.engine.spec, subject.engine.preprocess), self.name, self.input)
        if _classes(subject) != _classes(self.subject):
            raise DataError(
                f"{name} has {_classes(subject)} classes and {self.name} has {_classes(self.subject)}.",
                "The noise is spread over all classes: measure checkpoints of one network.",
            )


def _noises(frequencies: Sequence[float], amplitudes: Sequence[float]) -> list[Noise]:
    if not frequencies or not amplitudes:
        raise UsageError("There is no frequency or no amplitude.", "Give --frequency F and --amplitude A.")
    for name, values in (("frequency", frequencies), ("amplitude", amplitudes)):
        if len(set(values)) < len(values):
            raise UsageError(f"A {name} was given twice: {', '.join(f'{value:g}' for value in values)}.")
    return [Noise(float(f), float(a)) for a in amplitudes for f in frequencies]


def _names(models: Sequence[Any]) -> list[str]:
    paths = [Path(one) if isinstance(one, str | os.PathLike) else None for one in models]
    stems = [
        path.stem if path else str(getattr(one, "name", "callable")) for one, path in zip(models, paths, strict=True)
    ]
    names = [
        f"{path.parent.name}-{stem}" if path and stems.count(stem) > 1 else stem
        for stem, path in zip(stems, paths, strict=True)
    ]
    if twice := [name for name in names if names.count(name) > 1]:
        raise UsageError(
            f"Two of the checkpoints are called {twice[0]}, and figures go by name.",
            "Rename one of the files; a callable is called by its attribute name.",
        )
    return names


def _places(names: list[str], at: Sequence[float] | None) -> list[float]:
    """One network needs no number in its name to stand where it stands."""
    return [1.0] if len(names) == 1 and at is None else series.positions(names, at)


def _open(name: str, model: Any, data: Any, settings: Settings) -> Subject:
    if data is None:
        raise UsageError("Noise fitting needs labelled images.", "Give them with --data.")
    try:
        subject = open_subject(model, data, settings)
    except OnnxspecError as error:
        raise type(error)(f"{name}: {error.message}", error.hint) from None
    if subject.labelling != TRUE:
        raise DataError(f"{subject.images.source} has no labels, to which noise could be added.", "Label the images.")
    return subject


def _classes(subject: Subject) -> int:
    return subject.outputs if subject.columns is None else len(subject.columns)


def _evaluate(subject: Subject, images: np.ndarray) -> tuple[LogLikelihood, np.ndarray]:
    """What the network says of the images (n,) int, and the output that it predicts for each, (n,) int."""
    right, mean, predicted = [], [], []
    column_of = subject.output_of if subject.columns is None else np.searchsorted(subject.columns, subject.output_of)
    for start in range(0, len(images), BLOCK):
        some = images[start : start + BLOCK]
        outputs = signals.restricted(subject.engine.predict(some), subject.columns, subject.probabilities)
        labels = column_of[subject.labels[some]]
        found = LogLikelihood.of(outputs, labels, subject.probabilities)
        right.append(found.right)
        mean.append(found.mean)
        predicted.append(outputs.argmax(-1))
    columns = np.concatenate(predicted)
    whole = LogLikelihood(np.concatenate(right), np.concatenate(mean))
    return whole, columns if subject.columns is None else subject.columns[columns]


def _concluded(
    first: _First,
    noises: list[Noise],
    checkpoints: list[CheckpointOf],
    likelihoods: list[LogLikelihood],
    remarks: list[Remark],
) -> NoiseFit:
    classes = _classes(first.subject)
    fits: list[FitOf] = []
    of_noise: list[NoiseOf] = []
    lowest: dict[float, Pooled] = {}
    for noise in noises:
        s = smoothing(first.position, noise.frequency, noise.amplitude)
        pooled = [measure(one, s, noise.amplitude, classes) for one in likelihoods]
        fits += [
            FitOf(one.name, one.place, noise.frequency, noise.amplitude, {q: p.interval() for q, p in found.items()})
            for one, found in zip(checkpoints, pooled, strict=True)
        ]
        curve = [found["noise_fitting"] for found in pooled]
        dip = dips.locate(curve)
        reference = lowest.setdefault(noise.amplitude, curve[dip.at])
        of_noise.append(
            NoiseOf(
                noise.frequency,
                noise.amplitude,
                ClosedForms.of(noise.amplitude, classes),
                float(s.mean()),
                float(perfect(s, classes).noise_fitting(s).mean()),
                concentration(first.position, noise.frequency),
                dip,
                checkpoints[dip.at].name,
                _less(curve[dip.at], reference),
            )
        )
    attributes = _attributes(first, classes)
    return NoiseFit(
        attributes, tuple(checkpoints), tuple(fits), tuple(of_noise), tuple(remarks + _remarks(first, of_noise))
    )


def _less(minimum: Pooled, reference: Pooled) -> Interval:
    """A minimum less that of the first frequency; undefined for the first itself, which would be compared with itself."""
    if minimum is reference:
        return Interval(math.nan, math.nan, math.nan, len(minimum.influence), math.nan, "it is the first frequency")
    return paired(minimum, reference).interval()


def _attributes(first: _First, classes: int) -> Mapping[str, Any]:
    subject = first.subject
    return {
        "tool_version": __version__,
        "data": subject.images.source,
        "data_digest": subject.images.digest,
        "images": len(first.images),
        "classes": classes,
        "noise": "radial" if first.direction is None else "sinusoidal",
        "dimensions": first.input.dimensions,
        "phi": phi(first.input.dimensions),
        "shape": " ".join(map(str, first.input.shape)),
        "preprocess": json.dumps(subject.engine.preprocess.as_dict()),
        "position_mean": float(first.position.mean()),
        "position_std": float(first.position.std()),
    }


def _remarks(first: _First, of_noise: list[NoiseOf]) -> list[Remark]:
    found = []
    if skipped := len(first.subject.engine.pixels.unreadable):
        found.append(Remark("skipped", f"Unreadable images were left out: {skipped}."))
    alike = sorted({one.frequency for one in of_noise if one.concentration > CONCENTRATED})
    if alike:
        found.append(concentrated(alike, first.position, radial=first.direction is None))
    return found
