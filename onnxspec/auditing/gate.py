"""`audit`: a model or a report, a policy and a baseline, in order."""

import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from onnxspec import configuration
from onnxspec.auditing import limits, regressions
from onnxspec.auditing.baseline import Baseline, read_baselines, require_alike
from onnxspec.auditing.changes import more_pairs
from onnxspec.auditing.names import require_class, require_measured, resolved
from onnxspec.auditing.policy import Policy, usual
from onnxspec.auditing.verdicts import MORE_PAIRS, Audit, Verdict
from onnxspec.errors import ReportError, UsageError
from onnxspec.report.headline import labelled, signals_of
from onnxspec.report.report import Report
from onnxspec.report.storage import is_hdf5
from onnxspec.settings import Given, Inputs, Settings

if TYPE_CHECKING:
    from onnxspec.images.dataset import ImageSet
    from onnxspec.listening import Listener


def audit(
    model: Any,
    data: Any = None,
    settings: Given = None,
    *,
    policy: Policy | Mapping[str, Any] | str | os.PathLike[str] | None = None,
    baseline: Baseline | str | os.PathLike[str] | Sequence[Baseline | str | os.PathLike[str]] | None = None,
    allow_mismatch: bool = False,
    allow_inconclusive: bool = False,
    output: str | os.PathLike[str] | None = None,
    listener: "Listener | None" = None,
    **overrides: Any,
) -> Audit:
    """Holds a model against a policy and a baseline.

    Parameters
    ----------
    model : what `analyze` takes, or a `Report` or the path of one
    data, settings, output, listener, overrides : see `analyze`; without settings those of the baseline are taken over
    policy : rules, a table {"limits": ..., "regressions": ...}, or the TOML file that holds one
    baseline : what an earlier run left (`Baseline.write`), or a folder or sequence of such, of several trainings of one
        recipe (see `trainings`); without a policy, accuracy and hff are held against it
    allow_mismatch : compare although settings or data are not the baseline's, unpaired where images differ
    allow_inconclusive : let rules that cannot be decided pass in `exit_code`

    Returns
    -------
    Audit

    Raises
    ------
    UsageError
        There is nothing to hold the model against, or a rule that cannot be understood.
    ReportError
        A baseline is damaged, or of other settings or data than the run or another.
    OnnxspecError
        As `analyze`.
    """
    rules = Rules.of(policy, baseline)
    asked = {"data": data, "settings": settings, "output": output} | overrides
    given = [name for name, value in asked.items() if value is not None]
    if given and is_report(model):
        path = model.path if isinstance(model, Report) else model
        raise UsageError(f"{path} is a report, which {', '.join(given)} cannot change.", "Give the model instead.")
    report = measured(model, data, settings, rules, allow_mismatch, output, listener, **overrides)
    return judge(report, rules, allow_mismatch, allow_inconclusive)


@dataclass(frozen=True)
class Rules:
    """What a model is held against; complete before anything is measured."""

    policy: Policy
    baselines: tuple[Baseline, ...]

    @property
    def baseline(self) -> Baseline | None:
        """One whose data and settings are those of all."""
        return self.baselines[0] if self.baselines else None

    @classmethod
    def of(cls, policy: Any, baseline: Any, required: bool = True) -> "Rules":
        """Reads both where they are files.

        Raises
        ------
        UsageError
            With `required`: there are no rules, or regressions and nothing to hold them against.
        ReportError
            A baseline cannot be read, or several are not of trainings that were measured alike.
        """
        policy, baselines = _policy(policy), _baselines(baseline)
        if required and not policy and not baselines:
            raise UsageError(
                "There is nothing to audit against: no [audit] rules and no --baseline.",
                "Write a policy around today's figures: onnxspec audit MODEL --data IMAGES --init",
            )
        if required and policy.regressions and not baselines:
            raise UsageError(
                f"The policy has regressions ({policy.regressions[0].metric}, ...), which need a baseline.",
                "Give --baseline FILE; make one with --write-baseline FILE.",
            )
        require_alike(baselines)
        return cls(policy, baselines)


def measured(
    model: Any,
    data: Any,
    settings: Given,
    rules: Rules,
    allow_mismatch: bool = False,
    output: str | os.PathLike[str] | None = None,
    listener: "Listener | None" = None,
    **overrides: Any,
) -> Report:
    """The report of a model, measured now with the baseline's settings unless there are others, or read.

    Raises
    ------
    UsageError
        There are no images, the report is of probe images, or a rule asks for what would not be measured.
    ReportError
        The settings or the images are not the baseline's.
    OnnxspecError
        As `analyze`.
    """
    if is_report(model):
        return _not_of_probes(model if isinstance(model, Report) else Report(model))
    baseline = rules.baseline
    settings = Settings.given(baseline.restored() if baseline and settings is None else settings, **overrides)
    if settings.plan.precision is not None:
        raise UsageError(
            "An audit walks the same pairs every time, and --precision takes as many as it happens to need.",
            "Leave it out, and give --pairs.",
        )
    if baseline is not None:
        settings = baseline.completed(settings)
        baseline.require_comparable(asdict(settings.measurement))
    if data is None and settings.inputs.data is None:
        raise UsageError("An audit needs images; probe images show the function, not the data.", "Give --data IMAGES.")
    if baseline is not None and not allow_mismatch:
        baseline.require_settings(asdict(settings.plan) | asdict(settings.measurement))
    from onnxspec.analysis.analyzing import analyze  # here, since a report needs no ONNX Runtime

    images = _fitting(rules.policy, None if allow_mismatch else baseline, model, data, settings)
    return analyze(model, images, settings, output=output, listener=listener)


