"""Sessions that do the same on several devices, handed out so that all of them have work."""

import math
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Generic, TypeVar

Member = TypeVar("Member")


class Spread(Generic[Member]):
    """Members, one a device, of which whoever asks gets the one with the fewest users; from any thread.

    Parameters
    ----------
    makers : each makes a member, when it is first used and, once nobody uses the last one, after `renew`
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

    def renew(self) -> list[Member | None]:
        """Lets go of all members: what they hold is given back once their last users are done, and whoever gets this list."""
        with self._changed:
            let_go, self._members = self._members, [None] * len(self._makers)
        return let_go

    @contextmanager
    def one(self) -> Iterator[Member]:
        """A member to use; raises whatever its maker raises."""
        with self._changed:
            while not (free := self._free()):
                self._changed.wait()
            index = min(free, key=self._users.__getitem__)
            if self._members[index] is None:
                self._changed.notify_all()  # whoever waits for it goes on, whether it can be made or not
            member = self._member(index)
            self._users[index] += 1
        try:
            yield member
        finally:
            del member  # whoever is told next may need the memory that it holds
            with self._changed:
                self._users[index] -= 1
                self._changed.notify()

    def _free(self) -> list[int]:
        """Who takes one more user; one that is to be made only once its predecessor has none, and has given back what it held."""
        most = math.inf if self._at_once is None else self._at_once
        pairs = enumerate(zip(self._members, self._users, strict=True))
        return [index for index, (member, users) in pairs if users < (1 if member is None else most)]

    def _member(self, index: int) -> Member:
        member = self._members[index]
        if member is None:
            member = self._members[index] = self._makers[index]()
        return member
