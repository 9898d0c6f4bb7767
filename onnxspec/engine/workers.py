"""Worker threads that can be given up: results in order, few in flight, and an end even when one of them hangs.

A thread inside a library cannot be stopped. So workers are daemons, and nobody waits for one that has been silent for
too long (`interruption.abandoned`).
"""

import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, wait
from contextlib import nullcontext
from typing import TypeVar

from onnxspec import interruption
from onnxspec.errors import ResourceError

_GLANCE = 0.5
_STANDSTILL = 4 * _GLANCE
"""Seconds of a wait of one glance after which it was this process that stood still (Ctrl-Z, `docker pause`)."""
GRACE = 10.0
"""Seconds that a batch gets to end in once nobody wants it any more."""


Item = TypeVar("Item")
Result = TypeVar("Result")


class HangError(ResourceError):
    """Nobody has answered in time: it is no memory that gave out, and nothing smaller would be answered."""


class Pulse:
    """When something was last heard of; `patience` in seconds, None for ever. `given_up` once nobody waits any more."""

    def __init__(self, patience: float | None = None):
        self.patience = patience
        self.given_up = False
        self.beat()

    def beat(self) -> None:
        """Something was heard of just now."""
        self._last = time.monotonic()

    @property
    def stopped(self) -> bool:
        """Whether it has been silent for longer than patience allows."""
        return self.patience is not None and time.monotonic() - self._last > self.patience

    def give_up(self) -> None:
        """Nobody waits for this any more."""
        self.given_up = True
        interruption.abandon()


def within(patience: float | None, work: Callable[[], Result], what: str) -> Result:
    """The result of `work`, done in a thread of its own so that neither a hang nor a long call holds up an interrupt.

    Raises
    ------
    ResourceError
        It took longer than `patience` seconds; the thread is given up. Also whatever `work` raises.
    """
    future: Future[Result] = Future()
    pulse = Pulse(patience)
    _started([threading.Thread(target=_fulfil, args=(future, lambda _: work(), None), daemon=True)])
    try:
        return _awaited(future, pulse, what)
    finally:
        try:
            wait([future], 2 * _GLANCE)  # what is short comes to its end, and the process to one in order
        finally:
            if not future.done():
                pulse.give_up()


def in_order(
    work: Callable[[Item], Result],
    items: Iterable[Item],
    workers: int,
    pulse: Pulse,
    stop: Callable[[], None],
    what: str = "The model",
) -> Iterator[Result]:
    """`work` on every item by some threads, results in the order of the items, few in flight.

    Parameters
    ----------
    pulse : beaten by `work`; when it stops, the workers are given up
    stop : called when the caller ends early, so that `work` may end too
    what : has not answered when the pulse stops

    Raises
    ------
    ResourceError
        The pulse has stopped. Also whatever `work` raises.
    """
    tasks: queue.SimpleQueue[tuple[Future[Result], Item] | None] = queue.SimpleQueue()
    threads: list[threading.Thread] = []
    pending: deque[Future[Result]] = deque()
    waited = pulse
    pulse.beat()
    try:
        made = [threading.Thread(target=_serve, args=(tasks, work, pulse), daemon=True) for _ in range(workers)]
        threads = _started(made)
        for item in items:
            future: Future[Result] = Future()
            pending.append(future)
            tasks.put((future, item))
            if len(pending) > 2 * workers:
                yield _awaited(pending.popleft(), pulse, what)
        while pending:
            yield _awaited(pending.popleft(), pulse, what)
    except BaseException:
        stop()
        waited = Pulse(GRACE)
        raise
    finally:
        for future in pending:
            future.cancel()
        for _ in threads:
            tasks.put(None)
        if not pulse.given_up and not _left(threads, waited):
            pulse.give_up()


def _started(threads: list[threading.Thread]) -> list[threading.Thread]:
    """Those of the threads that the system lets start: at least one.

    Raises
    ------
    ResourceError
        Not even one can be started.
    """
    running = []
    for thread in threads:
        try:
            thread.start()
        except RuntimeError:
            break
        running.append(thread)
    if not running:
        raise ResourceError(
            "No thread can be started: memory or the number of processes is used up.", "End other programs first."
        )
    return running


def _serve(tasks: "queue.SimpleQueue", work: Callable, pulse: Pulse) -> None:
    while (task := tasks.get()) is not None:
        future, item = task
        if future.set_running_or_notify_cancel():
            _fulfil(future, work, item)
            pulse.beat()


def _fulfil(future: Future, work: Callable, item: object) -> None:
    try:
        future.set_result(work(item))
    except BaseException as error:
        future.set_exception(error)


def _awaited(future: "Future[Result]", pulse: Pulse, what: str) -> Result:
    pulse.beat()  # whatever has kept this thread from waiting is no silence of the workers
    while True:
        interruption.check()
        # Short waits: a signal that comes while a lock is waited for without limit is not seen on every system.
        # And an alarm for a library that hangs and keeps the interpreter's lock, so that nothing here ever runs again.
        limit = interruption.limited(pulse.patience + GRACE) if pulse.patience else nullcontext()
        began = time.monotonic()
        try:
            with limit:
                future.exception(_GLANCE)
        except TimeoutError:
            # The clock goes on while the process is stopped, and the workers are silent for that long.
            if time.monotonic() - began > _STANDSTILL:
                pulse.beat()
            if pulse.stopped:
                pulse.give_up()
                raise HangError(
                    f"{what} has not answered for {pulse.patience:g} s.",
                    "If it is slow and not hung, use a longer --timeout, a smaller --batch, or another --device.",
                ) from None
            continue
        return future.result()


def _left(threads: list[threading.Thread], pulse: Pulse) -> bool:
    """Waits for workers to end, as long as the pulse allows; whether they have."""
    for thread in threads:
        while thread.is_alive() and not pulse.stopped:
            thread.join(_GLANCE)
    return not any(thread.is_alive() for thread in threads)
