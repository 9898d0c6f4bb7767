"""The parts of a report that are written once, after the last row."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from onnxspec.metrics import Bins
from onnxspec.report import schema, tables
from onnxspec.report.figuretable import FigureTable
from onnxspec.report.pooling import PooledSpectrum
from onnxspec.report.writer import ReportWriter
from onnxspec.results import GRIDS, Pilot, Strips

_FIGURE_TEXT = {
    "kind": "within, between, or the ratio of the two",
    "class_a": "class of the stratum, empty for all",
    "class_b": "second class of the stratum, empty for all",
    "selection": "right: both ends predicted right; all: every path",
    "signal": "signal that was measured",
    "metric": "what was measured",
    "estimator": "estimator of the spectrum",
    "reason": "why the figure is undefined, empty where it is defined",
}
_P_HOLM = (
    "p of the class against the rest of its kind, adjusted over the classes (shuffled paths, stepping down as Holm)"
)
_FIGURE_NUMBERS = schema.INTERVAL_COLUMNS | {"p_holm": ("1", _P_HOLM)}


def write_figures(writer: ReportWriter, figures: FigureTable) -> None:
    """The long table of pooled numbers."""
    group = writer.group("figures")
    tables.scale(group, "figure", np.arange(len(figures), dtype=np.int32), "1", "number of the figure")
    texts = {name: ("1", long_name) for name, long_name in _FIGURE_TEXT.items()}
    for name, (unit, long_name) in (texts | _FIGURE_NUMBERS).items():
        tables.column(group, name, figures.column(name), unit, long_name, ("figure",))


def write_spectra(
    writer: ReportWriter, spectra: Sequence[PooledSpectrum], bins: Bins, reference: float, estimator: str
) -> None:
    """Pooled spectra with confidence bands, a stratum a row, a signal a variable."""
    group = writer.group("spectra")
    strata = list(dict.fromkeys((spectrum.stratum, spectrum.selection) for spectrum in spectra))
    tables.scale(group, "stratum", np.arange(len(strata), dtype=np.int32), "1", "number of the stratum")
    tables.scale(group, "frequency", bins.frequency, schema.FREQUENCY_UNIT, "bin centre")
    per_reference = bins.frequency * reference
    tables.column(
        group,
        "frequency_per_reference",
        per_reference,
        "cycles per d_ref",
        "bin centre in cycles per d_ref",
        ("frequency",),
    )
    for name in ("kind", "class_a", "class_b"):
        tables.column(group, name, [getattr(s, name) for s, _ in strata], "1", _FIGURE_TEXT[name], ("stratum",))
    tables.column(group, "selection", [s for _, s in strata], "1", _FIGURE_TEXT["selection"], ("stratum",))
    for signal in dict.fromkeys(spectrum.signal for spectrum in spectra):
        unit, name = schema.describe_path_column(f"power_{signal}", estimator)
        of_signal = [spectrum for spectrum in spectra if spectrum.signal == signal]
        parts = {"": "power", "_low": "low", "_high": "high"}
        for suffix, part in parts.items():
            with np.errstate(over="ignore"):  # where one path is all, the upper end may be beyond float32
                values = np.stack([getattr(spectrum, part) for spectrum in of_signal]).astype(np.float32)
            long_name = f"mean {name}{', ' + part + ' end of its 95 % interval' if suffix else ''}"
            tables.column(group, f"power_{signal}{suffix}", values, unit, long_name, ("stratum", "frequency"))
        above = np.array([spectrum.above for spectrum in of_signal])
        tables.column(group, f"above_{signal}", above, unit, "mean power beyond the last bin", ("stratum",))
    paths = np.array([s.paths for s in spectra[:: max(1, len(spectra) // len(strata))]], np.int32)
    tables.column(group, "paths", paths, "1", "paths that were pooled", ("stratum",))


def write_classes(writer: ReportWriter, columns: Mapping[str, Any]) -> None:
    """The classes of the data: name, display name, model output, images, how many used ones are right."""
    group = writer.group("classes")
    tables.scale(group, "class", np.arange(len(columns["name"]), dtype=np.int32), "1", "number of the class")
    names = {
        "name": "class as it is shown",
        "folder": "class in the data",
        "output": "model output of the class",
        "images": "images of the class in the data",
        "used": "images of the class that were used as ends of paths",
        "right": "used images that are predicted right",
    }
    for name, long_name in names.items():
        tables.column(group, name, columns[name], "1", long_name, ("class",))


def write_images(writer: ReportWriter, index: np.ndarray, names: Sequence[str]) -> None:
    """Which images were used: index in the data set and name."""
    group = writer.group("images")
    tables.scale(group, "image", np.asarray(index, np.int32), "1", "index of the image in the data set")
    tables.column(group, "name", list(names), "1", "name of the image", ("image",))


def write_checks(writer: ReportWriter, pilot: Pilot, signals: tuple[str, ...]) -> None:
    """Convergence per kind and signal, and the noise floor per sine bin."""
    group = writer.group("checks")
    found = pilot.convergence
    tables.scale(group, "check", np.arange(len(found), dtype=np.int32), "1", "number of the check")
    tables.column(group, "kind", [c.kind for c in found], "1", "kind of path", ("check",))
    tables.column(group, "signal_name", [c.signal for c in found], "1", "signal", ("check",))
    tables.column(group, "paths", [c.paths for c in found], "1", "paths of the pilot", ("check",))
    for metric in ("hff", "slope", "excess_tv"):
        for i, grid in enumerate(GRIDS):
            values = [c.figures[metric][i] if metric in c.figures else np.nan for c in found]
            tables.column(group, f"{metric}_{grid}", values, "1", f"{metric} on the {grid} grid", ("check",))
    for name, long_name in {
        "off_grid": "mean squared error of the sine interpolant off the grid",
        "high": "mean power above the cut-off",
        "total": "mean of what hff is a share of",
        "floor": "mean power of the rounding noise",
        "unresolved": "1 if the outputs move between the grid points",
    }.items():
        values = [float(getattr(c, name)) for c in found]
        tables.column(group, name, values, "1", long_name, ("check",))
    tables.scale(group, "signal", np.arange(len(signals), dtype=np.int32), "1", "number of the signal")
    frequency = np.arange(1, len(pilot.floor[signals[0]]) + 1) / 2
    tables.scale(group, "noise_bin", frequency, schema.PATH_FREQUENCY_UNIT, "frequency of a sine bin")
    floor = np.stack([pilot.floor[signal] for signal in signals])
    dataset = tables.column(group, "noise_floor", floor, "1", "noise power per sine bin", ("signal", "noise_bin"))
    dataset.attrs["signals"] = " ".join(signals)
    dataset.attrs["source"] = pilot.floor_source


def write_strips(writer: ReportWriter, strips: Strips, name_of: Mapping[int, str]) -> None:
    """Paths to look at: probability curves, and the images at the ends where they may be kept."""
    if not len(strips.path):
        return
    group = writer.group("strips")
    count, classes, points = strips.prob.shape
    tables.scale(group, "strip", np.arange(count, dtype=np.int32), "1", "number of the strip")
    tables.scale(group, "rank", np.arange(classes, dtype=np.int32), "1", "place among the likeliest classes")
    tables.scale(group, "t", np.linspace(0, 1, points), "1", "place on the path")
    tables.column(group, "path", strips.path, "1", "path in /paths", ("strip",))
    tables.column(group, "wild", strips.wild, "1", "1 for the wildest, 0 for the calmest of a kind", ("strip",))
    tables.column(group, "hff", strips.hff, "1", "share of fast wiggling of the path", ("strip",))
    tables.column(group, "output", strips.output, "1", "model output", ("strip", "rank"))
    names = np.array([[name_of.get(o, f"output {o}") for o in row] for row in strips.output.tolist()], object)
    tables.column(group, "name", names, "1", "class of the output", ("strip", "rank"))
    tables.column(group, "prob", strips.prob, "1", "probability of the class", ("strip", "rank", "t"))
    if strips.thumbnail is not None:
        axes = ("end", "row", "column", "channel")
        for axis, length in zip(axes, strips.thumbnail.shape[1:], strict=True):
            tables.scale(group, axis, np.arange(length, dtype=np.int32), "1", f"{axis} of the thumbnail")
        long_name = "image at the end of the path, made small"
        tables.column(group, "thumbnail", strips.thumbnail, "1", long_name, ("strip", *axes))
