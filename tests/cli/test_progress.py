"""The progress of a run, where it is no terminal: lines on standard error."""

import pytest

from onnxspec.cli import progress
from onnxspec.cli.progress import TerminalProgress
from onnxspec.listening import Ahead


@pytest.fixture(autouse=True)
def at_once(monkeypatch):
    """Every batch is worth a line."""
    monkeypatch.setattr(progress, "SECONDS_BETWEEN_LINES", 0)
    monkeypatch.setattr(progress, "SECONDS_BETWEEN_UPDATES", 0)


def counts(lines):
    return [line.split(" forward")[0] for line in lines]


def test_what_was_not_foreseen_is_never_more_than_all(capsys):
    with TerminalProgress() as shown:
        shown.plan(Ahead(2, 100, 1.0))
        shown.images(60)
        shown.images(60)
    announced, *lines = capsys.readouterr().err.splitlines()
    assert announced == "2 paths, 100 forward passes, about 1 s."
    assert counts(lines) == ["60 of 100", "120 of 120"]


def test_what_a_cache_may_hold_is_not_promised(capsys):
    with TerminalProgress(cached=True) as shown:
        shown.plan(Ahead(2, 100, 1.0))
    assert capsys.readouterr().err == "2 paths, 100 forward passes, about 1 s, less what is in the cache.\n"


def test_the_rate_is_of_what_was_walked_and_not_of_what_the_cache_had(capsys, monkeypatch):
    now = [0.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    with TerminalProgress(cached=True) as shown:
        shown.plan(Ahead(20, 1000, 1.0))
        for second, tell, count in ((10, shown.spared, 600), (15, shown.images, 100), (20, shown.spared, 100)):
            now[0] = second
            tell(count)
    assert capsys.readouterr().err.splitlines()[1:] == [
        "0 of 400 forward passes",
        "100 of 400 forward passes, 20/s, 15 s left",
        "100 of 300 forward passes, 10/s, 20 s left",
    ]


def test_a_plan_takes_the_place_of_the_one_before_or_is_added_to_it(capsys):
    with TerminalProgress() as shown:
        shown.plan(Ahead(2, 60, 1.0, at_most=True, of="a"))
        shown.images(10)
        shown.plan(Ahead(2, 100, 1.0, at_most=True, of="a"))
        shown.images(20)
        shown.plan(Ahead(2, 300, 1.0, kept=1, of="b\x1b", beside=True))
        shown.images(40)
    lines = capsys.readouterr().err.splitlines()
    assert counts(lines[1::2]) == ["10 of 60", "20 of 100", "60 of 400"]
    assert [line.split(" paths")[0] for line in lines[::2]] == ["a: at most 2", "a: at most 2", "b\\x1b: 2"]
