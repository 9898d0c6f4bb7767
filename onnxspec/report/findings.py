"""What a report says in words, whatever page they stand on: what was measured, the checks, and the warnings.

Words: *hff* is the share of fast wiggling; *both ends right* is called *as labelled* where the labels are the model's
own (method.md section 5).
"""

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from onnxspec.report.headline import METRICS, PERCENT, labelled, signals_of
from onnxspec.report.page import interval_text
from onnxspec.report.report import Report
from onnxspec.results import ABOVE_FLOOR, GRIDS, TOLERANCE, UNRESOLVED_SHARE, Convergence, advised
from onnxspec.sampling import said
from onnxspec.settings import KINDS

_OWN_LABELS = {
    "probe": "A look at the function, not an audit: generated probe images, labelled by the model itself. "
    "For an audit pass real labelled images: --data FOLDER",
    "predicted": "The images have no labels: the model's own predictions stand for them, and accuracy is not measured.",
}
_IN_GRAPH = {"host": "", "graph": ", paths formed in the model's graph"}
_REPEATED, _OTHERWISE = "the same batch gives the same bits again", "the same images give other bits another time"


@dataclass(frozen=True)
class Verdict:
    """One check: whether it passed, and what was found."""

    name: str
    passed: bool
    text: str


def labels_note(report: Report) -> str:
    """What to know where labels are the model's own; empty where they are the data's."""
    return "" if labelled(report) else _OWN_LABELS[report.attributes["labelling"]]


def facts(report: Report) -> list[tuple[str, str]]:
    """What was measured on what, by name."""
    a = report.attributes
    classes = len(report.classes["name"])
    named = f"{classes:,} class{'es' * (classes != 1)}, labelled{'' if labelled(report) else ' by the model'}"
    return [
        ("model", f"{a['model']}, {a['outputs']:,} outputs ({a['output_kind']})"),
        ("data", f"{a['data']}: {a['data_images']:,} images, {named}"),
        ("device", a["run_device"] + (", TF32 allowed" if a["tf32"] else "") + _IN_GRAPH[a["path_form"]]),
        ("accuracy", _accuracy(report)),
        ("pixels", preprocessing(json.loads(a["preprocess"]))),
        ("paths", f"{_points(report)} on straight lines between images, {_pairs(report)}, seed {a['seed']}"),
        *([("precision", said(a["precision"], report.ended))] if report.ended else []),
        ("scale", f"d_ref {a['d_ref']:.3g}: median RMS difference of images; f_c: {a['cutoff'] * a['d_ref']:.3g} "
                  "cycles per d_ref"),
    ]  # fmt: skip


def verdicts(report: Report) -> list[Verdict]:
    """Whether the figures are about the network, a check each."""
    found = list(convergence(report))
    clear, floor = _above_floor(report)
    repeatable = all(remark.code != "not-repeatable" for remark in report.remarks)
    return [
        Verdict("converged", not any(one.unconverged for one in found), f"with twice the points: {_changes(found)}"),
        Verdict("resolved", not any(one.unresolved for one in found), _off_grid(found)),
        Verdict("above noise", clear, floor),
        Verdict("repeatable", repeatable, _REPEATED if repeatable else _OTHERWISE),
    ]


def warnings(report: Report) -> list[tuple[str, str]]:
    """Warnings in plain words, as of `advised`; that of probe images stands before all else (`labels_note`)."""
    return advised(remark for remark in report.remarks if remark.code != "probe")


def _points(report: Report) -> str:
    """How many points, and who settled them where it was not the user."""
    chosen = {"asked": "", "auto": " (auto)", "doubled": " (auto, doubled)"}[report.attributes["points_from"]]
    return f"{report.attributes['points']} points{chosen}"


def _pairs(report: Report) -> str:
    """How many pairs were asked for, or were walked where that was left to a precision."""
    if not report.ended:
        return f"{report.attributes['pairs']:,} a kind"
    walked = [f"{np.count_nonzero(report.paths['kind'] == KINDS.index(kind)):,} {kind}" for kind in report.kinds]
    return " and ".join(walked)


