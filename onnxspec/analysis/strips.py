"""Paths to look at: the wildest and the calmest of each kind, with the images at their ends and what the model says.

Chosen by hff among the paths that count in the headline (both ends right, cut-off within reach) and whose
probabilities move at least a tenth as much as the mean path's: where nothing moves, a share of fast wiggling is
defined, but there is nothing to see. That is known when all are walked, and outputs are not kept; so the curves of
those are which may still be the wildest or the calmest, and only a path that was none of them is evaluated again.
"""

import math
from collections.abc import Callable, Sequence

import numpy as np
from PIL import Image

from onnxspec.engine.local import LocalEngine
from onnxspec.results import Rows, Strips

EACH = 8
SIDE = 64
_MOVES = 0.1
_SPREAD = 10.0
"""How far the mean path may still move from that of n paths so far: by a factor of 1 + this over the root of n."""


def most(kinds: Sequence[str]) -> int:
    """How many strips a run keeps at most."""
    return 2 * EACH * len(kinds)


class Candidates:
    """The curves of the paths that may be shown, of rows that come in order.

    Parameters
    ----------
    signal, noise : as of `choose`
    """

    def __init__(self, signal: str, noise: float):
        self._signal, self._noise = signal, noise
        self._seen = 0
        self._kinds: dict[int, _Standing] = {}

    def offer(self, rows: Rows) -> None:
        """The next rows; those whose curves are gone count, too."""
        counted = _counted(rows, self._signal, self._noise)
        for kind in np.unique(rows["kind"][counted]).tolist():
            at = np.flatnonzero(counted & (rows["kind"] == kind))
            self._kinds.setdefault(kind, _Standing()).add(rows, self._signal, at, self._seen)
        self._seen += len(rows)

    def curves(self, path: int) -> Rows | None:
        """The curves of the path in a row, (1, ...), if they are held."""
        found = (standing.curves.get(path) for standing in self._kinds.values())
        return next((one for one in found if one is not None), None)


class _Standing:
    """The wildest and the calmest paths of a kind so far, whatever the mean path comes to."""

    def __init__(self) -> None:
        self.curves: dict[int, Rows | None] = {}
        self._total, self._count = 0.0, 0
        self._path, self._share, self._moved = np.empty(0, np.int64), np.empty(0), np.empty(0)

    def add(self, rows: Rows, signal: str, at: np.ndarray, first: int) -> None:
        """Paths that count, at these places of rows whose first is that of the report."""
        total = rows[f"total_{signal}"][at]
        self._total += float(total.sum())
        self._count += len(at)
        path = np.concatenate([self._path, first + at])
        share = np.concatenate([self._share, rows[f"hf_{signal}"][at] / total])
        moved = np.concatenate([self._moved, total])
        kept = _possible(share, moved, self._total / self._count, 1 + _SPREAD / math.sqrt(self._count))
        self._path, self._share, self._moved = path[kept], share[kept], moved[kept]
        self.curves = {
            one: self.curves[one] if one < first else _one(rows.curves, one - first) for one in self._path.tolist()
        }


def _possible(share: np.ndarray, moved: np.ndarray, mean: float, times: float) -> np.ndarray:
    """Where the paths are that may be among the wildest or the calmest, ascending, by their hff (paths,) and how much they
    move, while the mean path moves `mean` by a factor of up to `times` more or less.

    Where a path counts, all count that move as much. So it is no end once enough of those lie beyond it: of those that
    move as much as it does, or as can be asked for at most.
    """
    least, most = _MOVES * mean / times, _MOVES * mean * times
    order = np.argsort(-share, kind="stable")
    order = order[moved[order] >= least]
    beside = moved[order] >= np.minimum(moved[order], most)[:, None]
    wilder, calmer = np.tril(beside, -1).sum(1), np.triu(beside, 1).sum(1)
    return np.sort(order[np.minimum(wilder, calmer) < EACH])


