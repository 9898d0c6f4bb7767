"""The parent of a command: exit codes go through, and an end without a word is explained and never that of a gate."""

import os
import signal
import subprocess
import sys
import time

import pytest

from conftest import FASHION, QUICKEST, ROOT
from onnxspec.cli import supervision

pytestmark = pytest.mark.skipif(os.name != "posix", reason="the parent is there on POSIX only")

MODEL, DATA = str(QUICKEST), str(FASHION / "test.npz")


def supervised(child: str, before: str = "") -> subprocess.CompletedProcess:
    """What a command says and ends with whose child runs this code."""
    code = f"{before}; from onnxspec.cli import supervision as s, run; s._CHILD = {child!r}; run()".lstrip("; ")
    return subprocess.run(
        [sys.executable, "-c", code, "show", "r.h5"],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )


@pytest.mark.parametrize(
    ("child", "code", "said"),
    [
        ("import os; os.kill(os.getpid(), 11)", 3, r"A native library crashed (SIGSEGV) on one of the files"),
        ("import os; os.abort()", 3, "crashed (SIGABRT)"),
        ("import os; os.kill(os.getpid(), 9)", 6, "The system killed the run, as it does when memory runs out."),
        ("import os; os.kill(os.getpid(), 14)", 6, "A native library did not come to an end with one of the files"),
        ("import os; os._exit(1)", 6, "A library ended the run (exit code 1), as OpenBLAS does"),
        ("import os; os._exit(0)", 6, "A library ended the run (exit code 0)"),
        ("from onnxspec.cli import supervision as s; s.tell(5); import os; os._exit(9)", 5, ""),
        ("from onnxspec.cli import supervision as s; s.tell(0); import os; os.abort()", 0, ""),
    ],
)
def test_what_becomes_of_a_child(child, code, said):
    ended = supervised(child)
    assert ended.returncode == code
    assert said in ended.stderr
    assert ended.stderr.count("\n") == (1 if said else 0)


def test_a_signal_that_the_caller_has_ignored_stays_ignored():
    child = (
        "import os, signal; from onnxspec import interruption as i, cli; from onnxspec.cli import supervision as s; "
    )
    child += "i.listen(); os.kill(os.getppid(), signal.SIGINT); os.kill(os.getpid(), signal.SIGINT); s.tell(5)"
    before = "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)"
    ended = supervised(child, before)
    assert (ended.returncode, ended.stderr) == (5, "")


def test_a_crash_in_little_memory_may_be_for_that():
    """ONNX Runtime is one of those that do not look whether they were given what they asked for."""
    limit = "import resource; resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))"
    ended = supervised("import os; os.abort()", limit)
    assert ended.returncode == 6
    assert (
        "crashed (SIGABRT), as some do where memory runs out: the address space is limited to 1024 MB" in ended.stderr
    )


def test_exit_codes_go_through(tmp_path):
    def ended(*arguments):
        command = [sys.executable, "-m", "onnxspec", *arguments]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        return subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)

    assert ended("inspect", MODEL).returncode == 0
    assert ended("analyze", "nothing.onnx").returncode == 3
    assert ended("analyze", MODEL, "--points", "10").returncode == 2
    assert ended("analyze", MODEL, "--data", DATA, "--device", "cuda:7").returncode == 4


def test_nothing_in_the_current_folder_is_imported(tmp_path):
    (tmp_path / "numpy.py").write_text("raise SystemExit('taken over')")
    command = [sys.executable, "-P", "-m", "onnxspec", "inspect", MODEL]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    ended = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert (ended.returncode, ended.stderr) == (0, "")


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child of its parent's end")
def test_a_child_ends_with_its_parent(tmp_path):
    command = [sys.executable, "-m", "onnxspec", "analyze", MODEL, "--data", DATA, "--pairs", "900", "-o", "r.h5"]
    process = subprocess.Popen(command, cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)}, text=True,
                               stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)  # fmt: skip
    parts = tmp_path / "r.h5.parts"
    deadline = time.monotonic() + 60
    while not list(parts.glob("*-*.part")) and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    assert process.stderr is not None
    assert "paths are kept in r.h5.parts" in process.stderr.read()  # it ends when the child has closed it, too


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["analyze", "m.onnx"], True),
        (["show", "r.h5"], True),
        (["doctor"], False),
        (["--help"], False),
        (["--version"], False),
        (["analyze", "--help"], False),
        ([], False),
        (["frobnicate"], False),
    ],
)
def test_only_what_reads_files_has_a_parent(arguments, expected, monkeypatch):
    monkeypatch.delenv(supervision.PIPE, raising=False)
    monkeypatch.delenv(supervision.SWITCH, raising=False)
    assert supervision.wanted(arguments) is expected
    monkeypatch.setenv(supervision.SWITCH, "0")
    assert supervision.wanted(arguments) is False


def test_a_parent_that_is_gone_is_told_nothing(monkeypatch):
    hear, tell = os.pipe()
    os.close(hear)
    monkeypatch.setenv(supervision.PIPE, f"{tell} 1")
    supervision.tell(0)
