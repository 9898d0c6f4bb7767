"""Every error a user can cause or meet, and the exit code it ends the command with.

    OnnxspecError
    ├── UsageError        2  a flag, a configuration file, an argument
    ├── ModelError        3  the ONNX file or what it computes
    ├── DataError         3  images, labels, archives
    ├── ReportError       3  a report that cannot be read or does not match
    ├── DeviceError       4  an execution provider or a library that is missing
    └── ResourceError     6  disk, memory or time ran out

An `OnnxspecError` is one line for the user: what was found, what was expected, and in `hint` what to do.
Anything else that escapes is a bug and keeps its traceback. Imported by everything, imports nothing.
"""

from enum import IntEnum

MAX_MESSAGE = 2000


class ExitCode(IntEnum):
    """Process exit codes of every `onnxspec` command."""

    PASS = 0
    GATE_FAILED = 1
    USAGE = 2
    REFUSED = 3
    UNAVAILABLE = 4
    INCONCLUSIVE = 5
    EXHAUSTED = 6
    BUG = 70
    INTERRUPTED = 130


class OnnxspecError(Exception):
    """A user's error: `message` says what was found and expected, `hint` what to do about it."""

    exit_code = ExitCode.BUG

    def __init__(self, message: str, hint: str = ""):
        self.message = _shortened(message)
        self.hint = _shortened(hint)
        super().__init__(self.message)

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".rstrip()


class UsageError(OnnxspecError):
    """A flag, a setting or an argument that cannot be used."""

    exit_code = ExitCode.USAGE


class ModelError(OnnxspecError):
    """An ONNX model that cannot be loaded, or that is not a classifier onnxspec can analyse."""

    exit_code = ExitCode.REFUSED


class DataError(OnnxspecError):
    """Images or labels that cannot be read or do not fit the model."""

    exit_code = ExitCode.REFUSED


class ReportError(OnnxspecError):
    """A report that cannot be read, or that lacks what was asked of it."""

    exit_code = ExitCode.REFUSED


class DeviceError(OnnxspecError):
    """An execution provider that was asked for and cannot run here."""

    exit_code = ExitCode.UNAVAILABLE


class ResourceError(OnnxspecError):
    """The machine gave out: disk, memory or time."""

    exit_code = ExitCode.EXHAUSTED


def _shortened(text: str) -> str:
    """`text` without its middle where it is long: what a message quotes may be megabytes of somebody's file."""
    half = MAX_MESSAGE // 2
    return text if len(text) <= MAX_MESSAGE else f"{text[:half]} [...] {text[-half:]}"


def inert(text: str) -> str:
    """`text`, which may quote a file, without what a terminal would act on: control characters become escapes."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)
