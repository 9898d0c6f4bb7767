"""The driver: a model and images become a plan, the plan becomes rows, rows become a report.

A plan is walked at once, or, to a precision, in rounds that `sampling` chooses by the rows so far.
"""

import math
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from onnxspec import sampling, spectra
from onnxspec.analysis import strips
from onnxspec.analysis.conclusion import conclude
from onnxspec.analysis.evaluating import LINES, Source, parts
from onnxspec.analysis.families import measuring
from onnxspec.analysis.families.choosing import Own, choose
from onnxspec.analysis.families.family import Family
from onnxspec.analysis.planning import Prepared, freeze, prepare
from onnxspec.analysis.provenance import Clock
from onnxspec.analysis.subject import Subject, open_subject
from onnxspec.engine.shards import shards_by_kind
from onnxspec.files import temporary_folder
from onnxspec.listening import Listener, Silence
from onnxspec.paths.families import line
from onnxspec.paths.pairs import Pairs
from onnxspec.report.pooling import Pooling
from onnxspec.report.report import Report
from onnxspec.report.spool import Spool
from onnxspec.report.writer import ReportWriter
from onnxspec.results import Rows, measure
from onnxspec.settings import KINDS, Given, Settings
from onnxspec.statistics import Interval


def analyze(
    model: Any,
    data: Any = None,
    settings: Given = None,
    *,
    output: str | os.PathLike[str] | None = None,
    listener: Listener | None = None,
    own_paths: Own | None = None,
    **overrides: Any,
) -> Report:
    """Measures the frequency content of a classifier between images.

    Parameters
    ----------
    model : path of an ONNX file, or a callable from a batch (n, channels, height, width) float32 to scores (n, K)
    data : path of images (folder, zip, tar, npz, h5), (images, labels), a sequence of (image, label), or None for
        what the settings name, else the embedded probe images
    settings : see `Settings`; `overrides` are further settings by name (pairs=200)
    output : where the report goes, a name that ends in .h5; None keeps it in a temporary file of this process. A model's
        output is chosen in the settings, {"output": "logits"}
    listener : is told how the run goes on, see `onnxspec.listening`
    own_paths : families of paths of one's own by name, each a function (image_a, image_b, t) -> points or an
        `OwnFamily`, see `onnxspec.paths.own`

    Returns
    -------
    Report

    Raises
    ------
    OnnxspecError
        The model, the images or the settings cannot be used; nothing is written then.
    """
    settings = Settings.given(settings, **overrides)
    listener = listener or Silence()
    destination = Path(output) if output is not None else temporary_folder() / "report.h5"
    with Spool(destination, settings.execution.resume, keeps=output is not None) as spool:
        listener.stage("opening the model and the images")
        _walk(open_subject(model, data, settings), settings, spool, listener, None, own_paths)
    return Report.of_own(destination)


def walk(
    subject: Subject,
    settings: Settings,
    destination: Path,
    listener: Listener,
    pairs: Pairs | None = None,
    keeps: bool = True,
) -> Report:
    """Measures an opened subject along the pairs of its plan, or along given ones, and writes the report.

    keeps : whether an interrupted run leaves what it has finished beside the destination
    """
    with Spool(destination, settings.execution.resume, keeps) as spool:
        _walk(subject, settings, spool, listener, pairs)
    return Report.of_own(destination)


def _walk(
    subject: Subject,
    settings: Settings,
    spool: Spool,
    listener: Listener,
    pairs: Pairs | None,
    own_paths: Own | None = None,
) -> None:
    with started(subject, settings, spool, listener, pairs, own_paths) as run:
        if settings.plan.precision is None:
            run.extend([slice(0, len(run.prepared.pairs))])
            run.conclude()
        else:
            run.conclude(to_precision([run], settings.plan.precision, lambda: _headlines(run)))


@dataclass
class Run:
    """A model on its way along its plan."""

    prepared: Prepared
    beside: Sequence[Family]
    spool: Spool
    writer: ReportWriter
    listener: Listener
    clock: Clock
    candidates: strips.Candidates
    walked: list[slice] = field(default_factory=list)

    def extend(self, spans: Sequence[slice]) -> None:
        """Walks more pairs, at these places of the plan."""
        self.listener.stage("walking the paths")
        for rows in evaluate(self.prepared, self.spool, spans):
            self.writer.append(rows)
            self.candidates.offer(rows)
        self.walked += spans

    def pooling(self) -> Pooling:
        """What pools the rows so far."""
        prepared = self.prepared
        return Pooling(self.writer.rows(), prepared.subject.class_names, prepared.reading, prepared.pilot.floor)

    def conclude(self, ended: Mapping[str, str] | None = None) -> None:
        """Walks what is beside the straight lines, pools everything and gives the report its name.

        ended : kind to why a run to a precision of its own went no further, a key of `sampling.ENDINGS`
        """
        if self.beside:
            self.listener.stage("walking the other paths")
        walked = measuring.evaluate(self.prepared, self.beside, self.spool)
        self.listener.stage("pooling")
        prepared = self._as_walked()
        if prepared.settings.plan.precision is not None and not ended:
            prepared = _as_asked_for(prepared)
        conclude(prepared, walked, self.writer, self.spool, self.clock, ended or {}, self.candidates)

    def _as_walked(self) -> Prepared:
        """What was prepared, with the pairs that were walked, in that order."""
        places = np.concatenate([np.arange(span.start, span.stop) for span in self.walked])
        return replace(self.prepared, pairs=self.prepared.pairs[places])


