"""Paths to look at: the wildest and the calmest of each kind, with the images at their ends and what the model says.

Chosen by hff among the paths that count in the headline (both ends right, cut-off within reach) and whose
probabilities move at least a tenth as much as the mean path's: where nothing moves, a share of fast wiggling is
defined, but there is nothing to see. They are evaluated again after the run, since outputs are not kept.
"""

from collections.abc import Callable, Iterable, Sequence

import numpy as np
from PIL import Image

from onnxspec.engine.local import LocalEngine
from onnxspec.results import Pilot, Reading, Rows, Strips

EACH = 8
CLASSES = 5
SIDE = 64
_MOVES = 0.1


def most(kinds: Sequence[str]) -> int:
    """How many strips a run keeps at most."""
    return 2 * EACH * len(kinds)


def choose(rows: Rows, signal: str, noise: float) -> tuple[np.ndarray, np.ndarray]:
    """The paths to look at, (strips,) int row indices, and whether each is a wild one, (strips,) int8.

    noise : what rounding alone adds to the total of a path

    By kind, first the wildest from the wildest on, then the calmest from the calmest on; no path is both.
    """
    chosen, wild = [np.empty(0, np.int64)], [np.empty(0, np.int8)]
    for kind in np.unique(rows["kind"]):
        order = _by_hff(rows, signal, noise, rows["kind"] == kind)
        first = min(EACH, (len(order) + 1) // 2)
        last = order[first:][-EACH:][::-1]
        chosen += [order[:first], last]
        wild += [np.ones(first, np.int8), np.zeros(len(last), np.int8)]
    return np.concatenate(chosen), np.concatenate(wild)


def _by_hff(rows: Rows, signal: str, noise: float, among: np.ndarray) -> np.ndarray:
    """Row indices of the paths worth looking at, the wildest first."""
    total = rows[f"total_{signal}"]
    counted = among & (rows["ends_right"] == 2) & (rows["within_reach"] > 0) & (total > noise)
    if not counted.any():
        return np.empty(0, np.int64)
    moving = np.flatnonzero(counted & (total >= _MOVES * total[counted].mean()))
    return moving[np.argsort(-rows[f"hf_{signal}"][moving] / total[moving], kind="stable")]


def gather(
    engine: LocalEngine,
    rows: Rows,
    reading: Reading,
    pilot: Pilot,
    pixels: bool,
    outputs: Callable[[np.ndarray], Iterable[np.ndarray]],
) -> Strips:
    """The strips of a run.

    Parameters
    ----------
    pixels : False leaves the thumbnails out
    outputs : images at the ends of lines (lines, 2) int -> the model's outputs along them, each (points, outputs)
    """
    signal = reading.measurement.signals[0]
    paths, wild = choose(rows, signal, float(pilot.floor[signal].sum()))
    ends = np.column_stack([rows["image_a"][paths], rows["image_b"][paths]])
    top = [_top(reading.signal("prob", one[None])[0], reading.columns) for one in outputs(ends)]
    return Strips(
        paths.astype(np.int32),
        wild,
        rows[f"hf_{signal}"][paths] / rows[f"total_{signal}"][paths],
        np.array([output for output, _ in top], np.int32),
        np.array([prob for _, prob in top], np.float32),
        np.array([_thumbnails(engine, pair) for pair in ends], np.uint8) if pixels and len(ends) else None,
    )


def _top(prob: np.ndarray, columns: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    """Output indices (classes,) of the classes that get highest on a path, and their curves (classes, points)."""
    best = np.argsort(-prob.max(0), kind="stable")[:CLASSES]
    return best if columns is None else columns[best], prob[:, best].T


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
