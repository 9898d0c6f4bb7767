"""Noise fitting for other programs: HDF5 (readable by h5py and xarray), JSON and CSV, all of the same flat tables.

/          attributes: tool version, data, input, noise, remarks, digest
/fits      a row per checkpoint, frequency and amplitude    /noises  a row per frequency and amplitude    /checkpoints
"""

import json
import os
from dataclasses import asdict
from pathlib import Path

from onnxspec.noise.found import NoiseFit
from onnxspec.report import export, flat
from onnxspec.report.destination import require_writable
from onnxspec.report.verification import NOISE, OTHERS
from onnxspec.saving import replacing

TABLES = ("fits", "noises", "checkpoints")

_QUANTITIES = {
    "accuracy": "share of images that are predicted right",
    "clean": "cross-entropy with the labels",
    "noisy": "cross-entropy with the soft targets",
    "noise_fitting": "clean less noisy cross-entropy",
    "following": "covariance of the smoothing and the mean less the right class's log probability",
    "explained": "(L_const - L_noisy) / (L_const - L_perfect)",
    "minimum": "lowest noise fitting over the checkpoints",
    "fall": "noise fitting of the first checkpoint less the lowest",
    "rise": "noise fitting of the last checkpoint less the lowest",
    "against_first": "minimum less that of the first frequency of the same amplitude; undefined for that itself",
}
_BOUNDS = {"": "", "_low": "lower end of the interval: ", "_high": "upper end of the interval: "}
_LONG_NAMES = {f"{q}{end}": f"{words}{name}" for q, name in _QUANTITIES.items() for end, words in _BOUNDS.items()} | {
    "model": "checkpoint",
    "place": "place in the series",
    "digest": "SHA-256 of the model",
    "frequency": "frequency of the noise",
    "amplitude": "A: the smoothing is A (1 + sin(...))",
    "form_uniform": "noise fitting of a network that is right and smooths by A whatever it sees",
    "form_perfect": "noise fitting of a network that gives the targets",
    "form_loss_uniform": "noisy cross-entropy of the former",
    "form_loss_perfect": "noisy cross-entropy of the latter",
    "form_following": "following of a network that gives the targets",
    "smoothing": "mean smoothing of the images that were measured",
    "perfect_here": "noise fitting, on the images that were measured, of a network that gives the targets",
    "concentration": "0 where the phases of the noise are uniform over the images, 1 where all are alike",
    "dip_model": "checkpoint with the lowest noise fitting",
    "verdict": "what fall and rise say of a dip",
}
_NATS = ("clean", "noisy", "noise_fitting", "following", "minimum", "fall", "rise", "against_first")
_UNITS = {f"{q}{end}": "nat" for q in _NATS for end in _BOUNDS} | {
    **{f"form_{name}": "nat" for name in ("uniform", "perfect", "loss_uniform", "loss_perfect", "following")},
    "perfect_here": "nat",
    "frequency": "cycles per unit L2 norm of the normalised input",
}


def write(found: NoiseFit, destination: str | os.PathLike[str]) -> None:
    """Writes an HDF5 file, under its name only when it is whole; raises as `require_writable` and `replacing` do."""
    require_writable(Path(destination))
    attributes = {
        **found.attributes,
        "remarks": json.dumps([asdict(remark) for remark in found.remarks]),
        NOISE: OTHERS[NOISE].version,
    }
    content = flat.to_hdf5(found.tables(), attributes, _LONG_NAMES, _UNITS)
    with replacing(destination) as file:
        file.write_bytes(content)


def to_json(found: NoiseFit) -> str:
    """One JSON object; undefined numbers are null, and all text is ASCII."""
    return flat.to_json(found.to_dict())


def require_table(table: str) -> None:
    """Refuses a table that there is not, before any work is done (UsageError)."""
    export.require_table(table, TABLES)


def to_csv(found: NoiseFit, table: str) -> str:
    """One table as CSV with a line of headings; raises as `require_table` does."""
    require_table(table)
    return flat.to_csv(found.tables()[table])
