"""Class diversity: the classes of Tiny ImageNet under EfficientNet-Lite0, their figures against their diversity.

Diversity is how far the images of a class lie apart in pixels, and in the features of EfficientNet-Lite2.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from onnxspec import Report, analyze
from onnxspec.diversity.relating import relate
from studies.text import interval
from studies.verdicts import FOUND, NOT_FOUND, NOT_RUN, UNDECIDABLE

# What is asked of each: the name that the page has for it.
MEASURES = {"distance": "distance of pixels", "embedding": "distance in an encoder"}


@dataclass(frozen=True)
class Related:
    """A correlation over classes of a figure within them and a measure, beyond controls, as `Relation` has it."""

    signal: str
    metric: str
    measure: str
    controls: str
    classes: int
    rho: float
    low: float
    high: float
    p_holm: float
    verdict: str


def of_model(study: dict[str, Any], folder: Path, data: Path) -> list[Related]:
    """The relations of the study; empty where the recipes of models/efficientnet-lite0 have left nothing in `folder`.

    The report is kept there, too.
    """
    own = f"diversity-{study['pairs']}-{study['points']}.h5"
    model, encoder, kept = (folder / name for name in (study["model"], study["encoder"], own))
    if not (model.exists() and encoder.exists()):
        return []
    if not kept.exists():
        asked = {name: study[name] for name in ("pairs", "points", "seed", "threads")}
        analyze(
            model, data, output=kept, kinds=("within",), restrict_outputs=True, classes=folder / "classes.txt", **asked
        )
    return [
        Related(
            one.quantity.signal,
            one.quantity.metric,
            one.measure,
            " ".join(one.controls),
            one.correlation.classes,
            one.correlation.rho,
            one.correlation.low,
            one.correlation.high,
            one.p_holm,
            one.verdict,
        )
        for one in relate(Report(kept), encoder, data).relations
    ]


def verdict(rows: list[Related], measure: str) -> tuple[str, str]:
    """Found where prob hff grows with a measure of diversity, and its controls do not explain that."""
    asked = [one for one in rows if (one.signal, one.metric, one.measure) == ("prob", "hff", measure)]
    if not asked:
        return NOT_RUN, "EfficientNet-Lite0 was not measured"
    plain, beyond = (next(one for one in asked if bool(one.controls) == partial) for partial in (False, True))
    why = (
        f"over {plain.classes} classes rho {interval(plain.rho, plain.low, plain.high)}, beyond "
        f"{beyond.controls.replace(' ', ' and ')} {interval(beyond.rho, beyond.low, beyond.high)}"
    )
    answers = {"positive": FOUND, "negative": NOT_FOUND}
    return answers.get(beyond.verdict, UNDECIDABLE), why
