"""A change from a baseline to now, however it was found."""

import math
from dataclasses import dataclass, field
from enum import Enum

import numpy as np

from onnxspec.auditing.samples import Sample
from onnxspec.auditing.verdicts import MORE_PAIRS
from onnxspec.comparison.contrasts import ENOUGH_IN_COMMON
from onnxspec.statistics import LEVEL, Design, Interval, Pooled

# One side of the interval that everything else shows.
ALPHA = (1 - LEVEL) / 2
# What any rule must be able to find: a figure that doubles, an accuracy that halves.
LARGE = 2.0
MORE_TRAININGS = "add baselines of more trainings"
"""What to do about too few."""


class Lacking(Enum):
    """What there is too little of to tell a change."""

    PAIRS = "pairs"
    TRAININGS = "trainings"
    AGREEMENT = "trainings that agree"


@dataclass(frozen=True)
class Change:
    """How a figure moved from the baseline to now.

    interval : of the ratio (of accuracy: the difference); beyond : past what the rule allows; p : one-sided, towards
    the wrong side; decidable : a large change would have been significant; counts : of pairs (of accuracy: images) that
    were compared, two where those of now and then are not the same; same : nothing changed at all; undefined : now or
    then there is no figure
    in_common : how many pairs are right in both, and in the one that gets fewer right; own : the change over the pairs
    that each gets right itself, as `moved`
    moved : the change as it was pooled (of figures its log), over the paths, of accuracy the images, `at` so many places
    scaled : on the scale on which trainings spread evenly, of figures as `moved`, of accuracy the difference of log odds
    trainings : that now is compared with; lacking : what leaves the change uncertain
    """

    interval: Interval
    beyond: bool
    p: float
    decidable: bool
    counts: tuple[int, ...]
    same: bool = False
    undefined: bool = False
    in_common: tuple[int, int] = (1, 1)
    own: float = math.nan
    moved: Pooled = field(default_factory=lambda: _unpooled(math.nan))
    at: np.ndarray = field(default_factory=lambda: np.empty(0, np.int64))
    scaled: float = math.nan
    trainings: int = 1
    lacking: Lacking = Lacking.PAIRS

    @property
    def selection(self) -> str:
        """Why the verdict depends on which paths are looked at (method.md section 5); "" where it does not."""
        common, smaller = self.in_common
        if self.few_in_common:
            return f"only {common} of {smaller} pairs are right under both"
        return "over each one's own right pairs the sign is the other" if self.own * self.moved.value < 0 else ""

    @property
    def few_in_common(self) -> bool:
        """Whether what is found may be about the pairs that both get right."""
        common, smaller = self.in_common
        return common < ENOUGH_IN_COMMON * smaller

    @classmethod
    def none(cls, count: int, neutral: float) -> "Change":
        """No change of `count` paths; `neutral` is 1 for a ratio, 0 for a difference."""
        unmoved = Interval(neutral, neutral, neutral, count, float(count))
        return cls(unmoved, beyond=False, p=1.0, decidable=True, counts=(count,), same=True, moved=_unpooled(0.0))


def _unpooled(value: float) -> Pooled:
    """A change that no path was asked for."""
    return Pooled(value, np.empty(0), Design.apart(0))


def one_sided(moved: Pooled, wrong: int) -> float:
    """p that the change is not towards the wrong side (1 up, -1 down)."""
    two_sided = moved.p_value()
    return two_sided / 2 if moved.value * wrong > 0 else 1 - two_sided / 2


def more_pairs(now: Sample, then: Sample) -> str:
    """What to do about too few pairs: those beyond the baseline's have nothing to pair with, and are refused."""
    return MORE_PAIRS if now.pairs < then.pairs else "make the baseline with more --pairs"
