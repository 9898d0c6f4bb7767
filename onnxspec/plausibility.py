"""Signs of wrong preprocessing, the first cause of wrong results: in the values of the images, in the answers."""

from onnxspec.images.preprocess import FLOATING, InputSpec, Preprocess
from onnxspec.images.span import Span
from onnxspec.results import Remark


def of_images(span: Span, preprocess: Preprocess, spec: InputSpec) -> list[Remark]:
    """What to know of floating-point images that are not 0..1 or do not reach the model as they are.

    Parameters
    ----------
    preprocess, spec : as `fit` gives them for the images
    """
    if not span.floating or (span.fractions and preprocess.origin["scale"] == FLOATING):
        return []
    text = f"The images are floating-point numbers from {span} and reach the model as {span.reached(preprocess, spec)}."
    if span.fractions:
        return [Remark("floating", text, "If it takes 0 to 255, say scale=255." if preprocess.scale == 1 else "")]
    hint = "Pass them as uint8, or divided by 255, for figures to compare with those of 8-bit images."
    return [Remark("floating", f"{text} Distances and slopes are in their own units.", hint if span.levels else "")]
