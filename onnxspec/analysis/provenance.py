"""Where a result comes from: what equal runs share, and what differs between them."""

import json
import platform
import shlex
import sys
import time
from datetime import UTC, datetime
from typing import Any

import numpy as np
import onnxruntime

from onnxspec import __version__
from onnxspec.analysis.subject import Subject
from onnxspec.settings import Settings


class Clock:
    """When something started, UTC, and how long ago: `seconds` does not follow a clock that is set."""

    def __init__(self) -> None:
        self.started = datetime.now(UTC)
        self._start = time.monotonic()

    @property
    def seconds(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self._start


def subject_attributes(subject: Subject, settings: Settings) -> dict[str, Any]:
    """What was measured on what: equal for equal runs."""
    return {
        "tool_version": __version__,
        "model": subject.model.name,
        "model_digest": subject.model.digest or "",
        "outputs": subject.outputs,
        "output_kind": subject.engine.kind,
        "provider": subject.model.provider,
        "path_form": subject.engine.path_form,
        "tf32": int(settings.execution.tf32),
        "data": subject.images.source,
        "data_digest": subject.images.digest,
        "data_images": len(subject.images),
        "labelling": subject.labelling,
        "class_map": subject.class_map,
        "seed": settings.plan.seed,
        "preprocess": json.dumps(subject.engine.preprocess.as_dict()),
    }


def run_attributes(subject: Subject, clock: Clock) -> dict[str, Any]:
    """What differs between equal runs."""
    return {
        "started": clock.started.isoformat(timespec="seconds"),
        "seconds": round(clock.seconds, 2),
        "device": subject.model.device_note,
        "onnxruntime": onnxruntime.__version__,
        "numpy": np.__version__,
        "host": platform.node(),
        "platform": platform.platform(),
        "python": platform.python_version(),
        "command": shlex.join(sys.argv),
        "batch": subject.engine.tile,
        "threads": subject.engine.workers,
        "session_threads": subject.model.threads,
        "seconds_per_image": subject.seconds_per_image,
    }
