"""Interrupts wait while something is written, and are not forgotten."""

import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from conftest import FASHION, ROOT
from onnxspec import interruption


@pytest.fixture(autouse=True)
def handlers():
    """Python's own, whatever a command that ran in this process has left behind; afterwards those that were."""
    before = {number: signal.getsignal(number) for number in interruption.SIGNALS}
    signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    interruption.listen()  # forgets what was asked for here
    for number, handler in before.items():
        signal.signal(number, handler)


def test_an_interrupt_in_a_shield_comes_at_its_end():
    steps = []
    with pytest.raises(KeyboardInterrupt), interruption.shield():
        signal.raise_signal(signal.SIGINT)
        steps.append("written")
    assert steps == ["written"]
    assert signal.getsignal(signal.SIGINT) is not None


def test_an_interrupt_at_the_end_of_a_shield_leaves_no_handler_behind(monkeypatch):
    before = [signal.getsignal(number) for number in interruption.SIGNALS]
    plain = signal.signal

    def interrupted(number, handler):
        result = plain(number, handler)
        if handler is signal.default_int_handler:
            raise KeyboardInterrupt
        return result

    with pytest.raises(KeyboardInterrupt), interruption.shield():
        monkeypatch.setattr(signal, "signal", interrupted)
    assert [signal.getsignal(number) for number in interruption.SIGNALS] == before


def test_a_shield_in_another_thread_is_none():
    entered = []

    def work():
        with interruption.shield():
            entered.append(True)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert entered == [True]


def test_a_request_that_was_swallowed_is_remembered():
    interruption.listen()
    interruption.check()
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGTERM)
    with pytest.raises(KeyboardInterrupt):
        interruption.check()
    interruption.listen()
    interruption.check()


def test_a_signal_that_the_caller_has_ignored_stays_ignored():
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    interruption.listen()
    signal.raise_signal(signal.SIGINT)
    interruption.check()
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGTERM)


@pytest.mark.skipif(os.name != "posix", reason="signals are held back as POSIX has it")
def test_a_process_that_is_being_started_gets_its_interrupt_when_it_admits_it():
    code = (
        "import signal, sys\nfrom onnxspec import interruption\nprint('started', flush=True)\nsys.stdin.read()\n"
        "try:\n    interruption.admit()\nexcept KeyboardInterrupt:\n    print('interrupted')\n"
    )
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "env": {**os.environ, "PYTHONPATH": str(ROOT)}}
    with interruption.held(signal.SIGINT):
        process = subprocess.Popen([sys.executable, "-c", code], text=True, **pipes)
    assert process.stdout.readline() == "started\n"
    process.send_signal(signal.SIGINT)
    assert process.communicate(timeout=30) == ("interrupted\n", None)
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)  # this process hears again


def test_an_interrupt_after_the_end_is_none():
    interruption.listen()
    interruption.ignore()
    signal.raise_signal(signal.SIGINT)
    assert not interruption.requested()
    interruption.listen()
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)


@pytest.mark.skipif(os.name != "posix", reason="signals are sent as POSIX has them")
@pytest.mark.parametrize(("last", "expected"), [("i.ignore()", -signal.SIGINT), ("i.silence()", 0)])
def test_an_interrupt_while_python_is_closed_does_not_end_a_silent_process(last, expected):
    code = (
        "import os, signal\n"
        "from onnxspec import interruption as i\n"
        "class Late:\n"
        "    def __del__(self, kill=os.kill, pid=os.getpid(), number=signal.SIGINT): kill(pid, number)\n"
        f"i.listen()\nlate = Late()\n{last}\n"
    )
    ended = subprocess.run([sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": str(ROOT)})
    assert ended.returncode == expected


def interrupted(folder, after: float, pairs: str) -> tuple[int, str, list[str]]:
    """Exit code, standard error and files left of a run that is interrupted after some seconds."""
    arguments = ["analyze", str(FASHION / "pytorch.onnx"), "--data", str(FASHION / "test.npz"), "--pairs", pairs]
    process = subprocess.Popen(
        [sys.executable, "-m", "onnxspec", *arguments, "-o", "r.h5"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    time.sleep(after)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: parent and child get it
    _, err = process.communicate(timeout=60)
    return process.returncode, err, [path.name for path in folder.iterdir()]


def check_interrupted(folder, after: float, pairs: str) -> None:
    code, err, files = interrupted(folder, after, pairs)
    # An interrupt inside exec(), which dataclasses use, makes CPython end by the signal itself: 130 to a shell, too.
    assert code in (130, -signal.SIGINT, 0), (after, code, files, err)
    assert "Traceback" not in err, (after, err)
    if code == 130:
        # Before the run has begun, and after its report has its name, there is no more to say.
        said = [("nothing was written.", []), ("--resume", ["r.h5.parts"])]
        said += [("onnxspec: Interrupted.\n", []), ("onnxspec: Interrupted.\n", ["r.h5"])]
        said += [("the report is written.", ["r.h5"])]
        assert any(text in err and files == left for text, left in said), (after, files, err)
    else:
        assert files == (["r.h5"] if code == 0 else []), (after, code, files, err)


@pytest.mark.skipif(os.name != "posix", reason="signals are sent as POSIX has them")
@pytest.mark.parametrize("after", [1.2, 2.9])
def test_a_run_interrupted_at_any_moment_ends_clean(tmp_path, after):
    check_interrupted(tmp_path, after, "900")


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="signals are sent as POSIX has them")
def test_a_run_interrupted_at_forty_moments_ends_clean(tmp_path):
    for i in range(40):
        folder = tmp_path / str(i)
        folder.mkdir()
        check_interrupted(folder, 0.4 + i * 0.15, "900")


@pytest.mark.skipif(os.name != "posix", reason="the alarm is POSIX's")
@pytest.mark.parametrize(("supervised", "expected"), [(True, -signal.SIGALRM), (False, 0)])
def test_a_library_that_keeps_the_lock_is_ended_by_the_system_where_a_parent_tells(supervised, expected):
    # sum() over a range keeps the interpreter's lock and heeds no signal until it is done.
    code = (
        "from onnxspec import interruption as i\n"
        f"{'i.supervised()' if supervised else ''}\n"
        "with i.limited(0.3): sum(range(60_000_000))\n"
        "with i.limited(60): pass\n"
    )
    ended = subprocess.run([sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": str(ROOT)})
    assert ended.returncode == expected


@pytest.mark.skipif(os.name != "posix", reason="the alarm is POSIX's")
def test_limits_of_several_threads_leave_no_alarm_behind(monkeypatch):
    monkeypatch.setattr(interruption, "_supervised", threading.Event())
    interruption.supervised()
    inside, outside = threading.Event(), threading.Event()

    def shorter():
        with interruption.limited(30):
            inside.set()
            outside.wait()

    thread = threading.Thread(target=shorter)
    with interruption.limited(60):
        thread.start()
        inside.wait()
        assert 0 < signal.getitimer(signal.ITIMER_REAL)[0] <= 30
    assert 0 < signal.getitimer(signal.ITIMER_REAL)[0] <= 30
    outside.set()
    thread.join()
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)
