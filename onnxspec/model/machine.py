"""How much of the machine this process may take: memory and cores, by its own limits and its control group's."""

import ctypes
import math
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

_CGROUPS = Path("/sys/fs/cgroup")
_OWN_CGROUPS = Path("/proc/self/cgroup")
_STATUS = Path("/proc/self/status")
_QUOTA_AND_PERIOD = ("cpu.cfs_quota_us", "cpu.cfs_period_us")


@dataclass(frozen=True)
class Limit:
    """`size` bytes, and what sets the limit, as the subject of a sentence."""

    size: int
    name: str


def limit(asked: int | None = None) -> Limit:
    """The limit that was `asked` for with --max-memory, in bytes; else the least that the machine sets."""
    if asked is not None:
        return Limit(asked, "--max-memory")
    found = [Limit(size, name) for size, name in _limits() if size > 0]
    return min(found, key=lambda limit: limit.size, default=Limit(sys.maxsize, "this machine"))


def cores() -> int:
    """How many threads of this process can run at a time: on its cores, within its control group's processor time."""
    own = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min([own, *map(math.ceil, _quotas())]))


def peak_memory() -> int | None:
    """The most bytes of memory that this process has had so far; None where the system does not say."""
    for line in _text(_STATUS).splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    try:
        import resource
    except ImportError:  # Windows
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def size_text(size: int) -> str:
    """Bytes for people, in powers of 1,000 as --max-memory reads them: "1.5 GB"."""
    for exponent, unit in ((6, "EB"), (5, "PB"), (4, "TB"), (3, "GB"), (2, "MB")):
        if size >= 1000**exponent:
            return f"{size / 1000**exponent:,.3g} {unit}"
    return f"{size / 1000:,.1f} kB"


def _limits() -> Iterator[tuple[int, str]]:
    yield _physical(), "this machine's memory"
    for size in _memory_of_groups():
        yield size, "this process's control group"
    yield _address_space(), "this process's limit (ulimit -v)"


def _physical() -> int:
    """Bytes of memory in this machine; 0 where the system does not say."""
    if sys.platform == "win32":
        return _windows_memory()
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (ValueError, OSError):
        return 0


def _windows_memory() -> int:
    kilobytes = ctypes.c_ulonglong()
    windll = getattr(ctypes, "windll")  # noqa: B009 - there on Windows only
    found = windll.kernel32.GetPhysicallyInstalledSystemMemory(ctypes.byref(kilobytes))
    return kilobytes.value * 1024 if found else 0


def _address_space() -> int:
    """Bytes of RLIMIT_AS; 0 where there is none."""
    try:
        import resource
    except ImportError:  # Windows
        return 0
    soft, _ = resource.getrlimit(resource.RLIMIT_AS)
    return 0 if soft == resource.RLIM_INFINITY else soft


def _memory_of_groups() -> Iterator[int]:
    """The memory limits of this process's control group and of those that it lies in."""
    for folder in _groups("memory"):
        for name in ("memory.max", "memory.limit_in_bytes"):
            if (text := _text(folder / name)).isdecimal():  # "max" where there is none
                yield int(text)


def _quotas() -> Iterator[float]:
    """The processor time, in cores, that this process's control group and those that it lies in may take."""
    for folder in _groups("cpu"):
        said = _text(folder / "cpu.max").split() or [_text(folder / name) for name in _QUOTA_AND_PERIOD]
        quota, period = (*said, "")[:2]
        if quota.isdecimal() and period.isdecimal() and int(period):  # "max", or -1, where there is none
            yield int(quota) / int(period)


def _groups(controller: str) -> Iterator[Path]:
    """The folders of this process's control group (versions 1 and 2) and of those that it lies in."""
    for line in _text(_OWN_CGROUPS).splitlines():
        number, controllers, place = (*line.split(":", 2), "", "")[:3]
        if number != "0" and controller not in controllers.split(","):
            continue
        # Inside a container the place is often that of the host, which is not to be seen: then only the root exists.
        own = PurePosixPath(place.lstrip("/"))
        root = _CGROUPS if number == "0" else _CGROUPS / controller
        yield from (root / folder for folder in (own, *own.parents))


def _text(file: Path) -> str:
    """What a small file of the system says; empty where it is not there."""
    try:
        return file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return ""
