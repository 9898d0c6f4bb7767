"""How a run goes on, on standard error: a bar on a terminal, a line every few seconds elsewhere."""

import threading
import time
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from onnxspec.cli.streams import StandardError
from onnxspec.errors import inert
from onnxspec.listening import Ahead

SECONDS_BETWEEN_LINES = 5.0
SECONDS_BETWEEN_UPDATES = 0.1


class TerminalProgress:
    """A `Listener` that shows; `unit` is what the plan counts, `cached` whether some of it may be in a cache."""

    def __init__(self, unit: str = "paths", cached: bool = False) -> None:
        # How much is known when it is looked up: the keys are over pixels that are not read yet.
        self._unit, self._less = unit, ", less what is in the cache" if cached else ""
        self.console = Console(file=StandardError(), highlight=False, markup=False)  # type: ignore[arg-type]
        self._bar = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=None),
            MofNCompleteColumn(),
            TextColumn("forward passes, {task.fields[rate]}/s,"),
            TimeRemainingColumn(),
            console=self.console,
            transient=True,
            disable=not self.console.is_terminal,
        )
        self._task = self._bar.add_task("opening", total=None, rate="-")
        self._lock = threading.Lock()
        self._total = self._done = self._before = 0
        self._started = self._spoken = self._shown = time.monotonic()

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not self._bar.disable:  # rich 13 ends a bar with an empty line, even one that was never shown
            self._bar.stop()

    def stage(self, name: str) -> None:
        """A part of the run begins."""
        self._bar.update(self._task, description=inert(name))

    def plan(self, ahead: Ahead) -> None:
        """Says what is coming before it comes."""
        if not ahead.beside:
            self._total = self._done = 0
        self._total += ahead.images
        self._before, self._started = self._done, time.monotonic()
        self._bar.update(self._task, total=self._total, completed=self._done)
        done = f" ({ahead.kept:,} kept from an interrupted run)" if ahead.kept else ""
        if ahead.dropped:
            self.console.print(f"Dropped the paths that were kept here: {inert(ahead.dropped)}.", soft_wrap=True)
        bound = "at most " if ahead.at_most else ""
        text = f"{bound}{ahead.paths:,} {self._unit}{done}, {ahead.images:,} forward passes, about {duration(ahead.seconds)}{self._less}."
        self.console.print(f"{inert(ahead.of)}: {text}" if ahead.of else text[0].upper() + text[1:], soft_wrap=True)

    def images(self, count: int) -> None:
        """So many more forward passes are done."""
        with self._lock:
            self._done += count
            self._show()

    def spared(self, count: int) -> None:
        """So many fewer are to be done: neither rate nor time left is of what nobody walks."""
        with self._lock:
            self._total -= count
            if self._done == self._before:
                self._started = time.monotonic()
            self._show()

    def _show(self) -> None:
        # Paths to look at are walked again where their rows come from a cache: nobody knew of them beforehand.
        self._total = max(self._total, self._done)
        now = time.monotonic()
        if now - self._shown < SECONDS_BETWEEN_UPDATES and self._done < self._total:
            return
        self._shown = now
        rate = (self._done - self._before) / max(now - self._started, 1e-9)
        self._bar.update(self._task, total=self._total, completed=self._done, rate=f"{rate:,.0f}" if rate else "-")
        if self._bar.disable and now - self._spoken > SECONDS_BETWEEN_LINES:
            self._spoken = now
            pace = f", {rate:,.0f}/s, {duration(max(self._total - self._done, 0) / rate)} left" if rate else ""
            self.console.print(f"{self._done:,} of {self._total:,} forward passes{pace}", soft_wrap=True)


def duration(seconds: float) -> str:
    """A duration in words: 8 s, 12 min, 3.5 h."""
    if seconds < 99:
        return f"{max(seconds, 1):.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
