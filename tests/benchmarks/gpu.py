"""What the measurement costs on a GPU beside the network itself: `make bench-gpu`.

    python -m tests.benchmarks.gpu [--models LIST] [--runs N] [--seconds S] [--out FILE]

Three things take turns, in one process, and the figures are medians over such rounds:

bare      an IOBinding loop whose inputs are on the device already, at its best batch: what the network costs
analyze   the stage that walks the paths, in seconds an image, at its defaults
script    what a user would write: a session on the device, float64 broadcasting, a whole path as a batch, numpy.fft

`efficiency` is bare over analyze, 1 where nothing but the network costs; `speedup` is script over analyze. Bytes that go
to the device are counted. Without a CUDA device it says so in one line and ends with exit code 4.

It takes onnxspec's own dependencies and makes its models and images: on a GPU machine without a network, where `make`
cannot install anything, run the line above.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from math import ceil
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import onnxruntime

from onnxspec.analysis.analyzing import walk
from onnxspec.analysis.subject import Subject, open_subject
from onnxspec.errors import DeviceError, ExitCode
from onnxspec.listening import Silence
from onnxspec.model import devices
from onnxspec.model.providers import CUDA, Choice
from onnxspec.settings import Settings

from . import bench, machine, subjects

GOALS = {"resnet50": {"efficiency": 0.95}, "cifar-resnet20": {"efficiency": 0.80, "speedup": 3.0}}
WALKING = "walking the paths"
TRIAL_SECONDS = 0.5


@dataclass(frozen=True)
class Effort:
    """How thoroughly to measure, and on what; `device` is another than CUDA only to try the benchmark itself."""

    models: tuple[str, ...] = tuple(GOALS)
    runs: int = 5
    seconds: float = 20.0
    batches: tuple[int, ...] = (32, 64, 128, 256, 512, 1024)
    device: str = "cuda"


class Watch(Silence):
    """How long each stage takes."""

    def __init__(self) -> None:
        self.started: list[tuple[str, float]] = []

    def stage(self, name: str) -> None:
        self.started.append((name, time.perf_counter()))

    def seconds(self, name: str) -> float:
        """Of a stage, up to the one that follows."""
        names = [stage for stage, _ in self.started]
        at = names.index(name)
        return self.started[at + 1][1] - self.started[at][1]


def measure(effort: Effort, say: Callable[[str], None] = lambda line: None) -> dict[str, Any]:
    """Everything that was measured, JSON-ready; raises DeviceError where the device does not work."""
    (choice,) = (one.without_graphs for one in devices.choose(effort.device))  # loops beside ours bind nothing
    found: dict[str, Any] = {"date": datetime.now(UTC).isoformat(timespec="seconds"), "machine": machine.describe()}
    found |= {"device": choice.device, "provider": choice.provider, "gpu": gpu_name(), "effort": asdict(effort)}
    with TemporaryDirectory(prefix="onnxspec-bench-") as folder:
        found["models"] = {
            name: ratios(subjects.make(name, Path(folder)), effort, choice, Path(folder), say) for name in effort.models
        }
    return found


def ratios(
    made: subjects.Subject, effort: Effort, choice: Choice, folder: Path, say: Callable[[str], None]
) -> dict[str, Any]:
    """One model: bare loop, analyze and script in turns."""
    say(f"{made.name}: choosing the bare loop")
    # One after the other, so that none holds the device's memory while another, or onnxspec, is at work.
    trials = {batch: bare_loop(made, choice, batch)(TRIAL_SECONDS) for batch in effort.batches}
    best = min(trials, key=lambda batch: trials[batch])
    loop = bare_loop(made, choice, best)
    settings = Settings.of(
        device=effort.device,
        path_graph="on",
        resume=False,
        points=bench.POINTS,
        pairs=pairs_for(effort.seconds, trials[best]),
    )
    subject = open_subject(made.model, made.data, settings)
    if subject.engine.graph is None:
        raise RuntimeError(f"{made.name}: the path is not in the graph: {subject.remarks}")
    script = user_script(made, choice, settings.measurement.points)
    rounds = []
    for number in range(effort.runs):
        say(f"{made.name}: round {number + 1} of {effort.runs}, {2 * settings.plan.pairs:,} paths")
        before = loop(effort.seconds / 4)
        walked = analyzed(subject, settings, folder)
        after = loop(effort.seconds / 4)
        slow = script(effort.seconds / 4)
        bare = (before + after) / 2
        own = walked["seconds_per_image"]
        rounds.append({"bare": bare, "script": slow, "efficiency": bare / own, "speedup": slow / own, **walked})
    provider = {one.pop("provider") for one in rounds}
    assert provider == {choice.provider}, "the report says what ran"
    return {
        "provider": choice.provider,
        "bare": {"batch": best, "trials": trials},
        "batch": subject.engine.tile,
        "paths": 2 * settings.plan.pairs,
        "rounds": rounds,
        "median": {key: median(one[key] for one in rounds) for key in rounds[0]},
    }


def analyzed(subject: Subject, settings: Settings, folder: Path) -> dict[str, Any]:
    """Seconds an image of the stage that walks the paths, and bytes sent for a path."""
    watch, graph = Watch(), subject.engine.graph
    assert graph is not None
    before = graph.model.bytes_sent
    report = walk(subject, settings, folder / "report.h5", watch, keeps=False)
    paths = len(report.paths["kind"])
    images = bench.planned_images(settings.plan.pairs)
    seconds = watch.seconds(WALKING)
    return {
        "provider": report.attributes["provider"],
        "seconds_per_image": seconds / (paths * settings.measurement.points),
        "bytes_per_path": (graph.model.bytes_sent - before) / images * settings.measurement.points,
        "bytes_per_path_of_points": float(np.prod(subject.engine.anchors([0]).shape)) * 4 * settings.measurement.points,
    }


def bare_loop(made: subjects.Subject, choice: Choice, batch: int) -> Callable[[float], float]:
    """A function from about how many seconds to run, to the seconds that an image takes."""
    session = onnxruntime.InferenceSession(str(made.model), providers=choice.session_providers)
    inputs = np.ascontiguousarray(np.resize(made.inputs, (batch, *made.inputs.shape[1:])))
    bound = session.io_binding()
    place = choice.memory or ("cpu", 0)
    held = onnxruntime.OrtValue.ortvalue_from_numpy(inputs, *place)
    bound.bind_ortvalue_input(session.get_inputs()[0].name, held)
    bound.bind_output(session.get_outputs()[0].name, *place)

    def run(times: int) -> float:
        start = time.perf_counter()
        for _ in range(times):
            session.run_with_iobinding(bound)
        return time.perf_counter() - start

    def loop(seconds: float) -> float:
        run(2)  # plans and allocates
        times = max(1, ceil(seconds / run(1)))
        return run(times) / (times * batch)

    return loop


def user_script(made: subjects.Subject, choice: Choice, points: int) -> Callable[[float], float]:
    """As `bare_loop`: whole paths, one after the other, in NumPy's default types."""
    session = onnxruntime.InferenceSession(str(made.model), providers=[choice.provider])
    name, images = session.get_inputs()[0].name, made.inputs
    t = np.linspace(0, 1, points).reshape(-1, *[1] * (images.ndim - 1))

    def path(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        logits = session.run(None, {name: ((1 - t) * a + t * b).astype(np.float32)})[0]
        exponential = np.exp(logits - logits.max(-1, keepdims=True))
        prob = exponential / exponential.sum(-1, keepdims=True)
        return np.square(np.abs(np.fft.rfft(np.concatenate([prob, logits], -1), axis=0))).sum(-1)

    def script(seconds: float) -> float:
        path(images[0], images[1])
        done, start = 0, time.perf_counter()
        while not done or time.perf_counter() - start < seconds:
            path(images[done % len(images)], images[(done + 1) % len(images)])
            done += 1
        return (time.perf_counter() - start) / (done * points)

    return script


def pairs_for(seconds: float, seconds_per_image: float) -> int:
    """Pairs of each kind that walking takes so long for."""
    return min(max(8, ceil(seconds / seconds_per_image / bench.POINTS / 2)), 100_000)


def gpu_name() -> str:
    """The GPU as its driver's tool names it; "" where there is none."""
    import subprocess

    query = ["nvidia-smi", "--query-gpu=name,driver_version", "--format=csv,noheader"]
    try:
        return subprocess.run(query, capture_output=True, text=True, check=True, timeout=30).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return ""


def lines(found: dict[str, Any]) -> list[str]:
    """The figures, each beside its goal."""
    out = [f"{found['gpu'] or found['device']}, {found['provider']}, {found['date']}"]
    for name, of in found["models"].items():
        middle = of["median"]
        out.append(
            f"{name}: {middle['seconds_per_image'] * 1e6:.1f} us an image, bare {middle['bare'] * 1e6:.1f}, "
            f"script {middle['script'] * 1e6:.1f}; {middle['bytes_per_path']:,.0f} bytes a path over the bus, "
            f"{middle['bytes_per_path_of_points']:,.0f} as points"
        )
        for key, goal in GOALS.get(name, {}).items():
            out.append(f"  {key} {middle[key]:.2f}, goal {goal}: {'met' if middle[key] >= goal else 'NOT MET'}")
    return out


def effort_of(arguments: list[str] | None) -> tuple[Effort, Path | None]:
    """The command line in words of `Effort`."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.gpu", description=__doc__.splitlines()[0])
    parser.add_argument("--models", metavar="LIST", default=",".join(GOALS), help=f"of {','.join(subjects.SHAPES)}")
    parser.add_argument("--runs", type=int, metavar="N", default=Effort.runs)
    parser.add_argument("--seconds", type=float, metavar="S", default=Effort.seconds, help="of walking, in a round")
    parser.add_argument("--out", type=Path, metavar="FILE", help="where the results go [default: results/ by date]")
    options = parser.parse_args(arguments)
    models = tuple(options.models.split(","))
    if unknown := set(models) - set(subjects.SHAPES):
        parser.error(f"unknown models: {', '.join(sorted(unknown))}; known: {', '.join(subjects.SHAPES)}")
    return Effort(models, options.runs, options.seconds), options.out


def main(arguments: list[str] | None = None) -> int:
    effort, out = effort_of(arguments)
    try:
        found = measure(effort, lambda line: print(line, file=sys.stderr))
    except DeviceError as error:
        print(error, file=sys.stderr)
        return ExitCode.UNAVAILABLE
    assert found["provider"] == CUDA, "as asked for"
    print(*lines(found), sep="\n")
    name = machine.slug(found["machine"]) + "-" + "".join(c if c.isalnum() else "-" for c in found["gpu"].lower())
    out = out or bench.RESULTS / f"{found['date'][:10]}-gpu-{name[:80]}.json"
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(found, indent=1) + "\n")
    print(f"Written: {out}", file=sys.stderr)
    return ExitCode.PASS


if __name__ == "__main__":
    sys.exit(main())
