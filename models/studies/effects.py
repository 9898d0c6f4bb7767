"""What each intervention did: every network against its study's reference, on the same pairs, as flat rows.

Three readings stand side by side. `common`: over the pairs that both networks get right, whose contrast decides;
`own`: over those that each gets right itself; `every`: over all pairs, right or wrong (method.md, section 5).
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from onnxspec import Report, compare, statistics
from onnxspec.comparison.alignment import Member, align
from onnxspec.comparison.contrasts import Quantity
from onnxspec.statistics import Interval
from studies.measure import Network, finished

FIGURES = (Quantity("prob", "hff"), Quantity("prob", "slope"), Quantity("logit", "hff"), Quantity("logit", "slope"))
KINDS = ("within", "between")


@dataclass(frozen=True)
class Effect:
    """A network's figure and what factor it is of its reference's.

    fraction : of the training; gain : accuracy less the reference's, on the images at the ends of paths, and whether
        that is decided (95 %)
    value : over pairs right under the network; factor, own, every : the three readings, each with its interval
    pairs : right under both; n_eff : effective paths of that contrast; verdict : that of `onnxspec compare`
    """

    study: str
    network: str
    seed: int
    fraction: float
    reference: str
    accuracy: float
    gain: float
    gain_decided: int
    kind: str
    signal: str
    metric: str
    value: float
    value_low: float
    value_high: float
    every_value: float
    every_value_low: float
    every_value_high: float
    factor: float
    factor_low: float
    factor_high: float
    own: float
    own_low: float
    own_high: float
    every: float
    every_low: float
    every_high: float
    pairs: int
    n_eff: float
    verdict: str


def of_study(study: str, tables: dict[str, Any], out: Path) -> list[Effect]:
    """All effects of a study, of the seeds and networks that are finished."""
    found: list[Effect] = []
    for seed in tables["training"]["seeds"]:
        reference, others = members(study, tables, out, seed)
        if reference and others:
            found += effects(study, reference, others)
    return found


def of_seeds(name: str, seeds: list[int], out: Path) -> list[Effect]:
    """One network under every other seed against itself under the first: what chance in training alone does."""
    ends = [one for seed in seeds for one in finished(out, name, seed)[-1:] if one.report.exists()]
    return list(effects("seeds", ends[0], ends[1:])) if len(ends) > 1 else []


def members(study: str, tables: dict[str, Any], out: Path, seed: int) -> tuple[Network | None, list[Network]]:
    """A study's reference and the networks that are compared to it, as far as they are measured."""
    table = tables["studies"][study]
    ends = [one for one in finished(out, table["reference"], seed)[-1:] if one.report.exists()]
    others = [
        one
        for name in table["networks"]
        for one in (finished(out, name, seed) if table.get("series") else finished(out, name, seed)[-1:])
        if one.report.exists() and one.report not in [end.report for end in ends]
    ]
    return (ends[0] if ends else None), others


def effects(study: str, reference: Network, others: list[Network]) -> Iterator[Effect]:
    """The reference against itself, for its figures, then every other network against it."""
    base = Report(reference.report)
    frame = align(reference.model.stem, base, base)
    comparison = compare([str(one.report) for one in (reference, *others)])
    for network in (reference, *others):
        report = Report(network.report)
        member = align(network.model.stem, report, base)
        gain, decided = _gain(report, base)
        for kind in KINDS:
            for quantity in FIGURES:
                own = report.figure(kind, quantity.metric, quantity.signal)
                over_all = report.figure(kind, quantity.metric, quantity.signal, selection="all")
                every = unstratified(member, frame, kind, quantity)
                if network is reference:
                    contrast, common, beside, verdict, pairs = None, every, every, "reference", own.paths
                else:
                    contrast = comparison.contrast(member.name, kind, quantity.metric, quantity.signal)
                    common, beside, verdict, pairs = contrast.common, contrast.own, contrast.verdict, contrast.pairs
                yield Effect(
                    study, network.name, network.seed, network.fraction, reference.name,
                    report.accuracy.estimate, gain, int(decided), kind, quantity.signal, quantity.metric,
                    *_three(own), *_three(over_all), *_three(common), *_three(beside), *_three(every),
                    pairs, common.n_eff, verdict,
                )  # fmt: skip


def unstratified(model: Member, reference: Member, kind: str, quantity: Quantity) -> Interval:
    """The factor between two networks over all pairs of a kind, with ends that are right or wrong."""
    rows = np.flatnonzero(model.rows["kind"] == KINDS.index(kind))
    if quantity.metric == "hff":
        two = [one.pooling.hff(rows, quantity.signal) for one in (model, reference)]
    else:
        design = statistics.Design(model.rows["image_a"][rows], model.rows["image_b"][rows])
        two = [statistics.log_mean(one.rows[quantity.column][rows], design) for one in (model, reference)]
    return statistics.paired(*two).interval()


def _gain(report: Report, base: Report) -> tuple[float, bool]:
    """Accuracy beyond the reference's, and whether it is more than chance would give independent samples."""
    a, b = report.accuracy, base.accuracy
    gain = a.estimate - b.estimate
    return gain, abs(gain) > math.hypot((a.high - a.low) / 2, (b.high - b.low) / 2)


def _three(interval: Interval) -> tuple[float, float, float]:
    return interval.estimate, interval.low, interval.high
