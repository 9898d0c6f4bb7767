"""Trained again: how often the audit fails one recipe, every training against a baseline of every other.

No rule is broken here that anybody would want to be told about: a failure is what a retraining alone costs a build.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import permutations
from pathlib import Path
from typing import Any

import numpy as np

from onnxspec import Report, Settings, analyze, audit
from onnxspec.auditing.baseline import Baseline
from onnxspec.auditing.verdicts import State
from onnxspec.errors import ExitCode
from studies import settings
from studies.effects import KINDS
from studies.measure import Network, finished
from studies.verdicts import FOUND, NOT_FOUND, NOT_RUN

FIGURES = ("hff", "slope")
NOMINAL = 0.025
"""How often a network that is no worse fails by chance over pairs, as docs/ci.md has it."""


@dataclass(frozen=True)
class Audited:
    """A rule in the audit of one training against the baseline of another.

    pairs : of each kind; rule : its metric; change : that was judged, a factor, of accuracy a difference
    outcome : of the whole audit, the name of its exit code
    """

    baseline: int
    seed: int
    pairs: int
    rule: str
    change: float
    state: str
    outcome: str


@dataclass(frozen=True)
class Figure:
    """A figure of one training, of prob over the pairs that it gets right, with its interval."""

    seed: int
    pairs: int
    accuracy: float
    kind: str
    metric: str
    value: float
    low: float
    high: float


def of_trainings(tables: dict[str, Any], out: Path, data: Path) -> tuple[list[Audited], list[Figure]]:
    """Every ordered pair of the trainings that are finished, under the default rules, at each number of pairs."""
    audits, figures = list[Audited](), list[Figure]()
    networks = ends(tables, out, tables["retraining"]["network"])
    for pairs in tables["retraining"]["pairs"]:
        reports = {one.seed: report(one, data, tables["measurement"] | {"pairs": pairs}) for one in networks}
        baselines = {seed: Baseline.of(report) for seed, report in reports.items()}
        for first, second in permutations(reports, 2):
            audits += _audited(reports[second], baselines[first], first, second, pairs)
        figures += [figure for seed, one in reports.items() for figure in _figures(one, seed, pairs)]
    return audits, figures


def verdict(audits: Sequence[Audited]) -> tuple[str, str]:
    """Found where no more audits fail than chance over pairs makes."""
    if not audits:
        return NOT_RUN, "nothing was audited"
    shares = {pairs: share_of(audits, pairs, ExitCode.GATE_FAILED.name) for pairs in _sizes(audits)}
    told = ", ".join(f"{share:.0%} of audits of {pairs:,} pairs a kind fail" for pairs, share in shares.items())
    return (FOUND if max(shares.values()) <= NOMINAL else NOT_FOUND), told


def share_of(audits: Sequence[Audited], pairs: int, outcome: str) -> float:
    """The share of audits of so many pairs that end so."""
    ends = {(one.baseline, one.seed): one.outcome for one in audits if one.pairs == pairs}
    return sum(end == outcome for end in ends.values()) / len(ends)


@dataclass(frozen=True)
class Rule:
    """What became of a rule over all audits of so many pairs: shares of them by state, and how far its changes reach.

    reach : the factor, of accuracy the difference, that one change in forty goes beyond
    """

    pairs: int
    name: str
    audits: int
    failed: float
    inconclusive: float
    reach: float


def rules(audits: Sequence[Audited]) -> Iterator[Rule]:
    """Every rule at every number of pairs."""
    for pairs in _sizes(audits):
        for name in dict.fromkeys(one.rule for one in audits):
            some = [one for one in audits if (one.pairs, one.rule) == (pairs, name)]
            states = [one.state for one in some]
            failed, open_ = (states.count(state) / len(states) for state in (State.FAIL, State.INCONCLUSIVE))
            # Every difference is there in both directions: the far end of one side is that of the other.
            reach = float(np.quantile([one.change for one in some], 1 - NOMINAL))
            yield Rule(pairs, name, len(some), failed, open_, reach)


@dataclass(frozen=True)
class Spread:
    """How a figure differs between trainings, and how well each is known; both as shares of it.

    trainings : standard deviation of its logarithm over them; interval : half of a mean 95 % interval of one
    """

    pairs: int
    kind: str
    metric: str
    least: float
    most: float
    trainings: float
    interval: float


def spreads(figures: Sequence[Figure]) -> Iterator[Spread]:
    """Every figure at every number of pairs."""
    for pairs in _sizes(figures):
        for kind in KINDS:
            for metric in FIGURES:
                some = [one for one in figures if (one.pairs, one.kind, one.metric) == (pairs, kind, metric)]
                values, low, high = np.array([(one.value, one.low, one.high) for one in some]).T
                with np.errstate(divide="ignore", invalid="ignore"):  # of few pairs an interval may begin at zero
                    half = np.mean(np.log(high) - np.log(low)) / 2
                    apart = np.std(np.log(values), ddof=1)
                yield Spread(pairs, kind, metric, *map(float, (values.min(), values.max(), apart, half)))


def _sizes(rows: Sequence[Audited] | Sequence[Figure]) -> list[int]:
    return sorted({one.pairs for one in rows})


def ends(tables: dict[str, Any], out: Path, name: str) -> list[Network]:
    """The trainings of one network that are finished, as they ended."""
    return [one for seed in settings.seeds(tables, name) for one in finished(out, name, seed)[-1:]]


def report(network: Network, data: Path, values: dict[str, Any]) -> Report:
    """Of so many pairs as `values` has, measured now if it was not before."""
    path = network.model.with_name(f"{network.model.stem}-{values['pairs']}.h5")
    return Report(path) if path.exists() else analyze(network.model, data, Settings.of(**values), output=path)


def _audited(report: Report, baseline: Baseline, first: int, second: int, pairs: int) -> Iterator[Audited]:
    found = audit(report, baseline=baseline)
    for one in found.verdicts:
        yield Audited(first, second, pairs, one.name, one.found.estimate, str(one.state), found.exit_code.name)


def _figures(report: Report, seed: int, pairs: int) -> Iterator[Figure]:
    for kind in KINDS:
        for metric in FIGURES:
            one = report.figure(kind, metric, "prob")
            values = (one.estimate, one.low, one.high)
            yield Figure(seed, pairs, report.accuracy.estimate, kind, metric, *values)
