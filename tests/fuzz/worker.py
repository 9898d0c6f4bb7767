"""Runs cases in a forked process: what each came to, and whether that is allowed."""

import faulthandler
import io
import json
import os
import sys
import time
import traceback
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from onnxspec import interruption

from . import oracle
from .bases import Bases
from .cases import Case, case
from .sandbox import Ear, Sandbox

# What one case may take beyond what the worker holds at its start. An .npz may hold 4 GB by its own rule, an image 89
# million pixels; no case here has that much to say.
MEMORY_BYTES = 2 << 30
ADDRESS_BYTES = 6 << 30
ALLOWED = {2, 3, 4, 6}
VERDICTS = {0, 1, 5}


@dataclass(frozen=True)
class Outcome:
    """`failure` is "" where all is right; its first line is what a list of known failures matches."""

    number: int
    kind: str
    damage: str
    code: int
    seconds: float
    peak_bytes: int
    failure: str = ""
    judged: bool = True
    error: str = ""

    def to_json(self) -> str:
        return json.dumps(asdict(self))


def serve(bases: Bases, seed: int, root: Path, read: Callable[[], int | None], write: Callable[[str], None]) -> None:
    """Takes numbers until None comes, and answers each with an `Outcome` as a line of JSON."""
    sandbox = Sandbox(root)
    interruption.supervised()  # the pool is the parent
    faulthandler.enable(open(root.parent / f"{root.name}.fault", "w"))
    os.environ |= {"TMPDIR": str(sandbox.tmp), "COLUMNS": "80", "NO_COLOR": "1"}
    import tempfile

    tempfile.tempdir = str(sandbox.tmp)
    ear = Ear(sandbox)
    start = peak_bytes()
    limit_address_space()
    while (number := read()) is not None:
        write(_made_and_run(bases, seed, number, sandbox, ear, start).to_json())


def _made_and_run(bases: Bases, seed: int, number: int, sandbox: Sandbox, ear: Ear, start: int) -> Outcome:
    try:
        one = case(bases, seed, number)
    except Exception:
        return Outcome(number, "onnx", "", -1, 0.0, 0, f"the case cannot be made\n{traceback.format_exc()}")
    return run(one, number, sandbox, ear, start)


def run(one: Case, number: int, sandbox: Sandbox, ear: Ear, start: int = 0) -> Outcome:
    """One case in this process."""
    sandbox.lay(one.files)
    os.chdir(sandbox.inside)
    before, began = peak_bytes(), time.monotonic()
    ear.heard.clear()
    ear.on = True
    code, output, error = _command(one.arguments)
    ear.on = False
    seconds, peak = time.monotonic() - began, peak_bytes()
    failure, judged = "", True
    try:
        if ear.heard:
            raise oracle.Wrong(f"did what it must not: {'; '.join(ear.heard[:3])}")
        if left := sandbox.left_behind():
            raise oracle.Wrong(f"left behind or changed: {', '.join(left[:3])}")
        if peak > before and peak - start > MEMORY_BYTES:
            raise oracle.Wrong(f"took {peak - start >> 20} MB of memory")
        judged = judge(one, code, output, error, sandbox)
    except oracle.Wrong as wrong:
        failure = str(wrong)
    except Exception as problem:
        failure = f"the oracle failed: {type(problem).__name__}: {problem}\n{traceback.format_exc()}"
    return Outcome(number, one.kind, one.damage, code, seconds, peak, failure, judged, error[-3000:])


def judge(one: Case, code: int, output: str, error: str, sandbox: Sandbox) -> bool:
    """Raises `oracle.Wrong` where the outcome is not allowed or not right; gives whether it could be judged in full."""
    if code == 70:
        raise oracle.Wrong(f"traceback: {_last_frames(error)}")
    oracle.require_inert(output)
    accepted = code in VERDICTS if one.arguments[0] == "audit" else code == 0
    if not accepted:
        if code not in ALLOWED:
            raise oracle.Wrong(f"exit code {code}")
        if one.judge != "inspect":
            oracle.refusal(error)
        if any(sandbox.out.iterdir()):
            raise oracle.Wrong(f"refused, and {sorted(p.name for p in sandbox.out.iterdir())} stands there")
        return True
    inside = sandbox.inside
    try:
        if one.judge == "analysis":
            labels = inside / "labels.csv" if "--labels" in one.arguments else None
            classes = inside / "classes.txt" if "--classes" in one.arguments else None
            oracle.analysis(inside / "model.onnx", inside / one.data, sandbox.out / "report.h5", labels, classes)
        elif one.judge == "stamp":
            oracle.stamp(inside / "model.onnx", sandbox.out / "stamped.onnx")
        elif one.judge in ("report", "verdict"):
            oracle.report(inside / "report.h5")
        elif one.judge == "baseline":
            oracle.baseline(inside / "baseline.json")
    except oracle.NotJudged:
        return False
    return True


def _command(arguments: tuple[str, ...]) -> tuple[int, str, str]:
    """Exit code, standard output and standard error of the command line, run here."""
    from onnxspec.cli import main

    output, error = _Text(), _Text()
    with redirect_stdout(output), redirect_stderr(error):
        try:
            code = int(main(list(arguments)))
        except BaseException:
            error.write(traceback.format_exc())
            code = 70
    return code, output.text(), error.text()


class _Text(io.TextIOWrapper):
    """A text file in memory with a `buffer`, as a program's standard output has."""

    def __init__(self) -> None:
        super().__init__(io.BytesIO(), "utf-8", "surrogatepass", newline="", write_through=True)

    def text(self) -> str:
        self.flush()
        return self.buffer.getvalue().decode("utf-8", "replace")  # type: ignore[attr-defined]


def _last_frames(error: str) -> str:
    """The innermost frame in onnxspec and the exception, without line numbers, which move."""
    lines = [line.strip() for line in error.splitlines()]
    frames = [line for line in lines if line.startswith("File ") and "onnxspec/" in line.replace("\\", "/")]
    at = frames[-1] if frames else ""
    where = f"{at.split('onnxspec/')[-1].split(chr(34))[0]} {at.rpartition(' in ')[2]}"
    raised = [
        line
        for line in lines
        if (not line.startswith(("onnxspec:", "File", "^", "~")) and ": " in line) or line.endswith("Error")
    ]
    return f"{where}: {raised[-1][:160] if raised else '?'}"


def peak_bytes() -> int:
    """The most memory this process has held at once; 0 where the platform does not say."""
    with suppress(ImportError):
        import resource

        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak if sys.platform == "darwin" else peak << 10
    return 0


def limit_address_space() -> None:
    """Allocations beyond the limit fail, as they do in a container: only Linux knows how to count them."""
    if sys.platform == "linux":
        import resource

        pages = int(Path("/proc/self/statm").read_text().split()[0])
        resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + ADDRESS_BYTES,) * 2)


def preload() -> None:
    """Imports what a command imports, so that a fork has it."""
    from importlib import import_module

    from onnxspec.cli import COMMANDS

    names: list[Any] = [f"onnxspec.cli.{name}" for name in COMMANDS]
    names += [
        "onnxspec.analysis.analyzing",
        "onnxspec.auditing.gate",
        "onnxspec.comparison.storing",
        "onnxspec.report.html.page",
    ]
    names += ["onnxspec.comparison.comparing", "onnxspec.report.terminal", "PIL.Image", "h5py", "onnxruntime"]
    names += ["onnxspec.images.archive", "onnxspec.images.npz", "onnxspec.images.hdf5", "onnxspec.report.export"]
    for name in names:
        import_module(name)
    from PIL import Image

    Image.init()
