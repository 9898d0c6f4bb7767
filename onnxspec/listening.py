"""Who is told how a run goes on."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class Ahead:
    """What a run will evaluate.

    paths, images : how many, those kept from an interrupted run among the paths alone; seconds : about how long it takes
    kept : paths that are; dropped : those that cannot be used and are gone, and why, in words; at_most : whether a precision may be reached with fewer
    of : whose plan it is, where there are several; beside : whether it is walked in step with those before it
    """

    paths: int
    images: int
    seconds: float
    kept: int = 0
    at_most: bool = False
    of: str = ""
    beside: bool = False
    dropped: str = ""


class Listener(Protocol):
    """Who is told how a run goes on."""

    def stage(self, name: str) -> None:
        """A part of the run begins."""

    def plan(self, ahead: Ahead) -> None:
        """What the run will evaluate; said again where that has changed."""

    def images(self, count: int) -> None:
        """So many more images were evaluated; called from several threads."""

    def spared(self, count: int) -> None:
        """So many more images of the plan need not be evaluated, since the cache has them; where it is left out, `images`."""


class Silence:
    """A listener that does not care."""

    def stage(self, name: str) -> None: ...

    def plan(self, ahead: Ahead) -> None: ...

    def images(self, count: int) -> None: ...

    def spared(self, count: int) -> None:
        self.images(count)


def told_of_spared(listener: Listener) -> Callable[[int], None]:
    """What to call for images that the cache has: listeners from before `spared` count them as evaluated."""
    return getattr(listener, "spared", listener.images)
