"""`onnxspec` as a user runs it, a process of its own, with a stop-watch around it."""

import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

STAMPED = Path(__file__).with_name("stamped.py")
ROOT = Path(__file__).parents[2]
LAUNCH = "launch and imports"
OPENING, DISTANCES = "opening the model and the images", "measuring distances"
STARTING = (LAUNCH, OPENING, DISTANCES)
WALKING = "walking the paths"


@dataclass(frozen=True)
class Run:
    """One `onnxspec analyze`.

    seconds : from the start of the process to its end; cpu_seconds : what all its threads used (0 on Windows)
    stages : seconds of each part in order; they sum to `seconds`
    first_batch : seconds from the start of the process to the first batch that ONNX Runtime is given
    images : forward passes of the plan, pilot and checks included
    """

    seconds: float
    cpu_seconds: float
    stages: dict[str, float]
    first_batch: float
    paths: int
    images: int
    peak_bytes: int | None

    @property
    def startup(self) -> float:
        """Seconds from the start of the process to the first path, which is the pilot's."""
        return sum(self.stages[name] for name in STARTING)

    @property
    def running(self) -> float:
        """Seconds from there to the end: paths, pooling, the report and the summary."""
        return self.seconds - self.startup


def analyze(model: Path, data: Path, pairs: int, points: int) -> Run:
    """Runs `onnxspec analyze` with `pairs` of each kind and so many points, everything else at its default."""
    with tempfile.TemporaryDirectory(prefix="onnxspec-bench-") as folder:
        line = [model, "--data", data, "--pairs", pairs, "--points", points, "-o", Path(folder) / "report.h5"]
        cpu, (start, end, found) = _children_cpu(), _stamped(line, folder)
        cpu = _children_cpu() - cpu
    names, times = zip(*[(LAUNCH, start), *found["stages"]], strict=True)
    ends = [*times[1:], end]
    stages: dict[str, float] = {}
    for name, begin, stop in zip(names, times, ends, strict=True):
        stages[name] = stages.get(name, 0) + stop - begin
    first = found["first_batch"] - start
    return Run(end - start, cpu, stages, first, found["paths"], found["images"], found["peak_bytes"])


def first_batch(model: Path, data: Path) -> float:
    """Seconds from the start of `onnxspec analyze --dry-run` to the first batch that ONNX Runtime is given."""
    with tempfile.TemporaryDirectory(prefix="onnxspec-bench-") as folder:
        start, _, found = _stamped([model, "--data", data, "--dry-run"], folder)
    return found["first_batch"] - start


def _stamped(line: list, folder: str) -> tuple[float, float, dict]:
    """When `onnxspec analyze` with a line of arguments began and ended, and what it wrote down."""
    stamps = Path(folder) / "stamps.json"
    start = time.monotonic()
    _run([sys.executable, "-P", STAMPED, stamps, "analyze", *line], folder)
    return start, time.monotonic(), json.loads(stamps.read_text())


def help_seconds(times: int) -> list[float]:
    """How long `onnxspec --help` takes, once unmeasured and then `times` times."""
    script = Path(sys.executable).with_name("onnxspec.exe" if os.name == "nt" else "onnxspec")
    line = [script if script.exists() else sys.executable, *([] if script.exists() else ["-m", "onnxspec"]), "--help"]
    return [_timed(line) for _ in range(times + 1)][1:]


def _children_cpu() -> float:
    """Processor seconds of all finished children of this process."""
    times = os.times()
    return times.children_user + times.children_system


def _timed(line: list) -> float:
    start = time.perf_counter()
    _run(line, None)
    return time.perf_counter() - start


def _run(line: list, folder: str | None) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ONNXSPEC_")}
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, [str(ROOT), environment.get("PYTHONPATH")]))
    done = subprocess.run(
        [str(word) for word in line], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"{' '.join(map(str, line))} ended with {done.returncode}:\n{done.stderr}")
