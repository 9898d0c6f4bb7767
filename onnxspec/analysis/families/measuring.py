"""Walks the planned paths of other families and reads them as lines are read: outputs become rows.

An open path is read by the sine estimator whatever the run's own is, a closed one by the plain transform of a turn: it
has no ends, so no chord. f_c is the run's, per unit RMS distance, and so applies by each path's own length.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, partial

import numpy as np

from onnxspec import metrics, signals, spectra
from onnxspec.analysis.evaluating import Source, parts
from onnxspec.analysis.families.family import Family
from onnxspec.analysis.grounds import content_digest
from onnxspec.analysis.planning import Prepared
from onnxspec.engine.local import LocalEngine
from onnxspec.engine.shards import shards
from onnxspec.report.spool import Spool
from onnxspec.results import Reading, Rows, less_noise


@dataclass(frozen=True)
class Walked:
    """A family and its rows; `frequency` (bins,) float64 of its spectra, cycles per path."""

    family: Family
    rows: Rows
    frequency: np.ndarray


def evaluate(prepared: Prepared, chosen: Sequence[Family], spool: Spool) -> list[Walked]:
    """Walks families, shard after shard. Those of the user's own are walked in this process, and never kept."""
    engine, reading = prepared.subject.engine, prepared.reading
    of = {one.name: one for one in chosen}
    rows: dict[str, list[Rows]] = {name: [] for name in of}
    outputs, values = prepared.subject.outputs, math.prod(engine.spec.shape)
    todo = [(one.name, shard) for one in chosen for shard in shards(len(one), one.points, outputs, values)]
    sources = {name: _source(prepared, one) for name, one in of.items() if not one.own}
    for (name, _), part in parts(prepared, sources, [item for item in todo if item[0] in sources], spool):
        rows[name].append(part.rows)
    own = [item for item in todo if item[0] not in sources]
    walked = engine.map(lambda item: _rows(engine, reading, of[item[0]], item[1].span), own)
    for (name, _), made in zip(own, walked, strict=True):
        rows[name].append(made)
    return [Walked(one, Rows.concatenated(rows[one.name]), bins(one)) for one in chosen]


def _source(prepared: Prepared, family: Family) -> Source:
    engine = prepared.subject.engine

    @cache
    def plan() -> str:
        """What decides the paths: they may depend on one another, so it is all that the family is planned from."""
        content = content_digest(engine.pixels, family.used())
        return f"{prepared.pairs.digest} {content} {prepared.settings.plan.seed} {prepared.reference!r}"

    rows = partial(_rows, engine, prepared.reading, family)
    return Source(rows, family.used, lambda span: f"{plan()} {span}", family.images)


def bins(family: Family) -> np.ndarray:
    """Frequencies of a family's spectra, (bins,) float64 cycles per path."""
    empty = np.zeros((0, family.points, 1))
    return (spectra.closed(empty) if family.closed else spectra.sine(empty)).frequency


def _rows(engine: LocalEngine, reading: Reading, family: Family, span: slice) -> Rows:
    anchors = family.image[span, : family.anchors]
    predicted = reading.predicted(engine.whole(anchors.ravel())).reshape(anchors.shape)
    right = predicted == reading.output_of[family.classes(span)]
    length = family.length(span)
    # A closed path of N points a turn has the Nyquist frequency of an open one of N + 1.
    reach = metrics.within_reach(length, reading.cutoff, family.points + family.closed)
    columns = {
        "kind": family.kind[span],
        "class_a": family.class_a[span],
        "class_b": family.class_b[span],
        **{f"image_{letter}": family.image[span, i] for i, letter in enumerate("abc")},
        "ends_right": right.sum(-1).astype(np.int8),
        "within_reach": reach.astype(np.int8),
        "length": length,
        **{name: values[span] for name, values in family.extra.items()},
    }
    return Rows(columns | read(engine.walk(family.walk(span)), length, reading, family.closed))


def read(outputs: np.ndarray, length: np.ndarray, reading: Reading, closed: bool) -> dict[str, np.ndarray]:
    """What is read off some paths, by column.

    Parameters
    ----------
    outputs : (paths, points, outputs) float32; length : (paths,) float64 RMS pixel difference
    """
    turned = np.concatenate([outputs, outputs[:, :1]], 1) if closed else outputs
    columns: dict[str, np.ndarray] = {
        "excess_tv": metrics.excess_tv(reading.signal("prob", turned)),
        "flips": metrics.flips(signals.labels(reading.kept(turned))).astype(np.int32),
    }
    for name in reading.measurement.signals:
        signal = reading.signal(name, outputs)
        spectrum = spectra.closed(signal) if closed else spectra.sine(signal)
        if reading.floor is not None:
            spectrum = less_noise(spectrum, spread_floor(reading.floor[name], len(spectrum.frequency)))
        if closed:
            slope = metrics.closed_slope(spectrum.power, length)
        else:
            slope = metrics.slope(spectrum.power, spectra.chord(signal), length)
        columns |= {
            f"hf_{name}": metrics.high_power(spectrum, length, reading.cutoff),
            f"total_{name}": spectrum.total,
            f"slope_{name}": slope,
            f"power_{name}": spectrum.power.astype(np.float32),
        }
    return columns


def spread_floor(floor: np.ndarray, count: int) -> np.ndarray:
    """The rounding noise of `count` bins of any path, from that of a line's sine bins (bins,).

    Rounding is spread over whatever bins there are, and has the same sum.
    """
    return np.full(count, floor.sum() / count)
