"""One thread for a GPU on which CUDA graphs are captured.

CUDA's provider keeps captured graphs, and libraries to run them with, for every thread that runs its session, until the
session ends. And while it captures, no other thread may ask the GPU for memory or give some back, as sessions do that are
made, run for the first time or closed: that fails, and the capture with it.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from onnxspec.model.providers import Choice

Result = TypeVar("Result")

_THREAD = ThreadPoolExecutor(1, "captured-graphs")


def alone(choice: Choice, work: Callable[[], Result]) -> Result:
    """The result of `work`, or what it raises: done by that one thread where `choice` captures, else by the caller's.

    What is done by that thread must not ask for it again.
    """
    return _THREAD.submit(work).result() if choice.captures else work()
