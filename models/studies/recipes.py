"""Held against several trainings of one recipe: how often another of them fails, and how often another recipe does."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

from onnxspec import audit
from onnxspec.auditing.baseline import Baseline
from onnxspec.auditing.verdicts import State
from onnxspec.errors import ExitCode
from studies.retraining import ends, report


@dataclass(frozen=True)
class Held:
    """The audit of one network against `trainings` successive seeds from `first` on, the first again after the last.

    pairs : of each kind; outcome : the name of its exit code; failed : the metrics of its broken rules
    """

    network: str
    seed: int
    accuracy: float
    first: int
    trainings: int
    pairs: int
    outcome: str
    failed: str


def of_recipes(tables: dict[str, Any], out: Path, data: Path) -> Iterator[Held]:
    """Every training of the recipe that is not among the baselines, and all trainings of the other recipes."""
    study = tables["retraining"]
    own = ends(tables, out, study["network"])
    networks = own + [one for name in study["others"] for one in ends(tables, out, name)]
    for pairs in study["pairs"]:
        reports = [report(one, data, tables["measurement"] | {"pairs": pairs}) for one in networks]
        baselines = [Baseline.of(one) for one in reports[: len(own)]]
        for count, first in product(study["trainings"], range(len(own))):
            several = [(first + step) % len(own) for step in range(count)]
            for at, one in enumerate(networks):
                if at not in several:
                    found = audit(reports[at], baseline=[baselines[training] for training in several])
                    failed = " ".join(verdict.name for verdict in found.verdicts if verdict.state is State.FAIL)
                    accuracy, outcome = reports[at].accuracy.estimate, found.exit_code.name
                    yield Held(one.name, one.seed, accuracy, own[first].seed, count, pairs, outcome, failed)


@dataclass(frozen=True)
class Recipe:
    """What became of one recipe against so many trainings of another.

    failed, open : shares of its audits that break a rule, and that are inconclusive; by : metric to the share of audits
    that break its rule
    """

    network: str
    accuracy: float
    pairs: int
    trainings: int
    audits: int
    failed: float
    open: float
    by: dict[str, float]


def recipes(held: Sequence[Held]) -> Iterator[Recipe]:
    """Every recipe at every number of pairs, and of trainings."""
    for name, pairs, count in dict.fromkeys((one.network, one.pairs, one.trainings) for one in held):
        some = [one for one in held if (one.network, one.pairs, one.trainings) == (name, pairs, count)]
        outcomes = [one.outcome for one in some]
        failed, open_ = (
            outcomes.count(code.name) / len(some) for code in (ExitCode.GATE_FAILED, ExitCode.INCONCLUSIVE)
        )
        broken = [rule for one in some for rule in one.failed.split()]
        by = {rule: broken.count(rule) / len(some) for rule in sorted(set(broken))}
        accuracy = sum({one.seed: one.accuracy for one in some}.values()) / len({one.seed for one in some})
        yield Recipe(name, accuracy, pairs, count, len(some), failed, open_, by)
