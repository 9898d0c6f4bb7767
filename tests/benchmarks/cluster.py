"""How much faster two workers of a Dask cluster are than one: `python -m tests.benchmarks.cluster`.

Both clusters are started first, of worker processes with one thread each. In every round a run goes to one worker and
the same run to two, in turns, and the time is that of the walk, in which shards are evaluated. Before and after, the
machine itself is asked: how much faster two processes that only count are than one, and for how much of the time they
run. Where that is less than 2 and 1 no cluster can do better.
"""

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from math import ceil
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import onnxspec
from onnxspec.listening import Silence

from . import machine, subjects

RESULTS = Path(__file__).with_name("results")
MODEL = "cifar-resnet20"
TARGET = 1.8
POINTS = 33
PER_IMAGE = 0.001
"""Seconds that an image takes about, for the number of pairs."""
COUNTING = """
from time import perf_counter, process_time
start = perf_counter(), process_time()
sum(i * i for i in range(20_000_000))
print(perf_counter() - start[0], process_time() - start[1])
"""
WALKING, POOLING = "walking the paths", "pooling"


class _Watch(Silence):
    """When the stages of a run began."""

    def __init__(self) -> None:
        self.began: dict[str, float] = {}

    def stage(self, name: str) -> None:
        self.began[name] = time.perf_counter()

    @property
    def walking(self) -> float:
        """Seconds of the walk."""
        return self.began[POOLING] - self.began[WALKING]


def measure(rounds: int, seconds: float, say: Callable[[str], None] = lambda line: None) -> dict[str, Any]:
    """Everything that was measured, JSON-ready; `seconds` is about how long one worker walks."""
    from distributed import LocalCluster

    from onnxspec.engine import scheduler

    how = {"threads_per_worker": 1, "host": "127.0.0.1", "dashboard_address": "127.0.0.1:0"}
    found: dict[str, Any] = {"date": datetime.now(UTC).isoformat(timespec="seconds"), "machine": machine.describe()}
    pairs = ceil(seconds / PER_IMAGE / POINTS / 2)
    with (
        TemporaryDirectory(prefix="onnxspec-bench-") as folder,
        LocalCluster(n_workers=1, **how) as one,
        LocalCluster(n_workers=2, **how) as two,
    ):
        subject = subjects.make(MODEL, Path(folder))
        addresses = {"one": one.scheduler_address, "two": two.scheduler_address}
        for address in addresses.values():  # what is only done once
            walked(subject, address, 8)
        made = []
        for number in range(rounds):
            say(f"round {number + 1} of {rounds}")
            made.append(one_round(subject, addresses, pairs))
        for address in addresses.values():
            scheduler.client(address).close()
    ratios = {name: median(r[name] for r in made) for name in ("ratio", "possible", "share")}
    return found | {
        "model": MODEL,
        "pairs": pairs,
        "points": POINTS,
        "rounds": made,
        "median": ratios,
        "target": TARGET,
    }


def one_round(subject: subjects.Subject, addresses: dict[str, str], pairs: int) -> dict[str, Any]:
    """One worker, then two, between two looks at what the machine can do."""
    before = two_that_count()
    seconds = {name: walked(subject, address, pairs) for name, address in addresses.items()}
    after = two_that_count()
    machine_gives = {name: min(before[name], after[name]) for name in before}
    return {"seconds": seconds, "ratio": seconds["one"] / seconds["two"], "load": machine.load(), **machine_gives}


def walked(subject: subjects.Subject, address: str, pairs: int) -> float:
    """Seconds of a walk on a cluster."""
    watch = _Watch()
    how = {"pairs": pairs, "points": POINTS, "preprocess": "0..1", "batch": 32, "cluster": address}
    onnxspec.analyze(subject.model, subject.data, listener=watch, **how)
    return watch.walking


def two_that_count() -> dict[str, float]:
    """How much faster than one process two are that count to the same number each, and the share of the time they run.

    On a free machine of two cores the first is 2 and the second 1.
    """
    alone, _ = _counted(1)
    together, share = _counted(2)
    return {"possible": 2 * alone / together, "share": share}


def _counted(processes: int) -> tuple[float, float]:
    """Seconds of the slowest, and the smallest share of its time that a process had a core."""
    running = [
        subprocess.Popen([sys.executable, "-c", COUNTING], stdout=subprocess.PIPE, text=True) for _ in range(processes)
    ]
    times = [tuple(map(float, process.communicate()[0].split())) for process in running]
    return max(wall for wall, _ in times), min(cpu / wall for wall, cpu in times)


def main(arguments: list[str] | None = None) -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.cluster", description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=20.0, help="that one worker walks, about [default: 20]")
    parser.add_argument("--out", type=Path, metavar="FILE", help="where the results go [default: results/ by date]")
    options = parser.parse_args(arguments)
    found = measure(options.rounds, options.seconds, lambda line: print(line, file=sys.stderr))
    name = f"{found['date'][:10]}-{machine.slug(found['machine'])}-cluster.json"
    out = options.out or RESULTS / name
    out.write_text(json.dumps(found, indent=1) + "\n")
    ratio, possible = found["median"]["ratio"], found["median"]["possible"]
    print(f"Two workers over one: {ratio:.2f} (target {TARGET}); two processes that count: {possible:.2f}. {out}")


if __name__ == "__main__":
    main()
