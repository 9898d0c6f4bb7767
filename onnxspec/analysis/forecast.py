"""What a run will cost, said before it starts: everything is opened and the rate is measured, nothing is written.

Forward passes are counted. Time is that count at the measured rate, memory and report size are estimates from what this
process has taken so far and from what a path leaves behind.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from onnxspec.analysis import strips
from onnxspec.analysis.families.choosing import Own, choose
from onnxspec.analysis.families.family import Family
from onnxspec.analysis.planning import CHOSEN, Frozen, freeze
from onnxspec.analysis.provenance import Clock
from onnxspec.analysis.subject import open_subject
from onnxspec.engine.shards import VALUES_PER_SHARD
from onnxspec.images.cache import LIMIT_BYTES
from onnxspec.listening import Listener, Silence
from onnxspec.model import machine
from onnxspec.results import measure
from onnxspec.settings import Given, Settings

# Copies of a shard's outputs, in float64, that are alive while a worker makes their spectra.
_COPIES = 12
# Of a figure's texts and numbers, and of an image's name, in the report.
_FIGURE_BYTES, _NAME_BYTES, _REPORT_BYTES = 340, 60, 300_000
_FIGURES_OF_KIND, _FIGURES_OF_STRATUM = 22, 5


@dataclass(frozen=True)
class Forecast:
    """What a run will take.

    paths, points : straight paths and those beside them, and the points on a straight one
    at_most : whether a precision may be reached with fewer; points_open : whether the pilot may double the points
    forward_passes : pilot and checks included; seconds : start-up included
    memory_bytes : at its peak, None where the system does not say what this process has; report_bytes : on the disk
    seconds_per_image : measured, with all workers at it, in this form: batch, threads, session_threads
    """

    paths: int
    points: int
    at_most: bool
    points_open: bool
    forward_passes: int
    seconds: float
    memory_bytes: int | None
    report_bytes: int
    seconds_per_image: float
    device: str
    batch: int
    threads: int
    session_threads: int

    def to_dict(self) -> dict[str, Any]:
        """Everything, JSON-ready."""
        return asdict(self)


def forecast(
    model: Any,
    data: Any = None,
    settings: Given = None,
    *,
    listener: Listener | None = None,
    own_paths: Own | None = None,
    **overrides: Any,
) -> Forecast:
    """What `analyze` with the same arguments will cost; what an interrupted run has kept is not looked at.

    Raises
    ------
    OnnxspecError
        As `analyze`, as far as opening and planning go.
    """
    clock = Clock()
    settings, listener = Settings.given(settings, **overrides), listener or Silence()
    listener.stage("opening the model and the images")
    subject = open_subject(model, data, settings)
    frozen = freeze(subject, settings, listener)
    beside = choose(frozen, own_paths)
    passes = frozen.images() + sum(len(one) * one.images for one in beside)
    scalars, power = _row_bytes(frozen)
    paths = len(frozen.pairs) + sum(map(len, beside))
    return Forecast(
        paths,
        frozen.points,
        settings.plan.precision is not None,
        frozen.points_from == CHOSEN,
        passes,
        clock.seconds + passes * subject.seconds_per_image,
        _memory(frozen, beside, paths * (scalars + power)),
        paths * (scalars + power) + _beside_the_rows(frozen),
        subject.seconds_per_image,
        subject.model.device_note,
        subject.engine.tile,
        subject.engine.workers,
        subject.model.threads,
    )


def _row_bytes(frozen: Frozen) -> tuple[int, int]:
    """What a path leaves behind, in bytes: its scalars, and its power."""
    shape = (1, frozen.points, frozen.subject.outputs)
    columns = measure(np.zeros(shape, np.float32), frozen.pairs[:1], np.ones(1), frozen.reading).columns.values()
    return sum(c.nbytes for c in columns if c.ndim == 1), sum(c.nbytes for c in columns if c.ndim > 1)


def _memory(frozen: Frozen, beside: Sequence[Family], rows: int) -> int | None:
    """The peak: what this process has had so far, pixels that are still to come, spectra in the making, and the rows."""
    engine, so_far = frozen.subject.engine, machine.peak_memory()
    if so_far is None:
        return None
    used = np.unique(np.concatenate([frozen.pairs.images, *(one.used() for one in beside)]))
    pixels = min(LIMIT_BYTES, len(used) * engine.pixels.get(int(used[0])).nbytes) - engine.pixels.held_bytes
    return so_far + max(pixels, 0) + engine.workers * _COPIES * 8 * VALUES_PER_SHARD + rows


def _beside_the_rows(frozen: Frozen) -> int:
    """Bytes of a report that do not grow with the paths of a stratum: figures, strips, names."""
    pairs, settings, engine = frozen.pairs, frozen.settings, frozen.subject.engine
    strata = len(np.unique(np.column_stack([pairs.kind, pairs.class_a, pairs.class_b]), axis=0))
    strata += len(np.unique(pairs.kind)) * len(np.unique([pairs.class_a, pairs.class_b]))
    figures = 2 * _FIGURES_OF_KIND * len(settings.plan.kinds) + _FIGURES_OF_STRATUM * strata
    height, width, channels = engine.pixels.get(int(pairs.image_a[0])).shape
    thumbnail = min(height, strips.SIDE) * min(width, strips.SIDE) * channels
    thumbnails = 2 * thumbnail * strips.most(settings.plan.kinds) if settings.presentation.thumbnails else 0
    return _REPORT_BYTES + figures * _FIGURE_BYTES + thumbnails + len(pairs.images) * _NAME_BYTES
