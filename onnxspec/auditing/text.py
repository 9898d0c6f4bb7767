"""An audit for a terminal: a line a rule, the warnings of the report, and how it ends."""

from collections.abc import Iterator

from onnxspec.auditing.verdicts import Audit, State
from onnxspec.errors import ExitCode

_WORDS = {
    State.FAIL: "failed",
    State.ERROR: "could not be judged",
    State.INCONCLUSIVE: "inconclusive",
    State.WARN: "warned",
    State.PASS: "passed",
}


def rows(audit: Audit) -> Iterator[tuple[str, str]]:
    """State, and rule with what was found, in the order of the policy; then the warnings."""
    for verdict in audit.verdicts:
        yield str(verdict.state), f"{verdict.rule}: {verdict.said}"
    for remark in audit.remarks:
        yield "!", str(remark)


def lines(audit: Audit) -> Iterator[str]:
    """The rows, a line each."""
    for state, text in rows(audit):
        yield f"! {text}" if state == "!" else f"{state:<14}{text}"


def ending(audit: Audit) -> str:
    """How many rules passed and failed, and what comes of it."""
    counts = ", ".join(f"{count} {_WORDS[state]}" for state, count in audit.counts.items())
    outcome = "passed" if audit.exit_code is ExitCode.PASS else f"not passed (exit {int(audit.exit_code)})"
    hint = "; --allow-inconclusive lets it pass" if audit.exit_code is ExitCode.INCONCLUSIVE else ""
    return f"Audit {outcome}: {counts or 'no rules'}{hint}."
