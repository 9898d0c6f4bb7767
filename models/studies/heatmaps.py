"""Image frequency: heat maps of a network trained on plain images and of one trained on low-pass images, compared.

Both see the same waves on the same plain images, so that the difference is paired over images.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from onnxspec import statistics
from onnxspec.heatmap import HeatMap, heat_map
from onnxspec.paths.waves import octave_range, octaves
from studies.measure import finished
from studies.verdicts import FOUND, NOT_FOUND, NOT_RUN, UNDECIDABLE


@dataclass(frozen=True)
class Ring:
    """An octave of image frequency, from `low` up to `high` cycles per image, under one network and its reference.

    error, reference_error : how much the waves of the octave raise the share of wrong answers, on average
    more : the difference of the two, paired over images, with its interval
    change, reference_change, change_more : the same of the change of the probabilities (L2 norm)
    """

    network: str
    reference: str
    seed: int
    low: float
    high: float
    accuracy: float
    reference_accuracy: float
    error: float
    reference_error: float
    more: float
    more_low: float
    more_high: float
    change: float
    reference_change: float
    change_more: float
    change_more_low: float
    change_more_high: float


def of_networks(tables: dict[str, Any], out: Path, data: Path, seed: int) -> list[Ring]:
    """The study's octaves for one seed; empty until both networks are finished."""
    study = tables["image-frequency"]
    ends = [finished(out, name, seed)[-1:] for name in (study["network"], study["reference"])]
    if not all(ends):
        return []
    return rings(study, seed, *(heat_map(end[0].model, data, images=study["images"], threads=1) for end in ends))


def rings(study: dict[str, Any], seed: int, own: HeatMap, reference: HeatMap) -> list[Ring]:
    """Two heat maps over the same images as octaves side by side."""
    of = octaves(own.waves.radius)
    found = []
    for band in np.unique(of):
        at = of == band
        raised = [one.wrong[:, at].mean(1) - one.wrong_before for one in (own, reference)]
        changed = [one.change["prob"][:, at].mean(1) for one in (own, reference)]
        accuracies = (own.accuracy.estimate, reference.accuracy.estimate)
        names = (study["network"], study["reference"])
        found.append(Ring(*names, seed, *octave_range(band), *accuracies, *_paired(*raised), *_paired(*changed)))
    return found


def verdict(found: list[Ring], radius: float) -> tuple[str, str]:
    """Found where waves beyond `radius`, which training images had lost, change the network's outputs less."""
    beyond = [one for one in found if one.low >= radius]
    if not beyond:
        return NOT_RUN, "the networks were not finished"
    less = sum(one.change_more_high < 0 for one in beyond)
    more = sum(one.change_more_low > 0 for one in beyond)
    why = f"of {len(beyond)} octaves beyond {radius:g} cycles {less} change the outputs less, {more} more"
    if less + more < len(beyond):
        return UNDECIDABLE, why
    return (FOUND if not more else NOT_FOUND), why


def _paired(own: np.ndarray, reference: np.ndarray) -> tuple[float, float, float, float, float]:
    difference = statistics.mean(own - reference, statistics.Design.apart(len(own))).interval()
    return float(own.mean()), float(reference.mean()), difference.estimate, difference.low, difference.high
