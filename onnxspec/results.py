"""What is found, as plain values: the rows of paths, the pilot and what it says, remarks, strips.

A row is what one path leaves behind once its outputs are gone: its pair, its ends, its scalars and its class-summed
power per signal; rows concatenate, and every statistic is computed from them. Column names carry the signal
(`hf_prob`), and for the estimators beside the chosen one the estimator too (`hf_prob_hann`).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from onnxspec import metrics, signals, spectra
from onnxspec.paths.pairs import Pairs
from onnxspec.settings import ESTIMATORS, Measurement

TOLERANCE = {"hff": 0.02, "slope": 0.05, "excess_tv": 0.10}
UNRESOLVED_SHARE = 0.1
ABOVE_FLOOR = 10.0
NEGLIGIBLE = 1e-9
UNSEEN = 1e-9
GRIDS = ("half", "chosen", "double")
"""What the pilot evaluates its paths on: (N + 1) / 2, N and 2 N - 1 points."""
CURVES = 5
"""Classes of a path that may be shown."""


@dataclass(frozen=True)
class Rows:
    """Columns by name, each (paths,) or (paths, bins).

    curves : of paths that were measured just now, as of `curves`; gone once rows are joined or kept
    """

    columns: Mapping[str, np.ndarray]
    curves: "Rows | None" = None

    def __len__(self) -> int:
        return len(next(iter(self.columns.values()), ()))

    def __getitem__(self, name: str) -> np.ndarray:
        return self.columns[name]

    @staticmethod
    def concatenated(parts: Sequence["Rows"]) -> "Rows":
        """The rows of all parts in order.

        Raises
        ------
        ValueError
            The parts have different columns.
        """
        names = list(parts[0].columns)
        if any(list(part.columns) != names for part in parts):
            raise ValueError("rows of different measurements cannot be joined")
        return Rows({name: np.concatenate([part[name] for part in parts]) for name in names})


@dataclass(frozen=True)
class Reading:
    """How outputs are read: frozen before the first row, the same for all.

    cutoff : cycles per unit RMS distance; probabilities : the model ends in softmax
    columns : (kept,) int output indices the softmax is taken over, or None for all
    output_of : (classes,) int output index of every class of the data
    floor : signal to the noise power per sine bin that is subtracted, (points - 2,) float64; None for nothing
    """

    measurement: Measurement
    cutoff: float
    probabilities: bool
    output_of: np.ndarray
    columns: np.ndarray | None = None
    floor: Mapping[str, np.ndarray] | None = None

    def signal(self, name: str, outputs: np.ndarray) -> np.ndarray:
        """A signal of raw outputs (paths, points, outputs): (paths, points, classes) float64."""
        return signals.SIGNALS[name](self.kept(outputs), self.probabilities)

    def kept(self, outputs: np.ndarray) -> np.ndarray:
        """The outputs that count."""
        return signals.restricted(outputs, self.columns, self.probabilities)

    def predicted(self, outputs: np.ndarray) -> np.ndarray:
        """Predicted output indices of (..., outputs), int64."""
        best = signals.labels(self.kept(outputs))
        return best if self.columns is None else self.columns[best]


def measure(outputs: np.ndarray, pairs: Pairs, distance: np.ndarray, reading: Reading) -> Rows:
    """The rows of some linear paths.

    Parameters
    ----------
    outputs : (paths, points, outputs) float32, logits or probabilities
    pairs : their ends; distance : (paths,) float64 RMS pixel difference
    """
    points = outputs.shape[1]
    predicted = reading.predicted(outputs[:, [0, -1]])
    true = np.stack([reading.output_of[pairs.class_a], reading.output_of[pairs.class_b]], -1)
    columns: dict[str, np.ndarray] = {
        "kind": pairs.kind,
        "class_a": pairs.class_a,
        "class_b": pairs.class_b,
        "image_a": pairs.image_a,
        "image_b": pairs.image_b,
        "predicted_a": predicted[:, 0].astype(np.int32),
        "predicted_b": predicted[:, 1].astype(np.int32),
        "ends_right": (predicted == true).sum(-1).astype(np.int8),
        "same_prediction": (predicted[:, 0] == predicted[:, 1]).astype(np.int8),
        "within_reach": metrics.within_reach(distance, reading.cutoff, points).astype(np.int8),
        "distance": distance,
    }
    prob = reading.signal("prob", outputs)
    columns |= _decisions(prob, signals.labels(reading.kept(outputs)), distance)
    for name in reading.measurement.signals:
        signal = prob if name == "prob" else reading.signal(name, outputs)
        columns |= _spectral(name, signal, distance, reading)
    return Rows(columns, curves(prob, reading))


def curves(prob: np.ndarray, reading: Reading) -> Rows:
    """Of probabilities (paths, points, classes) what may be shown: the classes that get highest on each path.

    Returns
    -------
    Rows
        output : (paths, 5) int32, output indices, the highest first; prob : (paths, 5, points) float32
    """
    best = np.argsort(-prob.max(1), axis=-1, kind="stable")[:, :CURVES]
    output = best if reading.columns is None else reading.columns[best]
    along = np.take_along_axis(prob, best[:, None], 2).swapaxes(1, 2)
    return Rows({"output": output.astype(np.int32), "prob": along.astype(np.float32)})


def _decisions(prob: np.ndarray, labels: np.ndarray, distance: np.ndarray) -> dict[str, np.ndarray]:
    return {
        "excess_tv": metrics.excess_tv(prob),
        "flips": metrics.flips(labels).astype(np.int32),
        "consistent": metrics.consistent(labels),
        "width": metrics.width(prob, labels, distance),
    }


def _spectral(name: str, signal: np.ndarray, distance: np.ndarray, reading: Reading) -> dict[str, np.ndarray]:
    chosen = reading.measurement.estimator
    chord = spectra.chord(signal)
    by_estimator = {estimator: spectra.ESTIMATORS[estimator](signal) for estimator in ESTIMATORS}
    if reading.floor is not None:
        by_estimator["sine"] = less_noise(by_estimator["sine"], reading.floor[name])
    sine = by_estimator["sine"].power
    columns = {
        f"wiggle_{name}": sine.sum(-1),
        f"chord_{name}": chord,
        f"slope_{name}": metrics.slope(sine, chord, distance),
        f"power_{name}": by_estimator[chosen].power.astype(np.float32),
    }
    for estimator, spectrum in by_estimator.items():
        suffix = name if estimator == chosen else f"{name}_{estimator}"
        columns[f"hf_{suffix}"] = high_part(estimator, spectrum, distance, reading.cutoff)
        columns[f"total_{suffix}"] = spectrum.total
    return columns


def less_noise(spectrum: spectra.Spectrum, floor: np.ndarray) -> spectra.Spectrum:
    """A spectrum without the power that rounding adds; bins may come out below zero, so that sums stay unbiased."""
    return replace(spectrum, power=spectrum.power - floor, total=spectrum.total - floor.sum())


def high_part(estimator: str, spectrum: spectra.Spectrum, distance: np.ndarray, cutoff: float) -> np.ndarray:
    """The part of a spectrum that counts as high under an estimator's own definition, (paths,) float64."""
    if estimator == "mool":
        return metrics.mool_high_power(spectrum.power)
    return metrics.high_power(spectrum, distance, cutoff)


