"""A comparison for other programs: HDF5 (readable by h5py and xarray), JSON and CSV, all of the same flat tables.

/            attributes: schema and tool version, reference, data, plan, remarks, digest
/models  /figures  /contrasts  /ranking  /spectra  /agreement     a variable per column over the dimension `row`
"""

import io
import json
import os
from dataclasses import asdict, fields
from pathlib import Path

import h5py

from onnxspec.comparison.comparison import RANKING, Comparison
from onnxspec.comparison.mean_spectra import BinOf
from onnxspec.errors import UsageError
from onnxspec.report import export, flat
from onnxspec.report.destination import require_writable
from onnxspec.report.schema import FREQUENCY_UNIT
from onnxspec.report.verification import COMPARISON, OTHERS
from onnxspec.saving import replacing

TABLES = ("models", "figures", "contrasts", "ranking", "spectra", "agreement")

_LONG_NAMES = {
    "name": "model",
    "model": "model",
    "reference": "model it is compared to",
    "source": "file of the model or of its report",
    "digest": "SHA-256 of the model",
    "from_report": "1 if it was measured before",
    "position": "place in the series",
    "accuracy": "share of the used images that are predicted right",
    "accuracy_low": "lower end of the 95 % interval of the accuracy",
    "accuracy_high": "upper end of the 95 % interval of the accuracy",
    "accuracy_images": "images that the accuracy was measured on",
    "cutoff": "cut-off that the model was measured with",
    "paths": "paths that were compared",
    "left_out": "paths of the model that the reference has not",
    "kind": "within or between classes",
    "class_a": "class of the stratum, empty for all",
    "class_b": "second class of the stratum, empty for all",
    "signal": "signal that was measured",
    "metric": "what was measured",
    "scale": "factor (of the reference's figure) or difference",
    "estimate": "figure, or of a contrast the factor over pairs right under both models",
    "low": "lower end of the 95 % interval",
    "high": "upper end of the 95 % interval",
    "n_eff": "effective number of paths that carry the figure",
    "unit": "unit of estimate, low and high",
    "reason": "why it is undefined, empty where it is defined",
    "own_estimate": "factor over the pairs right under each model by itself",
    "own_low": "lower end of its 95 % interval",
    "own_high": "upper end of its 95 % interval",
    "own_reason": "why that is undefined, empty where it is defined",
    "p": "two-sided p of no difference, over pairs right under both models",
    "p_holm": "p adjusted over the classes of the kind (paths swapped between the models, stepping down as Holm)",
    "pairs": "pairs right under both models",
    "own_pairs": "pairs right under the model",
    "reference_pairs": "pairs right under the reference",
    "verdict": "what that says",
    "frequency": "centre of the bin",
    "frequency_per_reference": "centre of the bin in cycles per d_ref",
    "power": "mean power in the bin over the pairs right under the model",
    "place": "1 for the lowest figure",
    "letters": "models that share a letter are not told apart",
    "distance": "mean total variation distance of the probabilities along the paths",
    "distance_95": "its 95th percentile over paths",
    "logit_difference": "RMS difference of the centred logits",
    "noise": "RMS change of the reference's centred logits under rounding",
    "same_points": "share of points with the same prediction",
    "same_flips": "share of paths with the same sequence of predictions",
    "constant": "share of the squared difference that is constant along a path",
    "slow": "share of it up to 1/4 of the cut-off",
    "middle": "share of it from 1/4 to 1/2 of the cut-off",
    "fast": "share of it from 1/2 of the cut-off to the cut-off",
    "fastest": "share of it above the cut-off",
}
# A ranking leaves out what is undefined, and older files have no spectra.
_MAY_BE_EMPTY = {"ranking": RANKING, "spectra": tuple(field.name for field in fields(BinOf))}
_UNITS = {
    "cutoff": FREQUENCY_UNIT,
    "frequency": FREQUENCY_UNIT,
    "frequency_per_reference": "cycles per d_ref",
    "logit_difference": "nat",
    "noise": "nat",
}


def write(comparison: Comparison, destination: str | os.PathLike[str]) -> None:
    """Writes an HDF5 file, under its name only when it is whole; raises as `require_writable` and `replacing` do."""
    require_writable(Path(destination))
    content = _content(comparison)
    with replacing(destination) as place:
        place.write_bytes(content)


def digest(comparison: Comparison) -> str:
    """That of the file which holds it, SHA-256 (hex): of all but its names and remarks."""
    with h5py.File(io.BytesIO(_content(comparison)), "r") as file:
        return str(file.attrs["digest"])


def to_json(comparison: Comparison) -> str:
    """One JSON object; undefined numbers are null, and all text is ASCII."""
    return json.dumps(comparison.to_dict(), indent=2, allow_nan=False)


def require_table(table: str, with_agreement: bool) -> None:
    """Refuses a table that will not be there, before any work is done.

    Raises
    ------
    UsageError
        There is no such table, or it is agreement and was not asked for.
    """
    export.require_table(table, TABLES)
    if table == "agreement" and not with_agreement:
        raise UsageError("The table agreement is empty.", "Ask for it with compare --agreement.")


def to_csv(comparison: Comparison, table: str) -> str:
    """One table as CSV with a line of headings; undefined numbers are empty, formulas are made text.

    Raises as `require_table` does.
    """
    require_table(table, bool(comparison.agreement))
    return flat.to_csv(comparison.tables()[table], _MAY_BE_EMPTY.get(table, ()))


def _content(comparison: Comparison) -> bytes:
    attributes = comparison.attributes | {
        "reference": comparison.reference,
        "remarks": json.dumps([asdict(remark) for remark in comparison.remarks]),
        COMPARISON: OTHERS[COMPARISON].version,
    }
    return flat.to_hdf5(comparison.tables(), attributes, _LONG_NAMES, _UNITS)
