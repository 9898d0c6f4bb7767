"""Models become reports along the same pairs: one report is the frame, and every model is measured inside it.

The frame is the reference, unless that is a model and there is a report already, which can no longer move; then it
is the first report. It gives pairs, cut-off and settings, and without labels its model's predictions are the classes.
"""

import json
import os
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from onnxspec import interruption
from onnxspec.analysis.analyzing import Run, started, walk
from onnxspec.analysis.subject import PROBE, TRUE, Subject, open_subject
from onnxspec.comparison.alignment import align, in_common
from onnxspec.comparison.candidates import Candidate
from onnxspec.errors import DataError, OnnxspecError, ReportError, UsageError
from onnxspec.listening import Ahead, Listener, told_of_spared
from onnxspec.model.session import OnnxModel
from onnxspec.paths.pairs import Pairs
from onnxspec.report.report import Report
from onnxspec.report.spool import Spool
from onnxspec.settings import Measurement, Plan, Settings

ADOPTED = {*Plan.__dataclass_fields__, *Measurement.__dataclass_fields__, "restrict_outputs"} - {"precision"}
"""Settings that models beside a report have from it."""


@dataclass(frozen=True)
class Measured:
    """A candidate with its report; `subject` is there to be evaluated again, None for what came as a report."""

    candidate: Candidate
    report: Report
    subject: Subject | None = None

    @property
    def name(self) -> str:
        """The candidate's name."""
        return self.candidate.name


@dataclass(frozen=True)
class Named:
    """A listener that says which model it hears about; `beside` where that goes in step with those before it."""

    listener: Listener
    name: str
    beside: bool = False

    def stage(self, name: str) -> None:
        """A part of the run begins."""
        self.listener.stage(f"{self.name}: {name}")

    def plan(self, ahead: Ahead) -> None:
        """What the run will evaluate."""
        self.listener.plan(replace(ahead, of=self.name, beside=self.beside))

    def images(self, count: int) -> None:
        """So many more images were evaluated."""
        self.listener.images(count)

    def spared(self, count: int) -> None:
        """So many more need not be."""
        told_of_spared(self.listener)(count)


@dataclass(frozen=True)
class Shelf:
    """Where reports of measured models go; `lasting` where the folder outlives the comparison, `walked` those made."""

    folder: Path
    lasting: bool
    walked: list[Report] = field(default_factory=list)

    def require_free(self, found: Sequence[Candidate]) -> None:
        """Raises UsageError where the report of a model would replace one that is compared, or that of another model."""
        held = {os.path.realpath(_path_of(one)): one for one in found if one.is_report}
        alike: dict[str, str] = {}
        for one in found:
            name = one.name.casefold() if self._caseless else one.name
            if not one.is_report and (other := alike.setdefault(name, one.name)) != one.name:
                raise UsageError(
                    f"{other} and {one.name} would have the same report: file names here do not differ in case alone.",
                    "Name them: --model NAME=PATH",
                )
            if not one.is_report and (place := os.path.realpath(self._place(one.name))) in held:
                raise UsageError(
                    f"The report of {one.name} would replace {place}, which is compared.",
                    "Choose another folder for --reports, or another name.",
                )

    def walk(self, subject: Subject, name: str, settings: Settings, listener: Listener, pairs: Pairs | None) -> Report:
        """Measures a subject as `analyzing.walk` does, into a report of that name."""
        try:
            report = walk(subject, settings, self._place(name), Named(listener, name), pairs, self.lasting)
        except interruption.Interrupted as stopped:
            raise interruption.Interrupted(f"{name}: {stopped}") from None
        self.walked.append(report)
        return report

    def outcome(self, said: str, cache: str | None) -> str:
        """What an interrupted comparison leaves: what the model at work said, then what became of those before it."""
        if not self.walked:
            return said
        if self.lasting:
            done = ", ".join(str(report.path) for report in self.walked)
            left = f"{done}: measured, and can be given in place of {'its model' if len(self.walked) == 1 else 'the models'}."
        elif cache:
            left = f"What was measured before is in {cache}: the same command takes it over."
        else:
            left = (
                "What was measured before is lost; --reports FOLDER keeps reports, --cache DIR all that was evaluated."
            )
        return f"{said} {left}".lstrip()

    @contextmanager
    def started(
        self, subject: Subject, name: str, settings: Settings, listener: Listener, pairs: Pairs | None
    ) -> Iterator[Run]:
        """A run that is ready to walk, as `analyzing.started` gives it, into a report of that name.

        pairs : those of the run that it goes in step with, None for the first
        """
        heard = Named(listener, name, beside=pairs is not None)
        with (
            Spool(self._place(name), settings.execution.resume, self.lasting) as spool,
            started(subject, settings, spool, heard, pairs) as run,
        ):
            yield run

    def report(self, name: str) -> Report:
        """The report of that name."""
        return Report.of_own(self._place(name))

    @property
    def _caseless(self) -> bool:
        """Whether the file system, as macOS and Windows have it, takes A for a."""
        parent, name = os.path.split(os.path.abspath(self.folder))
        return name != name.swapcase() and os.path.exists(os.path.join(parent, name.swapcase()))

    def _place(self, name: str) -> Path:
        return self.folder / f"{name}.h5"


