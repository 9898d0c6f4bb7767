"""Paths become the papers' figures: arithmetic means over all of a family, whatever the model predicts at their ends."""

import math
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from onnxspec import __version__, statistics
from onnxspec.parity import functionals
from onnxspec.parity.planning import Prepared
from onnxspec.parity.protocols import LINEAR
from onnxspec.parity.result import CONSISTENT, HFF, BandedSpectrum, Figure, ParityResult
from onnxspec.parity.walking import Walked
from onnxspec.settings import Settings
from onnxspec.statistics import Design
from onnxspec.statistics.drawn import Drawn


def concluded(prepared: Prepared, settings: Settings, evaluated: Iterable[Walked]) -> ParityResult:
    """Pools what the walk leaves, in order."""
    parts = list(evaluated)
    paths = {name: np.concatenate([part.columns[name] for part in parts]) for name in parts[0].columns}
    spectra = [power for part in parts for power in part.power]
    families = [family.name for family in prepared.families]
    figures, banded = [], []
    for family in families:
        rows = np.flatnonzero(paths["family"] == family)
        figures += [_figure(paths, rows, family, metric) for metric in (HFF, CONSISTENT) if metric in paths]
        if spectra:
            banded.append(_banded(paths, rows, family, spectra))
    remarks = list(prepared.remarks)
    right = _right(paths)
    remarks += prepared.subject.implausible(right, np.ones_like(right))
    return ParityResult(
        _attributes(prepared, settings) | {"accuracy": float(right.mean()), "accuracy_images": len(right)},
        tuple(figures),
        paths,
        tuple(banded),
        np.concatenate(spectra).astype(np.float32) if spectra else None,
        tuple(remarks),
    )


def _figure(paths: Mapping[str, np.ndarray], rows: np.ndarray, family: str, metric: str) -> Figure:
    values = paths[metric][rows].astype(np.float64)
    # A path without a change has as many points before it as there are.
    top = 1.0 if metric == HFF else float(paths["points"][rows].mean())
    pooled = statistics.mean(values, _design(paths, rows, family), bottom=0.0, top=top)
    return Figure(family, metric, pooled.interval(), float(values.std()) if len(values) else math.nan)


def _banded(
    paths: Mapping[str, np.ndarray], rows: np.ndarray, family: str, spectra: list[np.ndarray]
) -> BandedSpectrum:
    values = np.stack([functionals.banded(spectra[row], int(paths["points"][row])) for row in rows])
    mean, low, high = statistics.mean_band(values, _design(paths, rows, family))
    return BandedSpectrum(family, len(rows), functionals.BANDS.frequency, mean, low, high)


def _design(paths: Mapping[str, np.ndarray], rows: np.ndarray, family: str) -> Design:
    """Which images the paths of a family share, and how these were drawn: Fourier pairs from all images at once."""
    image_a, image_b, class_a, class_b = (paths[f"{what}_{end}"][rows] for what in ("image", "class") for end in "ab")
    drawn = Drawn.whole(np.zeros_like(class_a), class_a, class_b) if family in LINEAR else None
    return Design(image_a, image_b, drawn)


def _right(paths: Mapping[str, np.ndarray]) -> np.ndarray:
    """Whether the images at the starts of paths are predicted right, (images,) int8."""
    return paths["right"][np.unique(paths["image_a"], return_index=True)[1]]


def _attributes(prepared: Prepared, settings: Settings) -> dict[str, Any]:
    subject, protocol = prepared.subject, prepared.protocol
    return {
        "tool_version": __version__,
        "protocol": protocol.name,
        "source": protocol.title,
        "model": subject.model.name,
        "model_digest": subject.model.digest or "",
        "outputs": subject.outputs,
        "output_kind": subject.engine.kind,
        "provider": subject.model.provider,
        "data": subject.images.source,
        "data_digest": subject.images.digest,
        "data_images": len(subject.images),
        "pairs": settings.plan.most,
        "seed": settings.plan.seed,
        "kinds": " ".join(kind for kind in LINEAR if kind in settings.plan.kinds),
        "preprocess": str(subject.engine.preprocess),
    }