def _as_asked_for(prepared: Prepared) -> Prepared:
    """What another run's precision has decided, as if so many pairs had been asked for."""
    most = int(np.unique(prepared.pairs.kind, return_counts=True)[1].max())
    return replace(prepared, settings=prepared.settings.updated(precision=None, pairs=most))


@contextmanager
def started(
    subject: Subject,
    settings: Settings,
    spool: Spool,
    listener: Listener,
    pairs: Pairs | None = None,
    own_paths: Own | None = None,
) -> Iterator[Run]:
    """A run whose plan is frozen and whose pilot has been walked, along the pairs of its plan or along given ones."""
    clock = Clock()
    with closing(subject.engine):
        frozen = freeze(subject, settings, listener, pairs)
        prepared, beside = prepare(frozen, listener, spool, lambda known: choose(known, own_paths))
        measurement = prepared.reading.measurement
        bins = spectra.bins(measurement.estimator, measurement.points).frequency
        with ReportWriter(spool.destination, spool.report, bins) as writer:
            yield Run(prepared, beside, spool, writer, listener, clock, strips.Candidates(*prepared.headline))


def to_precision(
    runs: Sequence[Run], precision: float, look: Callable[[], Mapping[str, Sequence[Interval]]]
) -> dict[str, str]:
    """Walks runs over one plan in step until every figure is precise, kind by kind, and says why each kind ended.

    Parameters
    ----------
    look : the figures of each kind over the rows so far, looked at between rounds
    """
    kinds, first, held = np.unique(runs[0].prepared.pairs.kind, return_index=True, return_counts=True)
    begins = {KINDS[kind]: int(at) for kind, at in zip(kinds, first, strict=True)}
    standings = {KINDS[kind]: sampling.Standing(0, int(count), ()) for kind, count in zip(kinds, held, strict=True)}
    while spans := sampling.next_round(standings, precision):
        for run in runs:
            run.extend([slice(begins[kind] + span.start, begins[kind] + span.stop) for kind, span in spans.items()])
        figures = look()
        for kind, span in spans.items():
            standings[kind] = replace(standings[kind], walked=span.stop, figures=figures[kind])
    return {kind: sampling.ending(one, precision) for kind, one in standings.items()}


def _headlines(run: Run) -> dict[str, list[Interval]]:
    """The headline hff of each kind over the rows so far."""
    pooling, signal = run.pooling(), run.prepared.reading.measurement.signals[0]
    kinds = pooling.strata.kinds()
    return {one.kind: [pooling.hff(pooling.selected(rows, "right"), signal).interval()] for one, rows in kinds}


def evaluate(prepared: Prepared, spool: Spool, spans: Iterable[slice]) -> Iterator[Rows]:
    """The rows of spans of the plan, shard after shard."""
    engine, pairs, reading = prepared.subject.engine, prepared.pairs, prepared.reading
    points, outputs, weights = prepared.points, prepared.subject.outputs, line(prepared.points)
    values = math.prod(engine.spec.shape)
    cut = (shards_by_kind(pairs.kind[span], points, outputs, values, span.start) for span in spans)
    todo = [(LINES, shard) for shard in chain.from_iterable(cut)]
    if todo:
        engine.even((todo[0][1].stop - todo[0][1].start) * points)

    def read(span: slice, outputs: np.ndarray) -> Rows:
        some = pairs[span]
        return measure(outputs, some, engine.distance(some.image_a, some.image_b), reading)

    def rows(span: slice) -> Rows:
        some = pairs[span]
        return read(span, engine.outputs(some.image_a, some.image_b, weights))

    def early(span: slice) -> Rows | None:
        found = prepared.walked.take(span) if prepared.walked else None
        return None if found is None else read(span, found)

    lines = Source(rows, lambda span: pairs[span].images, lambda span: pairs[span].digest, points, early)
    return (part.rows for _, part in parts(prepared, {LINES: lines}, todo, spool))
