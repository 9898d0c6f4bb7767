"""A change from a baseline to now, however it was found."""

from dataclasses import dataclass

from onnxspec.auditing.samples import Sample
from onnxspec.auditing.verdicts import MORE_PAIRS
from onnxspec.statistics import LEVEL, Interval

# One side of the interval that everything else shows.
ALPHA = (1 - LEVEL) / 2
# What any rule must be able to find: a figure that doubles, an accuracy that halves.
LARGE = 2.0


@dataclass(frozen=True)
class Change:
    """How a figure moved from the baseline to now.

    interval : of the ratio (of accuracy: the difference); beyond : past what the rule allows; p : one-sided, towards
    the wrong side; decidable : a large change would have been significant; counts : of pairs (of accuracy: images) that
    were compared, two where those of now and then are not the same; selection : why the verdict depends on which paths
    are looked at, "" where it does not; same : nothing changed at all; undefined : now or then there is no figure
    """

    interval: Interval
    beyond: bool
    p: float
    decidable: bool
    counts: tuple[int, ...]
    selection: str = ""
    same: bool = False
    undefined: bool = False

    @classmethod
    def none(cls, count: int, neutral: float) -> "Change":
        """No change of `count` paths; `neutral` is 1 for a ratio, 0 for a difference."""
        unmoved = Interval(neutral, neutral, neutral, count, float(count))
        return cls(unmoved, beyond=False, p=1.0, decidable=True, counts=(count,), same=True)


def more_pairs(now: Sample, then: Sample) -> str:
    """What to do about too few pairs: those beyond the baseline's have nothing to pair with, and are refused."""
    return MORE_PAIRS if now.pairs < then.pairs else "make the baseline with more --pairs"
