"""How paths were drawn: as many from every class, or pair of classes, as the plan says. How these differ is no chance.

Which of the drawn paths count is chance, since an end may be predicted wrong: drawn paths that do not count have no
influence on a figure, and are told by their number. What follows for its variance is in `dyadic`.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np

SPARSE = 8
"""Numbers per item up to which a table of them takes no longer than sorting."""


@dataclass(frozen=True)
class Drawn:
    """Where some paths come from.

    stratum : (paths,) int, the number of the stratum that a path was drawn from
    of : (paths,) int, how many paths were drawn from it, at least as many as are at hand
    """

    stratum: np.ndarray
    of: np.ndarray

    @classmethod
    def whole(cls, kind: np.ndarray, class_a: np.ndarray, class_b: np.ndarray) -> Self:
        """All paths that were drawn, by the number of their kind and the classes of their ends, (paths,) int each."""
        classes = 1 + max(int(class_b.max(initial=0)), int(class_a.max(initial=0)))
        stratum = (kind.astype(np.int64) * classes + class_a) * classes + class_b
        strata, at = numbered(stratum)
        return cls(stratum, np.bincount(at, minlength=strata)[at])

    def __getitem__(self, rows: np.ndarray) -> Self:
        """Some of the paths, at (n,) int or (paths,) bool; the others do not count."""
        return type(self)(self.stratum[rows], self.of[rows])

    def beside(self, other: Self) -> Self:
        """These paths and others, which were drawn apart from them."""
        apart = 1 + int(self.stratum.max(initial=-1)) - int(other.stratum.min(initial=0))
        stratum = np.concatenate([self.stratum, other.stratum + apart])
        return type(self)(stratum, np.concatenate([self.of, other.of]))

    def smaller(self, other: Self) -> Self:
        """The same paths as some of the smaller of two draws: what only the larger drew could not have counted."""
        return type(self)(self.stratum, np.minimum(self.of, other.of))


def numbered(values: np.ndarray) -> tuple[int, np.ndarray]:
    """How many different whole numbers there are among (n,) int, and the place of each among those, (n,) int."""
    if not len(values):
        return 0, values
    first, last = int(values.min()), int(values.max())
    if last - first > SPARSE * len(values):
        different, at = np.unique(values, return_inverse=True)
        return len(different), at
    # Every figure asks for it, and to sort takes several times as long.
    shifted = values - first
    held = np.zeros(last - first + 1, bool)
    held[shifted] = True
    number = np.cumsum(held) - 1
    return int(number[-1]) + 1, number[shifted]
