"""`auto`: which of the usual conventions a model was trained with, by what it gets right on labelled images.

Every candidate sees the same images, so two are compared by the images on which only one of them is right (McNemar's
exact test), and each with chance by the exact binomial test. Both say when the data cannot tell.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import bdtr, bdtrc

from onnxspec.errors import DataError, ModelError
from onnxspec.images.preprocess import Preprocess
from onnxspec.images.presets import PRESETS

ALPHA = 0.05
NOT_FINITE = -1

_ANY = ("0..1", "0..255", "-1..1", "127/128")
_COLOUR = ("imagenet", "cifar10")
_GREY = ("mnist", "fashion-mnist")


@dataclass(frozen=True)
class Choice:
    """The most accurate candidate.

    name, best : its name and the preprocessing
    accuracies : of every candidate by name, 0..1, best first
    ties : names of the others that are not significantly worse
    images : how many images they were compared on
    """

    name: str
    best: Preprocess
    accuracies: Mapping[str, float]
    ties: tuple[str, ...]
    images: int


def candidates(channels: int, base: Preprocess) -> list[tuple[str, Preprocess]]:
    """The conventions that a model of so many channels may have, by their preset names, likelier ones first.

    `base` gives what they leave open: size, crop, interpolation.
    """
    names = _ANY + (_COLOUR if channels == 3 else _GREY if channels == 1 else ())
    if channels == 3:
        names += tuple(f"{name}-bgr" for name in names)
    return [
        (name, replace(PRESETS[name], origin=dict.fromkeys(PRESETS[name].origin, "auto")).over(base)) for name in names
    ]


def choose(
    candidates: Sequence[tuple[str, Preprocess]],
    predict: Callable[[Preprocess], NDArray[np.int64]],
    labels: NDArray[np.int64],
    chance: float,
) -> Choice:
    """The candidate under which a model gets most images right; among equals the first.

    Parameters
    ----------
    predict : preprocessing -> (n,) int64 predicted outputs of the labelled images, NOT_FINITE for no answer
    labels : (n,) int64 true outputs
    chance : accuracy of a model that knows nothing

    Raises
    ------
    ModelError
        No candidate is significantly above chance, and under each the model gives NaN or Inf, or all its answers are
        one class: preprocessing is not what is wrong.
    DataError
        No candidate is significantly above chance; the message has all accuracies.
    """
    predicted = {name: predict(preprocess) for name, preprocess in candidates}
    right = {name: answers == labels for name, answers in predicted.items()}
    ranked = sorted(right, key=lambda name: -int(right[name].sum()))
    accuracies = {name: float(right[name].mean()) for name in ranked}
    best = ranked[0]
    if chance_probability(int(right[best].sum()), len(labels), chance) * len(candidates) > ALPHA:
        _require_answers(list(predicted.values()))
        listed = ", ".join(f"{name} {accuracy:.1%}" for name, accuracy in accuracies.items())
        raise DataError(
            f"No usual preprocessing brings the model significantly above chance ({chance:.1%}) on {len(labels)} images: "
            f"{listed}.",
            "Say how it was trained: --preprocess 'scale=...;mean=...;std=...;order=...'; "
            "or the classes are in another order: --classes FILE.",
        )
    ties = tuple(name for name in ranked[1:] if difference_probability(right[best], right[name]) > ALPHA)
    return Choice(best, dict(candidates)[best], accuracies, ties, len(labels))


def _require_answers(predicted: Sequence[NDArray[np.int64]]) -> None:
    """Refuses a model that gives no answer, or the same one, whatever it is given."""
    tried = f"on {len(predicted[0])} images under each usual preprocessing"
    if all((answers == NOT_FINITE).any() for answers in predicted):
        most = max(int((answers != NOT_FINITE).sum()) for answers in predicted)
        raise ModelError(
            f"The model gives NaN or Inf {tried}; at most {most} had an answer.",
            "Check the model's weights; float16 models overflow easily.",
        )
    if len(every := np.unique(np.concatenate(predicted))) == 1:
        raise ModelError(
            f"The model predicts output {every[0]} {tried}.",
            "Check the model's weights and which output is read; if it should be so, say how it was trained: --preprocess.",
        )


def chance_probability(right: int, images: int, chance: float) -> float:
    """Probability that guessing gets at least `right` of `images`: the exact binomial test, one-sided."""
    return float(bdtrc(right - 1, images, chance)) if right else 1.0


def difference_probability(one: NDArray[np.bool_], other: NDArray[np.bool_]) -> float:
    """McNemar's exact test, two-sided: how likely so lopsided a disagreement is between equals; (n,) bool each."""
    only_one, only_other = int((one & ~other).sum()), int((other & ~one).sum())
    disagreements = only_one + only_other
    return min(1.0, 2 * float(bdtr(min(only_one, only_other), disagreements, 0.5))) if disagreements else 1.0
