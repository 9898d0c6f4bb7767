"""How sure a sum over paths is that share images and were drawn class by class (method.md section 6, within strata).

What a path adds to a figure, its *influence*, is taken for u_p = m + e_i + e_j + r_p: the mean m of its stratum, which is no
chance, since strata are drawn as often as the plan says (Cochran, "Sampling Techniques", 1977, 5.3); an effect of each of
its images; and what is its own. Two paths of a stratum that share an image correlate, by rho. Of the n paths of a stratum,
path p shares an image with C_p others; squared deviations from their mean sum to T, products of the deviations of paths that
share an image to Q. With C = sum_p C_p

    Var sum u = v (n + rho C)        E T = v (x - rho y)        E Q = v (rho z - y)
    x = n - 1        y = C / n        z = C - 2 sum_p C_p^2 / n + y^2

with a v for every stratum and a rho for all, by the method of moments. Paths of different strata that share an image add
the products of their deviations, each times n / (n - 1) for the means (too much, on the safe side, where strata of few paths
share all of their images). Of paths that were drawn and do not count the mean of their stratum is missing in the sum by
chance: a share 1 - n / m of it stays in, as if images alone decided. All that images add which recur is left out where it is
less than nothing. Where no image recurs and nothing is known of strata, V = sum u^2. Arrays in, arrays out; NumPy only.
"""

from functools import cached_property
from typing import Self

import numpy as np

from onnxspec.statistics.drawn import Drawn, numbered

HINGED_PATHS = 3
"""Paths from which on an image that all share is looked for."""
ALIKE = 1e-4
"""Of the largest influence: numbers that were kept as float32 differ by as much where figures of classes are near."""
HALF = 0.5
"""rho where paths have nothing of their own, and their two images add as much. Only where one adds more it is higher."""
SETTLED = 1e-9
"""Of x C: a determinant, x z - y^2, below it is rounding, and the two moments say the same."""
ROUNDS = 6
"""Of Newton's method, which doubles its digits in each."""


