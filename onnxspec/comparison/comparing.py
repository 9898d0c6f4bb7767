"""`compare`: candidates become reports, reports become members, members become a comparison."""

import json
import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from onnxspec import __version__, series
from onnxspec.comparison import agreement
from onnxspec.comparison.alignment import Member, align, in_common
from onnxspec.comparison.candidates import Candidate, candidates, chosen, require_measuring
from onnxspec.comparison.comparison import Comparison, FigureOf, ModelOf
from onnxspec.comparison.contrasts import PER_CLASS, compared, figure, quantities, strata
from onnxspec.comparison.mean_spectra import mean_spectra
from onnxspec.comparison.measuring import Measured, Shelf, measure_all, pairs_of
from onnxspec.comparison.ranking import rank
from onnxspec.comparison.stepping import measure_in_step
from onnxspec.errors import UsageError
from onnxspec.interruption import Interrupted
from onnxspec.listening import Listener, Silence
from onnxspec.results import Remark
from onnxspec.sampling import REACHED, USED_UP, percent
from onnxspec.settings import Given, Settings

HINT = "Use more --pairs or more images, or a wider --precision."


def compare(
    models: Sequence[Any] | Mapping[str, Any],
    data: Any = None,
    settings: Given = None,
    *,
    reference: str | None = None,
    own: Mapping[str, Mapping[str, Any]] | None = None,
    in_series: bool | Sequence[float] = False,
    with_agreement: bool = False,
    reports: str | os.PathLike[str] | None = None,
    listener: Listener | None = None,
    **overrides: Any,
) -> Comparison:
    """Measures models on the same pairs and points, and says how they differ.

    Parameters
    ----------
    models : ONNX files, callables and reports (paths or `Report`), in a list or by name
    data, settings, overrides : as for `analyze`; models beside a report are measured as that was, and a precision is
        that of hff as a factor of the reference's; refused where all are reports
    reference : name or path of the model that the others are compared to; None takes the first
    own : name of a model to its own preprocess, classes, input, output, restrict_outputs
    in_series : True orders the models by the number in their names, a list gives their places
    with_agreement : also evaluates how alike the models are as functions, point by point
    reports : folder to keep the reports of measured models in

    Returns
    -------
    Comparison

    Raises
    ------
    OnnxspecError
        Models, images or settings cannot be used, or reports cannot be compared.
    """
    found = candidates(models, own)
    asked = _asked(settings, overrides)
    asked_for = {"data": data, "reports": reports} | dict.fromkeys(asked, True)
    require_measuring(found, [name for name, value in asked_for.items() if value is not None])
    places = _places(found, in_series)
    if places is not None:
        order = np.argsort(places)
        found, places = [found[i] for i in order], [places[i] for i in order]
    settings = Settings.given(settings, **overrides)
    base = chosen(found, reference)
    if with_agreement:
        _require_models(found)
    with tempfile.TemporaryDirectory(prefix="onnxspec-", ignore_cleanup_errors=True) as scratch:
        shelf = Shelf(_folder(reports) if reports is not None else Path(scratch), lasting=reports is not None)
        shelf.require_free(found)
        work, heard = (found, base, data, settings, shelf), listener or Silence()
        ended: dict[str, str] = {}
        try:
            if settings.plan.precision is None:
                measured = measure_all(*work, heard, asked)
            else:
                measured, ended = measure_in_step(*work, heard)
        except KeyboardInterrupt as stopped:
            raise Interrupted(shelf.outcome(str(stopped), settings.execution.cache)) from None
        first = next(one for one in measured if one.candidate is base)
        members = in_common([align(one.name, one.report, first.report, first.name) for one in measured])
        alike = _agreements(measured, first, heard) if with_agreement else []
        found_out = _concluded(measured, members, first, places, tuple(alike))
        return _with_ending(found_out, settings.plan.precision, ended)


def _asked(settings: Given, overrides: Mapping[str, Any]) -> set[str]:
    """Names of settings that were said for this comparison; ready-made ones may be those of a whole project."""
    said = settings if isinstance(settings, Mapping) else {}
    return {*said, *(name for name, value in overrides.items() if value is not None)}


