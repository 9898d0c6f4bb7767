"""An audit as an HTML page: the rules and what became of them, then the report that was audited."""

from onnxspec.auditing.text import ending
from onnxspec.auditing.verdicts import Audit, State, Verdict
from onnxspec.errors import ExitCode
from onnxspec.report.html import page as report_page
from onnxspec.report.html.markup import Child, Markup, tag
from onnxspec.report.html.parts import section, table
from onnxspec.report.report import Report

_ADVICE = {
    State.FAIL: "Look below for the classes and paths that carry it. Where the change is meant, move the limit, or "
    "commit a new baseline (--write-baseline).",
    State.ERROR: "The figure does not exist for this model and these images: take the rule out, or give images that "
    "have it.",
    State.INCONCLUSIVE: "Too little was measured to tell, or too little is the same: do what it says beside (for accuracy, "
    "give more images), or let it pass with --allow-inconclusive.",
    State.WARN: "Broken, but of severity warn: it stops no build. Look at it before it grows.",
    State.PASS: "Nothing.",
}


def page(audit: Audit, report: Report) -> str:
    """The page of the audited report, with the verdicts before all else."""
    return report_page.page(report, first=verdicts_section(audit, report))


def verdicts_section(audit: Audit, report: Report) -> Markup:
    """The rules, the worst first, what was found and what to do, and warnings that the report does not have itself."""
    told = [tag("li", str(remark)) for remark in audit.remarks if remark not in report.remarks]
    return section(
        "audit",
        "The audit",
        tag("span", ending(audit), class_="pass" if audit.exit_code is ExitCode.PASS else "fail"),
        table(["rule", "state", "what was found", "what to do"], map(_row, audit.worst_first)),
        tag("ul", told, class_="warnings") if told else None,
    )


def _row(verdict: Verdict) -> list[Child]:
    look = {State.PASS: "pass", State.FAIL: "fail", State.ERROR: "fail"}.get(verdict.state)
    return [verdict.rule, tag("span", str(verdict.state), class_=look), verdict.text, _ADVICE[verdict.state]]
