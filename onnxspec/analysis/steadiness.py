"""Does a model say the same of the same images, whenever it is asked and whatever else is in the batch?"""

from collections.abc import Callable, Sequence

import numpy as np

from onnxspec.analysis.dither import FLOAT32_UNIT
from onnxspec.engine.local import LocalEngine
from onnxspec.errors import ModelError
from onnxspec.model.protocol import Classifier
from onnxspec.model.session import OnnxModel
from onnxspec.paths import families
from onnxspec.paths.pairs import Pairs
from onnxspec.results import IN_COMPANY, RANDOM, ROUNDED, SAME_BITS, Remark

REPEATED_PATHS, REPEATED_POINTS = 3, 4
ROUNDING_SHARE = 0.01
"""Of the largest centred score: ten units in the last place of half precision."""
ROUNDED_UNITS = 64
"""Of the largest score: what float32 leaves of scores that nearly cancel."""
IN_TRAINING = "in training"
OTHERWISE = {
    ROUNDED: (
        "The model does not give the same bits for the same images in every batch.",
        "Figures will differ a little from run to run.",
    ),
    RANDOM: (
        "The model gives other answers to the same images: it is random, as with dropout left on.",
        "The figures are of that noise, too: export the model in evaluation mode.",
    ),
    IN_COMPANY: (
        "What the model says of an image depends on the others in its batch, as with batch statistics left on, or scales "
        "that are taken from the batch (dynamic quantisation).",
        "The figures are not those of one image at a time: export it in evaluation mode, or quantised with fixed scales.",
    ),
    IN_TRAINING: (
        "The model is in training mode: its BatchNormalization goes by what it is just given, and not by the statistics "
        "that it has learned.",
        "The figures are not those of the network as it is used: export it in evaluation mode.",
    ),
}
"""What is found to what it is called, and what follows."""


def repetition(engine: LocalEngine, pairs: Pairs) -> str:
    """Whether a path gives the same bits twice, and at another position among other neighbours in the batch.

    Returns
    -------
    SAME_BITS, ROUNDED, or, where it is more than that, RANDOM or IN_COMPANY
    """
    weights = families.line_at(np.arange(REPEATED_POINTS) / REPEATED_POINTS)
    order = np.arange(min(REPEATED_PATHS, len(pairs)))

    def walked(positions: np.ndarray) -> np.ndarray:
        outputs = engine.outputs(pairs.image_a[positions], pairs.image_b[positions], weights)
        return outputs[np.argsort(positions)]

    one, again, turned, *alone = engine.map(walked, (order, order, order[::-1], *order[:, None]))
    return _steadiness(one, again, (turned, np.concatenate(alone)))


def require_steady(outputs: Callable[[Sequence[int]], np.ndarray], images: Sequence[int], model: Classifier) -> None:
    """Refuses a model that no preprocessing can help: what it says of an image is not settled by the image.

    Parameters
    ----------
    outputs : images -> their raw outputs (images, K), those of one call in one batch
    model : what gives them

    Raises
    ------
    ModelError
        Its answers are random, or depend on the others in the batch, or its file says that it is in training.
    """
    found = IN_TRAINING
    if not _in_training(model):
        one, again, alone = outputs(images), outputs(images), [outputs([image]) for image in images]
        found = _steadiness(one, again, (np.concatenate(alone),))
    if found in (RANDOM, IN_COMPANY, IN_TRAINING):
        raise ModelError(
            f"{OTHERWISE[found][0]} No usual preprocessing brings it significantly above chance.",
            "Export it in evaluation mode: after model.eval() in PyTorch, with training=False in Keras.",
        )


def of_model(model: Classifier) -> list[Remark]:
    """What its file says by itself: where a batch is always one image, no other batch can show it."""
    return [Remark("training-mode", *OTHERWISE[IN_TRAINING])] if _in_training(model) else []


def _in_training(model: Classifier) -> bool:
    return isinstance(model, OnnxModel) and model.info.training


@np.errstate(invalid="ignore", over="ignore")
def _steadiness(one: np.ndarray, again: np.ndarray, elsewhere: Sequence[np.ndarray]) -> str:
    """How outputs compare with those of the same batch again, and of the same images in other batches: all (..., K).

    Those that are not finite settle nothing; who evaluates them refuses the model.
    """
    centred = np.abs(one - one.mean(-1, keepdims=True)).max()
    rounding = max(ROUNDING_SHARE * float(centred), ROUNDED_UNITS * FLOAT32_UNIT * float(np.abs(one).max()))
    if np.abs(again - one).max() > rounding:
        return RANDOM
    if any(np.abs(other - one).max() > rounding for other in elsewhere):
        return IN_COMPANY
    return SAME_BITS if all(np.array_equal(one, other) for other in (again, *elsewhere)) else ROUNDED


def repeated_images(paths: int) -> int:
    """How many forward passes `repetition` takes of a pilot of so many paths."""
    return REPEATED_POINTS * 4 * min(REPEATED_PATHS, paths)
