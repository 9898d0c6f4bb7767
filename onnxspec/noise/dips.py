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

    The lowest was chosen among all, so that it has Bonferroni's level for as many figures as there are, and fall and
    rise for as many contrasts as there are other checkpoints.
    """
    at = int(np.argmin([one.value for one in series]))
    minimum = series[at].interval(_each_of(len(series)))
    fall, rise = (paired(end, series[at]).interval(_each_of(len(series) - 1)) for end in (series[0], series[-1]))
    return Dip(at, minimum, fall, rise, _verdict(at, len(series), fall.low > 0, rise.low > 0))


def _each_of(count: int) -> float:
    """The level that intervals need for all of `count` to hold at once."""
    return 1 - (1 - LEVEL) / max(count, 1)


def _verdict(at: int, count: int, fell: bool, rose: bool) -> str:
    if fell and rose:
        return DIP
    if fell:
        return FALLING if at == count - 1 else NO_RISE
    if rose and at == 0:
        return RISING
    return UNDECIDED
