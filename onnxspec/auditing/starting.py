"""The policy that `--init` writes: today's figures with a margin, rounded outward, and a word on every rule."""

import json
import math
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from onnxspec import configuration
from onnxspec.auditing.limits import shown
from onnxspec.auditing.names import ACCURACY, SPECTRAL, Metric, parse, spectral, value
from onnxspec.auditing.policy import USUAL_FACTOR, usual
from onnxspec.configuration import PROJECT_FILES
from onnxspec.errors import UsageError, inert
from onnxspec.report.headline import labelled, signals_of
from onnxspec.report.report import Report
from onnxspec.saving import require_place, save_text
from onnxspec.settings import Measurement, Plan, Settings
from onnxspec.statistics import FEW_PATHS, Interval

_DIGITS = 2
MARGIN = 3
"""How many times as far from a figure as its interval a limit lies."""
_ENOUGH = 2 * FEW_PATHS
"""Effective paths of a figure that makes a limit. Where chance hides the heavy paths there may be some more than ten."""
_PYPROJECT_TABLE = re.compile(r"^[ \t]*\[[ \t]*tool[ \t]*\.[ \t]*onnxspec[ \t]*\][^\n]*$", re.MULTILINE)
_HEAD = """\
# What `onnxspec audit` holds a model against. A limit fails when the whole 95 % interval lies on its wrong side and is
# inconclusive (exit 5) when the interval straddles it. These lie three times as far from today's figures as the ends of
# their intervals, so that a model as good nearly always passes; a figure that few paths carry makes no such limit and
# is a comment. Every rule takes severity = "warn", which never breaks a build; a limit takes strict = true, which looks
# at the point alone. Names: accuracy, within.hff, between.logit.slope, class.NAME.hff, class.NAME.accuracy.
"""
_REGRESSIONS = f"""\
# Against a baseline (onnxspec audit MODEL --write-baseline baseline.json, then --baseline baseline.json): a regression
# is a change beyond the factor and significant. Without these lines: accuracy, and hff with factor {USUAL_FACTOR:.2f}.
"""


def policy_file(config: str | None) -> Path:
    """Where a policy belongs: the given file, the project file that speaks, else a new onnxspec.toml.

    Raises
    ------
    UsageError
        The file has a policy already, has its settings where none can be added, or could not be written.
    """
    speaking = (name for name in PROJECT_FILES if Path(name).is_file() and configuration.project_table(name))
    path = Path(config or next(speaking, PROJECT_FILES[0]))
    if path.is_file() and "audit" in configuration.project_table(path):
        raise UsageError(
            f"{path} has an audit policy already.", "Take it out first, or use --config with another file."
        )
    if path.name == "pyproject.toml" and path.is_file():
        _require_extendable(path)
    require_place(path)
    return path


def _require_extendable(path: Path) -> None:
    content = path.read_text(encoding="utf-8-sig")
    try:
        tomllib.loads(content if _PYPROJECT_TABLE.search(content) else f"{content}\n[tool.onnxspec]\n")
    except tomllib.TOMLDecodeError:
        raise UsageError(
            f"{path} has the settings of onnxspec, and no line [tool.onnxspec].",
            "Write them below such a line, or use --config onnxspec.toml.",
        ) from None


def write_policy(path: Path, report: Report) -> None:
    """Adds a policy to the end of a TOML file, which need not exist yet; what stands in it stays as it is.

    Settings of the report's run that the file lacks come before its own, so that later runs walk the same paths.
    """
    found = path.read_bytes().decode() if path.is_file() else ""
    mark, newline = "\ufeff" * found.startswith("\ufeff"), "\r\n" if "\r\n" in found else "\n"
    before = found.removeprefix(mark).replace(newline, "\n")
    table = configuration.project_table(path) if path.is_file() else {}
    own = _settings_of(report, table)
    new = "".join(f"{name} = {json.dumps(value)}\n" for name, value in own.items() if name not in table)
    other = [f"{name} = {json.dumps(value)}" for name, value in own.items() if name in table]
    prefix = "tool.onnxspec." if path.name == "pyproject.toml" else ""
    before = _with_settings(before, new, in_pyproject=bool(prefix))
    gap = "" if not before else "\n" if before.endswith("\n") else "\n\n"
    note = f"# Measured with {', '.join(other)}, not as above: give the same again.\n" if other else ""
    save_text(path, mark + f"{before}{gap}{note}{starting_policy(report, prefix)}".replace("\n", newline))


