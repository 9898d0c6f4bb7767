"""`onnxspec doctor` through its command."""

import json

from click.testing import CliRunner

from onnxspec.cli.doctor import doctor
from onnxspec.errors import ExitCode
from onnxspec.model import doctor as library


def test_the_screen():
    result = CliRunner().invoke(doctor)
    assert result.exit_code == ExitCode.PASS
    assert "runs a model here" in result.stdout
    assert result.stdout.isascii()
    assert all(len(line) <= 80 for line in result.stdout.splitlines())


def test_json():
    answer = json.loads(CliRunner().invoke(doctor, ["--json"]).stdout)
    assert {"level": "ok", "subject": "CPUExecutionProvider", "text": "runs a model here", "hint": ""} in answer


def test_an_error_is_the_exit_code(monkeypatch):
    broken = library.Finding("error", "onnxruntime", "cannot be imported: no", "Install it again")
    monkeypatch.setattr(library, "examine", lambda: [broken])
    result = CliRunner().invoke(doctor)
    assert result.exit_code == ExitCode.UNAVAILABLE
    assert "cannot be imported: no. Install it again" in result.stdout
