"""The command as a whole: version, help, exit codes, bugs."""

import subprocess
import sys

import pytest

import onnxspec
from conftest import ROOT
from onnxspec import cli
from onnxspec.errors import DeviceError, ExitCode


def test_version_on_both_ways_in():
    for command in ([sys.executable, "-m", "onnxspec", "--version"],):
        out = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT).stdout
        assert out == f"onnxspec {onnxspec.__version__}\n"


def test_help_lists_every_command(capsys):
    assert cli.main(["--help"]) == 0
    out = capsys.readouterr().out
    for name, line in cli.COMMANDS.items():
        assert name in out and line in out


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_every_command_has_help(name, capsys):
    assert cli.main([name, "--help"]) == 0
    assert f"onnxspec {name}" in capsys.readouterr().out


@pytest.mark.parametrize("arguments", [["frobnicate"], ["analyze"], ["--nothing"]])
def test_usage_errors_exit_two(arguments, capsys):
    assert cli.main(arguments) == ExitCode.USAGE
    said = capsys.readouterr().err
    assert said.startswith("onnxspec: ") and said.endswith("--help.\n") and said.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["audit", "model.onnx", "--baseline", "b.json", "--junit", ""], "--junit"),
        (["audit", "model.onnx", "--baseline="], "--baseline"),
        (["compare", "a.h5", ""], "MODEL_OR_REPORT..."),
        (["compare", "a.h5", "b.h5", "--model", "b=b.onnx", "--model", ""], "--model"),
        (["noise", "targets", "--frequency", "1", "--amplitude", ".1", "-o", ""], "-o"),
    ],
)
def test_an_empty_word_is_not_taken_for_none(arguments, word, capsys):
    """As `--junit "$FILE"` is without FILE: an audit that wrote none would pass."""
    assert cli.main(arguments) == ExitCode.USAGE
    assert capsys.readouterr().err.startswith(f"onnxspec: {word} is empty. ")


@pytest.mark.parametrize("arguments", [[], ["noise"]])
def test_a_group_without_a_command_shows_its_help(arguments, capsys):
    assert cli.main(arguments) == ExitCode.USAGE
    assert "Commands:" in capsys.readouterr().err


def raising(monkeypatch, error):
    def broken(*arguments, **options):
        raise error

    monkeypatch.setattr(cli.cli, "main", broken)


def test_a_bug_keeps_its_traceback_and_exits_seventy(monkeypatch, capsys):
    raising(monkeypatch, RuntimeError("surprise"))
    assert cli.main([]) == ExitCode.BUG
    assert "surprise" in capsys.readouterr().err


def test_a_user_s_error_is_its_message_and_hint(monkeypatch, capsys):
    raising(monkeypatch, DeviceError("No \x1b[31mdevice.", "Buy one."))
    assert cli.main([]) == ExitCode.UNAVAILABLE
    assert capsys.readouterr().err == "onnxspec: No \\x1b[31mdevice. Buy one.\n"


def test_a_name_that_is_too_long_is_said(capsys):
    assert cli.main(["show", "a" * 300]) == ExitCode.USAGE
    assert capsys.readouterr().err.startswith("onnxspec: The name of a file is too long: aaaa")
