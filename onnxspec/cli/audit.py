"""`onnxspec audit`: a gate for CI; exit 1 means that a rule is broken, and nothing else."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from onnxspec.cli.arguments import Command
from onnxspec.cli.options import measuring, worded
from onnxspec.cli.streams import complain, unread
from onnxspec.errors import ExitCode, UsageError, inert

if TYPE_CHECKING:
    from onnxspec.auditing.gate import Rules
    from onnxspec.auditing.verdicts import Audit
    from onnxspec.report.report import Report


_HELP = {
    "data": "Images: a folder of class folders, zip, tar, .npz or .h5.",
    "pairs": "Pairs of images a kind [default: the baseline's, else 400].",
}


@worded(_HELP, hidden=("precision",))
@click.command(cls=Command)
@click.argument("model", metavar="MODEL|REPORT.h5", type=click.Path())
@click.option("-o", "report", metavar="REPORT.h5", type=click.Path(), help="Keep the report here.")
@click.option(
    "--baseline",
    metavar="FILE|FOLDER",
    multiple=True,
    help="Compare with what --write-baseline wrote, or with all of a folder: several trainings; settings are taken over.",
)
@click.option("--write-baseline", metavar="FILE", help="Write a baseline of this run, if it passes --baseline.")
@click.option("--allow-mismatch", is_flag=True, help="Compare although settings or data are not the baseline's.")
@click.option("--allow-inconclusive", is_flag=True, help="Let rules pass that too few pairs cannot decide.")
@click.option(
    "--init",
    is_flag=True,
    help="Write a policy around today's figures into onnxspec.toml, or where the settings are: pyproject.toml, --config.",
)
@click.option("--junit", metavar="FILE", help="Write JUnit XML.")
@click.option("--sarif", metavar="FILE", help="Write SARIF 2.1.0.")
@click.option("--summary", metavar="FILE", help="Write markdown; $GITHUB_STEP_SUMMARY gets it by itself.")
@click.option("--html", metavar="PAGE.html", help="Make a page for a browser: the verdicts, then the report.")
@measuring
@click.option("--json", "as_json", is_flag=True, help="Print the verdicts as JSON.")
@click.pass_context
def audit(context: click.Context, model: str, **options: Any) -> None:
    """Hold MODEL against the rules of onnxspec.toml (or pyproject.toml) and a baseline.

    Exit codes: 0 pass, 1 a rule is broken, 2 usage, 3 model, data or baseline refused or a rule that cannot be judged,
    4 no device, 5 inconclusive, 6 disk, memory or time ran out.
    """
    flags = {name: options.pop(name) for name in list(options) if name not in _OWN}
    _refuse_flags(model, flags)
    _require_writable(options, model, flags.get("data"))
    if options["init"]:
        _init(model, options, flags)
        return
    context.exit(_gate(model, options, flags))


_FILES = ("write_baseline", "junit", "sarif", "summary", "html")
_OWN = {*_FILES, "report", "baseline", "allow_mismatch", "allow_inconclusive", "init", "config", "as_json"}


def _gate(model: str, options: dict[str, Any], flags: dict[str, Any]) -> int:
    from onnxspec.auditing.baseline import Baseline
    from onnxspec.auditing.gate import Rules, judge
    from onnxspec.auditing.policy import Policy
    from onnxspec.cli.plain import say_written
    from onnxspec.configuration import project_table

    policy = Policy.of(project_table(options["config"]).get("audit", {}))
    rules = Rules.of(policy, options["baseline"] or None, required=not options["write_baseline"])
    report = _measure(model, rules, options, flags)
    outcome = judge(report, rules, options["allow_mismatch"], options["allow_inconclusive"])
    with unread():  # files last: a full disk must not keep back the verdict
        _print(outcome, options["as_json"])
    path = options["write_baseline"]
    if path and rules.baselines and outcome.exit_code != ExitCode.PASS:
        complain(
            f"{path} was not written: the audit against the baseline did not pass. Without --baseline it is written."
        )
    elif path and (twin := _joined_before(path, options["baseline"], rules, report)):
        complain(f"{path} was not written: {twin} is of the same network.")
    elif path:
        Baseline.of(report).write(path)
        say_written(path, " (compare with --baseline)")
        if policy.regressions and not rules.baselines:
            complain("The regressions of the policy were not checked: there was no --baseline.")
    _write(outcome, report, options)
    return int(outcome.exit_code)


def _joined_before(path: str, given: tuple[str, ...], rules: "Rules", report: "Report") -> Path | None:
    """The other file of this very network in the folder that a baseline would join; two would say that none differ."""
    from onnxspec.auditing.baseline import Baseline

    place = Path(path).resolve()
    if place.parent not in [Path(one).resolve() for one in given]:
        return None
    now = Baseline.of(report)
    others = [one for one in rules.baselines if one.path and one.path.resolve() != place]
    return next((one.path for one in others if one.same_network(now)), None)


def _init(model: str, options: dict[str, Any], flags: dict[str, Any]) -> None:
    from onnxspec.auditing.gate import Rules
    from onnxspec.auditing.starting import policy_file, write_policy
    from onnxspec.cli.plain import say_written

    path = policy_file(options["config"])
    rules = Rules.of(None, options["baseline"] or None, required=False)
    report = _measure(model, rules, options, flags)
    write_policy(path, report)
    for remark in report.remarks:
        complain(inert(f"! {remark}"))
    say_written(path, " (limits around today's figures: look at them, then run the audit)")


def _measure(model: str, rules: "Rules", options: dict[str, Any], flags: dict[str, Any]) -> "Report":
    from onnxspec import configuration
    from onnxspec.auditing.gate import measured
    from onnxspec.cli.progress import TerminalProgress

    base = rules.baseline.restored() if rules.baseline else None
    config = options["config"] if options["config"] and Path(options["config"]).is_file() else None
    chosen = configuration.load(config, base, **flags)
    with TerminalProgress(cached=chosen.execution.cache is not None) as progress:
        return measured(model, None, chosen, rules, options["allow_mismatch"], options["report"], listener=progress)


def _write(outcome: "Audit", report: "Report", options: dict[str, Any]) -> None:
    from onnxspec.auditing.junit import to_junit
    from onnxspec.auditing.markdown import append_summary, to_markdown
    from onnxspec.auditing.sarif import to_sarif
    from onnxspec.saving import save_text

    if options["junit"]:
        save_text(options["junit"], to_junit([outcome]))
    if options["sarif"]:
        save_text(options["sarif"], to_sarif([outcome], _rules_file(options)))
    if options["summary"]:
        save_text(options["summary"], to_markdown(outcome))
    if options["html"]:
        from onnxspec.auditing.page import page

        save_text(options["html"], page(outcome, report))
    if step := os.environ.get("GITHUB_STEP_SUMMARY"):
        append_summary(Path(step), outcome)


def _print(outcome: "Audit", as_json: bool) -> None:
    from onnxspec.auditing import text
    from onnxspec.cli.plain import print_line, print_rows

    if as_json:
        click.echo(outcome.to_json())
        return
    if sys.stdout.isatty():
        print_rows(text.rows(outcome), indent=0)
    else:  # a rule is one line of a CI log, for grep; where colours are forced, too
        for line in text.lines(outcome):
            print_line(line)
    print_line(text.ending(outcome), style="bold")


def _rules_file(options: dict[str, Any]) -> str:
    """The file that a finding points to, relative where it can be."""
    from onnxspec.auditing.baseline import baseline_files
    from onnxspec.configuration import PROJECT_FILES

    baselines = [file for path in options["baseline"] for file in baseline_files(path)]
    path = next(iter([*map(Path, _policies(options)), *baselines]), Path(PROJECT_FILES[0]))
    return path.relative_to(Path.cwd()).as_posix() if path.is_relative_to(Path.cwd()) else path.as_posix()


def _policies(options: dict[str, Any]) -> list[str]:
    """The files that rules are looked for in."""
    from onnxspec.configuration import PROJECT_FILES

    return [options["config"]] if options["config"] else [name for name in PROJECT_FILES if Path(name).is_file()]


def _refuse_flags(model: str, flags: dict[str, Any]) -> None:
    """A report was measured already: flags that say how would be ignored in silence."""
    from onnxspec.auditing.gate import is_report

    given = [f"--{name.replace('_', '-')}" for name, value in flags.items() if value is not None]
    if given and is_report(model):
        raise UsageError(f"{model} is a report, which {', '.join(given)} cannot change.", "Give the model instead.")


def _require_writable(options: dict[str, Any], *read: str | None) -> None:
    """Refuses outputs that cannot be written, and those that would take the place of each other or of what is read."""
    from onnxspec.auditing.baseline import baseline_files
    from onnxspec.saving import require_page, require_text

    taken = {os.path.realpath(path): "read" for path in (*read, *_policies(options)) if path}
    if options["report"]:
        taken[os.path.realpath(options["report"])] = "written"
    for name in _FILES:
        if name != "write_baseline":
            taken |= {os.path.realpath(file): "read" for path in options["baseline"] for file in baseline_files(path)}
        if options[name]:
            (require_page if name == "html" else require_text)(options[name])
            place = os.path.realpath(options[name])
            if place in taken:
                raise UsageError(f"{options[name]} is {taken[place]} by this run, too.", "Choose another name.")
            taken[place] = "written"
