"""Workers that are forked, given one case after another, timed, and forked again when they die."""

import json
import os
import selectors
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from . import oracle, worker
from .bases import Bases, environment
from .cases import Case, case
from .sandbox import Sandbox
from .worker import Outcome

TIMEOUT_SECONDS = 30.0
STARTING_SECONDS = 10.0
# A worker's address space fills with what libraries never give back; a fresh one costs 20 ms.
CASES_EACH = 400


class Worker:
    """A forked process and two pipes to it."""

    def __init__(self, bases: Bases, seed: int, root: Path):
        self._root, self.number, self.since, self.done = root, -1, 0.0, 0
        shutil.rmtree(root, ignore_errors=True)
        down_read, down_write = os.pipe()
        up_read, up_write = os.pipe()
        self.process = os.fork()
        if self.process == 0:
            # No `finally` of the parent's may run here.
            try:
                os.close(down_write)
                os.close(up_read)
                numbers = os.fdopen(down_read)
                answers = os.fdopen(up_write, "w", buffering=1)
                _silence()
                worker.serve(
                    bases,
                    seed,
                    root,
                    lambda: int(line) if (line := numbers.readline().strip()) else None,
                    lambda text: print(text, file=answers, flush=True),
                )
                os._exit(0)
            except BaseException:
                import traceback

                Path(f"{root}.error").write_text(traceback.format_exc())
                os._exit(99)
        os.close(down_read)
        os.close(up_write)
        self._down = os.fdopen(down_write, "w", buffering=1)
        self.answers = os.fdopen(up_read)

    def give(self, number: int) -> None:
        """The next case."""
        self.number, self.since = number, time.monotonic()
        print(number, file=self._down, flush=True)

    def answer(self) -> str:
        """The line of the case that was given; "" where the worker died on it."""
        self.done += 1
        return self.answers.readline()

    def end(self) -> str:
        """Ends the process, and says how it ended with the Python stack it left."""
        # Closing the pipe would not do: later workers have inherited it. A process that has died keeps its own status.
        os.kill(self.process, signal.SIGKILL)
        for pipe in (self._down, self.answers):
            try:
                pipe.close()
            except OSError:
                pass
        _, status = os.waitpid(self.process, 0)
        stack = Path(f"{self._root}.fault").read_text(errors="replace") if Path(f"{self._root}.fault").exists() else ""
        if os.WIFSIGNALED(status):
            return f"{signal.Signals(os.WTERMSIG(status)).name} {_frames(stack)}"
        problem = Path(f"{self._root}.error")
        return f"exit {os.WEXITSTATUS(status)} {problem.read_text() if problem.exists() else ''}"


# What the real command's parent makes of a child that ends without a word.
CONTAINED = {"SIGALRM": 6, "SIGSEGV": 3, "SIGABRT": 3, "SIGFPE": 3, "SIGBUS": 3, "SIGILL": 3}


def run(bases: Bases, seed: int, numbers: Iterable[int], workers: int) -> Iterator[Outcome]:
    """The outcome of every case, as they come."""
    worker.preload()
    waiting = iter(numbers)
    with tempfile.TemporaryDirectory(prefix="onnxspec-fuzz-", dir=_fast_folder()) as folder:
        roots = [Path(folder) / f"worker{i}" / "root" for i in range(workers)]
        for root in roots:
            root.parent.mkdir()
        selector = selectors.DefaultSelector()
        running: dict[Path, Worker] = {}

        def next_case(root: Path) -> None:
            number = next(waiting, None)
            if number is None:
                return
            if root not in running:
                running[root] = Worker(bases, seed, root)
                selector.register(running[root].answers, selectors.EVENT_READ, root)
            running[root].give(number)

        def drop(root: Path) -> str:
            selector.unregister(running[root].answers)
            return running.pop(root).end()

        for root in roots:
            next_case(root)
        try:
            while any(one.number >= 0 for one in running.values()):
                ready = {key.data for key, _ in selector.select(1.0)}
                for root, one in list(running.items()):
                    if root in ready:
                        line = one.answer()
                        if line:
                            outcome = Outcome(**json.loads(line))
                        else:
                            outcome = _dead(case(bases, seed, one.number), one, f"crash: {drop(root)}")
                    elif one.number >= 0 and time.monotonic() - one.since > TIMEOUT_SECONDS:
                        drop(root)
                        outcome = _dead(case(bases, seed, one.number), one, f"hang over {TIMEOUT_SECONDS:.0f} s")
                    else:
                        continue
                    one.number = -1
                    if root in running and (one.done >= CASES_EACH or "of memory" in outcome.failure):
                        drop(root)
                    yield outcome
                    next_case(root)
        finally:
            for root in list(running):
                drop(root)


