"""A cluster gives the report that one process gives, loses nothing with a worker, and says what does not fit."""

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from dataclasses import replace
from functools import partial

import numpy as np
import pytest

import onnxspec
from analysis.test_resuming import content
from conftest import FASHION, QUICKEST, ROOT
from model import build
from onnxspec.analysis.subject import open_subject
from onnxspec.engine import cluster, remote, scheduler
from onnxspec.engine.way import LentPixels, Way, engine_fields
from onnxspec.errors import DataError, DeviceError, ModelError, ResourceError, UsageError
from onnxspec.images.cache import PixelCache
from onnxspec.listening import Silence
from onnxspec.model.opening import open_model
from onnxspec.settings import FAMILIES, Settings

distributed = pytest.importorskip("distributed")
dask = pytest.importorskip("dask")

MODEL, NETWORK, DATA = QUICKEST, FASHION / "pytorch.onnx", FASHION / "test.npz"
HOW = {"pairs": 40, "points": 17, "batch": 32}


@pytest.fixture(scope="module")
def pictures():
    with np.load(DATA) as found:
        kept = np.concatenate([np.flatnonzero(found["labels"] == c)[:12] for c in range(10)])
        return found["images"][kept], found["labels"][kept]


@pytest.fixture(scope="module")
def address():
    """A cluster of two workers in this process: threads, no sockets."""
    made = distributed.LocalCluster(
        2, processes=False, threads_per_worker=2, dashboard_address="127.0.0.1:0", protocol="inproc://"
    )
    yield made.scheduler_address
    scheduler.client(made.scheduler_address).close()
    made.close()


class Hears(Silence):
    """A listener that counts."""

    def __init__(self):
        self.planned = self.heard = 0
        self._lock = threading.Lock()

    def plan(self, ahead):
        self.planned = ahead.images

    def images(self, count):
        with self._lock:
            self.heard += count


@pytest.mark.parametrize(("data", "path_graph"), [("in memory", "auto"), ("a file", "auto"), ("in memory", "on")])
def test_the_report_is_that_of_one_process(data, path_graph, address, pictures, tmp_path, monkeypatch):
    monkeypatch.setattr(cluster, "SENT_BYTES", 0 if data == "a file" else cluster.SENT_BYTES)
    source = DATA if data == "a file" else pictures
    here, there, how = Hears(), Hears(), {**HOW, "path_graph": path_graph}
    onnxspec.analyze(MODEL, source, output=tmp_path / "one.h5", listener=here, **how)
    found = onnxspec.analyze(MODEL, source, output=tmp_path / "many.h5", cluster=address, listener=there, **how)
    assert content(tmp_path / "one.h5") == content(tmp_path / "many.h5")
    assert found.attributes["run_cluster"] == address
    assert (here.heard, here.planned) == (there.heard, there.planned)


def test_so_are_other_families(address, pictures, tmp_path):
    own = {"detour": lambda a, b, t: a + np.sin(np.pi * t)[:, None, None, None] ** 2 * (b - a)}
    how = {"pairs": 8, "points": 9, "cutoff": 4.0, "paths": FAMILIES, "own_paths": own}
    onnxspec.analyze(NETWORK, pictures, output=tmp_path / "one.h5", **how)
    onnxspec.analyze(NETWORK, pictures, output=tmp_path / "many.h5", cluster=address, **how)
    assert content(tmp_path / "one.h5") == content(tmp_path / "many.h5")


def test_comparisons_share_a_cluster_and_a_cache(address, pictures, tmp_path):
    models = [MODEL, build.reweighted(MODEL, 2, tmp_path / "other.onnx")]
    how = {"data": pictures, "pairs": 16, "points": 9}
    for name, more in (("one", {}), ("many", {"cluster": address, "cache": str(tmp_path / "cache")})):
        onnxspec.compare(models, reports=tmp_path / name, **how, **more)
    for path in (tmp_path / "one").iterdir():
        assert content(path) == content(tmp_path / "many" / path.name)
    again = onnxspec.analyze(models[0], pictures, cache=str(tmp_path / "cache"), pairs=16, points=9)
    assert again.attributes["run_cached_paths"] >= 32


