"""Where noise fitting is lowest over training, and whether that is a dip: lower than at both ends."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from onnxspec.statistics import LEVEL, Interval, Pooled, paired

DIP, FALLING, RISING, NO_RISE, UNDECIDED = "dip", "still falling", "rising from the first", "no rise yet", "undecided"


@dataclass(frozen=True)
class Dip:
    """The lowest of a series.

    at : its index; minimum : its figure; fall, rise : how much higher the first and the last are, over the same images
    verdict : dip (both are higher), still falling, rising from the first, no rise yet (after an inner minimum) or undecided
    """

    at: int
    minimum: Interval
    fall: Interval
    rise: Interval
    verdict: str


def locate(series: Sequence[Pooled]) -> Dip:
    """The dip of noise fitting over checkpoints in order.

    The lowest was chosen among all, so that fall and rise have Bonferroni's level for as many contrasts as there are
    other checkpoints.
    """
    at = int(np.argmin([one.value for one in series]))
    level = 1 - (1 - LEVEL) / max(len(series) - 1, 1)
    fall, rise = (paired(end, series[at]).interval(level) for end in (series[0], series[-1]))
    return Dip(at, series[at].interval(), fall, rise, _verdict(at, len(series), fall.low > 0, rise.low > 0))


def _verdict(at: int, count: int, fell: bool, rose: bool) -> str:
    if fell and rose:
        return DIP
    if fell:
        return FALLING if at == count - 1 else NO_RISE
    if rose and at == 0:
        return RISING
    return UNDECIDED
