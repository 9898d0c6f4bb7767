"""Where CUDA graphs are captured, one thread does all that touches the GPU: sessions on the CPU stand for those on one."""

import gc
import subprocess
import sys
import textwrap
import threading
import time
import weakref
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import suppress
from functools import partial

import numpy as np
import pytest

from model import build
from onnxspec.images.preprocess import Preprocess, fit
from onnxspec.model import devices, pathmodel, providers, runtime, session
from onnxspec.model.alone import alone
from onnxspec.model.pathmodel import PathModel
from onnxspec.model.providers import GRAPH_OPTION, Choice
from onnxspec.model.session import OnnxModel

CAPTURES = Choice(providers.CPU, "cpu", "asked for", {GRAPH_OPTION: "1"})
IMAGES = np.zeros((2, 2, 2, 3), np.uint8)


@pytest.fixture
def threads(monkeypatch):
    """Those that make sessions, run them and let go of them, once a model's device captures."""
    found = []

    class Watched:
        def __init__(self, real):
            self.real = real
            found.append(threading.get_ident())

        def __getattr__(self, name):
            return getattr(self.real, name)

        def run(self, *given):
            found.append(threading.get_ident())
            return self.real.run(*given)

        def run_with_iobinding(self, *given):
            found.append(threading.get_ident())
            return self.real.run_with_iobinding(*given)

        def __del__(self):
            found.append(threading.get_ident())

    real = runtime.make_session

    def make_session(model, asked, *options, **named):
        return Watched(real(model, [(name, {}) for name, _ in asked], *options, **named))

    monkeypatch.setattr(session.devices, "choose", lambda *_: (CAPTURES,))
    monkeypatch.setattr(session.runtime, "make_session", make_session)
    # The CPU's arena is not renewed, a device's is.
    monkeypatch.setattr(session, "CPU", "another")
    monkeypatch.setattr(pathmodel, "CPU", "another")
    return found


def test_work_is_done_by_the_caller_unless_graphs_are_captured():
    own = threading.get_ident()
    assert alone(CAPTURES.without_graphs, threading.get_ident) == own
    assert alone(CAPTURES, threading.get_ident) == alone(CAPTURES, threading.get_ident) != own
    with pytest.raises(ZeroDivisionError):
        alone(CAPTURES, lambda: 1 / 0)


def opened(tmp_path):
    """A model, and the same with the path in its graph: a function that gives the scores of some points."""
    model = OnnxModel.open(build.save(build.mlp(), tmp_path / "m.onnx"))
    spec, preprocess = fit(model.spec, Preprocess(), IMAGES.shape[1:])
    paths = PathModel(model, spec, preprocess)
    return model, paths, lambda: paths.scores(IMAGES, np.zeros((2, 3), np.int64), np.full((2, 3), 0.5, np.float32))


def test_one_thread_makes_sessions_and_runs_them_for_all(tmp_path, threads):
    """Another would ask for memory while this one captures: CUDA's failures 900 and 901, for both."""
    model, _, scores = opened(tmp_path)

    def work(number):
        scores()
        model.run(np.zeros((1 + number, 12), np.float32))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(8)))
    assert len(threads) >= 2 + 2 * 8
    assert set(threads) == {alone(CAPTURES, threading.get_ident)}


def test_it_tries_the_device_as_well(monkeypatch):
    """The trial makes a session, too, while another model may be at work."""
    tried_by = []
    monkeypatch.setattr(providers.onnxruntime, "get_available_providers", lambda: [providers.CUDA, providers.CPU])
    monkeypatch.setattr(providers, "obstacle", lambda choice: tried_by.append(threading.get_ident()))
    devices.choose(f"cuda:0,{GRAPH_OPTION}=1")
    devices.choose("cuda")
    assert tried_by == [alone(CAPTURES, threading.get_ident), threading.get_ident()]


def test_it_closes_them_as_well(tmp_path, threads):
    model, paths, scores = opened(tmp_path)
    scores()
    del threads[:]
    model.renew()
    paths.renew()
    gc.collect()
    assert threads == 2 * [alone(CAPTURES, threading.get_ident)]


def test_a_session_may_be_let_go_of_while_another_thread_makes_its_successor(tmp_path, threads):
    """The one would wait for the thread, and the thread for the lock that the other has."""
    model, paths, scores = opened(tmp_path)

    def work(number):
        model.renew()
        paths.renew()
        scores()
        model.run(np.zeros((2, 12), np.float32))

    with ThreadPoolExecutor(8) as pool:
        assert wait([pool.submit(work, number) for number in range(40)], 60).not_done == set()


def printed(script):
    """What Python prints that has a model's device, `work` is `alone` on it."""
    start = """
        import threading, time
        from onnxspec.model import alone
        from onnxspec.model.providers import GRAPH_OPTION, Choice
        work = lambda what: alone.alone(Choice("", "", "", {GRAPH_OPTION: "1"}), what)
    """
    command = [sys.executable, "-c", textwrap.dedent(start) + textwrap.dedent(script)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout.split()


def test_threads_that_outlive_the_main_one_are_served():
    script = """
        main = threading.main_thread()
        threading.Thread(target=lambda: (main.join(), print(work(lambda: "served")))).start()
    """
    assert printed(script) == ["served"]


def test_python_ends_once_the_device_has_but_waits_for_none_that_hangs():
    script = """
        threading.Thread(target=work, args=[lambda: (time.sleep(0.5), print("ended"))], daemon=True).start()
        time.sleep(0.1)
    """
    assert printed(script) == ["ended"]
    hangs = """
        alone.GRACE = 0.1
        threading.Thread(target=work, args=[lambda: time.sleep(600)], daemon=True).start()
        time.sleep(0.1)
    """
    assert printed(hangs) == []


def test_what_was_done_is_let_go_of():
    """Nobody's garbage is collected in time: a device's memory would stay full."""

    class Held:
        pass

    def fails(held):
        raise MemoryError

    for work in (repr, fails):
        held = Held()
        there = weakref.ref(held)
        gc.disable()
        try:
            with suppress(MemoryError):
                alone(CAPTURES, partial(work, held))
            del held
            until = time.monotonic() + 5
            while there() is not None and time.monotonic() < until:
                time.sleep(0.01)
            assert there() is None
        finally:
            gc.enable()