class Design:
    """Which paths share which images, and which strata they are of: what all figures over the same paths have in common.

    image_a, image_b : (paths,) int; drawn : where they come from, None takes them for a sample of all
    """

    def __init__(self, image_a: np.ndarray, image_b: np.ndarray, drawn: Drawn | None = None):
        self.image_a, self.image_b, self.drawn = image_a, image_b, drawn

    @classmethod
    def apart(cls, paths: int) -> Self:
        """So many paths that share no image; or images, each by itself."""
        return cls(np.arange(paths), np.arange(paths, 2 * paths))

    def __len__(self) -> int:
        return len(self.image_a)

    def beside(self, other: Self) -> Self:
        """These paths and those of another, which were drawn apart from them but may share their images."""
        drawn = self.drawn.beside(other.drawn) if self.drawn and other.drawn else None
        image_a = np.concatenate([self.image_a, other.image_a])
        return type(self)(image_a, np.concatenate([self.image_b, other.image_b]), drawn)

    def unlike(self, other: Self) -> Self:
        """The same paths between images that are numbered beyond those of another design."""
        if not len(self) or not len(other):
            return self
        apart = 1 + max(other.image_a.max(), other.image_b.max()) - min(self.image_a.min(), self.image_b.min())
        return type(self)(self.image_a + apart, self.image_b + apart, self.drawn)

    def smaller(self, other: Self) -> Self:
        """The same paths as some of the smaller of two draws."""
        drawn = self.drawn.smaller(other.drawn) if self.drawn and other.drawn else None
        same = self.drawn is None or (drawn is not None and np.array_equal(drawn.of, self.drawn.of))
        return self if same else type(self)(self.image_a, self.image_b, drawn)

    @cached_property
    def hinged(self) -> bool:
        """Whether one image is an end of all of several paths: what it does to every one of them is not seen."""
        if len(self) < HINGED_PATHS:
            return False
        a, b = self.image_a, self.image_b
        return any(bool(((a == one) | (b == one)).all()) for one in (a[0], b[0]))

    @property
    def images(self) -> int:
        """How many images the paths join."""
        return self._numbered_images[0]

    def variance(self, influence: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Of (paths, figures) float64: V of each figure's sum, kappa, and the effective number of paths, (figures,) each.

        kappa = sum_i S_i^4 / (sum_i S_i^2)^2, S_i summed over the paths at image i, the larger of influences and of their
        deviations; the effective number is 1 / (2 kappa).
        """
        n, (strata, stratum) = self._paths[:, None], self._numbered_strata
        mean = self._by_stratum(influence) / n
        deviation = influence - mean[stratum]
        if strata > 1:
            # Where paths of a stratum are all alike, nothing is left to tell how well the figure is known.
            told = self._settled & (np.abs(deviation).max(0) > ALIKE * np.abs(influence).max(0))
            if not told.all():
                found = np.empty((3, influence.shape[1]))
                found[:, ~told] = self._whole.variance(influence[:, ~told])
                if told.any():
                    found[:, told] = self.variance(influence[:, told])
                return found[0], found[1], found[2]
        squares, missing = self._by_stratum(np.square(deviation)), self._missing[:, None] * mean
        scale = n / np.maximum(n - 1, 1)
        own = (scale * squares + n * np.square(missing)).sum(0)
        shared = self._shared(deviation, squares, scale, missing) if self._recurs else 0.0
        kappa = self._kappa(influence)
        if strata > 1:
            kappa = np.maximum(kappa, self._kappa(np.sqrt(scale)[stratum] * deviation + missing[stratum]))
        # Influences are those of the jackknife, whose squares sum to as much more than the variance.
        jackknife = 1 - 1 / len(influence)
        return jackknife * (own + np.maximum(shared, 0)), kappa, 1 / (2 * kappa)

    def _shared(self, deviation: np.ndarray, squares: np.ndarray, scale: np.ndarray, missing: np.ndarray) -> np.ndarray:
        """What images add that are ends of several paths, (figures,).

        deviation : (paths, figures); squares, missing : (strata, figures), T and what is missing by chance of the means;
        scale : (strata, 1), n / (n - 1)
        """
        n, pairs, free, lost, _ = (moment[:, None] for moment in (self._paths, self._pairs, *self._moments))
        (_, stratum), rho = self._numbered_strata, self._correlation(deviation, squares)
        alike = np.divide(n + rho * pairs, _freedom(free, lost, rho), out=np.zeros_like(squares), where=n > 1)
        within = (squares * np.where(n > 1, alike - scale, 0)).sum(0)
        at_cells = self._by_cell(scale[stratum] * deviation + missing[stratum])
        across = np.square(_summed(self._cell_image, self.images, at_cells)).sum(0) - np.square(at_cells).sum(0)
        return within + across + (pairs * np.square(missing)).sum(0)

    def _correlation(self, deviation: np.ndarray, squares: np.ndarray) -> np.ndarray:
        """rho, (figures,), of deviations (paths, figures) and T, (strata, figures)."""
        telling = self._telling
        if not telling.any():
            return np.full(squares.shape[1], HALF)
        products = _summed(self._cell_stratum, len(squares), np.square(self._by_cell(deviation))) - 2 * squares
        return _solved(squares[telling], products[telling].sum(0), *(moment[telling, None] for moment in self._moments))

    @property
    def _recurs(self) -> bool:
        return self.images < 2 * len(self)

    @cached_property
    def _whole(self) -> "Design":
        """The same paths as a sample of all."""
        return Design(self.image_a, self.image_b)

    @cached_property
    def _numbered_images(self) -> tuple[int, np.ndarray]:
        """How many images there are, and that of each end, (2 paths,) int."""
        return numbered(np.concatenate([self.image_a, self.image_b]))

    @cached_property
    def _numbered_strata(self) -> tuple[int, np.ndarray]:
        """How many strata there are, and that of each path, (paths,) int."""
        return numbered(np.zeros(len(self), np.int64) if self.drawn is None else self.drawn.stratum)

    @cached_property
    def _paths(self) -> np.ndarray:
        """n, (strata,)."""
        strata, stratum = self._numbered_strata
        return np.bincount(stratum, minlength=strata).astype(np.float64)

    @cached_property
    def _missing(self) -> np.ndarray:
        """By how much the mean of a stratum is missing in a sum by chance, (strata,)."""
        of = self._paths.copy()
        if self.drawn is not None:
            of[self._numbered_strata[1]] = self.drawn.of
        # A path that is alone in its stratum is no less missing than all of it.
        return np.where(self._paths > 1, np.sqrt(1 - self._paths / of), 1.0)

    @cached_property
    def _cells(self) -> tuple[int, np.ndarray]:
        """Pairs of a stratum and an image: how many there are, and that of each end, (2 paths,) int."""
        images, image = self._numbered_images
        return numbered(np.tile(self._numbered_strata[1], 2) * images + image)

    @cached_property
    def _cell_image(self) -> np.ndarray:
        return self._of_cells(self._numbered_images[1])

    @cached_property
    def _cell_stratum(self) -> np.ndarray:
        return self._of_cells(np.tile(self._numbered_strata[1], 2))

    def _of_cells(self, at_ends: np.ndarray) -> np.ndarray:
        """What all ends of a cell have in common, (cells,) of (2 paths,)."""
        cells, cell = self._cells
        found = np.empty(cells, np.int64)
        found[cell] = at_ends
        return found

    @cached_property
    def _sharing(self) -> np.ndarray:
        """With how many paths of its stratum each path shares an image, (paths,)."""
        cells, cell = self._cells
        others = np.bincount(cell, minlength=cells)[cell] - 1.0
        return others[: len(others) // 2] + others[len(others) // 2 :]

    @cached_property
    def _pairs(self) -> np.ndarray:
        """C, (strata,)."""
        strata, stratum = self._numbered_strata
        return np.bincount(stratum, self._sharing, strata)

    @cached_property
    def _moments(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """x, y and z of every stratum, (strata,) each."""
        n, lost = self._paths, self._pairs / self._paths
        squares = np.bincount(self._numbered_strata[1], np.square(self._sharing), len(n))
        kept = self._pairs - 2 * squares / n + np.square(lost)
        return n - 1, lost, kept

    @cached_property
    def _telling(self) -> np.ndarray:
        """Which strata tell how alike paths are that share an image, (strata,) bool."""
        free, lost, kept = self._moments
        return (self._pairs > 0) & (free * kept - np.square(lost) > SETTLED * free * self._pairs)

    @property
    def _settled(self) -> bool:
        """Whether strata tell how alike paths are that share an image, or there is no need to."""
        return not self._recurs or not self._pairs.any() or bool(self._telling.any())

    def _by_stratum(self, values: np.ndarray) -> np.ndarray:
        strata, stratum = self._numbered_strata
        return _summed(stratum, strata, values)

    def _by_cell(self, values: np.ndarray) -> np.ndarray:
        """Values of paths summed over those of a stratum at an image."""
        cells, cell = self._cells
        return _summed(cell, cells, np.concatenate([values, values]))

    def _kappa(self, values: np.ndarray) -> np.ndarray:
        images, image = self._numbered_images
        per_image = np.square(_summed(image, images, np.concatenate([values, values])))
        with np.errstate(divide="ignore", invalid="ignore"):
            # Divided first: the fourth powers of small influences would underflow.
            return np.square(per_image / per_image.sum(0)).sum(0)


def _summed(index: np.ndarray, count: int, values: np.ndarray) -> np.ndarray:
    """The rows of (n, figures) summed by their (n,) int index, (count, figures)."""
    figures = values.shape[1]
    at = index if figures == 1 else (index[:, None] * figures + np.arange(figures)).ravel()
    return np.bincount(at, values.ravel(), count * figures).reshape(count, figures)


def _solved(
    squares: np.ndarray, products: np.ndarray, free: np.ndarray, lost: np.ndarray, kept: np.ndarray
) -> np.ndarray:
    """rho from 0 to 1, (figures,), at which sum T (rho z - y) / (x - rho y) over strata is sum Q.

    Parameters
    ----------
    squares : (strata, figures) T; products : (figures,) sum Q; free, lost, kept : (strata, 1) x, y and z
    """

    def excess(rho: float | np.ndarray) -> np.ndarray:
        return (squares * (rho * kept - lost) / _freedom(free, lost, rho)).sum(0) - products

    rho = np.full(len(products), HALF)
    with np.errstate(divide="ignore", invalid="ignore"):
        # Beyond one half a straight line, below it convex, so that Newton's steps all come from the right.
        beyond = HALF - excess(HALF) / (squares * kept / _freedom(free, lost, HALF)).sum(0)
        for _ in range(ROUNDS):
            slope = (squares * (free * kept - lost**2) / np.square(_freedom(free, lost, rho))).sum(0)
            rho = np.clip(rho - excess(rho) / slope, 0, HALF)
    return np.where(beyond > HALF, np.minimum(beyond, 1.0), np.nan_to_num(rho))


def _freedom(free: np.ndarray, lost: np.ndarray, rho: float | np.ndarray) -> np.ndarray:
    """x - rho y, and some of x where paths join the same two images again and again."""
    return np.maximum(free - np.minimum(rho, HALF) * lost, free / 4)
