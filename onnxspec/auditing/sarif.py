"""An audit as SARIF 2.1.0 (OASIS), which code-scanning pages show.

Rules that pass stand among the tool's rules and are no results: a page would list them as findings. Results point to
the file that holds the rules, since a place in a binary model means nothing to a reader.
"""

import hashlib
import json
import os
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from onnxspec import __version__
from onnxspec.auditing.verdicts import Audit, State, Verdict
from onnxspec.errors import ExitCode, inert

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_KINDS = {State.FAIL: "fail", State.ERROR: "review", State.INCONCLUSIVE: "open", State.WARN: "fail"}
_LEVELS = {State.FAIL: "error", State.WARN: "warning"}
_BRACKETS = str.maketrans({"\\": "\\\\", "[": "\\[", "]": "\\]", "{": "{{", "}": "}}"})


def to_sarif(audits: Sequence[Audit], rules_file: str) -> str:
    """The audits as one SARIF log, a run each, in ASCII.

    Parameters
    ----------
    rules_file : relative path of the policy or baseline that the rules come from
    """
    runs = [_run(audit, rules_file) for audit in audits]
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": runs}, indent=1, allow_nan=False) + "\n"


def _run(audit: Audit, rules_file: str) -> dict[str, Any]:
    driver = {
        "name": "onnxspec",
        "version": __version__,
        "rules": [_descriptor(verdict) for verdict in audit.verdicts],
    }
    invocation: dict[str, Any] = {
        "executionSuccessful": audit.exit_code in (ExitCode.PASS, ExitCode.GATE_FAILED, ExitCode.INCONCLUSIVE),
        "exitCode": int(audit.exit_code),
        "toolExecutionNotifications": [
            {
                "level": "warning",
                "message": _message(str(remark)),
                "descriptor": {"id": f"onnxspec/{inert(remark.code)}"},
            }
            for remark in audit.remarks
        ],
    }
    results = [
        _result(verdict, index, audit, rules_file)
        for index, verdict in enumerate(audit.verdicts)
        if verdict.state is not State.PASS
    ]
    return {
        "tool": {"driver": driver},
        "invocations": [invocation],
        "columnKind": "unicodeCodePoints",
        "results": results,
    }


def _descriptor(verdict: Verdict) -> dict[str, Any]:
    return {"id": _id(verdict), "shortDescription": _message(verdict.rule)}


def _result(verdict: Verdict, index: int, audit: Audit, rules_file: str) -> dict[str, Any]:
    place = {"artifactLocation": {"uri": quote(os.fsencode(rules_file))}, "region": {"startLine": 1}}
    identity = hashlib.sha256(
        f"{audit.model}\0{verdict.kind}\0{verdict.name}".encode("utf-8", "backslashreplace")
    ).hexdigest()
    return {
        "ruleId": _id(verdict),
        "ruleIndex": index,
        "kind": _KINDS[verdict.state],
        "level": _LEVELS.get(verdict.state, "none"),
        "message": _message(f"{audit.model}: {verdict.rule}: {verdict.text}"),
        "locations": [{"physicalLocation": place}],
        "partialFingerprints": {"onnxspecRule/v1": identity},
    }


def _id(verdict: Verdict) -> str:
    return f"onnxspec/{verdict.kind}/{inert(verdict.name)}"


def _message(text: str) -> dict[str, str]:
    """A SARIF message in which brackets make no link and braces no placeholder (SARIF 3.11.5, 3.11.6)."""
    return {"text": inert(text).translate(_BRACKETS)}
