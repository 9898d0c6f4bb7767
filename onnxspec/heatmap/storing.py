"""A heat map for other programs: HDF5 (readable by h5py and xarray) and JSON.

/         attributes: schema and tool version, model, data, eps, seed, remarks, digest
/map      a row per frequency of the half plane: figures with intervals (wave), and what every image did (image, wave)
/rings    the same on average over octaves of |frequency|
/filters  accuracy under low-pass and high-pass filters (filter), and what every image did (image, filter)
/images   the images that were used
/run      attributes that differ between equal runs

Both digests are a report's (`tables.seal`). `reading` reads it back.
"""

import io
import json
import os
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np

from onnxspec.errors import UsageError
from onnxspec.heatmap.intervals import Estimates
from onnxspec.report import tables
from onnxspec.report.destination import require_hdf5_name
from onnxspec.report.storage import attribute_names
from onnxspec.report.verification import HEAT_MAP, OTHERS
from onnxspec.saving import replacing, require_place

if TYPE_CHECKING:
    from onnxspec.heatmap.result import HeatMap

CYCLES = "cycles per image"
_UNITS = {"prob": "1", "logit": "nat"}


def require_writable(destination: str | os.PathLike[str]) -> None:
    """Refuses a destination that could not be written, before any work is done.

    Raises
    ------
    UsageError
        It is in no folder that can be written to, is a file that is no heat map, or has the name of a page or picture.
    """
    path = Path(destination)
    require_place(path)
    if path.exists() and not is_heat_map(path):
        raise UsageError(f"{path} exists and is no heat map, so it is not replaced.", "Choose another name with -o.")
    require_hdf5_name(path)


def is_heat_map(path: str | os.PathLike[str]) -> bool:
    """Whether a file is what `write` writes."""
    return HEAT_MAP in attribute_names(path)


def write(found: "HeatMap", destination: str | os.PathLike[str]) -> None:
    """Writes an HDF5 file, under its name only when it is whole.

    Raises
    ------
    UsageError
        As `require_writable`.
    ResourceError
        The disk is full.
    """
    require_writable(destination)
    # A heat map is small; made in memory, it meets a full disk only as bytes to write.
    image = io.BytesIO()
    with h5py.File(image, "w", libver=("earliest", "v110")) as file:
        _write_map(file.create_group("map"), found)
        _write_rings(file.create_group("rings"), found)
        _write_filters(file.create_group("filters"), found)
        _write_images(file.create_group("images"), found)
        tables.set_attributes(file, found.attributes)
        file.attrs["remarks"] = json.dumps([asdict(remark) for remark in found.remarks])
        file.attrs[HEAT_MAP] = OTHERS[HEAT_MAP].version
        tables.set_attributes(file.create_group("run"), found.run)
        tables.seal(file)
    with replacing(destination) as place:
        place.write_bytes(image.getvalue())


def to_dict(found: "HeatMap") -> dict[str, Any]:
    """Everything but what single images did, JSON-ready; undefined numbers are None."""
    accuracy, rings = asdict(found.accuracy), found.rings
    tables_of = {
        "rings": {"low": rings.low, "high": rings.high, "waves": rings.waves, "error": rings.error}
        | _named("increase", rings.increase)
        | _changes(rings.change),
        "filters": {"kind": np.array([one.kind for one in found.filters], object)}
        | {"cutoff": np.array([one.cutoff for one in found.filters])}
        | _named("accuracy", found.filtered_accuracy),
        "map": dict(zip("ij", found.waves.frequency.T, strict=True)) | _wave_figures(found),
    }
    return {
        **{name: tables.plain(value) for name, value in found.attributes.items()},
        "images": len(found.images),
        "accuracy": {name: tables.plain(accuracy[name]) for name in ("estimate", "low", "high")}
        if found.labelled
        else None,
        **{name: tables.records(columns) for name, columns in tables_of.items()},
        "remarks": [asdict(remark) for remark in found.remarks],
    }


def to_json(found: "HeatMap") -> str:
    """One JSON object, all of whose text is ASCII."""
    return json.dumps(to_dict(found), indent=2, allow_nan=False)