def test_nothing_stays_with_the_workers(address, pictures):
    def held(dask_worker):
        return len(dask_worker.onnxspec_lent), len(dask_worker.onnxspec_made)

    with distributed.Client(address) as client:
        onnxspec.analyze(MODEL, pictures, cluster=address, pairs=4, points=9)
        assert set(client.run(held).values()) == {(0, 0)}


def test_a_refusal_of_the_model_reaches_the_user_once(address, tmp_path):
    images = np.full((40, 28, 28), 3e38, np.float32)
    with pytest.raises(ModelError, match="The model gives"):
        onnxspec.analyze(NETWORK, (images * np.linspace(0.1, 1, 40)[:, None, None].astype(np.float32), np.arange(40) % 2),
                         cluster=address, pairs=4, points=9)  # fmt: skip


def test_a_python_function_stays_here(address, pictures):
    with pytest.raises(UsageError, match="A Python function runs in this process only"):
        onnxspec.analyze(lambda batch: batch.mean((2, 3)), pictures, cluster=address)


def test_without_dask_it_is_said_what_to_install(monkeypatch, pictures):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(DeviceError, match=r'pip install "onnxspec\[distributed\]"'):
        onnxspec.analyze(NETWORK, pictures, cluster="local:7")


def test_an_address_where_nobody_is_or_that_is_none(monkeypatch, pictures):
    monkeypatch.setattr(scheduler, "SECONDS_TO_ANSWER", 0.3)
    with pytest.raises(DeviceError, match=r"No Dask scheduler answers at tcp://127\.0\.0\.1:9"):
        onnxspec.analyze(NETWORK, pictures, cluster="tcp://127.0.0.1:9")
    for none in ("local:0", "local:", "localhost", "tcp://"):
        with pytest.raises(UsageError, match="--cluster is"):
            Settings.of(cluster=none)


def test_certificates_that_are_missing_are_said(pictures, tmp_path):
    with pytest.raises(UsageError, match=r"distributed\.comm\.tls"):
        onnxspec.analyze(NETWORK, pictures, cluster="tls://127.0.0.1:9")
    nowhere = {f"distributed.comm.tls.{name}": str(tmp_path / "none.pem") for name in ("ca-file", "client.cert")}
    with dask.config.set(nowhere), pytest.raises(UsageError, match=r"No such file.*distributed\.comm\.tls"):
        onnxspec.analyze(NETWORK, pictures, cluster="tls://127.0.0.1:9")


def test_a_gpu_that_no_worker_offers_is_said(address, monkeypatch, pictures):
    monkeypatch.setattr("onnxspec.model.session.OnnxModel.provider", "CUDAExecutionProvider")
    with pytest.raises(DeviceError, match=r"no workers that offer a GPU.*--resources GPU=1"):
        onnxspec.analyze(NETWORK, pictures, cluster=address)
    with pytest.raises(UsageError, match=r"local:2 is for CPUs\. Leave it out, or"):
        onnxspec.analyze(NETWORK, pictures, cluster="local:2")


@pytest.fixture(scope="module")
def way():
    subject = open_subject(NETWORK, DATA, Settings.of(batch=8, threads=1))
    engine, images = subject.engine, subject.images
    opener = lambda path: open_model(path, Settings())  # noqa: E731
    return Way(opener, str(NETWORK), None, subject.model.digest, subject.model.provider, images.names, images.digest,
               images.way, engine_fields(engine), engine.path_form)  # fmt: skip


def test_a_worker_opens_an_engine_like_the_one_here(way, tmp_path):
    engine = way.opened(tmp_path, lambda images: None)
    assert (engine.tile, engine.kind, engine.classes, engine.workers) == (8, "logits", 10, 1)
    sent = replace(way, files={"sub/a.onnx": NETWORK.read_bytes()}, path="/nowhere.onnx", images=None)
    engine = sent.opened(tmp_path, lambda images: None)
    with engine.pixels.lending({3: (np.zeros((28, 28, 1), np.uint8), "")}):
        assert engine.outputs(np.array([3]), np.array([3]), np.ones((1, 2), np.float32) / 2).shape == (1, 1, 10)