def _accuracy(report: Report) -> str:
    if not labelled(report):
        return "not measured"
    accuracy = report.accuracy
    return f"{interval_text(accuracy, PERCENT)} % on the {accuracy.paths:,} images used"


def preprocessing(fields: dict[str, dict[str, Any]]) -> str:
    """Every field with its value, grouped by where it came from."""
    by_origin: dict[str, list[str]] = {}
    for name, field in fields.items():
        by_origin.setdefault(field["from"], []).append(_field(name, field["value"]))
    return "; ".join(f"{', '.join(values)} ({origin})" for origin, values in by_origin.items())


def _field(name: str, value: Any) -> str:
    if value is None:
        return f"no {name}"
    if name in ("interpolation", "order", "layout"):
        return str(value)
    if name == "scale" and value < 1 and math.isclose(1 / value, round(1 / value), rel_tol=1e-6):
        return f"scale 1/{round(1 / value)}"
    values = value if isinstance(value, list) else [value]
    joiner = "x" if name in ("resize", "crop") else " "
    return f"{name} {joiner.join(f'{v:.4g}' if isinstance(v, float) else str(v) for v in values)}"


def convergence(report: Report) -> Iterator[Convergence]:
    """The pilot's findings, back from the report's columns."""
    c = report.checks
    for i in range(len(c["kind"])):
        figures = {
            metric: tuple(float(c[f"{metric}_{grid}"][i]) for grid in GRIDS)
            for metric in TOLERANCE
            if metric != "excess_tv" or c["signal_name"][i] == "prob"
        }
        numbers = (float(c[name][i]) for name in ("off_grid", "high", "total", "floor"))
        yield Convergence(str(c["kind"][i]), str(c["signal_name"][i]), int(c["paths"][i]), figures, *numbers)  # type: ignore[arg-type]


def _changes(found: Sequence[Convergence]) -> str:
    """The largest change of every metric."""
    changes = {metric: [one.change(metric) for one in found if metric in one.figures] for metric in TOLERANCE}
    words = (f"{METRICS[metric].split(' (')[0]} {max(some):.1%}" for metric, some in changes.items() if some)
    return ", ".join(words)


def _off_grid(found: Sequence[Convergence]) -> str:
    """How far the curve through the points is off between them, where that is more than rounding."""
    shares = [max(one.off_grid - ABOVE_FLOOR * one.floor, 0) / one.high for one in found if one.high and not one.noise]
    if not any(one.high for one in found):
        return "nothing is fast at the points, or the cut-off is beyond what they resolve"
    if not shares:
        return "what is fast is rounding noise, at the points and between them"
    return f"the error between points is {max(shares):.2g} of what is fast (limit {UNRESOLVED_SHARE:g})"


def _above_floor(report: Report) -> tuple[bool, str]:
    """Whether the spectra stand above rounding noise as far as the cut-off, and by how much or how far."""
    a, least, reach = report.attributes, math.inf, math.inf
    if a["estimator"] == "mool":
        return True, "not judged: rounding noise is known as power, and these are magnitudes"
    for floor, signal in zip(report.checks["noise_floor"], signals_of(report), strict=True):
        for kind in report.kinds:
            spectrum = report.spectrum(kind, signal=signal)
            # A path of length d_ref has its sine bins, from 1/2 on, where the common bins, from 0 on, have theirs.
            power, cycles = spectrum.power[1 : len(floor) + 1], spectrum.cycles[1:]
            noise = floor[: len(power)]
            if (sunk := np.flatnonzero(power <= noise)).size:
                reach = min(reach, float(cycles[sunk[0]]))
            elif (some := noise > 0).any():
                least = min(least, float((power[some] / noise[some]).min()))
    if math.isfinite(reach):
        return reach > a["cutoff"] * a["d_ref"], f"the spectra sink into rounding noise at {reach:g} cycles per d_ref"
    if least == math.inf:
        return True, "there is no noise, or no spectrum, to hold against the other"
    return True, f"the spectra stay at least {least:.0e} times above rounding noise"