def _with_ending(comparison: Comparison, precision: float | None, ended: Mapping[str, str]) -> Comparison:
    """The comparison with the precision that its differences were to have, and what became of that."""
    if precision is None:
        return comparison
    text = f"The differences of hff {{}} are not known to {percent(precision)}, as was asked: {{}}."
    missed = [
        Remark(
            "imprecise",
            text.format(kind, "the pairs allowed are used up" if why == USED_UP else "one is undefined"),
            HINT,
        )
        for kind, why in ended.items()
        if why != REACHED
    ]
    attributes = comparison.attributes | {"precision": precision, "ended": json.dumps(dict(ended))}
    return replace(comparison, attributes=attributes, remarks=(*missed, *comparison.remarks))


def _concluded(
    measured: list[Measured],
    members: list[Member],
    first: Measured,
    places: list[float] | None,
    alike: tuple[agreement.Agreement, ...],
) -> Comparison:
    by_name = {one.name: one for one in members}
    reference = by_name[first.name]
    plan = strata(reference)
    others = [one for one in members if one is not reference]
    positions = places or [float("nan")] * len(members)
    main = [q for q in quantities(reference, reference) if q.metric in PER_CLASS]
    return Comparison(
        first.name,
        _attributes(first) | {"signals": " ".join(reference.signals)},
        tuple(_model(one, by_name[one.name], at) for one, at in zip(measured, positions, strict=True)),
        tuple(
            FigureOf(one.name, stratum, quantity, figure(one, at, quantity))
            for one in members
            for stratum, at in plan
            for quantity in quantities(one, one)
            if not stratum.class_a or quantity.metric in PER_CLASS
        ),
        tuple(contrast for one in others for contrast in compared(one, reference, plan)),
        tuple(
            place
            for stratum, at in plan
            if not stratum.class_a
            for quantity in main
            for place in rank(members, stratum, at, quantity)
        ),
        tuple(mean_spectra(members, reference)),
        alike,
        tuple(_remarks(members)),
    )


def _places(found: list[Candidate], in_series: bool | Sequence[float]) -> list[float] | None:
    if in_series is False:
        return None
    values = None if in_series is True else in_series
    return series.positions([one.name for one in found], values)


def _require_models(found: list[Candidate]) -> None:
    if held := [one.name for one in found if one.is_report]:
        raise UsageError(
            f"Agreement evaluates models, and {held[0]} is a report, which keeps no outputs.",
            "Pass the ONNX files, or leave out --agreement.",
        )


def _folder(reports: str | os.PathLike[str]) -> Path:
    folder = Path(reports)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(
            f"The folder {folder} cannot be made: {error.strerror}.", "Choose another --reports."
        ) from None
    return folder


def _agreements(measured: list[Measured], first: Measured, listener: Listener) -> list[agreement.Agreement]:
    """Every model against the reference along the reference's paths."""
    ordered = [first, *(one for one in measured if one is not first)]
    named = [(one.name, one.subject) for one in ordered if one.subject is not None]
    a = first.report.attributes
    return agreement.agreements(named, pairs_of(first.report), int(a["points"]), float(a["cutoff"]), listener)


def _attributes(first: Measured) -> dict[str, Any]:
    a = first.report.attributes
    kept = (
        *("data", "data_digest", "data_images", "labelling", "kinds", "signals", "estimator", "points", "seed"),
        *("pairs", "d_ref", "cutoff"),
    )
    return {"tool_version": __version__} | {name: a[name] for name in kept} | {"precision": float("nan"), "ended": "{}"}


def _model(one: Measured, member: Member, position: float) -> ModelOf:
    a, accuracy = one.report.attributes, one.report.accuracy
    return ModelOf(
        name=one.name,
        source=str(one.candidate.source) if isinstance(one.candidate.source, str | os.PathLike) else str(a["model"]),
        digest=str(a["model_digest"]),
        from_report=int(one.candidate.is_report),
        position=position,
        accuracy=accuracy.estimate,
        accuracy_low=accuracy.low,
        accuracy_high=accuracy.high,
        accuracy_images=accuracy.paths,
        cutoff=float(a["cutoff"]),
        outputs=int(a["outputs"]),
        output_kind=str(a["output_kind"]),
        provider=str(a["provider"]),
        paths=len(member.place),
        left_out=member.left_out,
    )


def _remarks(members: list[Member]) -> list[Remark]:
    """What alignment found, and what each report warns of, with the model's name."""
    found = [remark for one in members for remark in one.remarks]
    for one in members:
        found += [Remark(r.code, f"{one.name}: {r.text}", r.hint) for r in one.report.remarks]
    return found
