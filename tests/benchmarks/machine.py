"""Which machine a measurement is from, and who else is at work on it."""

import os
import platform
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from .bare import cores

PACKAGES = ("onnxspec", "onnxruntime-gpu", "onnxruntime", "numpy", "scipy", "h5py")


def describe() -> dict[str, Any]:
    """Processor, cores, system, versions and load."""
    return {
        "cpu": cpu(),
        "cores": cores(),
        "platform": platform.platform(),
        "python": platform.python_version(),
        "versions": {name: found for name in PACKAGES if (found := _version(name))},
        "load": load(),
    }


@contextmanager
def neighbour(there: bool) -> Iterator[None]:
    """A process that keeps one core busy, and nothing where it is not `there`."""
    busy = subprocess.Popen([sys.executable, "-c", "while True: pass"]) if there else None
    try:
        yield
    finally:
        if busy:
            busy.kill()
            busy.wait()


def cpu() -> str:
    """The processor's name as the system gives it."""
    listing = Path("/proc/cpuinfo")
    if listing.exists() and (found := re.search(r"model name\s*:\s*(.+)", listing.read_text())):
        return found.group(1)
    return platform.processor() or platform.machine()


def load() -> list[float] | None:
    """Load averages over 1, 5 and 15 minutes; None where the system does not keep them."""
    return [round(value, 2) for value in os.getloadavg()] if hasattr(os, "getloadavg") else None


def slug(machine: dict[str, Any]) -> str:
    """A machine in a file name."""
    return re.sub(r"[^a-z0-9]+", "-", f"{machine['cpu']} {machine['cores']} cores".lower()).strip("-")


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
