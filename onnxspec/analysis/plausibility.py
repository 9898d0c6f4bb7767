"""Signs of what goes wrong most often: in the values of the images, in the probabilities, in the answers."""

import math

import numpy as np

from onnxspec.images.classes import ClassMap
from onnxspec.images.inputspec import InputSpec
from onnxspec.images.preprocess import FLOATING, Preprocess
from onnxspec.images.value_range import ValueRange
from onnxspec.results import Remark
from onnxspec.statistics import proportion

_ROUNDING = 1e-3


def of_images(found: ValueRange, preprocess: Preprocess, spec: InputSpec) -> list[Remark]:
    """What to know of floating-point images that are not 0..1 or do not reach the model as they are, and of dark ones.

    Parameters
    ----------
    preprocess, spec : as `fit` gives them for the images
    """
    # A scale that was made for the images is no mistake.
    if found.dark and preprocess.scale == Preprocess.scale:
        text = f"No value of the first {found.images} images is above {found.high:.0f} of 255."
        return [Remark("dark", text, "Images of 12 bits in 16, say, must be multiplied by 16; or set the scale.")]
    if not found.floating or (found.fractions and preprocess.origin["scale"] == FLOATING):
        return []
    text = values(found, preprocess, spec)
    if found.fractions:
        return [Remark("floating", text, "If it takes 0 to 255, say scale=255." if preprocess.scale == 1 else "")]
    hint = "Pass them as uint8, or divided by 255, for figures to compare with those of 8-bit images."
    return [Remark("floating", f"{text} Distances and slopes are in their own units.", hint if found.levels else "")]


def values(found: ValueRange, preprocess: Preprocess, spec: InputSpec) -> str:
    """What floating-point images hold and what becomes of it, a sentence; empty for 8-bit images."""
    if not found.floating:
        return ""
    return (
        f"The images are floating-point numbers from {found} and reach the model as {found.reached(preprocess, spec)}."
    )


def of_probabilities(probabilities: np.ndarray) -> list[Remark]:
    """Whether (images, K) look like a softmax of probabilities: what lies in 0..1 comes out no further apart than e."""
    low, high = probabilities.min(axis=1), probabilities.max(axis=1)
    if not (high <= math.e * (1 + _ROUNDING) * low).all():
        return []
    text = f"No probability of an image is more than e times another; the greatest of all is {high.max():.3g}."
    hint = "A softmax of probabilities looks like that (export one softmax, or the logits), and a network without training."
    return [Remark("flat", text, hint)]


def of_logits(saturated: np.ndarray) -> list[Remark]:
    """Whether probabilities have logits, given which images' (images,) bool have come to 0 or 1 exactly."""
    if not saturated.any():
        return []
    text = f"{saturated.mean():.0%} of {len(saturated)} images have a probability of 0 or 1 to its last digit: their logits end there."
    return [Remark("saturated", text, "For figures of the logit signal export the model with its logits.")]


def of_classes(known: ClassMap, labels: np.ndarray) -> list[Remark]:
    """On classes without an image, of the data's (images,) int labels or of a model whose others mostly have some."""
    images = np.zeros(len(known.names), np.int64)
    np.add.at(images, known.output_of[labels[labels >= 0]], 1)
    missing = np.flatnonzero(images == 0)
    if len(missing) > len(images) / 2:
        missing = np.intersect1d(missing, known.output_of)
    if not len(missing):
        return []
    names = ", ".join(known.names[output] for output in missing[:5]) + ", ..." * (len(missing) > 5)
    return [Remark("no-images", f"There is no image of {len(missing)} of {len(images)} classes of the model: {names}.")]


def of_answers(predicted: np.ndarray, true: np.ndarray, outputs: int, cause: str = "") -> list[Remark]:
    """Whether a classifier answers as one does that sees nothing: as often right as by chance, or always alike.

    Parameters
    ----------
    predicted, true : (images,) int outputs
    outputs : how many there are to choose from; cause : a sentence about what may be wrong
    """
    right, images = int((predicted == true).sum()), len(true)
    hint = "This nearly always means wrong preprocessing or wrong class order: see --preprocess and --classes."
    text = f"Accuracy is {100 * right / max(images, 1):.3g}% on {images:,} images"
    if len(np.unique(predicted)) == 1 < len(np.unique(true)):
        text += ", and the same class is predicted for all of them."
    elif proportion(right, images).high < 1 / outputs:
        text += f", far below chance (1 of {outputs}), which takes knowledge."
        hint = "This nearly always means wrong class order: see --classes."
    elif proportion(right, images).low <= 1 / outputs:
        text += f", near chance (1 of {outputs})."
    else:
        return []
    return [Remark("accuracy", f"{text} {cause}".rstrip(), hint)]
