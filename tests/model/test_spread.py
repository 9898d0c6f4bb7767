"""Sessions on several devices: all get work, none more than it takes, and what they hold can be given back."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest

from onnxspec.model.spread import Spread


def test_whoever_asks_gets_the_one_with_the_fewest_users():
    spread = Spread([partial(str, name) for name in "abc"])
    with spread.one() as first, spread.one() as second:
        assert [first, second] == ["a", "b"]
        with spread.one() as third, spread.one() as fourth:
            assert [third, fourth] == ["c", "a"]
    with spread.one() as again:
        assert again == "a"


def test_no_member_has_more_users_than_it_takes():
    spread = Spread([partial(str, name) for name in "ab"], at_once=2)
    most, users = {"a": 0, "b": 0}, {"a": 0, "b": 0}
    lock = threading.Lock()

    def use(_):
        with spread.one() as member:
            with lock:
                users[member] += 1
                most[member] = max(most[member], users[member])
            time.sleep(0.002)
            with lock:
                users[member] -= 1

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(use, range(40)))
    assert most == {"a": 2, "b": 2}


def test_members_are_made_once_and_anew_after_a_renewal():
    made = []

    def make():
        made.append(len(made))
        return made[-1]

    spread = Spread([make])
    assert made == []
    assert spread.start() == [0]
    with spread.one() as member:
        assert member == 0
    spread.renew()
    with spread.one() as member:
        assert member == 1
    assert spread.start() == [1]


def test_a_new_member_waits_for_the_users_of_the_last_one():
    """Whose memory it needs: it would find none, and batches would be halved for nothing."""
    made: list[int] = []
    spread = Spread([lambda: made.append(len(made)) or made[-1]], at_once=2)

    def use(_):
        with spread.one() as member:
            return member

    with ThreadPoolExecutor(4) as pool:
        with spread.one() as held:
            spread.renew()
            waiting = pool.map(use, range(8))
            time.sleep(0.05)
            assert (held, made) == (0, [0])
        assert list(waiting) == [1] * 8


def test_a_member_that_cannot_be_made_is_tried_again():
    def fail():
        raise RuntimeError("no")

    spread = Spread([fail], at_once=1)
    for _ in range(3):
        with pytest.raises(RuntimeError, match="no"), spread.one():
            pytest.fail("there is no member")
