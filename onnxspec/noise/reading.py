"""What noise fitting found, from its file, which may be damaged or made by somebody else."""

import math
import os
from typing import get_type_hints

import h5py

from onnxspec.noise.dips import Dip
from onnxspec.noise.found import CheckpointOf, FitOf, NoiseFit, NoiseOf
from onnxspec.noise.losses import ClosedForms
from onnxspec.noise.measuring import QUANTITIES
from onnxspec.report import flat
from onnxspec.report.flat import Row, made, typed
from onnxspec.report.storage import Flaw
from onnxspec.report.verification import NOISE, other
from onnxspec.statistics import Interval

_ATTRIBUTES = {
    **dict.fromkeys(("data", "noise", "shape"), str),
    **dict.fromkeys(("images", "classes", "dimensions"), int),
    **dict.fromkeys(("phi", "position_mean", "position_std"), float),
}
_NOISE = dict.fromkeys(("frequency", "amplitude", "smoothing", "perfect_here", "concentration"), float)


def read(path: str | os.PathLike[str]) -> NoiseFit:
    """The figures in a file; effective numbers of their intervals, and reasons, are not kept.

    Raises
    ------
    ReportError
        The file is missing, is something else, is of another schema version, or is damaged.
    """
    with other(path, NOISE) as file:
        return _checked(_read(file))


def _read(file: h5py.File) -> NoiseFit:
    attributes, remarks = flat.described(file, NOISE)
    known = typed(_ATTRIBUTES, attributes)
    images = known["images"]
    checkpoints = tuple(
        CheckpointOf(**_named(row), accuracy=_interval("accuracy", row, images))
        for row in flat.rows(file, "checkpoints")
    )
    places = {one.name: place for place, one in enumerate(checkpoints)}
    return NoiseFit(
        attributes | known,
        checkpoints,
        tuple(_fit(row, images) for row in flat.rows(file, "fits")),
        tuple(_noise(row, images, places) for row in flat.rows(file, "noises")),
        remarks,
    )


def _named(row: Row) -> Row:
    found = typed({"model": str, "place": float, "digest": str}, row)
    return {"name": found.pop("model"), **found}


def _fit(row: Row, images: int) -> FitOf:
    head = typed({"model": str, "place": float, "frequency": float, "amplitude": float}, row)
    return FitOf(**head, figures={quantity: _interval(quantity, row, images) for quantity in QUANTITIES})


def _noise(row: Row, images: int, places: dict[str, int]) -> NoiseOf:
    forms = {name: row[f"form_{name}"] for name in get_type_hints(ClosedForms)}
    words = typed({"dip_model": str, "verdict": str}, row)
    minimum, fall, rise = (_interval(name, row, images) for name in ("minimum", "fall", "rise"))
    return NoiseOf(
        **typed(_NOISE, row),
        forms=made(ClosedForms, forms),
        dip=Dip(places[words["dip_model"]], minimum, fall, rise, words["verdict"]),
        dip_model=words["dip_model"],
        against_first=_interval("against_first", row, images),
    )


def _interval(name: str, row: Row, images: int) -> Interval:
    estimate, low, high = typed(dict.fromkeys((name, f"{name}_low", f"{name}_high"), float), row).values()
    return Interval(estimate, low, high, images, math.nan)


def _checked(found: NoiseFit) -> NoiseFit:
    """The same, if every noise has the figures of all checkpoints; raises Flaw if one has not."""
    names = [one.name for one in found.checkpoints]
    if not names or not found.noises or any([fit.model for fit in found.of(one)] != names for one in found.noises):
        raise Flaw("is damaged: it should hold every checkpoint's figures for all noises")
    return found
