"""What decides the rows of a run: by it interrupted runs and entries of the cache are told apart."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Protocol

import numpy as np

from onnxspec.analysis.subject import Subject
from onnxspec.engine.remote import VERSIONS
from onnxspec.errors import DataError
from onnxspec.images.cache import PixelCache
from onnxspec.model.providers import GRAPH_OPTION
from onnxspec.model.session import OnnxModel, computed_by
from onnxspec.paths.pairs import Pairs
from onnxspec.report.parts import Part
from onnxspec.results import Reading
from onnxspec.settings import Settings

_OF_NO_ACCOUNT = ("device_id", GRAPH_OPTION, "gpu_mem_limit", "arena_extend_strategy")


class Settled(Protocol):
    """What is settled before a run: see `planning.Frozen`."""

    @property
    def subject(self) -> Subject: ...
    @property
    def settings(self) -> Settings: ...
    @property
    def reading(self) -> Reading: ...
    @property
    def pairs(self) -> Pairs: ...
    @property
    def points_from(self) -> str: ...


def identity(frozen: Settled) -> dict[str, str]:
    """Everything that decides the rows, by a name for people; equal for runs whose rows may be mixed."""
    subject, settings, reading = frozen.subject, frozen.settings, frozen.reading
    # How many pairs are walked decides no row, and who settled the points decides whether the pilot may double them.
    decided = deciding(settings) | {"precision": None, "points_from": frozen.points_from}
    return _foundations(frozen) | {
        "images": f"{subject.images.digest} {subject.labelling}",
        "settings": json.dumps(decided | {"cutoff": reading.cutoff, "tf32": settings.execution.tf32}),
        "pairs": frozen.pairs.digest,
    }


def grounds(frozen: Settled) -> dict[str, str]:
    """As `identity`, without what only the plan as a whole decides: equal for runs that may share a shard."""
    reading, inputs = frozen.reading, frozen.settings.inputs
    read = asdict(reading.measurement) | {"paths": None, "cutoff": reading.cutoff}
    floor = {name: power.tolist() for name, power in (reading.floor or {}).items()}
    read |= {"probabilities": reading.probabilities, "floor": floor, "tf32": frozen.settings.execution.tf32}
    return _foundations(frozen) | {
        "tensors": json.dumps([inputs.input, inputs.output]),
        "images": frozen.subject.images.digest,
        "measurement": json.dumps(read),
    }


def _foundations(frozen: Settled) -> dict[str, str]:
    subject, reading = frozen.subject, frozen.reading
    columns = reading.columns if reading.columns is not None else np.empty(0)
    return {
        "model": subject.model.digest or "",
        "preprocessing": json.dumps({k: v for k, (v, _) in subject.engine.preprocess.fields_and_origins().items()}),
        "class order": _digest(reading.output_of, columns),
        "path form": subject.engine.path_form,
        "provider": computed_by(subject.model),
        "provider options": json.dumps(_options(subject)),
        "versions": json.dumps(VERSIONS),
    }


def _options(subject: Subject) -> dict[str, str]:
    """Those of the provider that may decide what it computes, not where, in what memory or how it is launched."""
    if not isinstance(subject.model, OnnxModel):
        return {}
    given = subject.model.choices[0].provider_options
    return {name: value for name, value in sorted(given.items()) if name not in _OF_NO_ACCOUNT}


def entry_key(known: Mapping[str, str], *what: Any) -> str:
    """The key of a cache entry: the digest of the grounds and of what else decides it, JSON-ready."""
    return hashlib.sha256(json.dumps([dict(known), *what]).encode()).hexdigest()


def deciding(settings: Settings) -> dict[str, Any]:
    """The settings that decide the figures, beside the preprocessing."""
    inputs = {name: getattr(settings.inputs, name) for name in ("restrict_outputs", "skip_bad", "input", "output")}
    return asdict(settings.plan) | asdict(settings.measurement) | inputs


def content_digest(pixels: PixelCache, images: np.ndarray) -> str:
    """SHA-256 over the digests of the files of (images,) int; empty where the data digest covers their bytes."""
    used = [pixels.content_digest(i) for i in images.tolist()]
    return hashlib.sha256("\n".join(used).encode()).hexdigest() if any(used) else ""


def unchanged(part: Part, content: str) -> Part:
    """A part that an interrupted run has kept, if its images still are what they were.

    Raises
    ------
    DataError
        They have changed.
    """
    if part.content != content:
        raise DataError(
            "The images have changed since the interrupted run, so that its paths cannot be used.",
            "Start anew with --no-resume.",
        )
    return part


def _digest(*arrays: np.ndarray) -> str:
    total = hashlib.sha256()
    for array in arrays:
        total.update(f"{array.shape}".encode() + np.ascontiguousarray(array, "<i8").tobytes())
    return total.hexdigest()
