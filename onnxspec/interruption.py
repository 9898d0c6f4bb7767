"""Interrupts that come at a bad moment wait for a good one.

Python raises KeyboardInterrupt wherever the main thread happens to be. Inside a callback from HDF5 that leaves the
library half way through a write, from which it does not recover; inside a finaliser it is swallowed. So writing is
shielded, and a request that was swallowed is remembered until somebody checks.
"""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from types import FrameType
from typing import Any

SIGNALS = (signal.SIGINT, signal.SIGTERM)
_requested = threading.Event()
_deaf = threading.Event()
_ECHO = 0.5
READING_SECONDS, READING_RATE = 20.0, 2e6
"""What opening a file may take beside its size in bytes over this rate."""
_last = float("-inf")
_abandoned = threading.Event()
_supervised = threading.Event()
_deadlines: list[float] = []
_arming = threading.Lock()
_SOON = 0.001


class Interrupted(KeyboardInterrupt):
    """An interrupt whose message says what became of the work."""


def request(number: int, frame: FrameType | None) -> None:
    """A signal handler: interrupts now, and again at the next `check` if that was swallowed.

    A second signal within half a second is the echo of the first: a terminal sends to parent and child, and the
    parent forwards.
    """
    global _last
    before, _last = _last, time.monotonic()
    if _deaf.is_set() or _last - before < _ECHO:
        return
    _requested.set()
    raise KeyboardInterrupt


def listen() -> None:
    """Makes `request` the handler of the signals that end a run, and forgets earlier requests.

    A signal that whoever started the process has it ignore (a shell's `command &`) stays ignored.
    """
    global _last
    _last = float("-inf")
    _requested.clear()
    _deaf.clear()
    for number in heeded():
        signal.signal(number, request)


def heeded() -> list[signal.Signals]:
    """Those of the signals that end a run which this process is not to ignore."""
    return [number for number in SIGNALS if signal.getsignal(number) != signal.SIG_IGN]


@contextmanager
def held(*numbers: int) -> Iterator[None]:
    """Has the system hold signals back until the block has ended; where it can.

    From processes and threads that are started meanwhile it holds them back until they `admit` them: a process that
    is being started has no handler yet, and would end in a traceback.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, numbers)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def admit() -> None:
    """Lets through what the process that started this one has held back."""
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)


def ignore() -> None:
    """Makes `request` do nothing: a command that is over has its exit code, and only Python is left to be closed."""
    _deaf.set()


def silence() -> None:
    """Makes the system ignore the signals, for a process that only ends: Python's last act is to undo its own handlers."""
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)


def requested() -> bool:
    """Whether an interrupt was requested, whatever became of it."""
    return _requested.is_set()


def check() -> None:
    """Raises KeyboardInterrupt if an interrupt was requested."""
    if requested():
        raise KeyboardInterrupt


def abandon() -> None:
    """Remembers that a thread was given up inside a library, so that the process must not wait for it."""
    _abandoned.set()


def abandoned() -> bool:
    """Whether a thread was given up: the process should then end by `os._exit`, since libraries are still running."""
    return _abandoned.is_set()


def supervised() -> None:
    """Remembers that a parent process will say so when the system ends this one (`cli.supervision`)."""
    _supervised.set()


@contextmanager
def limited(seconds: float) -> Iterator[None]:
    """Lets the system end this process when the block takes longer, where there is a parent to explain it.

    A native library that goes round in circles holding the interpreter's lock can be stopped by nothing in this process.
    """
    if not _supervised.is_set():
        yield
        return
    deadline = time.monotonic() + seconds
    _arm(_deadlines.append, deadline)
    try:
        yield
    finally:
        _arm(_deadlines.remove, deadline)


def _arm(change: Callable[[float], None], deadline: float) -> None:
    """Sets the process's one timer to the first deadline of all threads: each ends its block when it likes."""
    with _arming:
        change(deadline)
        left = max(min(_deadlines) - time.monotonic(), _SOON) if _deadlines else 0.0
        signal.setitimer(signal.ITIMER_REAL, left)


def limited_to_reading(path: str | os.PathLike[str]) -> AbstractContextManager[None]:
    """`limited` to what reading a whole file of that size may take on a slow disk."""
    size = os.stat(path).st_size if os.path.exists(path) else 0
    return limited(READING_SECONDS + size / READING_RATE)


@contextmanager
def shield() -> Iterator[None]:
    """Holds back interrupts until the block has ended."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    caught: list[int] = []
    previous = [(number, signal.getsignal(number)) for number in SIGNALS]
    try:
        for number in SIGNALS:
            signal.signal(number, lambda received, frame: caught.append(received))
        yield
    finally:
        _restore(previous)
        if caught:
            signal.raise_signal(caught[0])


def _restore(handlers: Sequence[tuple[int, Any]]) -> None:
    """Sets all of them again, also where a signal that comes meanwhile raises in one that was set already."""
    if handlers:
        (number, handler), *rest = handlers
        try:
            signal.signal(number, handler if handler is not None else signal.SIG_DFL)
        finally:
            _restore(rest)