def real(bases: Bases, seed: int, numbers: Sequence[int], workers: int) -> Iterator[Outcome]:
    """The same cases through `python -m onnxspec` in processes of their own."""
    with (
        tempfile.TemporaryDirectory(prefix="onnxspec-fuzz-", dir=_fast_folder()) as folder,
        ThreadPoolExecutor() as threads,
    ):
        sandboxes = [Sandbox(Path(folder) / f"{i}" / "root") for i in range(workers)]

        def some(i: int) -> list[Outcome]:
            return [_real(case(bases, seed, number), number, sandboxes[i]) for number in numbers[i::workers]]

        for found in threads.map(some, range(workers)):
            yield from found


def _real(one: Case, number: int, sandbox: Sandbox) -> Outcome:
    sandbox.lay(one.files)
    began = time.monotonic()
    settings = environment() | {"TMPDIR": str(sandbox.tmp)}
    command = [sys.executable, "-m", "onnxspec", *one.arguments]
    seconds = TIMEOUT_SECONDS + STARTING_SECONDS
    try:
        ended = subprocess.run(command, capture_output=True, timeout=seconds, cwd=sandbox.inside, env=settings)
    except subprocess.TimeoutExpired:
        return Outcome(number, one.kind, one.damage, -1, seconds, 0, f"hang over {seconds:.0f} s, as a real command")
    output, error = (stream.decode("utf-8", "replace") for stream in (ended.stdout, ended.stderr))
    code, took = ended.returncode, time.monotonic() - began
    result = Outcome(number, one.kind, one.damage, code, took, 0, error=error[-3000:])
    try:
        if left := sandbox.left_behind():
            raise oracle.Wrong(f"left behind or changed: {', '.join(left[:3])}")
        if code < 0:
            raise oracle.Wrong(f"crash: {signal.Signals(-code).name}, as a real command")
        return replace(result, judged=worker.judge(one, code, output, error, sandbox))
    except oracle.Wrong as wrong:
        return replace(result, failure=str(wrong))


def _dead(one: Case, process: Worker, how: str) -> Outcome:
    """The outcome of a case that has none of its own: of a process that ends by itself its parent tells (supervision)."""
    code = next((code for name, code in CONTAINED.items() if how.startswith(f"crash: {name}")), -1)
    failure = how if code < 0 else ""
    error = f"contained {how}" if code > 0 else ""
    return Outcome(
        process.number, one.kind, one.damage, code, time.monotonic() - process.since, 0, failure, error=error
    )


def _frames(stack: str) -> str:
    """The innermost frames of the last stack that faulthandler wrote."""
    lines = [line.strip() for line in stack.splitlines() if line.strip().startswith("File ")]
    named = [line.replace("\\", "/").rpartition("site-packages/")[2] for line in lines]
    return " < ".join(
        f"{line.split(chr(34))[-2] if chr(34) in line else line}:{line.rpartition(' in ')[2]}" for line in named[:4]
    )


def _silence() -> None:
    """Native libraries print to the file descriptors themselves."""
    null = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(null, descriptor)


def _fast_folder() -> str | None:
    return "/dev/shm" if os.path.isdir("/dev/shm") and os.access("/dev/shm", os.W_OK) else None
