"""The unit of work: a range of pairs, its size fixed by the shape of the measurement and by nothing timed."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

VALUES_PER_SHARD = 2**17
INPUTS_PER_SHARD = 2**22
USUAL_PATHS, MOST_PATHS = 32, 128
"""More than usual of small images only, where the end of a shard costs as much as some images."""
LATE = 16
"""A larger shard is at most one in so many of the paths before it: all cores are to end at about the same time."""


@dataclass(frozen=True)
class Shard:
    """Paths start..stop-1 of the plan."""

    start: int
    stop: int

    @property
    def span(self) -> slice:
        """The range as a slice."""
        return slice(self.start, self.stop)


def shards(stop: int, points: int, outputs: int, inputs: int, first: int = 0) -> Iterator[Shard]:
    """Paths first..stop-1 in shards of a power of two paths, so few that their outputs (paths, points, outputs) stay small.

    Of small images later ones are larger; those that a plan begins with do not depend on where it stops.

    Parameters
    ----------
    points, outputs : on a path, and of the model at each; inputs : values of one input of the model
    """
    fitting = max(1, VALUES_PER_SHARD // (points * outputs))
    start = first
    while start < stop:
        more = min(MOST_PATHS, INPUTS_PER_SHARD // (points * inputs), (start - first) // LATE)
        size = _power_of_two(min(fitting, max(USUAL_PATHS, more)))
        yield Shard(start, min(start + size, stop))
        start += size


def shards_by_kind(kind: np.ndarray, points: int, outputs: int, inputs: int, first: int = 0) -> Iterator[Shard]:
    """As `shards`, cut where the kind (paths,) changes: a kind's do not depend on how many pairs the other has."""
    ends = [0, *(np.flatnonzero(np.diff(kind)) + 1).tolist(), len(kind)]
    for start, stop in pairwise(ends):
        yield from shards(first + stop, points, outputs, inputs, first + start)


def _power_of_two(most: int) -> int:
    return 1 << most.bit_length() - 1
