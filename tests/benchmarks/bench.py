"""What the measurement costs beside the network itself: `make bench`.

    python -m tests.benchmarks.bench [--quick] [--parts LIST] [--models LIST] [--runs N] [--seconds S] [--neighbour]
                                     [--out FILE]

*ratios*: for every model `onnxspec analyze`, a bare `session.run` loop and the plain script that a user would write
take turns: a part of the loops, the command, the other part, so that a machine that slows down or speeds up does so for
all. The loops get half of the command's images, and their seconds are scaled. The figures are medians over rounds:

bare    seconds of the command, start-up apart, over those of the bare loop on as many images as the plan has forward
        passes, pilot and checks included. Start-up ends where the first path begins; everything after it counts that
        is not the network: interpolation, spectra, statistics, the report, the summary.
script  the same over the plain script.
whole   seconds of the whole command, start-up and all, over the bare loop.
cpu     processor seconds of the whole command over those of the bare loop: it does not see a core that idles, and
        neighbours disturb it less.

With `--neighbour` another process keeps one core busy all the while. *memory*: the command's peak beside that of a process
that does nothing but run the bare loop, and how it grows with the number of paths. *startup*: `--help`, and the time
from the command to the first batch, less what ONNX Runtime takes to load the model.

It is a measurement and not a gate: a missed goal is printed, and the exit code is 0.
"""

import argparse
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from math import ceil
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import process_time
from typing import Any

import numpy as np
from rich.console import Console

from onnxspec.analysis.planning import images_of
from onnxspec.paths.pairs import Pairs
from onnxspec.settings import Settings

from . import bare, command, machine, script, subjects, tables

RESULTS = Path(__file__).with_name("results")
PARTS = ("ratios", "memory", "startup")
RATIOS = ("bare", "script", "whole", "cpu")
SECONDS = ("startup", "first_batch", "seconds", "bare_seconds", "script_seconds")
POINTS = 33

Say = Callable[[str], None]


@dataclass(frozen=True)
class Effort:
    """How thoroughly to measure.

    seconds : how long a run takes at least, start-up apart; fewest_pairs : of each kind, so that every core gets a share
    neighbour : whether one core is kept busy by another process
    memory_models : whose growth with the number of paths is measured, between these numbers
    startup_model : one that is slow to load
    """

    parts: tuple[str, ...] = PARTS
    models: tuple[str, ...] = subjects.NAMES
    runs: int = 5
    seconds: float = 20.0
    neighbour: bool = False
    batches: tuple[int, ...] = (4, 16, 32, 64)
    fewest_pairs: int = 2
    memory_models: tuple[str, ...] = (subjects.BUNDLED, subjects.MANY_CLASSES)
    memory_paths: tuple[int, ...] = (1_000, 100_000)
    startup_model: str = "resnet50"
    helps: int = 10


FULL = Effort()
QUICK = Effort(
    models=(subjects.BUNDLED, "cifar-resnet20", "mobilenetv2"),
    runs=2,
    seconds=3.0,
    batches=(4, 32),
    memory_paths=(200, 2_000),
    helps=5,
)


def measure(effort: Effort, say: Say = lambda line: None) -> dict[str, Any]:
    """Everything that was measured, JSON-ready; `say` is told how it goes on."""
    found: dict[str, Any] = {"date": datetime.now(UTC).isoformat(timespec="seconds"), "machine": machine.describe()}
    found["effort"] = asdict(effort)
    with TemporaryDirectory(prefix="onnxspec-bench-") as folder, machine.neighbour(effort.neighbour):

        def each(names: tuple[str, ...], measured: Callable[[subjects.Subject, Effort, Say], Any]) -> dict[str, Any]:
            return {name: measured(subjects.make(name, Path(folder)), effort, say) for name in names}

        if "ratios" in effort.parts:
            found["models"] = each(effort.models, ratios)
        if "memory" in effort.parts:
            found["memory"] = each(effort.memory_models, memory)
        if "startup" in effort.parts:
            found["startup"] = startup(subjects.make(effort.startup_model, Path(folder)), effort, say)
    found["load_at_end"] = machine.load()
    return found


def ratios(subject: subjects.Subject, effort: Effort, say: Say) -> dict[str, Any]:
    """The command over the bare loop and the plain script, in turns."""
    say(f"{subject.name}: choosing the bare loop")
    best, trials = bare.choose(subject.model, subject.inputs, effort.batches)
    plain = script.open_script(subject.model, subject.inputs, POINTS)
    plain(1)
    pairs = effort.fewest_pairs
    while planned_images(pairs) * best.seconds_per_image < effort.seconds:
        pairs = ceil(pairs * 1.1)
    images = planned_images(pairs)
    rounds = []
    for number in range(effort.runs):
        seconds = 2 * images * best.seconds_per_image
        say(f"{subject.name}: round {number + 1} of {effort.runs}, {images:,} images, about {seconds:.0f} s")
        rounds.append(one_round(subject, best, plain, pairs, images))
    return {
        "bare": {"form": best.form, "batch": best.batch, "trials": [_without_loop(trial) for trial in trials]},
        "footprint": asdict(bare.footprint(subject.model, best.form, best.batch)),
        "cache_bytes": subject.cached_bytes(subject.count),  # distances look at more images than paths join
        "pairs": pairs,
        "images": images,
        "rounds": rounds,
        "median": {key: median(r[key] for r in rounds) for key in (*RATIOS, *SECONDS)},
        "stages": {name: median(r["stages"][name] for r in rounds) for name in rounds[0]["stages"]},
    }