def _one(curves: Rows | None, place: int) -> Rows | None:
    """A path's curves; copied, so that those beside it can go."""
    return None if curves is None else Rows({name: column[[place]] for name, column in curves.columns.items()})


def choose(rows: Rows, signal: str, noise: float) -> tuple[np.ndarray, np.ndarray]:
    """The paths to look at, (strips,) int row indices, and whether each is a wild one, (strips,) int8.

    noise : what rounding alone adds to the total of a path

    By kind, first the wildest from the wildest on, then the calmest from the calmest on; no path is both.
    """
    chosen, wild = [np.empty(0, np.int64)], [np.empty(0, np.int8)]
    counted, total = _counted(rows, signal, noise), rows[f"total_{signal}"]
    for kind in np.unique(rows["kind"][counted]):
        at = np.flatnonzero(counted & (rows["kind"] == kind))
        order = at[_in_order(rows[f"hf_{signal}"][at] / total[at], total[at], total[at].mean())]
        first = min(EACH, (len(order) + 1) // 2)
        last = order[first:][-EACH:][::-1]
        chosen += [order[:first], last]
        wild += [np.ones(first, np.int8), np.zeros(len(last), np.int8)]
    return np.concatenate(chosen), np.concatenate(wild)


def _counted(rows: Rows, signal: str, noise: float) -> np.ndarray:
    """Which paths count in the headline and move beyond rounding, (paths,) bool."""
    return (rows["ends_right"] == 2) & (rows["within_reach"] > 0) & (rows[f"total_{signal}"] > noise)


def _in_order(share: np.ndarray, moved: np.ndarray, mean: float) -> np.ndarray:
    """Where the paths worth looking at are, the wildest first, by their hff (paths,) and how much they move."""
    moving = np.flatnonzero(moved >= _MOVES * mean)
    return moving[np.argsort(-share[moving], kind="stable")]


def gather(
    engine: LocalEngine,
    rows: Rows,
    signal: str,
    noise: float,
    pixels: bool,
    curves: Callable[[np.ndarray, np.ndarray], Rows],
) -> Strips:
    """The strips of a run.

    Parameters
    ----------
    signal, noise : as of `choose`
    pixels : False leaves the thumbnails out
    curves : rows of paths (strips,) int and the images at their ends (strips, 2) int -> their curves
    """
    paths, wild = choose(rows, signal, noise)
    ends = np.column_stack([rows["image_a"][paths], rows["image_b"][paths]])
    shown = curves(paths, ends)
    return Strips(
        paths.astype(np.int32),
        wild,
        rows[f"hf_{signal}"][paths] / rows[f"total_{signal}"][paths],
        shown["output"],
        shown["prob"],
        np.array([_thumbnails(engine, pair) for pair in ends], np.uint8) if pixels and len(ends) else None,
    )


def _thumbnails(engine: LocalEngine, pair: np.ndarray) -> np.ndarray:
    """Both ends of a path, (2, h, w, 1 or 3) uint8, no side longer than `SIDE`."""
    ends = np.stack([engine.pixels.get(int(image)) for image in pair])
    ends = ends if ends.shape[-1] in (1, 3) else ends[..., :1]
    return np.stack([_small(end) for end in _as_bytes(ends)])


def _as_bytes(ends: np.ndarray) -> np.ndarray:
    """Pixels as uint8; arrays in units of their own are stretched between the least and the greatest value."""
    if ends.dtype == np.uint8:
        return ends
    low, high = float(ends.min()), float(ends.max())
    return np.rint((ends - low) * (255 / (high - low) if high > low else 0)).astype(np.uint8)


def _small(image: np.ndarray) -> np.ndarray:
    height, width, channels = image.shape
    shrink = min(1.0, SIDE / max(height, width))
    size = max(1, round(width * shrink)), max(1, round(height * shrink))
    picture = Image.fromarray(image[..., 0] if channels == 1 else image)
    return np.asarray(picture.resize(size, Image.Resampling.LANCZOS)).reshape(size[1], size[0], channels)
