"""Sends work to a Dask cluster: the same shards, evaluated by other processes or machines, to the same rows.

A worker gets two loans, which Dask hands to every worker there is and to those that come later: the way to open what
is measured (once), and the work (a function, once for every `map`). Items are then short. A worker opens the model
and the images itself, checks that they are those of this process, and does the work with an engine of its own; in a
function that is sent, this process's engine, model and images stand for the worker's. Small models are sent, and
pixels of small data sets, with every item its own; large ones are read from a path that all machines share.

What a worker loses another does again. This process alone writes files.
"""

import math
import os
import threading
import uuid
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import CancelledError
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from onnxspec.engine import remote, scheduler
from onnxspec.engine.local import Cancelled, Item, LocalEngine, Result, unless_known
from onnxspec.engine.way import Way, engine_fields
from onnxspec.engine.workers import in_order
from onnxspec.errors import DeviceError, ResourceError, UsageError
from onnxspec.model.protocol import Classifier
from onnxspec.model.providers import CPU
from onnxspec.model.session import OnnxModel, computed_by

SENT_BYTES = 256 * 2**20
"""Models, and images as the model takes them, are sent up to this size; larger ones must lie on a shared path."""
SECONDS_TO_FORGET = 5.0
RETRIES = 2
MOST_THREADS = 256


def joined(address: str | None, model: Classifier, opener: Callable[[Path], Classifier]) -> "Cluster | None":
    """The cluster at an address, see `Cluster`; None without an address."""
    return None if address is None else Cluster(address, model, opener)