def one_round(
    subject: subjects.Subject, best: bare.Trial, plain: Callable[[int], float], pairs: int, images: int
) -> dict[str, Any]:
    """A quarter of both loops, the command, another quarter."""
    quarter, paths = ceil(images / 4), ceil(images / 4 / POINTS)
    loops, scripts, own = [], [], 0.0

    def loop() -> None:
        nonlocal own
        before = process_time()
        loops.append(best.run(quarter))
        own += process_time() - before
        scripts.append(plain(paths))

    loop()
    run = command.analyze(subject.model, subject.data, pairs, POINTS)
    loop()
    if run.images != images:
        raise RuntimeError(f"{subject.name}: the plan has {run.images} forward passes, and {images} were expected.")
    bare_seconds = sum(loops) * images / (2 * quarter)
    script_seconds = sum(scripts) * images / (2 * paths * POINTS)
    return {
        **asdict(run),
        "startup": run.startup,
        "bare_seconds": bare_seconds,
        "bare_quarters": loops,
        "bare_cpu_seconds": own * images / (2 * quarter),
        "script_seconds": script_seconds,
        "script_quarters": scripts,
        "bare": run.running / bare_seconds,
        "script": run.running / script_seconds,
        "whole": run.seconds / bare_seconds,
        "cpu": run.cpu_seconds / (own * images / (2 * quarter)),
        "load": machine.load(),
    }


def memory(subject: subjects.Subject, effort: Effort, say: Say) -> dict[str, Any]:
    """Peak memory of the command at several numbers of paths, and the growth to the most of them, images apart."""
    runs = []
    for count in effort.memory_paths:
        say(f"{subject.name}: memory at {count:,} paths")
        runs.append(command.analyze(subject.model, subject.data, count // 2, POINTS))
    peaks = [run.peak_bytes for run in runs]
    cached = [subject.cached_bytes(run.paths) for run in runs]
    known = len(peaks) > 1 and None not in peaks
    growth = (peaks[-1] - cached[-1]) - (peaks[0] - cached[0]) if known else None
    return {
        "paths": [run.paths for run in runs],
        "peak_bytes": peaks,
        "cache_bytes": cached,
        "growth_bytes": growth,
        "stages": [run.stages for run in runs],
    }


def startup(subject: subjects.Subject, effort: Effort, say: Say) -> dict[str, Any]:
    """How long `--help` takes, and how long it is from the command to the first batch."""
    say(f"start-up: onnxspec --help, and {subject.name}")
    helps = command.help_seconds(effort.helps)
    first = [command.first_batch(subject.model, subject.data) for _ in range(effort.runs)]
    loads = [bare.footprint(subject.model, bare.FORMS[1], 4).load_seconds for _ in range(effort.runs)]
    return {
        "help": helps,
        "help_median": median(helps),
        "model": subject.name,
        "first_batch": first,
        "first_batch_median": median(first),
        "load": loads,
        "load_median": median(loads),
    }


def planned_images(pairs: int) -> int:
    """Forward passes of a run with so many pairs of each of the two kinds, as onnxspec counts them."""
    nothing = np.zeros(2 * pairs, np.int32)
    kinds = np.repeat([0, 1], pairs)
    return images_of(Pairs(kinds, nothing, nothing, nothing, nothing), Settings.of(points=POINTS))


def save(found: dict[str, Any], path: Path | None) -> Path:
    """Writes the results, by default under results/ by date and machine."""
    path = path or RESULTS / f"{found['date'][:16].replace(':', '')}-{machine.slug(found['machine'])}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(found, indent=1) + "\n")
    return path


def _without_loop(trial: bare.Trial) -> dict[str, Any]:
    return {"form": trial.form, "batch": trial.batch, "seconds_per_image": trial.seconds_per_image}


def effort_of(arguments: list[str] | None) -> tuple[Effort, Path | None]:
    """The command line in words of `Effort`."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.bench", description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="minutes instead of an hour; rough figures")
    parser.add_argument("--parts", metavar="LIST", help=f"of {','.join(PARTS)} [default: all]")
    parser.add_argument("--models", metavar="LIST", help=f"of {','.join(subjects.NAMES)}")
    parser.add_argument("--runs", type=int, metavar="N", help="rounds per model [default: 5, quick 2]")
    parser.add_argument("--seconds", type=float, metavar="S", help="of a run at least [default: 20, quick 3]")
    parser.add_argument(
        "--neighbour", action="store_true", default=None, help="while another process keeps a core busy"
    )
    parser.add_argument("--out", type=Path, metavar="FILE", help="where the results go [default: results/ by date]")
    options = parser.parse_args(arguments)
    base = QUICK if options.quick else FULL
    given = {"runs": options.runs, "seconds": options.seconds, "neighbour": options.neighbour}
    for name, known in (("models", subjects.NAMES), ("parts", PARTS)):
        words = getattr(options, name)
        given[name] = tuple(words.split(",")) if words else None
        if unknown := set(given[name] or ()) - set(known):
            parser.error(f"unknown {name}: {', '.join(sorted(unknown))}; known: {', '.join(known)}")
    return Effort(**(vars(base) | {name: value for name, value in given.items() if value is not None})), options.out


def main(arguments: list[str] | None = None) -> None:
    effort, out = effort_of(arguments)
    console = Console()
    progress = Console(stderr=True, highlight=False)
    found = measure(effort, lambda line: progress.print(line, soft_wrap=True))
    console.print(tables.summary(found))
    progress.print(f"Written: {save(found, out)}", soft_wrap=True)


if __name__ == "__main__":
    main()
