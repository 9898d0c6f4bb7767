"""How alike two models are as functions: both are evaluated at the same points of the same paths.

Whoever ports a model wants to know whether it is still the same function. The yardstick is the model itself under
the smallest disturbance its input can have: two exports of the same weights differ by no more than some multiples of
that, since each rounds in an order of its own.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np

from onnxspec import signals, spectra
from onnxspec.analysis import checks
from onnxspec.analysis.dither import dither
from onnxspec.analysis.subject import Subject
from onnxspec.comparison.comparison import BANDS, Agreement
from onnxspec.engine.shards import Shard, shards
from onnxspec.listening import Ahead, Listener
from onnxspec.paths import families
from onnxspec.paths.pairs import Pairs

IDENTICAL = "identical to float32 rounding"
SAME_DECISIONS = "same decisions, different confidence"
DIFFERENT = "different functions"
# In multiples of what the least move of the input does to the logits, and of float32's own rounding.
ROUNDING = 10.0
SAME_SHARE = 0.99
BAND_ENDS = (0.25, 0.5, 1.0)


@dataclass(frozen=True)
class _Differences:
    """Per path, each (paths,): total variation distance, mean squared difference of logits, share of the same
    predictions, whether all flips are the same; bands : (paths, 5) the squared difference of the probabilities."""

    distance: np.ndarray
    logit: np.ndarray
    same_points: np.ndarray
    same_flips: np.ndarray
    bands: np.ndarray


def agreements(
    named: Sequence[tuple[str, Subject]], pairs: Pairs, points: int, cutoff: float, listener: Listener
) -> list[Agreement]:
    """Every model but the first against the first, along the same paths.

    Parameters
    ----------
    named : names and opened models of the same classes in the same order; cutoff : cycles per unit RMS distance
    """
    subjects = [subject for _, subject in named]
    whole = _same_outputs(subjects)
    listener.stage("comparing outputs")
    images, rounded = len(pairs) * points, 2 * len(checks.dithered_places(pairs)) * points
    seconds = sum(s.seconds_per_image for s in subjects) * images + subjects[0].seconds_per_image * rounded
    listener.plan(Ahead(len(pairs), len(named) * images + rounded, seconds, of="agreement"))
    weights = families.line(points)
    engine = min((subject.engine for subject in subjects), key=lambda one: one.workers)
    for subject in subjects:
        subject.engine.on_images = listener.images
        # While one model is at work the others are silent, and only one engine is waited for.
        subject.engine.pulse = engine.pulse

    def work(shard: Shard) -> list[_Differences]:
        some = pairs[shard.span]
        outputs = [_logits(s, s.engine.outputs(some.image_a, some.image_b, weights), whole) for s in subjects]
        distance = subjects[0].engine.distance(some.image_a, some.image_b)
        return [_differences(other, outputs[0], distance, cutoff) for other in outputs[1:]]

    outputs, values = max(one.outputs for one in subjects), max(math.prod(one.engine.spec.shape) for one in subjects)
    parts = list(engine.map(work, shards(len(pairs), points, outputs, values)))
    noise = rounding(subjects[0], pairs, points, whole)
    return [_summary(name, named[0][0], [part[i] for part in parts], noise) for i, (name, _) in enumerate(named[1:])]


def rounding(subject: Subject, pairs: Pairs, points: int, whole: bool) -> float:
    """RMS difference of a model's centred logits from themselves when its input moves by the least (`dither`)."""
    some = pairs[checks.dithered_places(pairs)]
    weights = families.line(points)
    moving = dither(np.random.default_rng(7), subject.engine.spec.coarsest)
    plain = _logits(subject, subject.engine.outputs(some.image_a, some.image_b, weights), whole)
    moved = _logits(subject, subject.engine.outputs(some.image_a, some.image_b, weights, moving), whole)
    own = np.finfo(np.float32).eps * np.sqrt(np.square(plain).mean())
    return float(max(np.sqrt(np.square(moved - plain).mean()), own))


def verdict(logit_difference: float, noise: float, same_points: float, same_flips: float) -> str:
    """What the figures mean in words.

    Decisions are the same where they stand in the same order and at the same places: a boundary that has moved along
    every path leaves the order as it is.
    """
    if logit_difference <= ROUNDING * noise:
        return IDENTICAL
    return SAME_DECISIONS if min(same_points, same_flips) >= SAME_SHARE else DIFFERENT


def _same_outputs(subjects: Sequence[Subject]) -> bool:
    """Whether output i means the same in all models, so that those of no class in the data can be compared too."""
    first = subjects[0]
    return all(
        one.outputs == first.outputs and one.columns is None and np.array_equal(one.output_of, first.output_of)
        for one in subjects
    )


def _logits(subject: Subject, outputs: np.ndarray, whole: bool) -> np.ndarray:
    """Centred logits, (paths, points, classes) float64: of all outputs, else in the order of the classes of the data."""
    return signals.logit(outputs if whole else outputs[..., subject.output_of], subject.probabilities)


def _differences(z: np.ndarray, reference: np.ndarray, distance: np.ndarray, cutoff: float) -> _Differences:
    labels = [signals.labels(one) for one in (z, reference)]
    change = signals.prob(z, False) - signals.prob(reference, False)
    return _Differences(
        np.abs(change).sum(-1).mean(-1) / 2,
        np.square(z - reference).mean((1, 2)),
        (labels[0] == labels[1]).mean(-1),
        np.array([_sequence(a) == _sequence(b) for a, b in zip(*labels, strict=True)]),
        _bands(change, distance, cutoff),
    )


def _sequence(labels: np.ndarray) -> list[int]:
    """The predictions in their order, each once until the next: where exactly they change does not count."""
    return labels[np.concatenate([[True], labels[1:] != labels[:-1]])].tolist()


def _bands(change: np.ndarray, distance: np.ndarray, cutoff: float) -> np.ndarray:
    """Squared change per band, (paths, 5): the mean over the path, then half waves by frequency. Their sum is all."""
    trapezoid = (np.square(change[:, :-1]) + np.square(change[:, 1:])).sum((1, 2)) / 2 / (change.shape[1] - 1)
    waves = spectra.cosine(change)
    per_cutoff = waves.frequency / np.maximum(distance * cutoff, 1e-30)[:, None]
    band = np.searchsorted(BAND_ENDS, per_cutoff, side="left")
    parts = [(waves.power * (band == i)).sum(-1) for i in range(len(BAND_ENDS) + 1)]
    return np.column_stack([np.maximum(trapezoid - waves.power.sum(-1), 0.0), *parts])


def _summary(name: str, reference: str, parts: list[_Differences], noise: float) -> Agreement:
    distance, logit, same_points, same_flips, bands = (
        np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(_Differences)
    )
    energy = bands.sum(0)
    shares = energy / energy.sum() if energy.sum() > 0 else np.full(len(BANDS), np.nan)
    difference, points, flips = float(np.sqrt(logit.mean())), float(same_points.mean()), float(same_flips.mean())
    return Agreement(
        model=name,
        reference=reference,
        paths=len(distance),
        distance=float(distance.mean()),
        distance_95=float(np.quantile(distance, 0.95)),
        logit_difference=difference,
        noise=noise,
        same_points=points,
        same_flips=flips,
        **dict(zip(BANDS, shares.tolist(), strict=True)),
        verdict=verdict(difference, noise, points, flips),
    )
