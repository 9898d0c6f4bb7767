"""Who is told how a run goes on."""

from typing import Protocol


class Listener(Protocol):
    """Who is told how a run goes on."""

    def stage(self, name: str) -> None:
        """A part of the run begins."""

    def plan(
        self,
        paths: int,
        images: int,
        seconds: float,
        kept: int = 0,
        at_most: bool = False,
        of: str = "",
        beside: bool = False,
    ) -> None:
        """What the run will evaluate (or `at_most`), about how long it takes, and how many paths are kept from before.

        of : whose plan it is, where there are several
        beside : whether it is walked in step with what was planned before, to which it is added
        """

    def images(self, count: int) -> None:
        """So many more images were evaluated; called from several threads."""


class Silence:
    """A listener that does not care."""

    def stage(self, name: str) -> None: ...

    def plan(
        self,
        paths: int,
        images: int,
        seconds: float,
        kept: int = 0,
        at_most: bool = False,
        of: str = "",
        beside: bool = False,
    ) -> None: ...

    def images(self, count: int) -> None: ...