def _path_of(report: Candidate) -> Path:
    return report.source.path if isinstance(report.source, Report) else Path(report.source)


def measure_all(
    found: Sequence[Candidate],
    reference: Candidate,
    data: Any,
    settings: Settings,
    shelf: Shelf,
    listener: Listener,
    asked: Collection[str] = (),
) -> list[Measured]:
    """Every candidate's report, in their order; models are measured, onto the shelf.

    asked : names of settings that were said, though their values may be the usual ones

    Raises
    ------
    OnnxspecError
        A model, the images or the settings cannot be used; the message begins with the model's name.
    """
    frame = _frame(found, reference)
    reports = {one.name: _opened(one) for one in found if one.is_report}
    known = reports.get(frame.name)
    if known is not None and len(reports) < len(found):
        settings = _adopted(settings, frame.name, known, asked)
        in_common([align(name, report, known, frame.name) for name, report in reports.items()])  # refused before a walk
    # All before the first is measured: that takes long, and the last may be a file that is not there.
    subjects = _open_all(found, frame, known, data, settings, listener)
    if known is None:
        known = shelf.walk(subjects[frame.name], frame.name, own_settings(settings, frame), listener, None)
        settings = settings.updated(cutoff=float(known.attributes["cutoff"]), points=int(known.attributes["points"]))
    for one in found:
        if not one.is_report and one is not frame:
            if known.attributes["labelling"] != TRUE:
                subjects[one.name] = _labelled_as(subjects[one.name], one, Measured(frame, known))
            own, pairs = own_settings(settings, one), pairs_of(known)
            reports[one.name] = shelf.walk(subjects[one.name], one.name, own, listener, pairs)
    return [Measured(one, (reports | {frame.name: known})[one.name], subjects.get(one.name)) for one in found]


def pairs_of(report: Report) -> Pairs:
    """The pairs that a report walked along."""
    paths = report.paths
    return Pairs(*(paths[name] for name in ("kind", "class_a", "class_b", "image_a", "image_b")))


def _frame(found: Sequence[Candidate], reference: Candidate) -> Candidate:
    """The candidate whose report gives pairs, cut-off and settings."""
    reports = [one for one in found if one.is_report]
    return reference if reference.is_report or not reports else reports[0]


def _open_all(
    found: Sequence[Candidate],
    frame: Candidate,
    known: Report | None,
    data: Any,
    settings: Settings,
    listener: Listener,
) -> dict[str, Subject]:
    """The models by name, all on the images of the first that is opened; `known` is the frame's report, if it is one."""
    subjects: dict[str, Subject] = {}
    for one in sorted((one for one in found if not one.is_report), key=lambda one: one is not frame):
        if known is not None:
            _require_images(one, data, settings, known)
        subject = open_candidate(one, data, own_settings(settings, one), listener)
        if known is not None:
            _require_same_images(subject, frame, known)
        subjects[one.name], data = subject, subject.images
    return subjects


