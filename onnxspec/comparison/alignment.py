"""Reports side by side: the paths that each shares with the reference, read at the reference's cut-off and distances.

Rows keep the power of every bin, so that another cut-off or another distance needs no new evaluation: `hf` is summed
again from power (float32), a slope goes as one over the distance, a width as the distance.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from onnxspec import metrics, spectra
from onnxspec.errors import ReportError
from onnxspec.paths.pairs import pair_codes
from onnxspec.report.pooling import Pooling
from onnxspec.report.repooled import measurement_of, repooled, scalars
from onnxspec.report.report import Report
from onnxspec.results import Remark, Rows, high_part
from onnxspec.settings import Measurement
from onnxspec.statistics.drawn import Drawn

_SHOWN = 5


@dataclass(frozen=True, eq=False)
class Member:
    """A report among those compared.

    place : (paths,) int64, for each of its paths that the reference has, ascending, the place there; own : (paths,) int64,
    the same path's place in its report
    rows : the scalar columns of those paths, as the reference reads them; left_out : its paths that are not there
    signals : those that are compared
    """

    name: str
    report: Report
    place: np.ndarray
    own: np.ndarray
    rows: Rows
    left_out: int
    pooling: Pooling
    signals: tuple[str, ...]
    remarks: tuple[Remark, ...]


def align(name: str, report: Report, reference: Report, beside: str | None = None) -> Member:
    """A report as the reference reads it; the reference itself comes out as it is.

    Parameters
    ----------
    beside : what the reference is called; None takes its model's name

    Raises
    ------
    ReportError
        Other images, labels, classes, points or estimator, or no path in common.
    """
    beside = beside or str(reference.attributes["model"])
    require_comparable(name, report, reference, beside)
    own, place = _shared(report, reference)
    if not len(own):
        a, b = report.attributes, reference.attributes
        differing = [one for one in ("seed", "kinds") if a[one] != b[one]]
        why = " and ".join(f"their {one} {a[one]} and {b[one]}" for one in differing)
        raise ReportError(
            f"{name} shares no pair of images with {beside}{': ' if why else ''}{why}.",
            "Measure both with the same --seed and --kinds.",
        )
    cutoff = float(reference.attributes["cutoff"])
    measurement = measurement_of(report)
    rows, remarks = _read_as(name, report, own, reference.paths["distance"][place], cutoff, measurement)
    remarks += _other_softmax(name, report, reference, beside)
    drawn = Drawn.whole(*(report.paths[column] for column in ("kind", "class_a", "class_b")))[own]
    pooling = repooled(report, rows, cutoff, tuple(str(c) for c in reference.classes["name"]), drawn)
    left_out = len(report.paths["kind"]) - len(own)
    if left_out:
        remarks.append(Remark("left-out", f"{left_out:,} paths of {name} are not in the reference: left out."))
    if len(place) < len(reference.paths["kind"]):
        missing = len(reference.paths["kind"]) - len(place)
        remarks.append(Remark("missing", f"{missing:,} paths of the reference are not in {name}."))
    return Member(name, report, place, own, rows, left_out, pooling, measurement.signals, tuple(remarks))


def in_common(members: Sequence[Member]) -> list[Member]:
    """The members with the signals that all of them have measured, and remarks on those that are left out.

    Raises
    ------
    ReportError
        There is no such signal; the message has those of each.
    """
    every = list(dict.fromkeys(signal for one in members for signal in one.signals))
    shared = tuple(signal for signal in every if all(signal in one.signals for one in members))
    if not shared:
        measured = "; ".join(f"{one.name} has {', '.join(one.signals)}" for one in members)
        raise ReportError(f"No signal was measured in all models: {measured}.", "Measure all with the same --signals.")
    found = []
    for one in members:
        missing = ", ".join(signal for signal in every if signal not in one.signals)
        text, hint = f"{one.name} has not measured {missing}: left out.", "Measure all with the same --signals."
        remarks = (*one.remarks, Remark("signals", text, hint)) if missing else one.remarks
        found.append(replace(one, signals=shared, remarks=remarks))
    return found


def require_comparable(name: str, report: Report, reference: Report, beside: str) -> None:
    """Refuses a report that cannot stand beside the reference.

    Raises
    ------
    ReportError
        Other images, labels, classes, points or estimator; the message has both values.
    """
    a, b = report.attributes, reference.attributes
    if (a["labelling"] == "true") != (b["labelling"] == "true"):
        words = {True: "labelled images", False: "images that a model labelled"}
        raise ReportError(
            f"{name} was measured on {words[a['labelling'] == 'true']}, {beside} on "
            f"{words[b['labelling'] == 'true']}: right and wrong do not mean the same.",
            "Measure both on the same labelled images.",
        )
    stored = "Measure both on the same files: pictures that are stored otherwise, compressed again say, are other data."
    more = f"Measure both with --points {max(a['points'], b['points'])}."
    for attribute, word, hint in (
        ("data_digest", "images (digest)", stored),
        ("points", "points on a path", more),
        ("estimator", "estimators", "Measure both in the same way."),
    ):
        if a[attribute] != b[attribute]:
            found = f"{_short(a[attribute])} and {_short(b[attribute])}"
            raise ReportError(f"{name} and {beside} have different {word}: {found}.", hint)
    _require_same_files(name, report, reference, beside)
    _require_same_classes(name, report, reference, beside)


def _require_same_files(name: str, report: Report, reference: Report, beside: str) -> None:
    """The data digest covers names and sizes of files; what was in those that were used, the content digest."""
    used = [set(one.images["image"].tolist()) for one in (report, reference)]
    digests = [one.attributes["content_digest"] for one in (report, reference)]
    if used[0] == used[1] and all(digests) and digests[0] != digests[1]:
        raise ReportError(
            f"The images were changed between {name} and {beside}: the same names and sizes, "
            f"other contents ({digests[0][:12]} and {digests[1][:12]}).",
            "Measure both on the same images.",
        )


def _require_same_classes(name: str, report: Report, reference: Report, beside: str) -> None:
    own, known = (set(map(str, one.classes["folder"])) for one in (report, reference))
    if own != known:
        alone = ((name, sorted(own - known)), (beside, sorted(known - own)))
        said = [f"only {one} has {_listed(classes)}" for one, classes in alone if classes]
        raise ReportError(f"The classes do not match: {' and '.join(said)}.", "Compare on the same classes.")


def _other_softmax(name: str, report: Report, reference: Report, beside: str) -> list[Remark]:
    """A remark where probabilities are shared out over more outputs here than there."""
    own, known = (_softmax_over(one) for one in (report, reference))
    if own == known:
        return []
    text = f"The probabilities of {name} are over {own:,} outputs, those of {beside} over {known:,}"
    return [Remark("softmax", f"{text}: some of the difference may be that.", "Measure both with --restrict-outputs.")]


def _softmax_over(report: Report) -> int:
    """How many outputs the probabilities are shares of."""
    restricted = json.loads(report.attributes["settings"]).get("restrict_outputs")
    return len(report.classes["name"]) if restricted else int(report.attributes["outputs"])


def _shared(report: Report, reference: Report) -> tuple[np.ndarray, np.ndarray]:
    """Where the paths that both have are in the one and in the other, each (shared,) int64, in reference's order."""
    ends = [[one.paths[name] for name in ("kind", "image_a", "image_b")] for one in (report, reference)]
    first, second = (pair_codes(*columns) for columns in ends)
    _, own, place = np.intersect1d(first, second, assume_unique=True, return_indices=True)
    order = np.argsort(place)
    return own[order], place[order]


