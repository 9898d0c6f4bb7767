"""Sessions that do the same on several devices, handed out so that all of them have work."""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Generic, TypeVar

Member = TypeVar("Member")


class Spread(Generic[Member]):
    """Members, one a device, of which whoever asks gets the one with the fewest users; from any thread.

    Parameters
    ----------
    makers : each makes a member, when it is first used and after `renew`
    at_once : users that a member takes at a time, others wait; None takes any number
    """

    def __init__(self, makers: Sequence[Callable[[], Member]], at_once: int | None = None):
        self._makers = tuple(makers)
        self._at_once = at_once
        self._members: list[Member | None] = [None] * len(self._makers)
        self._users = [0] * len(self._makers)
        self._changed = threading.Condition()

    def start(self) -> list[Member]:
        """Every member, made where it is not yet; raises whatever its maker raises."""
        with self._changed:
            return [self._member(index) for index in range(len(self._makers))]

    def renew(self) -> None:
        """Lets go of all members, so that what they hold is given back once their last users are done."""
        with self._changed:
            self._members = [None] * len(self._makers)

    @contextmanager
    def one(self) -> Iterator[Member]:
        """A member to use; raises whatever its maker raises."""
        with self._changed:
            while self._at_once is not None and min(self._users) >= self._at_once:
                self._changed.wait()
            index = min(range(len(self._users)), key=self._users.__getitem__)
            member = self._member(index)
            self._users[index] += 1
        try:
            yield member
        finally:
            with self._changed:
                self._users[index] -= 1
                self._changed.notify()

    def _member(self, index: int) -> Member:
        member = self._members[index]
        if member is None:
            member = self._members[index] = self._makers[index]()
        return member