def _require_images(one: Candidate, data: Any, settings: Settings, frame: Report) -> None:
    known = frame.attributes
    if data is None and settings.inputs.data is None and known["labelling"] != PROBE:
        raise UsageError(f"{one.name} is to be measured, on no images.", f"Pass those of {known['data']} with --data.")


def _require_same_images(subject: Subject, frame: Candidate, report: Report) -> None:
    known = report.attributes
    if subject.images.digest != known["data_digest"]:
        raise ReportError(
            f"The images of {subject.images.source} are not those of {frame.name} ({known['data']}): their digests "
            f"are {subject.images.digest[:12]} and {known['data_digest'][:12]}.",
            "Compare on the same images, labels included.",
        )


def open_candidate(one: Candidate, data: Any, settings: Settings, listener: Listener) -> Subject:
    """A model and the images, made to fit; errors begin with the model's name."""
    listener.stage(f"{one.name}: opening")
    try:
        return open_subject(one.source, data, settings)
    except OnnxspecError as error:
        raise type(error)(f"{one.name}: {error.message}", error.hint) from None


def _opened(one: Candidate) -> Report:
    if one.settings:
        name = next(iter(one.settings))
        raise UsageError(f"{one.name} is a report; its {name} was settled when it was made.", f"Leave out {name}.")
    return one.source if isinstance(one.source, Report) else Report(one.source)


def own_settings(settings: Settings, one: Candidate) -> Settings:
    """The settings with the candidate's own."""
    values = dict(one.settings)
    if "preprocess" in values:
        values["preprocess_origin"] = one.origin
    return settings.updated(**values)


def _adopted(settings: Settings, frame: str, report: Report, said: Collection[str]) -> Settings:
    """The frame's plan, measurement and softmax; what was asked for otherwise is refused, not ignored."""
    known = json.loads(report.attributes["settings"])
    known = {name: value for name, value in known.items() if name in ADOPTED}
    known["cutoff"] = float(report.attributes["cutoff"])
    asked, usual = settings.flat(), Settings().flat()
    for name, value in known.items():
        if (name in said or asked[name] != usual[name]) and _plain(asked[name]) != value:
            raise UsageError(
                f"The report {frame} has {name} {value}, and {asked[name]} was asked for.",
                f"Leave out --{name.replace('_', '-')}: models beside a report are measured as it was.",
            )
    return settings.updated(**known)


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _labelled_as(subject: Subject, one: Candidate, frame: Measured) -> Subject:
    """The subject with the frame's classes, which are predictions of the frame's model."""
    classes = frame.report.classes
    names = [str(name) for name in classes["name"]]
    pairs = pairs_of(frame.report)
    labels = np.full(len(subject.images), -1, np.int64)
    labels[pairs.image_a], labels[pairs.image_b] = pairs.class_a, pairs.class_b
    return replace(
        subject,
        labelling=str(frame.report.attributes["labelling"]),
        labels=labels,
        class_names=tuple(names),
        folders=tuple(str(name) for name in classes["folder"]),
        output_of=_outputs(subject, one, frame, names),
    )


def _outputs(subject: Subject, one: Candidate, frame: Measured, names: list[str]) -> np.ndarray:
    """The outputs of the frame's classes: by name where both models name them, else at the same place."""
    places = frame.report.classes["output"].astype(np.int64)
    if subject.outputs != frame.report.attributes["outputs"]:
        raise DataError(
            f"{one.name} has {subject.outputs} outputs and {frame.name} has "
            f"{frame.report.attributes['outputs']}; without labels both must name the same classes.",
            "Pass labelled images, with --classes where the orders differ.",
        )
    stamped = subject.model.stamp.classes if isinstance(subject.model, OnnxModel) else None
    if stamped is None or names == [str(place) for place in places]:
        return places
    if missing := [name for name in names if name not in stamped]:
        raise DataError(
            f"{one.name} does not name the classes {', '.join(missing[:5])} of {frame.name}; it has "
            f"{', '.join(stamped[:5])}.",
            "Stamp both models with the same class names: onnxspec stamp",
        )
    return np.array([list(stamped).index(name) for name in names], np.int64)
