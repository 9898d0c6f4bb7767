"""One thread for a device that bears no more.

CUDA's provider keeps captured graphs, and libraries to run them with, for every thread that runs its session, until the
session ends. And while it captures, no other thread may ask the GPU for memory or give some back, as sessions do that are
made, run for the first time or closed: that fails, and the capture with it.

Of other providers only the CPU's and CUDA's own are known to bear several threads: WebGPU's sessions share one queue of
commands, into which two threads that bind and run batches write at once, and the run of one of them fails.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from onnxspec.model.providers import Choice

Result = TypeVar("Result")

_THREAD = ThreadPoolExecutor(1, "device")


def alone(choice: Choice, work: Callable[[], Result]) -> Result:
    """The result of `work`, or what it raises: done by that one thread where `choice` needs it, else by the caller's.

    What is done by that thread must not ask for it again.
    """
    return _THREAD.submit(work).result() if choice.needs_one_thread else work()
