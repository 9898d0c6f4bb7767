"""What stands in a report: groups, dimensions, units and names (HDF5, readable by h5py and xarray).

    /          attributes: schema and tool version, settings, model, data, provider, form of the path, seed, digest
    /paths     one row per path: its pair, status, scalars, and power per signal (path, bin)
    /figures   every pooled number, in one long table
    /spectra   mean power per stratum with confidence bands (stratum, frequency)
    /classes   the classes of the data: display name, model output, accuracy
    /images    the images that were used
    /checks    the pilot: convergence, and the noise floor (signal, noise_bin)
    /strips    paths to look at: probability curves and the images at the ends (strip, rank, t, ...)
    /families  pooled numbers of other families of paths, and /paths_FAMILY their rows: only where a run has them
    /run       attributes that differ between equal runs: time, host, command line, batch, threads (workers, and inside a session)

`digest` covers everything outside /run but the names of model and data and the remarks, `digest_with_names` these too.
"""

from functools import cache

SCHEMA_VERSION = 3

SIGNAL_UNITS = {"prob": "1", "logit": "nat", "label": "1", "distance": "1"}
FREQUENCY_UNIT = "cycles per unit RMS distance"
PATH_FREQUENCY_UNIT = "cycles per path"
DISTANCE_UNIT = "RMS pixel difference"

_PATH_COLUMNS = {
    "kind": ("1", "0 within a class, 1 between classes"),
    "class_a": ("1", "class of the first image, index into /classes"),
    "class_b": ("1", "class of the second image, index into /classes"),
    "image_a": ("1", "first image, index into the data set"),
    "image_b": ("1", "second image, index into the data set"),
    "predicted_a": ("1", "model output predicted for the first image"),
    "predicted_b": ("1", "model output predicted for the second image"),
    "ends_right": ("1", "how many of the two ends are predicted right"),
    "same_prediction": ("1", "1 if both ends are predicted alike"),
    "within_reach": ("1", "1 if the cut-off is at most half the Nyquist frequency of the path"),
    "distance": (DISTANCE_UNIT, "distance between the two images"),
    "excess_tv": ("1", "total variation of the probabilities beyond the change between the ends"),
    "flips": ("1", "changes of the predicted class along the path"),
    "consistent": ("1", "fraction of the path before the first flip"),
    "width": (DISTANCE_UNIT, "distance over which the one decision is taken"),
}
OF_THE_METRIC = "that of the metric"
"""In a table of figures each row has a unit of its own: `figure_unit`."""
INTERVAL_COLUMNS = {
    "estimate": (OF_THE_METRIC, "pooled figure"),
    "low": (OF_THE_METRIC, "lower end of the 95 % interval"),
    "high": (OF_THE_METRIC, "upper end of the 95 % interval"),
    "paths": ("1", "paths that were pooled"),
    "n_eff": ("1", "effective number of paths that carry the figure"),
}
_SIGNAL_COLUMNS = {
    "power": "power per bin, summed over outputs",
    "wiggle": "power around the chord",
    "chord": "squared change between the two ends",
    "slope": "RMS change per unit RMS distance",
    "hf": "power above the cut-off",
    "total": "what hf is a share of",
}


_MAGNITUDES = {
    "power": "mean magnitude per bin over outputs",
    "hf": "magnitudes from a tenth of the bins on",
    "total": _SIGNAL_COLUMNS["total"],
}
"""Of MOOL's estimator, which are no powers."""

RATIO = "between/within"
_BY_SIGNAL = ("slope", "wiggle", "chord")
_FIGURE_UNITS = dict.fromkeys(("width", "length", "spread"), DISTANCE_UNIT)
_FIGURE_UNITS |= dict.fromkeys(("centroid", "rolloff"), FREQUENCY_UNIT)


def describe_path_column(name: str, estimator: str = "sine") -> tuple[str, str]:
    """Units and long name of a column of /paths; `estimator` is that of columns that name none."""
    if name in _PATH_COLUMNS:
        return _PATH_COLUMNS[name]
    quantity, signal, *named = name.split("_")
    unit, meanings = SIGNAL_UNITS[signal], _SIGNAL_COLUMNS
    if quantity == "slope":
        unit = f"{unit} per unit {DISTANCE_UNIT}"
    elif quantity in _MAGNITUDES and (named or [estimator])[0] == "mool":
        meanings = _MAGNITUDES
    elif unit != "1":
        unit = f"{unit}2"
    by = f" ({named[0]} estimator)" if named else ""
    return unit, f"{meanings[quantity]} of {signal}{by}"


@cache
def figure_unit(kind: str, signal: str, metric: str) -> str:
    """Unit of a pooled figure: "1" for shares, counts and ratios of kinds, and where a stranger's file names no signal."""
    if kind == RATIO:
        return "1"
    if metric in _BY_SIGNAL and signal in SIGNAL_UNITS:
        return describe_path_column(f"{metric}_{signal}")[0]
    return _FIGURE_UNITS.get(metric, "1")