def _read_as(
    name: str, report: Report, own: np.ndarray, distance: np.ndarray, cutoff: float, measurement: Measurement
) -> tuple[Rows, list[Remark]]:
    """Scalar columns of the paths `own`, at other distances and another cut-off where these differ."""
    columns = {column: values[own] for column, values in scalars(report).items()}
    remarks = []
    if not np.array_equal(columns["distance"], distance):
        apart = distance > 0
        change = float(np.median(columns["distance"][apart] / distance[apart]) - 1) if apart.any() else 0.0
        text = f"{name} sees pixels of its own: its distances differ from the reference's by {change:+.1%}."
        remarks.append(Remark("distances", text, "The reference's were used for both."))
    if report.attributes["cutoff"] != cutoff:
        text = f"{name} was measured with f_c {report.attributes['cutoff']:.4g}"
        remarks.append(Remark("cutoff", f"{text}; its figures were computed again at {cutoff:.4g}."))
    if remarks:
        columns |= _reread(report, own, columns, distance, cutoff, measurement)
    return Rows(columns), remarks


def _reread(
    report: Report,
    own: np.ndarray,
    columns: dict[str, np.ndarray],
    distance: np.ndarray,
    cutoff: float,
    measurement: Measurement,
) -> dict[str, np.ndarray]:
    longer = np.divide(columns["distance"], distance, out=np.ones(len(own)), where=distance > 0)
    again = {
        "distance": distance,
        "within_reach": metrics.within_reach(distance, cutoff, measurement.points).astype(np.int8),
        "width": columns["width"] / longer,
    }
    bins = spectra.bins(measurement.estimator, measurement.points)
    for signal in measurement.signals:
        power = report.paths[f"power_{signal}"][own].astype(np.float64)
        spectrum = spectra.Spectrum(power, bins.frequency, bins.half_width, columns[f"total_{signal}"])
        again[f"hf_{signal}"] = high_part(measurement.estimator, spectrum, distance, cutoff)
        again[f"slope_{signal}"] = columns[f"slope_{signal}"] * longer
    return again


def _short(value: object) -> str:
    return str(value)[:12]


def _listed(names: list[str]) -> str:
    return ", ".join(names[:_SHOWN]) + (", ..." if len(names) > _SHOWN else "")
