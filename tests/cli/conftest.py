"""What most tests of commands need: a way to run them as a user does."""

import pytest

from onnxspec.cli import main


@pytest.fixture
def run(capsys):
    """Runs a command line and gives exit code, standard output, standard error."""

    def call(*arguments):
        code = main([str(a) for a in arguments])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return call
