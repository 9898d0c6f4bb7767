"""A small parent that outlives what native libraries do to the process that reads strangers' files.

A damaged model can crash ONNX Runtime, the system may kill a process that takes too much memory, and OpenBLAS ends one
itself. So a command runs in a child, which says its exit code before it ends; what ends without a word was ended by
something else, and the parent says so, with an exit code that is never that of a failed gate. ONNXSPEC_SUPERVISE=0
leaves the parent out (for debuggers and profilers).
"""

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from types import FrameType

from onnxspec import interruption
from onnxspec.cli.streams import complain
from onnxspec.errors import ExitCode

SWITCH, PIPE = "ONNXSPEC_SUPERVISE", "ONNXSPEC_TELL"
_CHILD = "import sys; from onnxspec.cli import run; sys.argv[0] = 'onnxspec'; run()"
# OpenBLAS asks for its threads' buffers as it is loaded, and goes round for ever where it gets none: with one thread only
# below some 160 MB of address space, where nothing could run (measured: the smallest run takes 630 MB). The cores are the
# model's: its workers would share them with BLAS's own threads.
_BLAS, _LEAST_MEMORY = "OPENBLAS_NUM_THREADS", 256 << 20
_BY_MEMORY = "Give it more, or use --max-memory, a smaller --batch or fewer --threads."


def wanted(arguments: Sequence[str]) -> bool:
    """Whether a command line reads files and is not in a child already."""
    from onnxspec.cli import COMMANDS

    asked = any(one in ("-h", "--help") for one in arguments)
    reads = any(one in COMMANDS and one != "doctor" for one in arguments[:1])
    return os.name == "posix" and reads and not asked and os.environ.get(SWITCH) != "0" and PIPE not in os.environ


def supervise(arguments: Sequence[str]) -> int:
    """Runs a command line in a child and gives its exit code, or what became of it."""
    limit = _address_space()
    if limit is not None and limit < _LEAST_MEMORY:
        text = f"The address space is limited to {limit >> 20} MB, and loading the libraries takes more. Raise it: ulimit -v."
        complain(f"onnxspec: {text}")
        return ExitCode.EXHAUSTED
    hear, tell = os.pipe()
    package = Path(__file__).parents[2]
    paths = [str(package), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = {_BLAS: "1", **os.environ, PIPE: f"{tell} {os.getpid()}", "PYTHONPATH": os.pathsep.join(paths)}
    # -P: nothing in the current folder takes the place of a module.
    command = [sys.executable, "-P", "-c", _CHILD, *arguments]
    forwarded: list[int] = []
    child: subprocess.Popen | None = None

    def forward(number: int, frame: FrameType | None) -> None:
        forwarded.append(number)
        if child is not None:
            child.send_signal(number)

    for number in interruption.heeded():  # what is ignored here the child ignores as well
        signal.signal(number, forward)
    with interruption.held(*interruption.SIGNALS):
        child = subprocess.Popen(command, env=environment, pass_fds=[tell])
    if forwarded:  # it came before there was anybody to forward it to
        child.send_signal(forwarded[0])
    os.close(tell)
    ended = child.wait()
    with os.fdopen(hear, "rb") as pipe:
        said = pipe.read()
    return int(said) if said else _explained(ended, bool(forwarded))


def tell(code: int) -> None:
    """Says the exit code to the parent, if there is one: from here on nothing can go wrong."""
    if PIPE in os.environ:
        with suppress(BrokenPipeError), os.fdopen(int(os.environ[PIPE].split()[0]), "wb") as pipe:
            pipe.write(b"%d" % code)


def follow() -> None:
    """Says that there is a parent, and makes this child end, as when it is interrupted, with it; where the system can."""
    if PIPE not in os.environ:
        return
    interruption.supervised()
    if sys.platform == "linux":
        import ctypes

        parent = int(os.environ[PIPE].split()[1])
        ctypes.CDLL(None).prctl(1, signal.SIGTERM, 0, 0, 0)  # PR_SET_PDEATHSIG
        if os.getppid() != parent:
            os.kill(os.getpid(), signal.SIGTERM)


def _address_space() -> int | None:
    """To how many bytes this process and its children are limited; None where they are not."""
    import resource

    limit = resource.getrlimit(resource.RLIMIT_AS)[0]
    return None if limit == resource.RLIM_INFINITY else limit


def _explained(ended: int, interrupted: bool) -> int:
    """What to say of a child that ended without a word, and the exit code for it."""
    if interrupted:
        text, code = "Interrupted.", ExitCode.INTERRUPTED
    elif ended == -signal.SIGKILL:
        text = f"The system killed the run, as it does when memory runs out. {_BY_MEMORY}"
        code = ExitCode.EXHAUSTED
    elif ended == -signal.SIGALRM:
        text = "A native library did not come to an end with one of the files: it is damaged or hostile, or very large."
        code = ExitCode.EXHAUSTED
    elif ended < 0 and (limit := _address_space()) is not None:
        name = signal.Signals(-ended).name
        text = (
            f"A native library crashed ({name}), as some do where memory runs out: the address space is limited to "
            f"{limit >> 20} MB. Raise it, ulimit -v, to see whether it is one of the files."
        )
        code = ExitCode.EXHAUSTED
    elif ended < 0:
        name = signal.Signals(-ended).name
        text = (
            f"A native library crashed ({name}) on one of the files: a damaged or hostile model, image or report, or a "
            "bug in onnxruntime, HDF5 or Pillow. Check the files: onnxspec inspect MODEL; try another version."
        )
        code = ExitCode.REFUSED
    else:
        text = f"A library ended the run (exit code {ended}), as OpenBLAS does when memory runs out. {_BY_MEMORY}"
        code = ExitCode.EXHAUSTED
    complain(f"onnxspec: {text}")
    return code
