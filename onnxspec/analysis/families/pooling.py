"""Rows of other families become figures, by the statistics that lines have: ratios and means with the same intervals."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from onnxspec.analysis.families.family import NONE
from onnxspec.analysis.families.measuring import Walked
from onnxspec.analysis.planning import Prepared
from onnxspec.paths.waves import octave_range
from onnxspec.report.families import FamilyFigure, FamilyTable
from onnxspec.report.pooling import SELECTIONS, Pooling
from onnxspec.results import Remark, Rows
from onnxspec.settings import KINDS
from onnxspec.statistics.drawn import Drawn


def pooled(walked: Walked, prepared: Prepared) -> FamilyTable:
    """The figures of a family, its rows and its bins."""
    family, reading = walked.family, prepared.reading
    as_lines = replace(reading, measurement=replace(reading.measurement, estimator="sine"))
    rows = _with_ends(walked.rows)
    names, floor = prepared.subject.class_names, prepared.pilot.floor
    pooling = Pooling(rows, names, as_lines, floor, family.anchors, _drawn(rows))
    figures = [
        FamilyFigure(family.name, band, stratum.kind, selection, signal, metric, estimator, interval)
        for stratum, of_kind in pooling.strata.kinds()
        for band, at in _bands(rows, of_kind)
        for selection in SELECTIONS
        for signal, metric, estimator, interval in _figures(pooling, pooling.selected(at, selection), family.closed)
    ]
    return FamilyTable(family.name, walked.rows, walked.frequency, figures)


def beyond_reach(walked: Sequence[Walked]) -> Iterator[Remark]:
    """Which families have paths whose cut-off the points do not resolve."""
    for one in walked:
        if left := len(one.rows) - int(one.rows["within_reach"].sum()):
            text = f"{left:,} of {len(one.rows):,} paths ({one.family.name}) too long for the grid: not counted in hff."
            yield Remark("out-of-reach", text, "Use more --points.")


def _figures(pooling: Pooling, at: np.ndarray, closed: bool) -> Iterator[tuple]:
    """Signal, metric, estimator and figure over (n,) row indices."""
    estimator = "closed" if closed else "sine"
    for signal in pooling.reading.measurement.signals:
        yield signal, "hff", estimator, pooling.hff(at, signal).interval()
        yield signal, "slope", estimator, pooling.mean(at, f"slope_{signal}").interval()
    for signal, metric in (("prob", "excess_tv"), ("prob", "flips"), ("", "length")):
        if metric in pooling.rows.columns:
            yield signal, metric, "", pooling.mean(at, metric).interval()
    if "spread" in pooling.rows.columns:
        # All paths share the images that it is measured on, so that they do not say how well it is known.
        known = pooling.mean(at, "spread").interval()
        yield "", "spread", "", replace(known, low=np.nan, high=np.nan, n_eff=np.nan)


def _bands(rows: Rows, at: np.ndarray) -> list[tuple[str, np.ndarray]]:
    """The bands of image frequency with the rows of each; one without a name where there are none."""
    if "band" not in rows.columns:
        return [("", at)]
    return [(band_name(int(band)), at[rows["band"][at] == band]) for band in np.unique(rows["band"][at])]


def band_name(band: int) -> str:
    """An octave of image frequency in words: "0", "1-2", "2-4" cycles per image."""
    return "-".join(f"{end:g}" for end in dict.fromkeys(octave_range(band)))


def _drawn(rows: Rows) -> Drawn:
    """Where paths come from: every band of image frequency has a draw of its own."""
    band = rows["band"].astype(np.int64) if "band" in rows.columns else 0
    return Drawn.whole(rows["kind"] + len(KINDS) * band, rows["class_a"], rows["class_b"])


def _with_ends(rows: Rows) -> Rows:
    """Rows as the statistics take them, two images a path: where there is one, the other is the path's alone."""
    alone = NONE - 1 - np.arange(len(rows))
    return Rows({**rows.columns, "image_b": np.where(rows["image_b"] == NONE, alone, rows["image_b"])})
