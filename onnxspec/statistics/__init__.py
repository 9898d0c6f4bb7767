"""Spectra become statistics: how sure a pooled figure is when paths share images (method.md section 6).

intervals     pooled figures, their intervals and contrasts, multiplicity: what the names below are
dyadic        how sure a sum over paths is that share images
drawn         how paths were drawn: what of the spread is the plan and no chance
permutation   many classes tested at once
bootstrap     another way to an interval, to hold the usual one against

Arrays in, arrays out; NumPy and SciPy only.
"""

from onnxspec.statistics.dyadic import Design
from onnxspec.statistics.intervals import (
    BELOW_FLOOR,
    BOTH_ZERO,
    FEW_PATHS,
    LEVEL,
    ONE_IMAGE,
    SIGNIFICANT,
    TOO_FEW,
    Interval,
    Pooled,
    contrast,
    holm,
    intervals_of,
    log_mean,
    mean,
    mean_band,
    paired,
    proportion,
    ratio,
    spread,
)

__all__ = [
    "BELOW_FLOOR",
    "BOTH_ZERO",
    "FEW_PATHS",
    "LEVEL",
    "ONE_IMAGE",
    "SIGNIFICANT",
    "TOO_FEW",
    "Design",
    "Interval",
    "Pooled",
    "contrast",
    "holm",
    "intervals_of",
    "log_mean",
    "mean",
    "mean_band",
    "paired",
    "proportion",
    "ratio",
    "spread",
]
