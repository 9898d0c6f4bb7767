"""Models in step: all walk a round of pairs before any walks the next, until their differences are known well enough.

What counts is the factor between the headline hff of each model and the reference's over the pairs that both get
right. What a pair does to both cancels in it, so that it takes fewer pairs than two figures of the same precision.
"""

from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any

import numpy as np

from onnxspec import statistics
from onnxspec.analysis.analyzing import Run, to_precision
from onnxspec.analysis.subject import TRUE
from onnxspec.comparison.candidates import Candidate
from onnxspec.comparison.measuring import Measured, Shelf, open_candidate, own_settings
from onnxspec.errors import DataError, UsageError
from onnxspec.listening import Listener
from onnxspec.settings import Settings
from onnxspec.statistics import Interval


def measure_in_step(
    found: Sequence[Candidate], reference: Candidate, data: Any, settings: Settings, shelf: Shelf, listener: Listener
) -> tuple[list[Measured], dict[str, str]]:
    """Every candidate's report, in their order, and for each kind why it ended, a key of `sampling.ENDINGS`.

    Raises
    ------
    UsageError
        One of them is a report, which can no longer grow, or the estimator gives no factors.
    DataError
        The images have no labels of their own.
    OnnxspecError
        As `measure_all`.
    """
    precision = settings.plan.precision
    assert precision is not None
    _require_growing(found, settings)
    runs: dict[str, Run] = {}
    with ExitStack() as stack:
        for one in sorted(found, key=lambda one: one is not reference):
            frame = runs.get(reference.name)
            own = own_settings(settings, one)
            subject = open_candidate(one, data if frame is None else frame.prepared.subject.images, own, listener)
            if subject.labelling != TRUE:
                raise DataError(
                    "--precision compares models on pairs that they get right, and these images have no labels.",
                    "Pass labelled images with --data, or give --pairs.",
                )
            pairs = None if frame is None else frame.prepared.pairs
            runs[one.name] = run = stack.enter_context(shelf.started(subject, one.name, own, listener, pairs))
            if frame is None:
                settings = settings.updated(cutoff=run.prepared.reading.cutoff, points=run.prepared.points)
        ended = to_precision(list(runs.values()), precision, lambda: _factors(list(runs.values())))
        for run in runs.values():
            run.conclude()
    return [Measured(one, shelf.report(one.name), runs[one.name].prepared.subject) for one in found], ended


def _factors(runs: Sequence[Run]) -> dict[str, list[Interval]]:
    """For each kind, hff of every run as a factor of the first's, over the rows so far that both get right."""
    signal = runs[0].prepared.reading.measurement.signals[0]
    reference, *others = (run.pooling() for run in runs)
    found: dict[str, list[Interval]] = {}
    for stratum, rows in reference.strata.kinds():
        for other in others:
            both = [one.right & (one.rows["within_reach"] > 0) for one in (reference, other)]
            common = rows[np.logical_and(*both)[rows]]
            factor = statistics.paired(other.hff(common, signal), reference.hff(common, signal))
            found.setdefault(stratum.kind, []).append(factor.interval())
    return found


def _require_growing(found: Sequence[Candidate], settings: Settings) -> None:
    if held := [one.name for one in found if one.is_report]:
        raise UsageError(
            f"--precision takes as many pairs as the differences need, and {held[0]} is a report, which has its pairs.",
            "Pass the ONNX files, or leave out --precision.",
        )
    if settings.measurement.estimator == "mool":
        raise UsageError("--precision is of factors, and the estimator mool gives differences.", "Use another one.")
