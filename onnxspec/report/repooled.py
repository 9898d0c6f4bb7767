"""A report's rows made ready to be pooled again: over other paths, or read at another cut-off."""

import json

import numpy as np

from onnxspec.report.pooling import Pooling
from onnxspec.report.report import Report
from onnxspec.results import Reading, Rows
from onnxspec.settings import Measurement
from onnxspec.statistics.drawn import Drawn

_NUMBERS = ("path", "bin")


def measurement_of(report: Report) -> Measurement:
    """How the report's paths were measured."""
    known = json.loads(report.attributes["settings"])
    return Measurement(
        points=int(report.attributes["points"]),
        signals=tuple(report.attributes["signals"].split()),
        estimator=str(report.attributes["estimator"]),
        cutoff=known.get("cutoff"),
    )


def scalars(report: Report) -> dict[str, np.ndarray]:
    """The scalar columns of the report's straight paths, each (paths,)."""
    names = [name for name in report.paths if name not in _NUMBERS and not name.startswith("power_")]
    return {name: report.paths[name] for name in names}


def repooled(
    report: Report, rows: Rows, cutoff: float, class_names: tuple[str, ...], drawn: Drawn | None = None
) -> Pooling:
    """Pools rows, of this report or made of its own, as the report's were.

    cutoff : cycles per unit RMS distance; drawn : as of `Pooling`
    """
    measurement = measurement_of(report)
    reading = Reading(measurement, cutoff, False, report.classes["output"])
    floor = dict(zip(measurement.signals, report.checks["noise_floor"], strict=True))
    return Pooling(rows, class_names, reading, floor, drawn=drawn)
