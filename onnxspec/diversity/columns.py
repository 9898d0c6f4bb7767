"""What the paths of a half say of every class, and what its images are: (classes,) columns."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from onnxspec.diversity.found import Quantity
from onnxspec.diversity.halves import Half
from onnxspec.report.pooling import Pooling
from onnxspec.results import Rows
from onnxspec.statistics import Pooled

METRICS = ("hff", "slope")


@dataclass(frozen=True, eq=False)
class Columns:
    """Of every class, NaN where it is undefined; each (classes,).

    figures : over paths whose ends are predicted right, float64; measures : as of `ClassOf`, float64
    paths : how many paths carry the figures, int64
    """

    figures: Mapping[Quantity, np.ndarray]
    measures: Mapping[str, np.ndarray]
    paths: np.ndarray


def columns(pooling: Pooling, half: Half, measures: Mapping[str, np.ndarray]) -> Columns:
    """Those of a half, of whose images the measures are."""
    right = pooling.selected(half.paths, "right")
    of_class = pooling.rows["class_a"][right]
    by_class = [right[of_class == c] for c in range(len(pooling.strata.class_names))]
    figures = {
        Quantity(signal, metric): np.array(
            [_figure(pooling, rows, metric, signal).interval().estimate for rows in by_class]
        )
        for signal in pooling.reading.measurement.signals
        for metric in METRICS
    }
    return Columns(figures, measures, np.array([len(rows) for rows in by_class]))


def mean_length(rows: Rows, paths: np.ndarray, classes: int) -> np.ndarray:
    """Mean RMS pixel distance of every class's paths among (n,) row indices, right or not, (classes,) float64."""
    at = rows["class_a"][paths]
    return divided(np.bincount(at, rows["distance"][paths], classes), np.bincount(at, minlength=classes))


def share_right(rows: Rows, images: np.ndarray, output_of: np.ndarray) -> np.ndarray:
    """The share of every class's images among (n,) of them that is predicted right, (classes,) float64.

    output_of : (classes,) int, the output index of every class
    """
    ends, of_end, predicted = (
        np.concatenate([rows[f"{name}_a"], rows[f"{name}_b"]]) for name in ("image", "class", "predicted")
    )
    known, at = np.unique(ends, return_index=True)
    at = at[np.isin(known, images)]
    right, count = predicted[at] == output_of[of_end[at]], len(output_of)
    return divided(np.bincount(of_end[at], right, count), np.bincount(of_end[at], minlength=count))


def divided(sums: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Means of (n,) sums, NaN of nothing."""
    return np.divide(sums, counts, out=np.full(len(counts), np.nan), where=counts > 0)


def _figure(pooling: Pooling, rows: np.ndarray, metric: str, signal: str) -> Pooled:
    return pooling.hff(rows, signal) if metric == "hff" else pooling.mean(rows, f"{metric}_{signal}")
