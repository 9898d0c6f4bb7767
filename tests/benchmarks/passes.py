"""How many forward passes a figure takes, against the published fixed design and against independent pairs.

    PYTHONPATH=. python -m tests.benchmarks.passes MODEL.onnx OTHER.onnx --data cifar10-test.zip [--precision R] [--out FILE]

MODEL is measured between classes to a precision, once with the given points and once with those that the run settles by
itself. Beside it stand the published fixed design ("Models Out of Line": 200 pairs of each pair of classes, a point
per unit of L2 distance), whose passes are counted and not made, and a run of many other pairs, whose figure must agree.

MODEL and OTHER are then compared to the same precision of their factor, in step on the same pairs. Beside that stand
independent pairs: each model on pairs of its own, drawn with seeds of their own, in the same rounds until the factor is
as precise, or --pairs are used up. Every pass that is made is counted, those of pilot and checks included.
"""

import argparse
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np

import onnxspec
from onnxspec import sampling, statistics
from onnxspec.analysis.subject import open_subject
from onnxspec.comparison.comparing import compare
from onnxspec.listening import Silence
from onnxspec.parity import planning as published
from onnxspec.parity.protocols import PROTOCOLS
from onnxspec.settings import Settings
from onnxspec.statistics import Interval
from onnxspec.statistics.drawn import Drawn

from . import machine
from .bench import RESULTS

POINTS = 33
SEEDS = (1, 2)
"""Of the pairs that nothing else in this benchmark walks."""


class Counted(Silence):
    """A listener that counts the forward passes that are made."""

    def __init__(self) -> None:
        self.made = 0

    def images(self, count: int) -> None:
        """So many more."""
        self.made += count


def measure(models: Sequence[Path], data: Path, precision: float, pairs: int, threads: int | None) -> dict[str, Any]:
    """Everything that was measured, JSON-ready.

    Parameters
    ----------
    pairs : of the run that the figure is held against, and the most that anything may take
    """
    found: dict[str, Any] = {"date": datetime.now(UTC).isoformat(timespec="seconds"), "machine": machine.describe()}
    found |= {"models": [model.name for model in models], "data": data.name, "precision": precision}
    how = {"kinds": "between", "threads": threads}
    found["fixed design"] = fixed_design(models[0], data)
    found["held against"] = described(
        onnxspec.analyze(models[0], data, pairs=pairs, points=POINTS, seed=SEEDS[0], **how)
    )
    asked = how | {"precision": precision, "pairs": pairs}
    found["to a precision"] = {
        name: to_precision(models[0], data, asked | {"points": points}, found)
        for name, points in (("33 points", POINTS), ("points auto", "auto"))
    }
    if len(models) > 1:
        found["difference"] = difference(models, data, asked | {"points": POINTS})
    return found


def fixed_design(model: Path, data: Path) -> dict[str, Any]:
    """What the published design would walk between classes: paths, points on them, and so forward passes."""
    settings = Settings.of(kinds="between", pairs=PROTOCOLS["mool"].pairs, device="cpu")
    prepared = published.prepare(open_subject(model, str(data), settings), PROTOCOLS["mool"], settings, Silence())
    family = next(one for one in prepared.families if one.name == "between")
    points = family.points
    strata = len(list(combinations(range(len(prepared.subject.class_names)), 2)))
    return {"strata": strata, "paths": len(points), "points": float(points.mean()), "passes": int(points.sum())}


def to_precision(model: Path, data: Path, how: dict[str, Any], found: dict[str, Any]) -> dict[str, Any]:
    """A run to a precision, its passes over those of the fixed design, and whether the two figures agree."""
    counted = Counted()
    run = described(onnxspec.analyze(model, data, listener=counted, **how))
    other = found["held against"]
    agree = run["low"] <= other["hff"] <= run["high"]
    share = counted.made / found["fixed design"]["passes"]
    return run | {"passes": counted.made, "over fixed design": share, "agrees": bool(agree)}


def described(report: onnxspec.Report) -> dict[str, Any]:
    """The figure between classes, and what it took."""
    one, a = report.figure("between", "hff"), report.attributes
    converged = not any(remark.code in ("unconverged", "unresolved") for remark in report.remarks)
    return {
        "hff": one.estimate,
        "low": one.low,
        "high": one.high,
        "half_width": one.half_width,
        "counted": one.paths,
        "paths": len(report.paths["kind"]),
        "points": int(a["points"]),
        "ended": report.ended,
        "converged": converged,
        "accuracy": report.accuracy.estimate,
    }


def difference(models: Sequence[Path], data: Path, how: dict[str, Any]) -> dict[str, Any]:
    """Two models in step on the same pairs, and on independent ones."""
    counted = Counted()
    found = compare([str(model) for model in models], str(data), listener=counted, **how)
    factor = found.contrast(models[1].stem, "between")
    paths = found.models[0].paths
    overhead = counted.made - 2 * paths * POINTS
    plain = {name: value for name, value in how.items() if name != "precision"}
    apart = [onnxspec.analyze(model, data, **plain, seed=s) for model, s in zip(models, SEEDS, strict=True)]
    alone, factor_alone = independent(apart, how["precision"])
    passes = 2 * alone * POINTS + overhead
    return {
        "shared": {"paths": paths, "passes": counted.made, "ended": found.ended, **bounds(factor.common)},
        "independent": {"paths": alone, "passes": passes, **bounds(factor_alone)},
        "shared over independent": counted.made / passes,
        "hff": {one.model: one.interval.estimate for one in found.figures if one.quantity.metric == "hff" and one.quantity.signal == "prob" and not one.stratum.class_a},
    }  # fmt: skip


def independent(reports: Sequence[onnxspec.Report], precision: float) -> tuple[int, Interval]:
    """How many pairs of its own each model takes, in the rounds of the rule, and the factor they then give."""
    held = min(len(report.paths["kind"]) for report in reports)
    standing = sampling.Standing(0, held, ())
    while spans := sampling.next_round({"between": standing}, precision):
        stop = spans["between"].stop
        first, second = (headline(report, stop) for report in reports)
        standing = sampling.Standing(stop, held, [statistics.contrast(second, first).interval()])
    return standing.walked, standing.figures[0]


def headline(report: onnxspec.Report, stop: int) -> statistics.Pooled:
    """hff over the first pairs that are right."""
    paths = report.paths
    rows = np.flatnonzero((paths["ends_right"][:stop] == 2) & (paths["within_reach"][:stop] > 0))
    high, total, *ends = (paths[name][rows] for name in ("hf_prob", "total_prob", "image_a", "image_b"))
    drawn = Drawn.whole(*(paths[name][:stop] for name in ("kind", "class_a", "class_b")))
    return statistics.ratio(high, total, statistics.Design(*ends, drawn[rows]), top=1.0)


def bounds(interval: Interval) -> dict[str, float]:
    return {"factor": interval.estimate, "low": interval.low, "high": interval.high, "half_width": interval.half_width}


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.passes", description=__doc__.splitlines()[0])
    parser.add_argument("models", nargs="+", type=Path)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--precision", type=float, default=0.05)
    parser.add_argument("--pairs", type=int, default=5000)
    parser.add_argument("--threads", type=int)
    parser.add_argument("--out", type=Path, metavar="FILE", help="where the results go [default: results/ by date]")
    options = parser.parse_args(arguments)
    found = measure(options.models, options.data, options.precision, options.pairs, options.threads)
    name = f"{found['date'][:10]}-{machine.slug(found['machine'])}-passes-{options.models[0].stem}.json"
    path = options.out or RESULTS / name
    path.write_text(json.dumps(found, indent=1) + "\n")
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
