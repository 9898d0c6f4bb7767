"""`relate`: a finished report in, its classes' figures against how diverse they are out."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from onnxspec import __version__
from onnxspec.diversity.columns import METRICS, Columns, columns, divided, mean_length, share_right
from onnxspec.diversity.crossing import relations
from onnxspec.diversity.embedding import class_distances
from onnxspec.diversity.found import ClassOf, Diversity, Quantity
from onnxspec.diversity.halves import Half, halved
from onnxspec.diversity.remarks import remarks
from onnxspec.errors import ReportError
from onnxspec.listening import Listener, Silence
from onnxspec.report.headline import figure, labelled, signals_of
from onnxspec.report.repooled import repooled, scalars
from onnxspec.report.report import Report
from onnxspec.results import Rows
from onnxspec.settings import KINDS, Given, Settings


def relate(
    report: Report,
    embedding: str | os.PathLike[str] | None = None,
    data: Any = None,
    settings: Given = None,
    *,
    listener: Listener | None = None,
    **overrides: Any,
) -> Diversity:
    """Sets hff and slope within every class against how diverse the class is.

    Parameters
    ----------
    report : with pairs within classes, of labelled images
    embedding : an ONNX model (n, D), in whose output space the images' distances are a measure, too
    data, settings, overrides : the report's images and how they become the encoder's input; only for `embedding`

    Raises
    ------
    OnnxspecError
        The report has no labelled pairs within classes, or the encoder or its images cannot be used.
    """
    settings, listener = Settings.given(settings, **overrides), listener or Silence()
    _require_labelled_classes(report)
    rows = Rows(scalars(report))
    halves = halved(rows.columns)
    embedded: list[np.ndarray | None] = [None, None, None]
    if embedding is not None:
        groups = [half.images for half in halves]
        embedded = list(class_distances(os.fspath(embedding), report, data, settings, listener, groups))
    classes = _classes(report, _measures(_path_length(report, rows), embedded[0], _accuracy(report)))
    first, second = (_columns(report, rows, half, seen) for half, seen in zip(halves, embedded[1:], strict=True))
    found = relations(first, second)
    attributes = _of_what(report, embedding) | _over_what(rows, halves)
    return Diversity(attributes, classes, tuple(found), tuple(remarks(attributes, (first, second), found)))


def _require_labelled_classes(report: Report) -> None:
    if "within" not in report.kinds:
        raise ReportError(f"{report.path.name} has no pairs within classes.", "Analyse with --kinds within,between.")
    if not labelled(report):
        raise ReportError(
            f"The classes of {report.path.name} are the model's own predictions.",
            "The diversity of classes is about labelled images: pass them with --data to onnxspec analyze.",
        )


def _measures(distance: np.ndarray, embedding: np.ndarray | None, accuracy: np.ndarray) -> dict[str, np.ndarray]:
    every = {"distance": distance, "embedding": embedding, "accuracy": accuracy}
    return {name: values for name, values in every.items() if values is not None}


def _columns(report: Report, rows: Rows, half: Half, embedding: np.ndarray | None) -> Columns:
    names = tuple(str(name) for name in report.classes["name"])
    pooling = repooled(report, rows, float(report.attributes["cutoff"]), names)
    distance = mean_length(rows, half.paths, len(names))
    return columns(
        pooling, half, _measures(distance, embedding, share_right(rows, half.images, report.classes["output"]))
    )


def _path_length(report: Report, rows: Rows) -> np.ndarray:
    within = np.flatnonzero(rows["kind"] == KINDS.index("within"))
    return mean_length(rows, within, len(report.classes["name"]))


def _accuracy(report: Report) -> np.ndarray:
    return divided(report.classes["right"], report.classes["used"])


def _classes(report: Report, measures: Mapping[str, np.ndarray]) -> tuple[ClassOf, ...]:
    """Every class over all of its paths and images."""
    quantities = [Quantity(signal, metric) for signal in signals_of(report) for metric in METRICS]
    return tuple(
        ClassOf(
            str(name),
            {one: figure(report, "within", one.metric, one.signal, str(name)) for one in quantities},
            {measure: float(values[i]) for measure, values in measures.items()},
        )
        for i, name in enumerate(report.classes["name"])
    )


def _of_what(report: Report, embedding: str | os.PathLike[str] | None) -> dict[str, Any]:
    return {
        "tool_version": __version__,
        "report": report.path.name,
        "report_digest": str(report.attributes["digest"]),
        "model": str(report.attributes["model"]),
        "data": str(report.attributes["data"]),
        "encoder": Path(embedding).name if embedding is not None else "",
    }


def _over_what(rows: Rows, halves: tuple[Half, Half]) -> dict[str, Any]:
    within = int((rows["kind"] == KINDS.index("within")).sum())
    return {"paths": within, "paths_in_halves": sum(len(half.paths) for half in halves)}
