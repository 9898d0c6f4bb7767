"""The progress of a run, where it is no terminal: lines on standard error."""

from onnxspec.cli import progress
from onnxspec.cli.progress import TerminalProgress


def test_what_was_not_foreseen_is_never_more_than_all(monkeypatch, capsys):
    monkeypatch.setattr(progress, "SECONDS_BETWEEN_LINES", 0)
    monkeypatch.setattr(progress, "SECONDS_BETWEEN_UPDATES", 0)
    with TerminalProgress() as shown:
        shown.plan(2, 100, 1.0)
        shown.images(60)
        shown.images(60)
    announced, *lines = capsys.readouterr().err.splitlines()
    assert announced == "2 paths, 100 forward passes, about 1 s."
    assert [line.split(" forward")[0] for line in lines] == ["60 of 100", "120 of 120"]