def _write_map(group: h5py.Group, found: "HeatMap") -> None:
    _scales(group, "wave", len(found.waves), found, "number of the frequency, lowest first")
    for name, along, values in zip("ij", ("height", "width"), found.waves.frequency.T, strict=True):
        tables.column(group, name, values.astype(np.int32), f"cycles per {along}", f"cycles per {along}", ("wave",))
    tables.column(group, "frequency", found.waves.radius, CYCLES, "sqrt(i^2 + j^2)", ("wave",))
    for name, values in _wave_figures(found).items():
        tables.column(group, name, values, *_described(name), ("wave",))
    tables.column(group, "wrong", found.wrong, "1", "1 where the answer is wrong", ("image", "wave"))
    for signal, values in found.change.items():
        words = f"L2 norm over outputs of the change of {signal}"
        tables.column(group, f"change_{signal}_of_image", values, _UNITS[signal], words, ("image", "wave"))


def _write_rings(group: h5py.Group, found: "HeatMap") -> None:
    rings = found.rings
    tables.scale(group, "ring", np.arange(len(rings.low), dtype=np.int32), "1", "number of the octave, lowest first")
    tables.column(group, "low", rings.low, CYCLES, "lowest |frequency|; 0 is the constant alone", ("ring",))
    tables.column(group, "high", rings.high, CYCLES, "end of the octave, not in it", ("ring",))
    tables.column(group, "waves", rings.waves.astype(np.int32), "1", "frequencies of the half plane in it", ("ring",))
    figures = {"error": rings.error} | _named("increase", rings.increase) | _changes(rings.change)
    for name, values in figures.items():
        tables.column(group, name, values, *_described(name), ("ring",))


def _write_filters(group: h5py.Group, found: "HeatMap") -> None:
    _scales(group, "filter", len(found.filters), found, "number of the filter")
    kinds, cutoffs = [one.kind for one in found.filters], [one.cutoff for one in found.filters]
    tables.column(
        group, "kind", kinds, "1", "low-pass keeps |f| <= cutoff, high-pass the rest and the mean", ("filter",)
    )
    tables.column(group, "cutoff", np.array(cutoffs), CYCLES, "cut-off", ("filter",))
    for name, values in _named("accuracy", found.filtered_accuracy).items():
        tables.column(group, name, values, *_described(name), ("filter",))
    tables.column(group, "wrong", found.wrong_filtered, "1", "1 where the answer is wrong", ("image", "filter"))


def _write_images(group: h5py.Group, found: "HeatMap") -> None:
    tables.scale(group, "image", found.images.astype(np.int32), "1", "index into the data set")
    tables.column(group, "name", list(found.names), "1", "name in the data set", ("image",))
    words = "1 where the answer on the image as it is is wrong"
    tables.column(group, "wrong", found.wrong_before, "1", words, ("image",))


def _scales(group: h5py.Group, name: str, count: int, found: "HeatMap", words: str) -> None:
    tables.scale(group, name, np.arange(count, dtype=np.int32), "1", words)
    tables.scale(group, "image", found.images.astype(np.int32), "1", "index into the data set")


def _wave_figures(found: "HeatMap") -> dict[str, np.ndarray]:
    return _named("error", found.error) | _named("increase", found.increase) | _changes(found.mean_change)


def _changes(change: Mapping[str, Estimates]) -> dict[str, np.ndarray]:
    return {name: values for signal, one in change.items() for name, values in _named(f"change_{signal}", one).items()}


def _named(name: str, figures: Estimates) -> dict[str, np.ndarray]:
    return {name: figures.estimate, f"{name}_low": figures.low, f"{name}_high": figures.high}


_WORDS = {
    "error": "share of wrong answers",
    "increase": "error less that on the images as they are",
    "accuracy": "share of right answers",
    "change_prob": "mean L2 norm over outputs of the change of prob",
    "change_logit": "mean L2 norm over outputs of the change of logit",
}
_ENDS = {"low": "lower end of its 95 % interval", "high": "upper end of its 95 % interval"}


def _described(name: str) -> tuple[str, str]:
    """Unit and long name of a figure or of an end of its interval."""
    base, _, end = name.rpartition("_") if name.endswith(tuple(f"_{end}" for end in _ENDS)) else (name, "", "")
    return _UNITS.get(base.removeprefix("change_"), "1"), _WORDS[base] + (f": {_ENDS[end]}" if end else "")
