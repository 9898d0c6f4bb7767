"""One thread for a device that bears no more.

CUDA's provider keeps captured graphs, and libraries to run them with, for every thread that runs its session, until the
session ends. And while it captures, no other thread may ask the GPU for memory or give some back, as sessions do that are
made, run for the first time or closed: that fails, and the capture with it.

Of other providers only the CPU's and CUDA's own are known to bear several threads: WebGPU's sessions share one queue of
commands, into which two threads that bind and run batches write at once, and the run of one of them fails.

It is no ThreadPoolExecutor: when Python ends, that waits for its threads for ever, also for one that hangs, and takes no
work from other threads, which are not through yet.
"""

import atexit
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

from onnxspec.model.providers import Choice

Result = TypeVar("Result")

GRACE = 10.0
"""Seconds that the device gets to end what it is at when the process ends."""

_tasks: "queue.SimpleQueue[tuple[Future[Any], Callable[[], Any]] | None]" = queue.SimpleQueue()
_starting = threading.Lock()
_threads: list[threading.Thread] = []


def alone(choice: Choice, work: Callable[[], Result]) -> Result:
    """The result of `work`, or what it raises: done by that one thread where `choice` needs it, else by the caller's.

    What is done by that thread must not ask for it again.
    """
    return _submitted(work).result() if choice.needs_one_thread else work()


def _submitted(work: Callable[[], Result]) -> "Future[Result]":
    with _starting:
        if not _threads:
            thread = threading.Thread(target=_serve, name="device", daemon=True)
            thread.start()
            _threads.append(thread)
            atexit.register(_end, thread)
    future: Future[Result] = Future()
    _tasks.put((future, work))
    return future


def _serve() -> None:
    while (task := _tasks.get()) is not None:
        _fulfil(*task)
        del task  # it holds on to a session


def _fulfil(future: "Future[Result]", work: Callable[[], Result]) -> None:
    try:
        future.set_result(work())
    except BaseException as error:
        future.set_exception(error)
    finally:
        del future, work  # the error holds on to what is here


def _end(thread: threading.Thread) -> None:
    """Lets no library be torn down under the thread, unless it hangs."""
    _tasks.put(None)
    thread.join(GRACE)
