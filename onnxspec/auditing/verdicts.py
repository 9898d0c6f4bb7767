"""What becomes of a rule, and of all of them: states and the exit code they end in."""

import json
import math
from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from onnxspec.auditing.names import ACCURACY, Metric
from onnxspec.errors import ExitCode
from onnxspec.results import Remark
from onnxspec.statistics import Interval


class State(StrEnum):
    """The states of a rule, the worst first.

    fail : broken; error : cannot be judged at all; inconclusive : too few pairs to tell; warn : broken, but of
    severity warn; pass : kept
    """

    FAIL = "fail"
    ERROR = "error"
    INCONCLUSIVE = "inconclusive"
    WARN = "warn"
    PASS = "pass"


MORE_PAIRS = "use more --pairs"
"""What to do about too few, where no baseline says how many."""
ORDER = {state: rank for rank, state in enumerate(State)}
_CODES = {
    State.FAIL: ExitCode.GATE_FAILED,
    State.ERROR: ExitCode.REFUSED,
    State.INCONCLUSIVE: ExitCode.INCONCLUSIVE,
}


@dataclass(frozen=True)
class Verdict:
    """A rule and what became of it.

    name : of its metric; rule : what it asks for; text : what was found
    found : the figure, or its change, that was judged; gating : whether it may break a build (severity fail)
    p : of a regression, one-sided and adjusted over all of the audit
    """

    name: str
    kind: str
    rule: str
    state: State
    text: str
    found: Interval
    gating: bool = True
    p: float = math.nan

    @property
    def said(self) -> str:
        """What was found, and that nothing comes of it where that is not to be seen from the state."""
        alone = not self.gating and self.state in _CODES
        return f"{self.text} (breaks no build: severity warn)" if alone else self.text

    def to_dict(self) -> dict[str, Any]:
        """The verdict as JSON-ready data; undefined and infinite numbers are null."""
        found = {name: getattr(self.found, name) for name in ("estimate", "low", "high", "paths", "n_eff")}
        found["p"] = self.p
        finite = {name: value if math.isfinite(value) else None for name, value in found.items()}
        return {
            "metric": self.name,
            "kind": self.kind,
            "rule": self.rule,
            "state": str(self.state),
            "text": self.text,
            "gating": self.gating,
            **finite,
        }


def few_carry(metric: Metric, found: Interval) -> str:
    """Why a class's figure is too uncertain to break a build, whatever its interval says; "" where it is not.

    The narrowest of such intervals are the least to be believed: a few paths that happen to agree make them.
    """
    if not metric.of_class or metric.figure == ACCURACY or not found.carried_by_few:
        return ""
    return f"carried by few paths ({found.n_eff:.0f} effective)"


@dataclass(frozen=True)
class Audit:
    """The outcome of an audit: verdicts in the order of the rules, and the warnings of the report.

    allow_inconclusive : whether rules that cannot be decided let the build go on
    """

    model: str
    data: str
    seconds: float
    verdicts: tuple[Verdict, ...]
    remarks: tuple[Remark, ...]
    allow_inconclusive: bool = False

    def __str__(self) -> str:
        from onnxspec.auditing import text

        return "\n".join([*text.lines(self), text.ending(self)])

    @property
    def exit_code(self) -> ExitCode:
        """1 for a failed gate and nothing else; then 3 for an error, 5 for an inconclusive rule, 0."""
        worst = next((v.state for v in self.worst_first if v.gating and self.breaks(v.state)), State.PASS)
        return _CODES.get(worst, ExitCode.PASS)

    @property
    def worst_first(self) -> tuple[Verdict, ...]:
        """The verdicts by state, the worst first."""
        return tuple(sorted(self.verdicts, key=lambda verdict: ORDER[verdict.state]))

    def breaks(self, state: State) -> bool:
        """Whether a gating rule in this state breaks a build."""
        return state in _CODES and not (state is State.INCONCLUSIVE and self.allow_inconclusive)

    @property
    def counts(self) -> dict[State, int]:
        """How many rules are in every state that occurs, the worst first."""
        found = Counter(verdict.state for verdict in self.verdicts)
        return {state: found[state] for state in State if found[state]}

    def to_dict(self) -> dict[str, Any]:
        """The outcome as JSON-ready data."""
        return {
            "model": self.model,
            "data": self.data,
            "exit_code": int(self.exit_code),
            "counts": {str(state): count for state, count in self.counts.items()},
            "verdicts": [verdict.to_dict() for verdict in self.verdicts],
            "warnings": [{"code": r.code, "text": r.text, "hint": r.hint} for r in self.remarks],
        }

    def to_json(self) -> str:
        """`to_dict` as strict ASCII JSON."""
        return json.dumps(self.to_dict(), indent=2, allow_nan=False)


def judged(state: State, severity: str) -> State:
    """The state of a rule of a severity: what would fail under `warn` warns."""
    return State.WARN if state is State.FAIL and severity == "warn" else state
