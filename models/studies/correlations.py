"""Over all networks of the studies: how accuracy goes with the figures within and between classes."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from onnxspec.diversity.correlation import Correlation, rank_correlation
from studies.effects import Effect

READINGS = ("value", "every_value")


@dataclass(frozen=True)
class Related:
    """Spearman's rank correlation of accuracy and one figure; reading : `value` (both ends right) or `every_value`."""

    kind: str
    metric: str
    reading: str
    correlation: Correlation


def unique(effects: Sequence[Effect], ends: bool) -> list[Effect]:
    """The rows of each network once; `ends` leaves out checkpoints before the end of a training."""
    found = {(one.network, one.seed, one.fraction, one.kind, one.signal, one.metric): one for one in effects}
    return [one for one in found.values() if one.fraction == 1 or not ends]


def related(effects: Sequence[Effect], ends: bool, signal: str = "prob") -> list[Related]:
    """Every kind, metric and reading against accuracy."""
    rows = unique(effects, ends)
    found = []
    for metric in ("hff", "slope"):
        for kind in ("between", "within"):
            some = [one for one in rows if (one.kind, one.signal, one.metric) == (kind, signal, metric)]
            accuracy = np.array([one.accuracy for one in some])
            for reading in READINGS:
                values = np.array([getattr(one, reading) for one in some])
                known = np.isfinite(values)
                found.append(Related(kind, metric, reading, rank_correlation(values[known], accuracy[known], [])))
    return found