@dataclass(frozen=True)
class Strips:
    """Paths to look at.

    path : (strips,) int32 row numbers; wild : (strips,) int8, 1 for the wildest, 0 for the calmest
    hff : (strips,) float64; output : (strips, classes) int32 the classes that get highest on the path
    prob : (strips, classes, points) float32
    thumbnail : (strips, 2, h, w, 1 or 3) uint8, the images at the two ends, or None
    """

    path: np.ndarray
    wild: np.ndarray
    hff: np.ndarray
    output: np.ndarray
    prob: np.ndarray
    thumbnail: np.ndarray | None


@dataclass(frozen=True)
class Remark:
    """Something the reader of a report must know: a stable `code`, what was found, and what to do about it."""

    code: str
    text: str
    hint: str = ""

    def __str__(self) -> str:
        return f"{self.text} {self.hint}".rstrip()


def advised(remarks: Iterable[Remark]) -> list[tuple[str, str]]:
    """Texts, each with its hint; those of one code and one hint are one, as they share the advice."""
    told: dict[tuple[str, str], list[str]] = {}
    for remark in remarks:
        told.setdefault((remark.code, remark.hint), []).append(remark.text)
    return [(" ".join(dict.fromkeys(texts)), hint) for (_, hint), texts in told.items()]


@dataclass(frozen=True)
class Convergence:
    """What the pilot found of one signal of one kind.

    figures : metric to its values on `GRIDS`
    off_grid : mean squared error of the sine interpolant off the grid, squared units of the signal
    high, total : mean power above the cut-off and in all at N points, of sines; floor : mean power of the rounding noise
    """

    kind: str
    signal: str
    paths: int
    figures: dict[str, tuple[float, float, float]]
    off_grid: float
    high: float
    total: float
    floor: float

    @property
    def unresolved(self) -> bool:
        """Whether the outputs move between the grid points in a way that the grid does not see."""
        return self.off_grid > max(UNRESOLVED_SHARE * self.high + ABOVE_FLOOR * self.floor, NEGLIGIBLE * self.total)

    @property
    def noise(self) -> bool:
        """Whether what the figures have above the cut-off is rounding noise, give or take."""
        # Another estimator than the sine may have much there where that has nothing: the tail of a jump.
        high = max(self.high, self.figures["hff"][1] * self.total)
        return high <= max(ABOVE_FLOOR * self.floor, NEGLIGIBLE * self.total)

    @property
    def unconverged(self) -> tuple[str, ...]:
        """The metrics that twice the points would change by more than their tolerance."""
        return tuple(metric for metric in self.figures if self.change(metric) > TOLERANCE[metric])

    def change(self, metric: str) -> float:
        """Relative change of a metric from N to 2 N - 1 points; 0 where it is rounding noise."""
        _, chosen, double = self.figures[metric]
        if self.noise or not (chosen > UNSEEN and double > UNSEEN):
            return 0.0
        return abs(chosen / double - 1)


SAME_BITS, ROUNDED, RANDOM, IN_COMPANY = "same bits", "rounded otherwise", "random", "depends on the batch"


@dataclass(frozen=True)
class Pilot:
    """All that was found before the run.

    points : on a path, as the run takes them
    floor : signal to the noise power per sine bin, (points - 2,) float64
    repetition : what becomes of the same images in other batches, SAME_BITS or another of these
    """

    convergence: tuple[Convergence, ...]
    floor: dict[str, np.ndarray]
    floor_source: str
    repetition: str
    points: int

    @property
    def too_coarse(self) -> bool:
        """Whether twice the points would tell more: something has not converged, or is not resolved."""
        return any(one.unresolved or one.unconverged for one in self.convergence)
