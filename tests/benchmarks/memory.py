"""The most memory that this process has had."""

import sys
from pathlib import Path


def peak_bytes() -> int | None:
    """The most memory this process has had resident; None where the system does not say.

    A parent's `getrusage(RUSAGE_CHILDREN)` will not do: it is the maximum over all children so far, and a child's own
    figure starts with what its parent held when it forked.
    """
    status = Path("/proc/self/status")
    if status.exists():
        lines = dict(line.split(":", 1) for line in status.read_text().splitlines())
        return int(lines["VmHWM"].split()[0]) * 1024
    try:
        import resource
    except ImportError:
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
