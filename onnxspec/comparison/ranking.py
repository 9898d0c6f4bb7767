"""Members in order of a quantity, with letters: those that share one are not told apart by the data.

Every two are contrasted over the pairs right under the two, each test by itself: what a person reads of two models
does not change when a third is compared.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from string import ascii_lowercase

import numpy as np

from onnxspec.comparison.alignment import Member
from onnxspec.comparison.contrasts import Quantity, contrast, figure
from onnxspec.report.pooling import Stratum

TOLD_APART = ("higher", "lower")


@dataclass(frozen=True)
class Rank:
    """The place of a model, 1 for the lowest figure; models that share a letter are tied."""

    model: str
    kind: str
    quantity: Quantity
    place: int
    letters: str
    estimate: float


def rank(members: Sequence[Member], stratum: Stratum, places: np.ndarray, quantity: Quantity) -> list[Rank]:
    """Members by a quantity over the paths at (n,) places, lowest first; undefined figures are left out."""
    estimates = [figure(one, places, quantity).estimate for one in members]
    order = [int(i) for i in np.argsort(estimates, kind="stable") if np.isfinite(estimates[i])]
    apart = {
        (a, b)
        for a, b in combinations(range(len(order)), 2)
        if contrast(members[order[b]], members[order[a]], stratum, quantity, places).verdict in TOLD_APART
    }
    letters = tie_letters(len(order), apart)
    return [
        Rank(members[i].name, stratum.kind, quantity, at + 1, letters[at], estimates[i]) for at, i in enumerate(order)
    ]


def tie_letters(count: int, apart: set[tuple[int, int]]) -> list[str]:
    """Letters for `count` items such that two share one exactly if they are not `apart` (pairs a < b)."""
    groups = sorted(sorted(group) for group in _cliques(count, apart))
    return ["".join(_letter(g) for g, group in enumerate(groups) if item in group) for item in range(count)]


def _cliques(count: int, apart: set[tuple[int, int]]) -> Iterator[set[int]]:
    """The largest groups in which no two are apart (Bron and Kerbosch)."""
    tied = {
        item: {other for other in range(count) if other != item and (min(item, other), max(item, other)) not in apart}
        for item in range(count)
    }

    def grow(group: set[int], open_: set[int], done: set[int]) -> Iterator[set[int]]:
        if not open_ and not done:
            yield group
            return
        pivot = max(open_ | done, key=lambda item: len(tied[item] & open_))
        for item in open_ - tied[pivot]:
            yield from grow(group | {item}, open_ & tied[item], done & tied[item])
            open_, done = open_ - {item}, done | {item}

    return grow(set(), set(range(count)), set())


def _letter(number: int) -> str:
    """a to z, then a1 to z1 and so on."""
    lap, letter = divmod(number, len(ascii_lowercase))
    return ascii_lowercase[letter] + (str(lap) if lap else "")