def _settings_of(report: Report, table: Mapping[str, Any]) -> dict[str, Any]:
    """Plan and measurement of a report where a run by the table's settings would have others, JSON-ready."""
    known = json.loads(report.attributes["settings"])
    names = {*Plan.__dataclass_fields__, *Measurement.__dataclass_fields__} - {"precision"}
    if report.attributes["points_from"] != "asked":
        names -= {"points"}  # which the run settles again
    if known["precision"] is not None:
        names -= {"pairs"}
    base = Settings.of(**{name: value for name, value in table.items() if name in names})
    usual = json.loads(json.dumps(base.flat() | {"pairs": base.plan.most}))
    return {name: value for name, value in known.items() if name in names and value not in (usual[name], None)}


def _with_settings(content: str, lines: str, in_pyproject: bool) -> str:
    """The content of a file with lines for the table of onnxspec, which come before all tables inside that."""
    if not lines:
        return content
    if not in_pyproject:
        return f"{lines}\n{content}" if content else lines
    if found := _PYPROJECT_TABLE.search(content):
        return f"{content[: found.end()]}\n{lines.rstrip()}{content[found.end() :]}"
    gap = "" if not content else "\n" if content.endswith("\n") else "\n\n"
    return f"{content}{gap}[tool.onnxspec]\n{lines}"


def starting_policy(report: Report, prefix: str = "") -> str:
    """A commented policy that the report passes; what it could not pass for want of pairs is commented out."""
    regressions = [f"# {line}\n" for line in _regression_lines(report)]
    limits = "".join(_limit_lines(report))
    table = "".join([f"# [{prefix}audit.regressions]\n", *regressions])
    return f"{_HEAD}[{prefix}audit.limits]\n{limits}\n{_REGRESSIONS}{table}"


def _limit_lines(report: Report) -> Iterator[str]:
    for metric in _metrics(report):
        found = value(metric, report)
        bound, outward = ("min", math.floor) if metric.figure == ACCURACY else ("max", math.ceil)
        today = inert(shown(found))
        end = _limit(metric, found)
        if _telling(metric, found, end):
            yield f'"{metric}" = {{ {bound} = {_rounded(end, outward)} }}  # today {today}\n'
        else:
            few = f", carried by few paths ({found.n_eff:.0f} effective)" if found.n_eff < _ENOUGH else ""
            yield f'# "{metric}" = {{ {bound} = ... }}  # today {today}{few}: more --pairs would pin it down\n'


def _metrics(report: Report) -> Iterator[Metric]:
    if labelled(report):
        yield parse(ACCURACY)
    for kind in report.kinds:
        for signal in signals_of(report):
            for last in SPECTRAL:
                yield spectral(kind, signal, last)


def _limit(metric: Metric, found: Interval) -> float:
    """Three times as far from today's figure as its interval: where that of a model that is as good stays inside."""
    if metric.figure == ACCURACY:
        return found.estimate - MARGIN * (found.estimate - found.low)
    if metric.figure == "hff":  # whose interval is as far on both sides as a factor
        return found.estimate * (found.high / found.estimate) ** MARGIN if found.estimate > 0 else math.nan
    return found.estimate + MARGIN * (found.high - found.estimate)


def _telling(metric: Metric, found: Interval, limit: float) -> bool:
    """Whether a figure makes a limit: a number, not where a share always is, and not carried by few paths.

    The interval of a few heavy paths is too often too narrow by luck, and a model that is as good then lies outside.
    """
    beyond = metric.is_share and not 0 < limit < 1
    return math.isfinite(limit) and not beyond and found.low < found.high and not found.n_eff < _ENOUGH


def _regression_lines(report: Report) -> Iterator[str]:
    for rule in usual(report.kinds, signals_of(report)[0], labelled(report)):
        if rule.metric.figure == ACCURACY:
            yield f"{rule.metric} = {{ drop = {rule.drop} }}"
        else:
            yield f'"{rule.metric}" = {{ factor = {rule.factor:.2f} }}'


def _rounded(end: float, outward: Callable[[float], int]) -> str:
    """Two digits, rounded away from the interval, in plain decimals."""
    places = _DIGITS - 1 - math.floor(math.log10(abs(end)))
    return f"{outward(end * 10**places) / 10**places:.{max(places, 1)}f}"
