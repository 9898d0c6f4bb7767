"""Worker threads: order, errors, and an end even when one of them hangs."""

import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from conftest import ROOT
from onnxspec import interruption
from onnxspec.engine import workers
from onnxspec.engine.workers import Pulse, in_order, within
from onnxspec.errors import ModelError, ResourceError


@pytest.fixture(autouse=True)
def nobody_is_given_up(monkeypatch):
    monkeypatch.setattr(interruption, "_abandoned", threading.Event())


def test_results_come_in_order_from_all_workers():
    names = set()

    def work(i):
        names.add(threading.current_thread().name)
        time.sleep(0.02 if i % 3 == 0 else 0.0)
        return i * i

    assert list(in_order(work, range(30), 3, Pulse(), lambda: None)) == [i * i for i in range(30)]
    assert len(names) == 3


def test_a_worker_that_is_silent_for_too_long_is_given_up():
    release = threading.Event()
    stopped = []
    pulse = Pulse(0.2)
    started = time.monotonic()
    with pytest.raises(ResourceError, match=r"The model has not answered for 0\.2 s"):
        list(in_order(lambda i: release.wait(30), range(4), 2, pulse, lambda: stopped.append(True)))
    assert time.monotonic() - started < 5
    assert (pulse.given_up, stopped, interruption.abandoned()) == (True, [True], True)
    release.set()


def test_a_slow_run_whose_pulse_beats_goes_on():
    pulse = Pulse(0.8)

    def work(i):
        for _ in range(8):
            time.sleep(0.15)
            pulse.beat()
        return i

    assert list(in_order(work, range(2), 1, pulse, lambda: None)) == [0, 1]
    assert not interruption.abandoned()


STOPPED = """
import os, signal, threading, time
from onnxspec.engine import workers

def meanwhile():
    time.sleep(0.3)
    os.kill(os.getpid(), signal.SIGSTOP)

def work(i):
    threading.Thread(target=meanwhile, daemon=True).start()
    time.sleep(1.5)
    return i

print(*workers.in_order(work, range(1), 1, workers.Pulse(2.0), lambda: None))
"""


@pytest.mark.skipif(not hasattr(os, "WUNTRACED"), reason="processes are stopped as POSIX has it")
def test_a_process_that_was_stopped_and_goes_on_gives_nobody_up():
    process = subprocess.Popen(
        [sys.executable, "-c", STOPPED], env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE, text=True
    )
    os.waitpid(process.pid, os.WUNTRACED)
    time.sleep(3)
    process.send_signal(signal.SIGCONT)
    assert process.communicate(timeout=30) == ("0\n", None)


def test_a_caller_that_takes_long_gives_nobody_up():
    results = in_order(lambda i: time.sleep(0.3) if i == 3 else None, range(4), 1, Pulse(1.0), lambda: None)
    next(results)
    time.sleep(1.5)
    assert list(results) == [None] * 3


def test_within_gives_the_result_the_error_or_up():
    assert within(5, lambda: 7, "Counting") == 7

    def fail():
        raise ModelError("no")

    with pytest.raises(ModelError, match="no"):
        within(5, fail, "Counting")
    release = threading.Event()
    with pytest.raises(ResourceError, match=r"Counting has not answered for 0\.1 s"):
        within(0.1, lambda: release.wait(30), "Counting")
    release.set()


@pytest.mark.parametrize(("seconds", "given_up"), [(0.1, False), (30, True)])
def test_what_is_short_ends_before_an_interrupt_gives_it_up(monkeypatch, seconds, given_up):
    release = threading.Event()

    def interrupted(*waited):
        raise KeyboardInterrupt

    monkeypatch.setattr(workers, "_awaited", interrupted)
    with pytest.raises(KeyboardInterrupt):
        within(5, lambda: release.wait(seconds), "Counting")
    release.set()
    assert interruption.abandoned() == given_up


HANGING = """
import time
from onnxspec import cli
from onnxspec.model import session

ran = []
plain = session.OnnxModel.run

def run(self, batch):
    ran.append(1)
    while len(ran) > BATCHES:
        time.sleep(3600)
    return plain(self, batch)

session.OnnxModel.run = run
cli.run()
"""


@pytest.mark.parametrize("batches", [pytest.param(0, marks=pytest.mark.slow), 3, 60])
def test_the_command_ends_when_the_provider_hangs(tmp_path, batches):
    data = ROOT / "models" / "fashion-mnist"
    arguments = ["analyze", str(data / "pytorch.onnx"), "--data", str(data / "test.npz"), "--pairs", "40"]
    code = HANGING.replace("BATCHES", str(batches))
    ended = subprocess.run(
        [sys.executable, "-c", code, *arguments, "-o", "r.h5", "--timeout", "1.5"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT), "ONNXSPEC_SUPERVISE": "0"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ended.returncode == 6, ended.stderr
    assert "has not answered for 1.5 s" in ended.stderr
    assert "--timeout" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert not (tmp_path / "r.h5").exists()


def test_a_report_for_a_while_goes_with_a_command_that_ends_for_a_hang(tmp_path):
    data, scratch = ROOT / "models" / "fashion-mnist", tmp_path / "scratch"
    scratch.mkdir()
    arguments = ["audit", str(data / "sklearn.onnx"), "--data", str(data / "test.npz"), "--pairs", "400"]
    ended = subprocess.run(
        [
            sys.executable,
            "-c",
            HANGING.replace("BATCHES", "100"),
            *arguments,
            "--write-baseline",
            "b.json",
            "--timeout",
            "1",
        ],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT), "ONNXSPEC_SUPERVISE": "0", "TMPDIR": str(scratch)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ended.returncode == 6, ended.stderr
    assert list(scratch.iterdir()) == []