class Cluster:
    """A Dask cluster as an engine sees it; an `Elsewhere`.

    Parameters
    ----------
    address : of a scheduler, or local:N for N worker processes of one thread here, which last as long as this process
    model : what is measured; opener : path -> the same model, on any machine

    Raises
    ------
    UsageError
        The model is a Python function, or is to run on GPUs of local workers.
    DeviceError
        dask.distributed is not installed, nobody answers at the address, or no worker offers what the model runs on.
    """

    def __init__(self, address: str, model: Classifier, opener: Callable[[Path], Classifier]):
        if not isinstance(model, OnnxModel):
            raise UsageError(
                "A Python function runs in this process only, and --cluster was given.",
                "Export the model to ONNX, or leave --cluster out.",
            )
        self._model, self._opener = model, opener
        self._local = address.startswith(scheduler.LOCAL)
        self._resources = {} if model.provider == CPU else {"GPU": 1}
        if self._local and self._resources:
            raise UsageError(f"--cluster {address} is for CPUs.", "Leave it out, or use --device cpu.")
        self._address = address
        self._client = scheduler.client(address)
        self._way = ""
        with scheduler.talking(self._client, address):
            # A worker that cannot read what it is sent would end, and the next one after it.
            self._client.run(remote.present)
            places = self.places
        if not places:
            what = "workers that offer a GPU" if self._resources else "workers"
            raise DeviceError(
                f"The cluster at {address} has no {what}.",
                f"Start some with: dask worker {address}{' --resources GPU=1' if self._resources else ''}",
            )

    @property
    def places(self) -> int:
        """How many shards can be evaluated at a time now: a thread each, or on GPUs a unit of the resource GPU."""
        with scheduler.talking(self._client, self._address):
            offers = self._client.run_on_scheduler(_offers)
        return int(sum(gpus if self._resources else threads for threads, gpus in offers))

    def map(
        self,
        engine: LocalEngine,
        work: Callable[[Item], Result],
        items: Iterable[Item],
        needs: Callable[[Item], np.ndarray],
        known: Callable[[Item], Result | None],
    ) -> Iterator[Result]:
        """As `LocalEngine.map`, done by the workers.

        Raises
        ------
        ResourceError
            No worker was heard of for longer than the pulse allows, the scheduler was lost, or an item ended several
            workers.
        """
        with scheduler.talking(self._client, self._address):
            yield from self._map(engine, work, items, needs, known)

    def _map(
        self,
        engine: LocalEngine,
        work: Callable[[Item], Result],
        items: Iterable[Item],
        needs: Callable[[Item], np.ndarray],
        known: Callable[[Item], Result | None],
    ) -> Iterator[Result]:
        self._lend_way(engine)
        sent = self._sends_pixels(engine)
        work_name = self._lend(remote.pickled(work, engine))
        pending: set[Any] = set()
        stopped = threading.Event()

        def send(item: Item) -> Result:
            pixels, images = engine.pixels, needs(item)
            own = {i: (pixels.get(i), pixels.content_digest(i)) for i in images.tolist()} if sent else None
            if stopped.is_set():
                raise Cancelled
            future = self._client.submit(
                remote.serve,
                remote.VERSIONS,
                self._way,
                work_name,
                item,
                images,
                own,
                key=f"onnxspec-{uuid.uuid4().hex}",
                pure=False,
                retries=RETRIES,
                resources=self._resources,
            )
            pending.add(future)
            try:
                return self._result(future, stopped)
            finally:
                pending.discard(future)

        def stop() -> None:
            stopped.set()
            if not engine.pulse.given_up:
                self._client.cancel(list(pending))

        def heard(event: tuple[float, int]) -> None:
            engine.pulse.beat()
            engine.on_images(event[1])

        threads = min(2 * self.places + 2, MOST_THREADS)
        self._client.subscribe_topic(self._way, heard)
        try:
            yield from in_order(unless_known(known, send), items, threads, engine.pulse, stop, "The cluster")
        finally:
            if not engine.pulse.given_up:
                self._client.unsubscribe_topic(self._way)
                self._take_back(work_name)

    def close(self) -> None:
        """Lets the workers close model and images."""
        if self._way:
            self._take_back(self._way)
            self._way = ""

    def _result(self, future: Any, stopped: threading.Event) -> Any:
        from distributed.scheduler import KilledWorker

        try:
            result = future.result()
        except CancelledError:
            if stopped.is_set():
                raise Cancelled from None
            raise scheduler.lost() from None
        except KilledWorker as error:
            raise ResourceError(
                f"A few paths have ended {error.allowed_failures + 1} workers of the cluster, one after the other.",
                "Memory is the usual cause: see the workers' logs.",
            ) from None
        if isinstance(result, remote.Refusal):
            raise result.error
        return result

    def _sends_pixels(self, engine: LocalEngine) -> bool:
        """Whether pixels come with every item: those of small data sets do, and those that no path leads to."""
        images, shape = engine.pixels.images, engine.spec.shape
        small = not self._local and len(images) * math.prod(shape) <= SENT_BYTES
        return small or images.way is None

    def _lend_way(self, engine: LocalEngine) -> None:
        """Lends the way to what is measured, once."""
        import cloudpickle

        if self._way:
            return
        images, model = engine.pixels.images, self._model
        way = Way(
            opener=self._opener,
            path=os.path.abspath(model.info.path),
            files=None if self._local else _small_files(model),
            digest=model.digest,
            provider=computed_by(model),
            names=images.names,
            images_digest=images.digest,
            images=None if self._sends_pixels(engine) else images.way,
            engine=engine_fields(engine),
            path_form=engine.path_form,
        )
        self._way = self._lend(cloudpickle.dumps(way))

    def _lend(self, content: bytes) -> str:
        """Lends bytes to all workers, those to come too; the name of the loan."""
        from distributed import WorkerPlugin

        name = f"onnxspec-{uuid.uuid4().hex}"

        class Loan(WorkerPlugin):
            def setup(self, worker: Any) -> None:
                # In words of Python's own: a worker without onnxspec says so when it comes to the work.
                worker.__dict__.setdefault("onnxspec_lent", {})[name] = content

            def teardown(self, worker: Any) -> None:
                worker.__dict__["onnxspec_lent"].pop(name, None)
                worker.__dict__.get("onnxspec_made", {}).pop(name, None)

        self._client.register_plugin(Loan(), name)
        return name

    def _take_back(self, name: str) -> None:
        """Asks all workers to forget a loan, and waits a little: the answer of one that hangs never comes."""

        def ask() -> None:
            with suppress(Exception):  # a scheduler that is gone has nothing, and a loan that stays is no harm
                self._client.unregister_worker_plugin(name)

        asking = threading.Thread(target=ask, daemon=True)
        asking.start()
        asking.join(SECONDS_TO_FORGET)


def _offers(dask_scheduler: Any) -> list[tuple[int, float]]:
    """Threads and GPUs of every worker."""
    return [(worker.nthreads, worker.resources.get("GPU", 0)) for worker in dask_scheduler.workers.values()]


def _small_files(model: OnnxModel) -> dict[str, bytes] | None:
    """The bytes of a model's files, itself first; None where they are many."""
    if sum(path.stat().st_size for path in model.info.files.values()) > SENT_BYTES:
        return None
    return {name: path.read_bytes() for name, path in model.info.files.items()}
