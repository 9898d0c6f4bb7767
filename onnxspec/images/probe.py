"""Images with natural statistics and no content: the dead-leaves model of Lee, Mumford and Huang (2001).

Discs that cover each other, with positions uniform in the plane, independent colours and radii r of density r^-3
between bounds, have what makes natural images natural to a network: edges, occlusion, a power spectrum near 1/f^2
and statistics that hardly change with scale (A. B. Lee, D. Mumford, J. Huang, "Occlusion models for natural images",
International Journal of Computer Vision 41, 2001).

Leaves are laid from the front to the back until nothing shows through, so that an image is an exact sample of the
endless process. Image i depends on the seed, its size and i alone, never on how many images there are.
"""

import hashlib
import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from onnxspec.errors import UsageError
from onnxspec.images.arrays import numbered_set
from onnxspec.images.dataset import ImageSet
from onnxspec.images.inputspec import InputSpec, squares
from onnxspec.images.preprocess import Preprocess

SIDE = 64
VERSION = 1
"""Changes with every change of the pixels, so that digests do."""

R_MIN = 0.5
"""Smallest radius, pixels: discs a pixel across, so that the spectrum stays straight up to the highest frequency."""

R_MAX = 1.0
"""Largest radius over the longer side of the image: discs as large as the image is."""

GREY_SHARE = 0.75
"""How much of a colour is common to its channels; .75 gives natural images' correlation of .9 between channels."""

_FINE = 2
_CORNERS = tuple((slice(i, None, _FINE), slice(j, None, _FINE)) for i in range(_FINE) for j in range(_FINE))
_NONE = np.iinfo(np.int32).max
_BATCHED = (1.5, 2.5, 4.0, 6.0, 10.0, 16.0)


def probe_images(n: int, height: int, width: int, channels: int, seed: int) -> ImageSet:
    """`n` unlabelled dead-leaves images, (height, width, channels) uint8, each made when it is read."""
    digest = hashlib.sha256(f"probe {VERSION} {n} {height} {width} {channels} {seed}".encode())

    def read(i: int) -> tuple[NDArray[Any], None]:
        return dead_leaves(height, width, channels, seed, i), None

    return numbered_set(n, None, (), digest, read, "the probe set (dead leaves)")


def probe_shape(spec: InputSpec, preprocess: Preprocess | None) -> tuple[int, int, int]:
    """(height, width, channels) of probe images for a model's input, sides that both leave open being 64.

    Raises
    ------
    UsageError
        The input is flat, and no square image has as many values.
    """
    if spec.layout == "flat":
        return _square(spec.size)
    own = preprocess.crop if preprocess and preprocess.crop else (SIDE, SIDE)
    return spec.height or own[0], spec.width or own[1], spec.channels or 3


def dead_leaves(height: int, width: int, channels: int, seed: int, index: int) -> NDArray[np.uint8]:
    """Image `index` of the probe set of `seed`: (height, width, channels) uint8."""
    uniform = _Uniform(seed, index)
    leaf, count = _laid(height, width, uniform)
    grey = uniform.draw(count, 1)
    colours = 255 * (GREY_SHARE * grey + (1 - GREY_SHARE) * uniform.draw(count, channels))
    colours = colours.astype(np.float32) / len(_CORNERS)
    return np.rint(sum(colours[leaf[corner]] for corner in _CORNERS)).astype(np.uint8)


class _Uniform:
    """Uniform numbers that are the same on every machine: NumPy promises a bit generator's stream, not more."""

    def __init__(self, seed: int, index: int):
        self._bits = np.random.PCG64(np.random.SeedSequence([seed, index]))

    def draw(self, rows: int, columns: int) -> NDArray[np.float64]:
        """(rows, columns) float64 in [0, 1)."""
        raw = self._bits.random_raw(rows * columns)
        return (raw >> np.uint64(11)).astype(np.float64).reshape(rows, columns) * 2.0**-53


def _laid(height: int, width: int, uniform: _Uniform) -> tuple[NDArray[np.int32], int]:
    """The leaf in front at every point of a grid twice as fine, and how many leaves were laid.

    Returns
    -------
    (2 height, 2 width) int32 leaf numbers, and their number
    """
    shape = (_FINE * height, _FINE * width)
    front = np.full(shape, _NONE, np.int32)
    sizes = _Sizes(shape, _FINE * R_MIN, _FINE * max(R_MAX * max(height, width), 2 * R_MIN))
    laid = 0
    times = 1
    while (open_points := front == _NONE).any():
        leaves = sizes.leaves(times * sizes.once, uniform)
        leaves = leaves[_shows(leaves, open_points)]
        _lay(front, leaves, laid)
        laid += len(leaves)
        times = min(2 * times, 16)
    return front, laid


