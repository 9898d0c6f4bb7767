"""A heat map from its file, which may be damaged or made by somebody else."""

import os

import h5py
import numpy as np

from onnxspec.heatmap.filters import HIGH, LOW, Filter
from onnxspec.heatmap.result import SIGNALS, HeatMap
from onnxspec.images.preprocess import MAX_SIDE
from onnxspec.paths.waves import Waves
from onnxspec.report import flat, tables
from onnxspec.report.attributes import held
from onnxspec.report.verification import HEAT_MAP, other

_TYPES = {
    **dict.fromkeys(("outputs", "data_images", "height", "width", "tf32", "seed"), int),
    **dict.fromkeys(("eps", "rms"), float),
    **dict.fromkeys(("model", "output_kind", "data", "labelling"), str),
}


def read(path: str | os.PathLike[str]) -> HeatMap:
    """The heat map in a file.

    Raises
    ------
    ReportError
        The file is missing, is no heat map, is of another schema version, or is damaged.
    """
    with other(path, HEAT_MAP) as file:
        return _checked(_read(file))


def _read(file: h5py.File) -> HeatMap:
    attributes, remarks = flat.described(file, HEAT_MAP)
    waves, filters, images = (_columns(file[group]) for group in ("map", "filters", "images"))
    frequency = np.column_stack([waves["i"], waves["j"]]).astype(np.int64)
    return HeatMap(
        Waves(attributes["height"], attributes["width"], frequency),
        tuple(Filter(kind, float(at)) for kind, at in zip(filters["kind"], filters["cutoff"], strict=True)),
        images["image"].astype(np.int64),
        tuple(images["name"].tolist()),
        images["wrong"],
        waves["wrong"],
        filters["wrong"],
        {signal: waves[f"change_{signal}_of_image"] for signal in SIGNALS},
        attributes,
        dict(file["run"].attrs),
        remarks,
    )


def _columns(group: h5py.Group) -> dict[str, np.ndarray]:
    return {name: tables.read_column(group[name]) for name in group}


def _checked(found: HeatMap) -> HeatMap:
    """The same, if its parts fit each other; ValueError if they do not."""
    a, images, waves = found.attributes, len(found.images), len(found.waves)
    flat.typed(_TYPES, a)
    if not (0 < a["height"] <= MAX_SIDE and 0 < a["width"] <= MAX_SIDE and images >= 2 and waves):
        raise ValueError("it has no images or no frequencies, or they have no size")
    shapes = {
        (images,): [found.wrong_before],
        (images, waves): [found.wrong, *found.change.values()],
        (images, len(found.filters)): [found.wrong_filtered],
    }
    for shape, parts in shapes.items():
        if any(part.shape != shape or part.dtype.kind not in "uif" for part in parts):
            raise ValueError(f"a part is not {' x '.join(map(str, shape))} numbers")
    kinds = [one.kind for one in found.filters]
    if kinds != [LOW] * (len(kinds) // 2) + [HIGH] * (len(kinds) // 2):
        raise ValueError("its filters are not half low-pass and half high-pass")
    held(a["preprocess"], "preprocess")
    return found
