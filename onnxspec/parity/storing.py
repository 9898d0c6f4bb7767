"""A protocol's result as HDF5, readable by h5py and xarray; equal runs make equal files, by `digest`.

/          attributes: protocol, model, data, plan, accuracy, remarks, digest
/figures   family, metric, estimate, low, high, paths, n_eff, reason, std over `row`
/paths     a variable per column over `path`, in the published order
/spectra   power, low, high over `family` and `frequency` (sbp)
/power     value over `bin`: |fft(g)|^2 of all paths one after the other, points // 2 + 1 each (sbp)
"""

import io
import json
import os
from dataclasses import asdict
from pathlib import Path

import h5py
import numpy as np

from onnxspec import interruption
from onnxspec.parity.result import ParityResult
from onnxspec.report import tables
from onnxspec.report.destination import require_writable
from onnxspec.report.verification import OTHERS, PARITY
from onnxspec.saving import replacing

FREQUENCY_UNIT = "cycles per unit L2 distance"
_LONG_NAMES = {
    "family": "which paths",
    "metric": "what was measured",
    "estimate": "arithmetic mean over paths",
    "low": "lower end of the 95 % interval",
    "high": "upper end of the 95 % interval",
    "paths": "how many were averaged",
    "n_eff": "effective number of paths that carry the figure",
    "reason": "why it is undefined, empty where it is defined",
    "std": "standard deviation over paths",
    "class_a": "class of the first image",
    "class_b": "class of the second image",
    "image_a": "index of the first image in the data",
    "image_b": "index of the second image in the data",
    "distance": "L2 distance of the images in the protocol's normalised input",
    "points": "points on the path",
    "right": "1 if the first image is predicted right",
    "hff": "high-frequency fraction",
    "consistent": "index of the first point predicted otherwise than the first",
}


def write(result: ParityResult, destination: str | os.PathLike[str]) -> None:
    """Writes an HDF5 file, under its name only when it is whole; raises as `require_writable` and `replacing` do."""
    require_writable(Path(destination))
    content = _content(result)
    with interruption.shield(), replacing(destination) as temporary:
        temporary.write_bytes(content)


def to_json(result: ParityResult) -> str:
    """One JSON object, all of whose text is ASCII: everything but single paths; undefined numbers are null."""
    return json.dumps(result.to_dict(), indent=2, allow_nan=False)


def _content(result: ParityResult) -> bytes:
    # Made in memory: HDF5 cannot live through a full disk, and all of it is smaller than the images were.
    image = io.BytesIO()
    with h5py.File(image, "w", libver=("earliest", "v110")) as file:
        rows = [figure.row() for figure in result.figures]
        if rows:
            _table(file.create_group("figures"), "row", {name: [row[name] for row in rows] for name in rows[0]})
        _table(file.create_group("paths"), "path", dict(result.paths))
        _spectra(file, result)
        tables.set_attributes(file, result.attributes)
        file.attrs["remarks"] = json.dumps([asdict(remark) for remark in result.remarks])
        file.attrs[PARITY] = OTHERS[PARITY].version
        tables.seal(file)
    return image.getvalue()


def _table(group: h5py.Group, dimension: str, columns: dict) -> None:
    count = len(next(iter(columns.values())))
    tables.scale(group, dimension, np.arange(count, dtype=np.int32), "1", f"number of the {dimension}")
    for name, values in columns.items():
        unit = "normalised L2" if name == "distance" else "1"
        tables.column(group, name, values, unit, _LONG_NAMES[name], (dimension,))


def _spectra(file: h5py.File, result: ParityResult) -> None:
    if result.power is None:
        return
    group = file.create_group("spectra")
    tables.scale(group, "frequency", result.spectra[0].frequency, FREQUENCY_UNIT, "centre of the bin")
    family = tables.column(group, "family", [s.family for s in result.spectra], "1", _LONG_NAMES["family"])
    family.make_scale("family")
    for name, long_name in (
        ("power", "mean of |fft(g)|^2 over paths"),
        ("low", _LONG_NAMES["low"]),
        ("high", _LONG_NAMES["high"]),
    ):
        values = np.stack([getattr(s, name) for s in result.spectra])
        tables.column(group, name, values, "1", long_name, ("family", "frequency"))
    bins = file.create_group("power")
    tables.scale(bins, "bin", np.arange(len(result.power), dtype=np.int32), "1", "number of the bin, over all paths")
    tables.column(bins, "value", result.power, "1", "|fft(g)|^2, path after path", ("bin",))
