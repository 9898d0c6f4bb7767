"""Runs an `onnxspec` command line as it is, and writes down when its stages began and how much memory it took.

    python -P stamped.py STAMPS.json analyze model.onnx --data images

The command's own progress display is told when a stage begins; here it also looks at the clock, a handful of times in
a run, and counts nothing. Times are `time.monotonic`, which all processes of a machine share.
"""

import json
import sys
import time
from pathlib import Path

from onnxspec.cli import main, progress
from onnxspec.listening import Ahead
from tests.benchmarks.memory import peak_bytes


class Stamped(progress.TerminalProgress):
    """Progress that remembers."""

    stages: list[tuple[str, float]] = []  # noqa: RUF012 - one command a process, and read after it
    planned: dict[str, int] = {}  # noqa: RUF012

    def stage(self, name: str) -> None:
        if not self.stages:
            FirstBatch.watch()
        self.stages.append((name, time.monotonic()))
        super().stage(name)

    def plan(self, ahead: Ahead) -> None:
        self.planned.update(paths=ahead.paths, images=ahead.images)
        super().plan(ahead)

    def __exit__(self, *error) -> None:
        self.stages.append(("summary and exit", time.monotonic()))
        super().__exit__(*error)


class FirstBatch:
    """Writes down when ONNX Runtime is first asked to run, and then gets out of the way."""

    when: float | None = None

    @classmethod
    def watch(cls) -> None:
        from onnxruntime import InferenceSession

        plain = {name: getattr(InferenceSession, name) for name in ("run", "run_with_iobinding")}

        def stamped(name):
            def run(self, *arguments, **options):
                cls.when = time.monotonic()
                for each, function in plain.items():
                    setattr(InferenceSession, each, function)
                return plain[name](self, *arguments, **options)

            return run

        for name in plain:
            setattr(InferenceSession, name, stamped(name))


if __name__ == "__main__":
    progress.TerminalProgress = Stamped  # type: ignore[misc]
    code = main(sys.argv[2:])
    found = {"stages": Stamped.stages, **Stamped.planned, "first_batch": FirstBatch.when, "peak_bytes": peak_bytes()}
    Path(sys.argv[1]).write_text(json.dumps(found))
    sys.exit(code)
