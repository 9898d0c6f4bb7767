"""`relate`: a finished report in, its classes' figures against how diverse they are out."""

import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from onnxspec import __version__, statistics
from onnxspec.diversity.correlation import Correlation, rank_correlation, reach
from onnxspec.diversity.embedding import class_distances
from onnxspec.diversity.found import TOO_WIDE, ClassOf, Diversity, Quantity, Relation
from onnxspec.errors import ReportError
from onnxspec.listening import Listener, Silence
from onnxspec.report.headline import figure, labelled, signals_of
from onnxspec.report.pooling import RANKED_FROM
from onnxspec.report.report import Report
from onnxspec.results import Remark
from onnxspec.settings import KINDS, Settings

METRICS = ("hff", "slope")
# Diversity is itself partly distance, so that what the encoder sees is also asked beyond it; a distance is not asked
# beyond itself.
CONTROLS = {"distance": ("accuracy",), "embedding": ("distance", "accuracy"), "accuracy": ("distance",)}


def relate(
    report: Report,
    embedding: str | os.PathLike[str] | None = None,
    data: Any = None,
    settings: Settings | None = None,
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
    settings, listener = (settings or Settings()).updated(**overrides), listener or Silence()
    if "within" not in report.kinds:
        raise ReportError(f"{report.path.name} has no pairs within classes.", "Analyse with --kinds within,between.")
    if not labelled(report):
        raise ReportError(
            f"The classes of {report.path.name} are the model's own predictions.",
            "The diversity of classes is about labelled images: pass them with --data to onnxspec analyze.",
        )
    measures = {"distance": _path_length(report), "accuracy": _accuracy(report)}
    if embedding is not None:
        found = class_distances(os.fspath(embedding), report, data, settings, listener)
        measures = {"distance": measures["distance"], "embedding": found, "accuracy": measures["accuracy"]}
    classes = [_class(report, i, measures) for i in range(len(report.classes["name"]))]
    relations = _relations(report, classes, list(measures))
    attributes = {
        "tool_version": __version__,
        "report": report.path.name,
        "report_digest": str(report.attributes["digest"]),
        "model": str(report.attributes["model"]),
        "data": str(report.attributes["data"]),
        "encoder": Path(embedding).name if embedding is not None else "",
    }
    return Diversity(attributes, tuple(classes), tuple(relations), tuple(_remarks(classes, relations)))


def _path_length(report: Report) -> np.ndarray:
    """Mean RMS pixel distance of every class's paths, right or not, (classes,) float64."""
    paths = report.paths
    within = paths["kind"] == KINDS.index("within")
    at, count = paths["class_a"][within], len(report.classes["name"])
    return _divided(np.bincount(at, paths["distance"][within], count), np.bincount(at, minlength=count))


def _accuracy(report: Report) -> np.ndarray:
    return _divided(report.classes["right"], report.classes["used"])


def _class(report: Report, i: int, measures: Mapping[str, np.ndarray]) -> ClassOf:
    name = str(report.classes["name"][i])
    figures = {
        Quantity(signal, metric): figure(report, "within", metric, signal, name)
        for signal in signals_of(report)
        for metric in METRICS
    }
    return ClassOf(name, figures, {measure: float(values[i]) for measure, values in measures.items()})


def _relations(report: Report, classes: list[ClassOf], measures: list[str]) -> list[Relation]:
    asked = [
        (Quantity(signal, metric), measure, controls)
        for signal in signals_of(report)
        for metric in METRICS
        for measure in measures
        for controls in ((), CONTROLS[measure])
    ]
    found = [_correlated(classes, *one) for one in asked]
    p_holm = statistics.holm(np.array([one.p for one in found]))
    return [Relation(*question, one, float(p)) for question, one, p in zip(asked, found, p_holm, strict=True)]


def _correlated(classes: list[ClassOf], quantity: Quantity, measure: str, controls: tuple[str, ...]) -> Correlation:
    """Over the classes for which everything asked is defined."""
    columns = [
        [one.figures[quantity].estimate, *(one.measures[name] for name in (measure, *controls))] for one in classes
    ]
    values = np.array(columns)
    values = values[np.isfinite(values).all(1)]
    return rank_correlation(values[:, 0], values[:, 1], list(values[:, 2:].T))


def _remarks(classes: list[ClassOf], relations: list[Relation]) -> list[Remark]:
    found = []
    fewest = min(one.correlation.classes for one in relations)
    if (wide := reach(fewest)) > TOO_WIDE:
        text = (
            f"{fewest} classes decide nothing about diversity: no correlation at all has an interval from {-wide:.2f} to "
            f"{wide:.2f}, and no verdict is given."
        )
        found.append(Remark("few-classes", text, "Use data of more classes: 100 give -0.20 to 0.20."))
    paths = [one.paths for one in classes if one.paths]
    if paths and (middle := float(np.median(paths))) < RANKED_FROM:
        text = (
            f"Half of the classes have {middle:g} paths or fewer: chance in the figures of classes draws all "
            "correlations towards zero."
        )
        found.append(Remark("few-paths", text, "Analyse with more --pairs --kinds within."))
    if left := sum(any(math.isnan(i.estimate) for i in one.figures.values()) for one in classes):
        found.append(
            Remark("undefined", f"{left} of {len(classes)} classes have a figure that is undefined: left out.")
        )
    return found


def _divided(sums: np.ndarray, counts: np.ndarray) -> np.ndarray:
    return np.divide(sums, counts, out=np.full(len(counts), np.nan), where=counts > 0)
