"""Measures every exported network along the same pairs: one report each.

    PYTHONPATH=models python -m studies.measure [--quick] [--out build/studies] [--threads N]

A network that has its report is left alone, so that this may run again and again beside `studies.train`.
"""

import argparse
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from onnxspec import Report, Settings, analyze
from studies import settings

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Network:
    """An exported network: `fraction` of its training, 1 at its end; `record` is what the training left about it."""

    name: str
    seed: int
    fraction: float
    model: Path
    record: dict[str, Any]

    @property
    def report(self) -> Path:
        """Where its report is kept."""
        return self.model.with_suffix(".h5")


def finished(out: Path, name: str, seed: int) -> list[Network]:
    """The exported networks of one training in order, the last at its end; empty until that is reached."""
    record = out / f"{name}-s{seed}.json"
    if not record.exists():
        return []
    found = json.loads(record.read_text())
    return [Network(name, seed, fraction, out / file, found) for file, fraction in found["checkpoints"].items()]


def wanted(out: Path, tables: dict[str, Any], names: Sequence[str] | None = None) -> Iterator[Network]:
    """The networks that studies of frequency compare: of a series all checkpoints, of others the end.

    names : of the studies; None takes all
    """
    studies = [study for name, study in tables["studies"].items() if names is None or name in names]
    series = {name for study in studies if study.get("series") for name in study["networks"]}
    compared = {name for study in studies for name in (study["reference"], *study["networks"])}
    for job in settings.queue(tables):
        networks = finished(out, job.name, job.seed)
        if job.name in compared:
            yield from networks if job.name in series else networks[-1:]


def report(network: Network, data: Path, values: dict[str, Any]) -> Report:
    """The network's report, measured now if it was not before."""
    if network.report.exists():
        return Report(network.report)
    return analyze(network.model, data, Settings.of(**values), output=network.report)


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared/data")
    parser.add_argument("--out", type=Path, default=ROOT / "build/studies")
    options = parser.parse_args(arguments)
    tables = settings.load(options.quick)
    for network in wanted(options.out, tables):
        fresh = not network.report.exists()
        found = report(network, options.data / "cifar10-test.zip", tables["measurement"])
        if fresh:
            right = found.figure("between", "hff").paths
            print(
                f"{network.report.name}: accuracy {found.accuracy.estimate:.4f}, {right} pairs between right",
                flush=True,
            )


if __name__ == "__main__":
    main()