def test_another_model_provider_or_data_set_is_refused_by_the_worker(way, tmp_path):
    for change, error, said in (
        ({"path": str(FASHION / "keras.onnx")}, ModelError, "is another model here"),
        ({"provider": "CUDAExecutionProvider"}, DeviceError, "CPUExecutionProvider runs the model here"),
        (
            {"provider": "CPUExecutionProvider 0.4.0 on GPU (Fakes)"},
            DeviceError,
            r"here, and .* 0\.4\.0 on GPU \(Fakes\) was",
        ),
        ({"images": {"source": str(FASHION / "train.npz")}}, DataError, "train.npz"),
        ({"images_digest": "0" * 64}, DataError, "holds other images here"),
    ):
        with pytest.raises(error, match=said):
            replace(way, **change).opened(tmp_path, lambda images: None)


def test_workers_may_run_another_system(monkeypatch):
    """A WindowsPath is unpickled on Windows alone."""
    subject = open_subject(NETWORK, DATA, Settings.of(batch=8, threads=1))
    sender, lent = object.__new__(cluster.Cluster), []
    opener = partial(open_model, settings=Settings())
    vars(sender).update(_model=subject.model, _opener=opener, _local=False, _way="")
    monkeypatch.setattr(sender, "_lend", lambda content: lent.append(content) or "way")
    sender._lend_way(subject.engine)
    assert len(lent) == 1 and b"pathlib" not in lent[0]


def test_other_versions_are_refused_before_anything_is_unpickled():
    with pytest.raises(DeviceError, match=r"NumPy is .* here, and 0\.1 where the run was started"):
        remote._opened(b"no pickle at all", remote.VERSIONS | {"NumPy": "0.1"}, lambda images: None)


def test_pixels_are_there_as_long_as_somebody_needs_them():
    pixels = LentPixels(None, None, None)
    assert isinstance(pixels, PixelCache)
    image = np.ones((2, 2, 1), np.uint8)
    with pixels.lending({1: (image, "a")}):
        with pixels.lending({1: (image, "a"), 2: (image, "b")}):
            assert pixels.content_digest(2) == "b"
        assert pixels.get(1) is image
        with pytest.raises(KeyError):
            pixels.get(2)
    with pytest.raises(KeyError):
        pixels.get(1)


def test_news_are_told_in_portions_and_none_is_lost():
    told = []
    news = remote.News(told.append)
    for _ in range(100):
        news.add(3)
    news.add(0, now=True)
    news.add(0, now=True)
    assert sum(told) == 300
    assert len(told) <= 3


@pytest.fixture(scope="module")
def machines():
    """A cluster of two worker processes, with what they are known by."""
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, host="127.0.0.1", dashboard_address="127.0.0.1:0"
    ) as made:
        yield made
        scheduler.client(made.scheduler_address).close()


@pytest.mark.slow
def test_a_worker_that_is_killed_costs_no_more_than_its_shards_in_flight(machines, tmp_path):
    how = {"pairs": 1500, "points": 33, "batch": 32}
    onnxspec.analyze(NETWORK, DATA, output=tmp_path / "one.h5", **how)

    class Kills(Hears):
        killed = False

        def images(self, count):
            super().images(count)
            if not self.killed and self.heard > self.planned / 3:
                self.killed = True
                os.kill(next(iter(machines.workers.values())).pid, signal.SIGKILL)

    listener = Kills()
    onnxspec.analyze(NETWORK, DATA, output=tmp_path / "many.h5", cluster=machines.scheduler_address, listener=listener,
                     **how)  # fmt: skip
    assert listener.killed
    assert content(tmp_path / "one.h5") == content(tmp_path / "many.h5")
    # One thread has a shard in hand and perhaps one that was just done and not yet fetched.
    assert listener.heard - listener.planned <= 2 * 32 * 33