def judge(report: Report, rules: Rules, allow_mismatch: bool = False, allow_inconclusive: bool = False) -> Audit:
    """The verdict on a report; raises as `audit`. Without a baseline its regressions are left out."""
    started = time.monotonic()
    changes, remarks, more = [], report.remarks, MORE_PAIRS
    if rules.baseline is not None:
        now = Baseline.of(report)
        changes = _regressions(report, rules, now, allow_mismatch)
        remarks = tuple(dict.fromkeys([*(remark for one in rules.baselines for remark in one.remarks(now)), *remarks]))
        more = more_pairs(now.sample, rules.baseline.sample)
    verdicts = [*(limits.judge(limit, report, more) for limit in rules.policy.limits), *changes]
    a = report.attributes
    seconds = float(a.get("run_seconds") or 0) + time.monotonic() - started
    return Audit(a["model"], a["data"], seconds, tuple(verdicts), remarks, allow_inconclusive)


def _regressions(report: Report, rules: Rules, now: Baseline, allow_mismatch: bool) -> list[Verdict]:
    first = rules.baselines[0]
    if not allow_mismatch:
        first.require_data(now.data)
        first.require_settings(now.settings)
    first.require_comparable(now.settings)
    if len(rules.baselines) > 1 and not first.same_data(now):
        raise ReportError(
            f"The run is on other data ({now.data['name']}) than the baselines ({first.data['name']}), of which there are "
            "several: what trainings differ by is known over the same images alone.",
            "Give the baselines' images, or one baseline.",
        )
    both = tuple(kind for kind in first.sample.kinds if kind in report.kinds)
    chosen = rules.policy.regressions or usual(both, signals_of(report)[0], labelled(report))
    asked = [replace(rule, metric=resolved(rule.metric, report)) for rule in chosen]
    return regressions.judge(asked, now.sample, [one.sample for one in rules.baselines], first.same_data(now))


def _fitting(policy: Policy, baseline: Baseline | None, model: Any, data: Any, settings: Settings) -> Any:
    """The images, after rules and baseline were found to fit what will be measured of them: before that takes its time."""
    metrics = [*(rule.metric for rule in policy.limits), *(rule.metric for rule in policy.regressions)]
    for metric in metrics:
        require_measured(metric, settings.plan.kinds, settings.measurement.signals)
    of_classes = [metric for metric in metrics if metric.of_class]
    if not of_classes and baseline is None:
        return data
    images = _opened(data, settings.inputs)
    if baseline is not None:
        from onnxspec.analysis.subject import PREDICTED, TRUE

        labelling = TRUE if images.labels is not None else PREDICTED
        baseline.require_data({"name": Path(images.source).name, "digest": images.digest, "labelling": labelling})
    if of_classes and images.labels is not None:
        shown = _shown_names(model, settings.inputs)
        for metric in of_classes:
            require_class(metric, shown, images.class_names)
    return images


def _opened(data: Any, inputs: Inputs) -> "ImageSet":
    from onnxspec.images.dataset import ImageSet
    from onnxspec.images.opening import open_images

    source = data if data is not None else inputs.data
    if isinstance(source, ImageSet):
        return source
    return open_images(source, labels=inputs.labels, images_key=inputs.images_key, labels_key=inputs.labels_key)


def _shown_names(model: Any, inputs: Inputs) -> list[str]:
    """The names under which a report may show classes, besides their folders."""
    from onnxspec.images.classes import read_classes
    from onnxspec.model import metadata
    from onnxspec.model.inspection import inspect

    shown = [name for _, name in read_classes(inputs.classes)] if inputs.classes is not None else []
    if isinstance(model, str | os.PathLike):
        shown += metadata.of(inspect(model, inputs.input, inputs.output).metadata, model).classes or ()
    return shown


def is_report(model: Any) -> bool:
    """Whether it was measured already: a `Report`, or a path that leads to an HDF5 file instead of a model."""
    if isinstance(model, str | os.PathLike):
        return Path(model).is_file() and is_hdf5(model)
    return isinstance(model, Report)


def _not_of_probes(report: Report) -> Report:
    if report.attributes["labelling"] == "probe":
        raise UsageError(f"{report.path} is of probe images, which are no audit.", "Analyse again with --data IMAGES.")
    return report


def _policy(policy: Any) -> Policy:
    if isinstance(policy, Policy):
        return policy
    if isinstance(policy, Mapping):
        return Policy.of(policy)
    return Policy.of(configuration.project_table(policy).get("audit", {})) if policy is not None else Policy()


def _baselines(given: Any) -> tuple[Baseline, ...]:
    if given is None:
        return ()
    if isinstance(given, Sequence) and not given:
        raise UsageError("No baseline is among those that are given.", "Give one, or None.")
    several = [given] if isinstance(given, Baseline | str | os.PathLike) else given
    return tuple(read for one in several for read in ([one] if isinstance(one, Baseline) else read_baselines(one)))
