"""The bare loop that onnxspec is compared with: `session.run` on prepared batches and nothing else.

It is the faster of two forms, each at its best batch size: ONNX Runtime's default session, which parallelises inside
`run`, and one single-threaded session shared by a Python thread per core. Which one wins depends on the network and on
what else runs on the machine, so it is tried, once, before anything is measured.

    python -m tests.benchmarks.bare MODEL FORM BATCH

prints what such a process takes: seconds to load the model, and its peak memory.
"""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime

FORMS = ("default session", "shared session")
TRIAL_SECONDS = 1.0
FATAL_ONLY = 4
ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Trial:
    """What one form at one batch size took, and with it the loop itself."""

    form: str
    batch: int
    seconds_per_image: float
    run: Callable[[int], float]


def choose(model: Path, images: np.ndarray, batches: Iterable[int]) -> tuple[Trial, list[Trial]]:
    """The fastest form and batch size, and everything that was tried.

    Parameters
    ----------
    images : (n, ...) float32 in the model's layout; repeated where a batch is larger
    """
    trials = [_tried(form, open_loop(model, form, images, batch), batch) for form in FORMS for batch in batches]
    return min(trials, key=lambda trial: trial.seconds_per_image), trials


def open_loop(model: Path, form: str, images: np.ndarray, batch: int) -> Callable[[int], float]:
    """A function from a number of images to the seconds that so many take."""
    session, threads = _session(model, form)
    name = session.get_inputs()[0].name
    prepared = np.ascontiguousarray(np.resize(images, (batch, *images.shape[1:])))

    def work(sizes: Iterable[int]) -> None:
        for size in sizes:
            session.run(None, {name: prepared[:size]})

    def loop(count: int) -> float:
        # A list's iterator hands out each item once, whoever asks: the shortest queue there is.
        sizes = iter([batch] * (count // batch) + [count % batch] * (count % batch > 0))
        workers = [threading.Thread(target=work, args=(sizes,)) for _ in range(threads - 1)]
        start = time.perf_counter()
        for worker in workers:
            worker.start()
        work(sizes)
        for worker in workers:
            worker.join()
        return time.perf_counter() - start

    return loop


@dataclass(frozen=True)
class Footprint:
    """What a process takes that does nothing but run the bare loop; peak_bytes None where the system does not say."""

    load_seconds: float
    peak_bytes: int | None


def footprint(model: Path, form: str, batch: int) -> Footprint:
    """That of a process of its own."""
    line = [sys.executable, "-m", "tests.benchmarks.bare", str(model), form, str(batch)]
    done = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, check=True)
    return Footprint(**json.loads(done.stdout))


def cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _session(model: Path, form: str) -> tuple[onnxruntime.InferenceSession, int]:
    """The session of a form and how many Python threads share it."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = FATAL_ONLY
    if form == "shared session":
        options.intra_op_num_threads = 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    session = onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
    return session, cores() if form == "shared session" else 1


def _tried(form: str, loop: Callable[[int], float], batch: int) -> Trial:
    """Warms up, then takes the better of two rounds that keep every thread busy."""
    least = batch * cores()
    rough = loop(least) / least
    count = least * max(1, round(TRIAL_SECONDS / 2 / (rough * least)))
    return Trial(form, batch, min(loop(count), loop(count)) / count, loop)


def main(model: str, form: str, batch: str) -> None:
    from .memory import peak_bytes

    start = time.perf_counter()
    session, _ = _session(Path(model), form)
    loaded = time.perf_counter() - start
    shape = session.get_inputs()[0].shape[1:]
    del session
    open_loop(Path(model), form, np.zeros((1, *shape), np.float32), int(batch))(4 * cores() * int(batch))
    print(json.dumps({"load_seconds": loaded, "peak_bytes": peak_bytes()}))


if __name__ == "__main__":
    main(*sys.argv[1:])
