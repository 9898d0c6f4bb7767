"""What becomes of the rows of a run: figures, spectra, remarks and attributes, in a report under its name."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from itertools import chain
from typing import Any

import numpy as np

from onnxspec import interruption, results, sampling
from onnxspec.analysis import checks, strips
from onnxspec.analysis.evaluating import Source, parts
from onnxspec.analysis.families.measuring import Walked
from onnxspec.analysis.families.pooling import beyond_reach, pooled
from onnxspec.analysis.grounds import content_digest, deciding
from onnxspec.analysis.planning import ASKED, Prepared
from onnxspec.analysis.provenance import Clock, run_attributes, subject_attributes
from onnxspec.analysis.subject import PROBE, TRUE, Subject
from onnxspec.engine.shards import Shard
from onnxspec.metrics import Bins
from onnxspec.paths.families import line
from onnxspec.paths.pairs import available
from onnxspec.report import contents, families
from onnxspec.report.figuretable import FigureTable
from onnxspec.report.page import number
from onnxspec.report.pooling import Figure, Pooling, every_stratum, pooled_spectra, shape_figures
from onnxspec.report.spool import Spool
from onnxspec.report.writer import ReportWriter
from onnxspec.results import Reading, Remark, Rows, Strips
from onnxspec.settings import KINDS
from onnxspec.statistics import Interval

UNEVEN = 3
"""How many times its share of the paths a stratum may have without a word."""


def conclude(
    prepared: Prepared,
    walked: Sequence[Walked],
    writer: ReportWriter,
    spool: Spool,
    clock: Clock,
    ended: Mapping[str, str],
    candidates: strips.Candidates,
) -> None:
    """Pools the rows, writes everything but them and drops what the spool has kept of them.

    Parameters
    ----------
    prepared : with the pairs that were walked; walked : other families beside the straight lines
    ended : kind to why a run to a precision went no further, a key of `sampling.ENDINGS`
    candidates : whose curves are at hand
    """
    subject, reading = prepared.subject, prepared.reading
    rows = writer.rows()
    pooling = Pooling(rows, subject.class_names, reading, prepared.pilot.floor)
    shapes = _spectra(prepared, writer, pooling)
    figures = FigureTable(chain(pooling.figures(), shapes))
    answers = checks.answers(rows, reading)
    accuracy = checks.accuracy(rows, reading)
    tables = [pooled(one, prepared) for one in walked]
    remarks = [*prepared.remarks, *_closing_remarks(prepared, answers, pooling), *beyond_reach(walked)]
    remarks += _imprecise(prepared, pooling, ended)
    thumbnails, curves = prepared.settings.presentation.thumbnails, partial(_curves, prepared, candidates)
    kept = strips.gather(subject.engine, rows, *prepared.headline, thumbnails, curves)
    subject.model.require_unchanged()
    with interruption.shield():
        used = _used(prepared, walked)
        _write(prepared, writer, figures, kept, used)
        if tables:
            families.write(writer, tables)
        attributes = _attributes(prepared, accuracy, remarks, used) | {"ended": json.dumps(dict(ended))}
        helped = {"cached_paths": prepared.cache.paths, "cluster": prepared.settings.execution.cluster or ""}
        writer.finish(attributes, run_attributes(prepared.subject, clock) | helped)
        spool.finish()


def _spectra(prepared: Prepared, writer: ReportWriter, pooling: Pooling) -> list[Figure]:
    """Writes the pooled spectra, and keeps of them their shapes: they and the table of figures are large."""
    rows, reading, reference = writer.rows(), prepared.reading, prepared.reference
    bins = Bins.common(rows["distance"], reading.measurement.points, reference)
    spectra = pooled_spectra(pooling, every_stratum(pooling), bins, writer.power)
    with interruption.shield():
        contents.write_spectra(writer, spectra, bins, reference, reading.measurement.estimator)
    whole = [spectrum for spectrum in spectra if not spectrum.stratum.class_a]
    return [figure for spectrum in whole for figure in shape_figures(spectrum, bins, reading, reference)]


def _curves(prepared: Prepared, candidates: strips.Candidates, paths: np.ndarray, ends: np.ndarray) -> Rows:
    """The curves of paths (strips,) int between images (strips, 2) int; those that are not at hand are walked."""
    engine, reading, weights = prepared.subject.engine, prepared.reading, line(prepared.points)

    def walked(span: slice) -> Rows:
        return results.curves(reading.signal("prob", engine.outputs(ends[span, 0], ends[span, 1], weights)), reading)

    def held(span: slice) -> Rows | None:
        return None if prepared.walks_again else candidates.curves(int(paths[span.start]))

    source = Source(
        walked, lambda span: np.unique(ends[span]), lambda span: str(ends[span].tolist()), prepared.points, held
    )
    todo = [("curves", Shard(path, path + 1)) for path in range(len(ends))]
    found = [part.rows for _, part in parts(prepared, {"curves": source}, todo, None)]
    return Rows.concatenated(found or [results.curves(np.empty((0, prepared.points, 1)), reading)])


def _used(prepared: Prepared, walked: Sequence[Walked]) -> np.ndarray:
    """The distinct images of all paths, sorted, (images,) int32."""
    return np.unique(np.concatenate([prepared.pairs.images, *(one.family.used() for one in walked)]))


def _write(
    prepared: Prepared,
    writer: ReportWriter,
    figures: FigureTable,
    kept: Strips,
    used: np.ndarray,
) -> None:
    """Everything but the rows, the spectra and the attributes."""
    subject, reading = prepared.subject, prepared.reading
    rows = writer.rows()
    contents.write_figures(writer, figures)
    contents.write_classes(writer, _class_columns(subject, rows, reading))
    contents.write_images(writer, used, [subject.images.names[i] for i in used])
    contents.write_checks(writer, prepared.pilot, reading.measurement.signals)
    contents.write_strips(writer, kept, dict(zip(subject.output_of.tolist(), subject.class_names, strict=True)))


def _closing_remarks(prepared: Prepared, answers: tuple[np.ndarray, np.ndarray], pooling: Pooling) -> Iterator[Remark]:
    subject = prepared.subject
    for note in sorted(subject.engine.pixels.notes):
        yield Remark("channels", f"Channels were converted: {note}.")
    if subject.labelling == PROBE:
        yield Remark(
            "probe",
            "These are generated probe images, labelled by the model itself: a look at the function, not an audit.",
            "Pass real labelled images with --data FOLDER.",
        )
    yield from subject.implausible(*answers)
    kinds = [stratum.kind for stratum, _ in pooling.strata.kinds()]
    if several := [(count, kind) for kind in kinds if (count := prepared.pairs.reused(KINDS.index(kind)))]:
        counts = ", ".join(f"{count:,} {kind}" for count, kind in several)
        yield Remark("reused", f"Images that stand in several pairs: {counts}; the intervals allow for it.")
    for stratum, rows in pooling.strata.kinds():
        yield from _mixed(stratum.kind, pooling.rows, rows, subject.class_names)
        if same := int((pooling.rows["distance"][rows] == 0).sum()):
            text = f"Pairs of the same picture twice, whose paths lead nowhere: {same:,} of {len(rows):,} ({stratum.kind})."
            yield Remark("same-picture", text, "Take double images out of the data.")
        left = len(rows) - int(pooling.rows["within_reach"][rows].sum())
        if left:
            text = f"{left:,} of {len(rows):,} paths ({stratum.kind}) too long for the grid: not counted in hff."
            fitting = "--points auto, which fits most" if prepared.points_from == ASKED else "more --points"
            yield Remark("out-of-reach", text, f"Use {fitting}.")
        right = rows[pooling.right[rows]]
        interval = pooling.hff(right, prepared.reading.measurement.signals[0]).interval()
        if np.isnan(interval.estimate):
            yield Remark("undefined", f"hff {stratum.kind} is undefined: {interval.reason}.")
        elif interval.carried_by_few:
            text = f"hff {stratum.kind} is carried by few paths ({number(interval.n_eff)} effective of {interval.paths:,})."
            every = available(subject.labels, stratum.kind) == len(rows)
            yield Remark("few-paths", text, f"Use more {'images' if every else '--pairs'} to pin it down.")


def _mixed(kind: str, every: Rows, rows: np.ndarray, names: Sequence[str]) -> Iterator[Remark]:
    """On classes, or pairs of them, of which one has far more paths than its share: the small ones are used up."""
    classes = np.column_stack([every["class_a"][rows], every["class_b"][rows]])
    strata, counts = np.unique(classes, axis=0, return_counts=True)
    if len(rows) and counts.max() * len(counts) > UNEVEN * len(rows):
        of = " and ".join(dict.fromkeys(names[c] for c in strata[counts.argmax()]))
        text = f"{counts.max():,} of {len(rows):,} paths ({kind}) are of {of}: the smaller classes are used up."
        yield Remark("uneven", text, "More --pairs add paths of the large classes alone.")


def _imprecise(prepared: Prepared, pooling: Pooling, ended: Mapping[str, str]) -> Iterator[Remark]:
    """Kinds that did not get as precise as was asked."""
    signal, asked = prepared.reading.measurement.signals[0], prepared.settings.plan.precision
    for stratum, rows in pooling.strata.kinds():
        if ended.get(stratum.kind, sampling.REACHED) != sampling.REACHED:
            assert asked is not None, "else no kind would have ended"
            width = pooling.hff(pooling.selected(rows, "right"), signal).interval().half_width
            text = f"hff {stratum.kind} is known to {width:.1%} and not to {sampling.percent(asked)}, as was asked"
            every = available(prepared.subject.labels, stratum.kind) == len(rows)
            why = "the pairs allowed are used up" if ended[stratum.kind] == sampling.USED_UP else "it is undefined"
            more = "images" if every else "--pairs"
            yield Remark("imprecise", f"{text}: {why}.", f"Use more {more}, or a wider --precision.")


def _class_columns(subject: Subject, rows: Rows, reading: Reading) -> dict[str, Any]:
    ends = np.concatenate([rows["image_a"], rows["image_b"]])
    _, first = np.unique(ends, return_index=True)
    classes = np.concatenate([rows["class_a"], rows["class_b"]])[first]
    right = np.concatenate([rows["predicted_a"], rows["predicted_b"]])[first] == reading.output_of[classes]
    count = len(subject.class_names)
    return {
        "name": list(subject.class_names),
        "folder": list(subject.folders),
        "output": subject.output_of.astype(np.int32),
        "images": np.bincount(subject.labels[subject.labels >= 0], minlength=count).astype(np.int32),
        "used": np.bincount(classes, minlength=count).astype(np.int32),
        "right": np.bincount(classes, right, minlength=count).astype(np.int32),
    }


def _attributes(prepared: Prepared, accuracy: Interval, remarks: list[Remark], used: np.ndarray) -> dict[str, Any]:
    """Root attributes: equal for equal runs."""
    subject, settings, reading = prepared.subject, prepared.settings, prepared.reading
    measured = subject.labelling == TRUE
    nan = float("nan")
    return subject_attributes(subject, settings) | {
        "content_digest": content_digest(subject.engine.pixels, used),
        "kinds": " ".join(KINDS[k] for k in np.unique(prepared.pairs.kind)),
        "signals": " ".join(reading.measurement.signals),
        "estimator": reading.measurement.estimator,
        "points": prepared.points,
        "points_from": prepared.points_from,
        "pairs": settings.plan.pairs,
        "precision": settings.plan.precision or nan,
        "d_ref": prepared.reference,
        "cutoff": reading.cutoff,
        "accuracy": accuracy.estimate if measured else nan,
        "accuracy_low": accuracy.low if measured else nan,
        "accuracy_high": accuracy.high if measured else nan,
        "accuracy_images": accuracy.paths,
        "noise_floor_source": prepared.pilot.floor_source,
        "settings": json.dumps(deciding(settings)),
        "remarks": json.dumps([asdict(remark) for remark in remarks]),
    }
