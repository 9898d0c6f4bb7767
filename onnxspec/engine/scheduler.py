"""The connection of this process to a Dask scheduler: one an address, and in words what is wrong with it."""

import logging
import os
import re
import ssl
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import resource_tracker
from typing import Any

from onnxspec import interruption
from onnxspec.engine.local import Cancelled
from onnxspec.errors import DeviceError, OnnxspecError, ResourceError, UsageError

INSTALL = 'pip install "onnxspec[distributed]"'
LOCAL = "local:"
SECONDS_TO_ANSWER = 30.0
# Dask hands on what a worker could not import as a text, in an exception of another class.
_MISSING = re.compile(r"No module named '([^']+)'")
_CLIENTS: dict[str, Any] = {}


def client(address: str) -> Any:
    """A client of the cluster at an address, the same for the whole process until its scheduler is gone.

    Raises
    ------
    DeviceError
        dask.distributed is not installed, or nobody answers.
    UsageError
        The address, or Dask's configuration for it, cannot be used.
    """
    known = _CLIENTS.get(address)
    if known is None or known.status != "running":
        _CLIENTS[address] = known = _connected(address)
    return known


@contextmanager
def talking(to: Any, address: str) -> Iterator[None]:
    """What calls of a client, `to` the scheduler at `address`, raise, in words.

    Raises
    ------
    DeviceError
        The scheduler or a worker has not the modules that it needs.
    ResourceError
        The scheduler is gone.
    """
    from distributed.comm import CommClosedError

    try:
        yield
    except (OnnxspecError, Cancelled):
        raise
    except Exception as error:
        if isinstance(error, CommClosedError) or to.status != "running":
            raise lost() from None
        if missing := _MISSING.search(str(error)):
            raise DeviceError(
                f"The scheduler or a worker at {address} has no module {missing[1]}.", f"They need it all: {INSTALL}"
            ) from None
        raise


def lost() -> ResourceError:
    """The error of a scheduler that is gone."""
    return ResourceError("The connection to the cluster's scheduler was lost.", "See the scheduler's log.")


def _connected(address: str) -> Any:
    try:
        from distributed import Client, LocalCluster
    except ImportError as error:
        raise DeviceError(f"--cluster needs dask.distributed: {error}.", INSTALL) from None
    warnings.filterwarnings("ignore", "Sending large graph")  # pixels come with the items that need them
    # Of a scheduler that is gone it tells on many pages, and an error tells it here.
    logging.getLogger("distributed.client").setLevel(logging.CRITICAL)
    try:
        if address.startswith(LOCAL):
            # Encrypted with keys of this process: on the loopback interface every user of a machine may call.
            # A terminal interrupts the workers as well, `timeout` and systemd end them as well, and this process, which
            # they do not outlive, ends them in order. The tracker would let interrupts through where it is started.
            if os.name == "posix":
                resource_tracker.ensure_running()
            with interruption.held(*interruption.SIGNALS):
                cluster = LocalCluster(
                    n_workers=int(address.removeprefix(LOCAL)),
                    threads_per_worker=1,
                    host="127.0.0.1",
                    dashboard_address="127.0.0.1:0",
                    memory_limit=None,
                    security=True,
                    silence_logs=logging.CRITICAL,
                )
            return Client(cluster)
        return Client(address, timeout=SECONDS_TO_ANSWER)
    except (
        FileNotFoundError,
        PermissionError,
        ssl.SSLError,
        TypeError,
        ValueError,
        RuntimeError,
        ImportError,
    ) as error:
        raise UsageError(
            f"--cluster {address} cannot be used: {error}.",
            "For tls:// Dask's configuration names the certificates: distributed.comm.tls.",
        ) from None
    except (OSError, TimeoutError) as error:
        hint = "Start one with: dask scheduler" + (
            "; one that speaks TLS is at tls://" if address.startswith("tcp") else ""
        )
        raise DeviceError(f"No Dask scheduler answers at {address}: {error}.", hint) from None
