"""An audit as markdown, for a job summary: the worst first, cut where GitHub would refuse it.

Names come from files. Every ASCII punctuation mark in them is written as a character reference, which markdown shows
and never reads as structure (CommonMark 2.5), so that no name can open a link, a cell, a tag or a list. GitHub looks
for @somebody and #1 in the text that comes out of that; it leaves code alone, and so these two marks stand in code.
"""

import string
from collections.abc import Iterator
from pathlib import Path

from onnxspec.auditing.text import ending
from onnxspec.auditing.verdicts import Audit, State
from onnxspec.errors import ExitCode, ResourceError, inert
from onnxspec.files import append_text

# GitHub refuses a step summary above 1 MiB; the rest is left to other steps' words and to the cutting note.
LIMIT_BYTES = (1 << 20) - (1 << 14)
_NOTE_BYTES = 100
_MARKS = {State.FAIL: "❌", State.ERROR: "💥", State.INCONCLUSIVE: "❔", State.WARN: "⚠️", State.PASS: "✅"}
_REFERENCES = {ord(mark): f"&#{ord(mark)};" for mark in string.punctuation}
_REFERENCES |= {ord(mark): f"<code>&#{ord(mark)};</code>" for mark in "@#"}


def to_markdown(audit: Audit, room: int = LIMIT_BYTES) -> str:
    """The audit in at most `room` bytes of UTF-8; what does not fit is counted."""
    lines = list(_lines(audit))
    kept, size = [], 0
    for line in lines:
        size += len(line.encode()) + 1
        if size > room - _NOTE_BYTES:
            break
        kept.append(line)
    if len(kept) < len(lines):
        kept.append(f"\n{len(lines) - len(kept):,} more lines were cut; the rest passed or is less serious.")
    return "\n".join(kept) + "\n"


def append_summary(path: Path, audit: Audit) -> None:
    """Adds the audit to a step summary, in what room other words leave there.

    Raises
    ------
    ResourceError
        The file cannot be written.
    """
    try:
        before = path.stat().st_size if path.exists() else 0
        append_text(path, to_markdown(audit, LIMIT_BYTES - before))
    except OSError as error:
        text = f"The step summary {path} cannot be written: {error.strerror}."
        raise ResourceError(text, "Unset GITHUB_STEP_SUMMARY, or mend its path.") from None


def _lines(audit: Audit) -> Iterator[str]:
    mark = "✅" if audit.exit_code is ExitCode.PASS else "❌"
    yield f"### {mark} onnxspec audit of {plain(audit.model)}"
    yield f"\n{plain(ending(audit))} Data: {plain(audit.data)}.\n"
    yield "| | Rule | Found |"
    yield "|---|---|---|"
    for verdict in audit.worst_first:
        yield f"| {_MARKS[verdict.state]} {verdict.state} | {plain(verdict.rule)} | {plain(verdict.said)} |"
    if audit.remarks:
        yield "\n**Warnings of the report**\n"
    for remark in audit.remarks:
        yield f"- {plain(str(remark))}"


def plain(text: str) -> str:
    """Text that markdown shows as it is."""
    return inert(text).translate(_REFERENCES)
