"""Programs run where the stand-in is taken for CUDA, and what happened on its GPUs."""

import os
import re
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from conftest import ROOT

# Longer than any of these takes on a slow machine: threads that wait for each other for ever fail a test.
_SECONDS = 100


@dataclass(frozen=True)
class Done:
    """A program that has ended: its exit code, what it printed, and a line for each event on a GPU."""

    code: int
    out: str
    err: str
    events: list[str]

    def count(self, pattern: str) -> int:
        """Events that a pattern matches from their beginning."""
        return sum(re.match(pattern, event) is not None for event in self.events)

    def products(self) -> Counter[tuple[int, int]]:
        """Matrix products by the images in them and their device."""
        found = (re.match(r"product of (\d+) on (\d+)", event) for event in self.events)
        return Counter((int(one.group(1)), int(one.group(2))) for one in found if one is not None)


@dataclass(frozen=True)
class Machine:
    """A machine with GPUs; `libraries` is the folder that stands for CUDA, `place` where programs run.

    memory : bytes of it, on each
    """

    libraries: Path
    place: Path
    gpus: int = 1
    memory: int = 2**28

    def without(self, library: str) -> "Machine":
        """The same machine, on which one of CUDA's libraries is not installed."""
        folder = self.place / f"without {library}"
        folder.mkdir()
        for path in self.libraries.glob("*.so.*"):
            if path.name != library:
                (folder / path.name).symlink_to(path)
        return Machine(folder, self.place, self.gpus, self.memory)

    def onnxspec(self, *words: object) -> Done:
        """A command line of onnxspec's."""
        return self._run("-m", "onnxspec", *map(str, words))

    def python(self, program: str) -> Done:
        """A Python program, which can import what tests can."""
        return self._run("-c", program)

    def _run(self, *words: str) -> Done:
        log = self.place / "events"
        log.unlink(missing_ok=True)
        inherited = {name: value for name, value in os.environ.items() if name != "NVIDIA_TF32_OVERRIDE"}
        environment = inherited | {
            "LD_LIBRARY_PATH": str(self.libraries),
            "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'tests'}",
            "STANDIN_GPUS": str(self.gpus),
            "STANDIN_BYTES": str(self.memory),
            "STANDIN_LOG": str(log),
        }
        command = [sys.executable, "-P", *words]
        done = subprocess.run(
            command, cwd=self.place, env=environment, capture_output=True, text=True, timeout=_SECONDS, check=False
        )
        events = log.read_text().splitlines() if log.exists() else []
        return Done(done.returncode, done.stdout, done.stderr, events)