class _Sizes:
    """Leaves that can touch the grid, radii by octaves: of small ones, none far outside it are drawn in vain."""

    def __init__(self, shape: tuple[int, int], r_min: float, r_max: float):
        octaves = math.ceil(math.log2(r_max / r_min))
        self.shape = shape
        self.edges = np.array([min(r_min * 2.0**k, r_max) for k in range(octaves + 1)])
        self.density = self.edges**-2
        self.margin = 2 * self.edges[1:]
        expected = -np.diff(self.density) * (shape[0] + self.margin) * (shape[1] + self.margin)
        self.chosen = np.cumsum(expected) / expected.sum()
        # So many leaves cover every point once on average: the mean area of a leaf is 2 pi log(r_max / r_min) over
        # the same normalisation as `expected` has.
        self.once = math.ceil(expected.sum() / (2 * math.pi * math.log(r_max / r_min)))

    def leaves(self, count: int, uniform: _Uniform) -> NDArray[np.float32]:
        """(m, 3) centre row, centre column and radius of those of `count` leaves that touch the grid, front first."""
        u = uniform.draw(count, 4)
        octave = np.searchsorted(self.chosen[:-1], u[:, 3], side="right")
        # The inverse of the distribution function of r^-3; a square root is the same to the bit everywhere.
        radius = 1 / np.sqrt(self.density[octave] + u[:, 2] * (self.density[octave + 1] - self.density[octave]))
        margin = self.margin[octave]
        row = u[:, 0] * (self.shape[0] + margin) - margin / 2
        column = u[:, 1] * (self.shape[1] + margin) - margin / 2
        half = self.shape[0] / 2, self.shape[1] / 2
        touches = (abs(row - half[0]) < half[0] + radius) & (abs(column - half[1]) < half[1] + radius)
        return np.stack([row, column, radius], axis=1, dtype=np.float32)[touches]


def _shows(leaves: NDArray[np.float32], open_points: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """(m,) whether there are open points in the pixels around a leaf, counted by a summed-area table."""
    open_pixels = np.logical_or.reduce([open_points[corner] for corner in _CORNERS])
    height, width = open_pixels.shape
    table = np.zeros((height + 1, width + 1), np.int32)
    np.cumsum(np.cumsum(open_pixels, axis=0, dtype=np.int32), axis=1, out=table[1:, 1:])
    row, column, radius = leaves.T / _FINE
    top = np.clip(np.floor(row - radius), 0, height).astype(np.intp)
    bottom = np.clip(np.ceil(row + radius), 0, height).astype(np.intp)
    left = np.clip(np.floor(column - radius), 0, width).astype(np.intp)
    right = np.clip(np.ceil(column + radius), 0, width).astype(np.intp)
    return table[bottom, right] - table[top, right] - table[bottom, left] + table[top, left] > 0


def _lay(front: NDArray[np.int32], leaves: NDArray[np.float32], first: int) -> None:
    """Writes the numbers of leaves, from `first`, where they are in front of what `front` has."""
    radius = leaves[:, 2]
    numbers = np.arange(first, first + len(leaves), dtype=np.int32)
    below = 0.0
    for bound in _BATCHED:
        some = np.flatnonzero((radius >= below) & (radius < bound))
        _lay_small(front, leaves[some], numbers[some], math.ceil(bound))
        below = bound
    for i in np.flatnonzero(radius >= below):
        _lay_large(front, leaves[i], numbers[i])


def _lay_small(front: NDArray[np.int32], leaves: NDArray[np.float32], numbers: NDArray[np.int32], reach: int) -> None:
    """Leaves of about one size at once: each tries the points of a square of +- `reach` around it."""
    height, width = front.shape
    offsets = np.arange(-reach, reach + 1)
    half = np.float32(0.5)
    rows = np.floor(leaves[:, 0]).astype(np.intp)[:, None] + offsets
    columns = np.floor(leaves[:, 1]).astype(np.intp)[:, None] + offsets
    off_rows = np.square(rows.astype(np.float32) + half - leaves[:, :1])
    off_columns = np.square(columns.astype(np.float32) + half - leaves[:, 1:2])
    off_rows[(rows < 0) | (rows >= height)] = np.inf
    off_columns[(columns < 0) | (columns >= width)] = np.inf
    inside = off_rows[:, :, None] + off_columns[:, None, :] < np.square(leaves[:, 2])[:, None, None]
    points = ((rows * width)[:, :, None] + columns[:, None, :])[inside]
    own = np.broadcast_to(numbers[:, None, None], inside.shape)[inside]
    flat = front.reshape(-1)
    wins = own < flat[points]
    # Back to front: where several leaves share a point, the last assignment is the foremost leaf's.
    flat[points[wins][::-1]] = own[wins][::-1]


def _lay_large(front: NDArray[np.int32], leaf: NDArray[np.float32], number: np.int32) -> None:
    height, width = front.shape
    row, column, radius = map(float, leaf)
    top, bottom = max(0, math.floor(row - radius)), min(height, math.ceil(row + radius))
    left, right = max(0, math.floor(column - radius)), min(width, math.ceil(column + radius))
    off_rows = np.square(np.arange(top, bottom) + 0.5 - row)
    off_columns = np.square(np.arange(left, right) + 0.5 - column)
    part = front[top:bottom, left:right]
    np.copyto(part, number, where=(off_rows[:, None] + off_columns < radius * radius) & (part > number))


def _square(size: int | None) -> tuple[int, int, int]:
    """The square grey or colour image, (height, width, channels), whose values a flat input takes."""
    if size and (found := squares(size)):
        side, channels = found[0]
        return side, side, channels
    raise UsageError(
        f"The model takes {size or 'any number of'} values, no square image's, so no probe images fit it.",
        "Pass images with --data.",
    )
