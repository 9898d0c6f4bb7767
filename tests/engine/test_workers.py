"""Worker threads: order, errors, and an end even when one of them hangs."""

import os
import subprocess
import sys
import threading
import time

import pytest

from conftest import ROOT
from onnxspec import interruption
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
    pulse = Pulse(0.4)

    def work(i):
        for _ in range(8):
            time.sleep(0.1)
            pulse.beat()
        return i

    assert list(in_order(work, range(2), 1, pulse, lambda: None)) == [0, 1]
    assert not interruption.abandoned()


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


@pytest.mark.parametrize("batches", [0, 3, 60])
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