@pytest.mark.slow
@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_goes_on_with_what_it_has(tmp_path, sent):
    command = [sys.executable, "-m", "onnxspec", "analyze", str(NETWORK), "--data", str(DATA), "--pairs", "1200"]
    command += ["--cluster", "local:2", "-o", "r.h5"]
    how = {"cwd": tmp_path, "env": {**os.environ, "PYTHONPATH": str(ROOT)}, "stderr": subprocess.PIPE, "text": True}
    running = subprocess.Popen(command, stdout=subprocess.DEVNULL, start_new_session=True, **how)
    deadline = time.monotonic() + 90
    while len(list(tmp_path.glob("r.h5.parts/[0-9]*.part"))) < 5:
        assert time.monotonic() < deadline and running.poll() is None, running.communicate()
        time.sleep(0.02)
    os.killpg(running.pid, sent)  # as a terminal and `timeout` do: the workers get it, too
    said = running.communicate(timeout=60)[1]
    assert running.returncode == 130, said
    assert "Traceback" not in said
    assert "the same command with --resume goes on" in said
    ended = subprocess.run([*command, "--resume"], stdout=subprocess.DEVNULL, check=False, **how)
    assert ended.returncode == 0, ended.stderr
    assert "kept from an interrupted run" in ended.stderr
    onnxspec.analyze(NETWORK, DATA, output=tmp_path / "one.h5", pairs=1200)
    assert content(tmp_path / "one.h5") == content(tmp_path / "r.h5")


@pytest.mark.slow
@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("after", [1.5, 2.0, 2.4, 2.8, 3.2])
def test_a_cluster_that_is_interrupted_while_it_starts_says_no_more_than_that(tmp_path, sent, after):
    command = [sys.executable, "-m", "onnxspec", "analyze", str(NETWORK), "--data", str(DATA), "--cluster", "local:2"]
    how = {"cwd": tmp_path, "env": {**os.environ, "PYTHONPATH": str(ROOT)}, "stderr": subprocess.PIPE, "text": True}
    running = subprocess.Popen([*command, "--pairs", "9000"], stdout=subprocess.DEVNULL, start_new_session=True, **how)
    time.sleep(after)
    os.killpg(running.pid, sent)
    said = running.communicate(timeout=60)[1]
    assert running.returncode == 130, said
    assert [line for line in said.splitlines() if line and "forward passes" not in line][1:] == [], said
    assert "onnxspec: Interrupted" in said


LISTENING = """
import psutil
from onnxspec.engine import scheduler

if __name__ == "__main__":
    client = scheduler.client("local:2")
    processes = [psutil.Process(), *psutil.Process().children(recursive=True)]
    print(client.scheduler.address)
    print(*{at.laddr.ip for one in processes for at in one.net_connections() if at.status == "LISTEN"})
"""


@pytest.mark.slow
def test_local_workers_are_called_on_the_loopback_interface_with_keys(tmp_path):
    (tmp_path / "listening.py").write_text(LISTENING)
    done = subprocess.run([sys.executable, "listening.py"], cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)},
                          capture_output=True, text=True, check=True)  # fmt: skip
    address, interfaces = done.stdout.splitlines()
    assert address.startswith("tls://127.0.0.1:")
    assert interfaces == "127.0.0.1"


def environment(**more):
    return {**os.environ, "PYTHONPATH": str(ROOT), **more}


@contextmanager
def running(folder, *how, worker=None, **more):
    """A scheduler and a worker of two threads as processes of their own: the address, and the scheduler's process."""
    dask, here = [sys.executable, "-m", "dask"], ["--host", "127.0.0.1", "--no-dashboard", "--scheduler-file", "s.json"]
    common = {"cwd": folder, "stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE}
    lines = [dask + ["scheduler", "--port", "0", *here, *how], dask + ["worker", "--nthreads", "2", *here]]
    environments = [environment(**more), environment(**more, **(worker or {}))]
    processes = [subprocess.Popen(one, env=env, **common) for one, env in zip(lines, environments, strict=True)]
    try:
        for line in processes[1].stderr:  # whoever waits for a worker must read what it says
            if b"Registered to" in line:
                break
        threading.Thread(target=processes[1].stderr.read, daemon=True).start()
        yield json.loads((folder / "s.json").read_text())["address"], processes[0]
    finally:
        for process in reversed(processes):
            process.terminate()
            process.wait()


@pytest.mark.slow
def test_a_worker_without_onnxspec_is_told_of(tmp_path):
    (tmp_path / "onnxspec.py").write_text("raise ModuleNotFoundError(\"No module named 'onnxspec'\")")
    told = pytest.raises(DeviceError, match=r"a worker at tcp://\S+ has no module onnxspec\. They need it all: pip")
    with running(tmp_path, worker={"PYTHONPATH": str(tmp_path)}) as (address, _), told:
        onnxspec.analyze(NETWORK, DATA, cluster=address, pairs=4)


@pytest.mark.slow
def test_a_scheduler_that_is_gone_is_told_of_and_looked_for_again(tmp_path, monkeypatch):
    monkeypatch.setattr(scheduler, "SECONDS_TO_ANSWER", 1)
    with running(tmp_path) as (address, process):

        class Kills(Hears):
            def images(self, count):
                super().images(count)
                if self.heard > self.planned / 3:
                    process.kill()

        with pytest.raises(ResourceError, match="connection to the cluster's scheduler was lost"):
            onnxspec.analyze(NETWORK, DATA, cluster=address, pairs=1500, points=33, listener=Kills())
        for _ in range(2):
            with pytest.raises(DeviceError, match="No Dask scheduler answers"):
                onnxspec.analyze(NETWORK, DATA, cluster=address, pairs=4)
    port = address.rpartition(":")[2]
    with running(tmp_path, "--port", port) as (again, _):
        assert again == address
        onnxspec.analyze(NETWORK, DATA, cluster=address, pairs=4)


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("openssl") is None, reason="certificates are made with openssl")
def test_over_tls_with_certificates_from_the_environment(tmp_path):
    making = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "key.pem", "-out", "cert.pem"]
    subprocess.run([*making, "-days", "2", "-subj", "/CN=onnxspec"], cwd=tmp_path, check=True, capture_output=True)
    tls = "DASK_DISTRIBUTED__COMM__TLS__"
    known = {f"{tls}{who}__{what}": str(tmp_path / f"{what.lower()}.pem")
             for who in ("SCHEDULER", "WORKER", "CLIENT") for what in ("CERT", "KEY")}  # fmt: skip
    known |= {f"{tls}CA_FILE": str(tmp_path / "cert.pem"), "DASK_DISTRIBUTED__COMM__REQUIRE_ENCRYPTION": "true"}
    with running(tmp_path, "--protocol", "tls", **known) as (address, _):
        assert address.startswith("tls://")
        line = [sys.executable, "-m", "onnxspec", "analyze", str(NETWORK), "--data", str(DATA), "--pairs", "20"]
        line += ["-o", "many.h5", "--cluster", address]
        done = subprocess.run(
            line, check=False, cwd=tmp_path, env=environment(**known), text=True, stderr=subprocess.PIPE
        )
        assert done.returncode == 0, done.stderr
    onnxspec.analyze(NETWORK, DATA, output=tmp_path / "one.h5", pairs=20)
    assert content(tmp_path / "one.h5") == content(tmp_path / "many.h5")


def test_a_worker_that_hangs_does_not_keep_a_run_from_ending(monkeypatch):
    """As one that is stopped: it never says that it has forgotten what it was lent."""

    class Silent:
        def unregister_worker_plugin(self, name):
            time.sleep(30)

    monkeypatch.setattr(cluster, "SECONDS_TO_FORGET", 0.2)
    monkeypatch.setattr(cluster.Cluster, "__init__", lambda self: None)
    lent = cluster.Cluster()
    lent._client = Silent()
    start = time.monotonic()
    lent._take_back("loan")
    assert time.monotonic() - start < 5
