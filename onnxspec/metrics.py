"""What is read off a path and off a pooled spectrum: the functionals of method.md section 4.

Arrays in, arrays out; NumPy only. Distances are RMS pixel differences; a cut-off is in cycles per unit RMS distance.
"""

import math
import sys
from dataclasses import dataclass

import numpy as np

from onnxspec.spectra import Spectrum

CYCLES_PER_REFERENCE = 4.0
MOST_BINS = 4
"""Common ones to a point of a path."""
CENTROID_LIMIT = 16.0
ROLLOFF_SHARE = 0.95


def within_reach(distance: np.ndarray, cutoff: float, points: int) -> np.ndarray:
    """Which paths have their cut-off at or under half their Nyquist frequency, (paths,) bool."""
    return np.asarray(distance) * cutoff <= (points - 1) / 4


def enough_points(distance: float, cutoff: float) -> int:
    """Smallest 2^m + 1 that is at least 8 f_c d + 1, and 9: what a path of this length needs (method.md section 7)."""
    cycles = min(8 * cutoff * distance, sys.float_info.max)
    return 2 ** max(3, math.ceil(math.log2(cycles))) + 1 if cycles > 0 else 9


def high_power(spectrum: Spectrum, distance: np.ndarray, cutoff: float) -> np.ndarray:
    """`hf`: power above the cut-off, (paths,) float64; a bin counts by its fraction above.

    Parameters
    ----------
    distance : (paths,) float64; cutoff : cycles per unit RMS distance
    """
    threshold = np.asarray(distance)[:, None] * cutoff
    above = (spectrum.frequency + spectrum.half_width - threshold) / (2 * spectrum.half_width)
    return (spectrum.power * np.clip(above, 0.0, 1.0)).sum(-1)


def mool_high_power(magnitude: np.ndarray) -> np.ndarray:
    """MOOL's high part of mean magnitudes (paths, bins), constant first: sum M[tau:K-1], tau = ceil(K / 10). (paths,)

    The last bin is missing from it and the constant is in the denominator, sum M, as in the released code.
    """
    bins = magnitude.shape[-1]
    return magnitude[..., -(-bins // 10) : bins - 1].sum(-1)


def slope(sine_power: np.ndarray, chord: np.ndarray, distance: np.ndarray) -> np.ndarray:
    """RMS change of the signal per unit RMS distance, (paths,) float64; NaN where two images are the same.

    sqrt(chord + sum_k (pi k)^2 P_k) / d: the sine interpolant's derivative, exactly.

    Parameters
    ----------
    sine_power : (paths, points - 2) float64 of `spectra.sine`; chord, distance : (paths,) float64
    """
    k = np.arange(1, sine_power.shape[-1] + 1)
    # Power less a noise floor may sum to less than nothing.
    change = np.sqrt(np.maximum(chord + (np.square(np.pi * k) * sine_power).sum(-1), 0.0))
    return np.divide(change, distance, out=np.full_like(change, np.nan), where=np.asarray(distance) > 0)


def closed_slope(power: np.ndarray, length: np.ndarray) -> np.ndarray:
    """`slope` of closed paths: sqrt(sum_k (2 pi k)^2 P_k) / length, (paths,) float64; NaN where a length is zero.

    Parameters
    ----------
    power : (paths, bins) float64 of `spectra.closed`; length : (paths,) float64
    """
    k = 2 * np.arange(1, power.shape[-1] + 1)
    change = np.sqrt(np.maximum((np.square(np.pi * k) * power).sum(-1), 0.0))
    return np.divide(change, length, out=np.full_like(change, np.nan), where=np.asarray(length) > 0)


def excess_tv(prob: np.ndarray) -> np.ndarray:
    """Total variation of (paths, points, classes) probabilities beyond the change between the ends, (paths,)."""
    steps = np.abs(np.diff(prob, axis=1)).sum((1, 2)) / 2
    return np.maximum(steps - np.abs(prob[:, -1] - prob[:, 0]).sum(-1) / 2, 0.0)


def flips(labels: np.ndarray) -> np.ndarray:
    """How often the prediction changes along (paths, points) labels, (paths,) int64."""
    return (labels[:, 1:] != labels[:, :-1]).sum(-1)


def consistent(labels: np.ndarray) -> np.ndarray:
    """Fraction of the path before the first flip, taken half-way between its two points; 1 without one. (paths,)"""
    changed = labels != labels[:, :1]
    first = np.argmax(changed, axis=1)
    return np.where(changed.any(1), (first - 0.5) / (labels.shape[1] - 1), 1.0)


def width(prob: np.ndarray, labels: np.ndarray, distance: np.ndarray) -> np.ndarray:
    """How far the one decision takes, in units of RMS distance, (paths,) float64; NaN without exactly one flip.

    g = p_B / (p_A + p_B), A and B the predictions at the ends: from the last g <= .1 before the flip to the first
    g >= .9 after it, linearly interpolated; NaN where g does not reach them.
    """
    out = np.full(len(prob), np.nan)
    once = np.flatnonzero(flips(labels) == 1)
    p = np.take_along_axis(prob[once], labels[once][:, None, [0, -1]], 2)
    g = p[..., 1] / p.sum(-1)
    flipped = labels[once] != labels[once, :1]
    low, high = (g <= 0.1) & ~flipped, (g >= 0.9) & flipped
    reached = low.any(1) & high.any(1)
    g, last_low, first_high = g[reached], low[reached, ::-1].argmax(1), high[reached].argmax(1)
    steps = _crossing(g, first_high - 1, 0.9) - _crossing(g, g.shape[1] - 1 - last_low, 0.1)
    out[once[reached]] = steps / (g.shape[1] - 1) * distance[once[reached]]
    return out


def _crossing(g: np.ndarray, before: np.ndarray, level: float) -> np.ndarray:
    """Where (paths, points) g gets to a level behind the points `before` (paths,)."""
    at, after = (np.take_along_axis(g, index[:, None], 1)[:, 0] for index in (before, before + 1))
    return before + (level - at) / (after - at)


@dataclass(frozen=True)
class Bins:
    """Frequency bins common to paths of different length: centred at j * unit, j = 0..count-1.

    unit : cycles per unit RMS distance, 1 / (2 d_ref)
    """

    unit: float
    count: int

    @classmethod
    def common(cls, distance: np.ndarray, points: int, reference: float) -> "Bins":
        """Bins up to the lowest Nyquist frequency of paths of these distances (paths,), and one beside that at zero.

        At most four a point: paths between images that are nearly the same reach to any frequency.
        """
        unit = 1 / (2 * reference)
        longest = np.max(distance) or reference
        lowest = min((points - 1) / 2 / longest, MOST_BINS * points * unit)
        return cls(unit, max(int(np.floor(lowest / unit + 0.5 + 1e-9)), 2))

    @property
    def frequency(self) -> np.ndarray:
        """Bin centres, (count,) float64, cycles per unit RMS distance."""
        return np.arange(self.count) * self.unit


def rebinned(
    power: np.ndarray,
    frequency: np.ndarray,
    half_width: float,
    distance: np.ndarray,
    bins: Bins,
    wanted: slice = slice(None),
) -> np.ndarray:
    """Per-path power in common physical bins, spread by overlap with the total conserved.

    Parameters
    ----------
    power : (paths, bins) float; frequency : (bins,) float64 and half_width in cycles per path
    distance : (paths,) float64; wanted : columns of the result

    Returns
    -------
    (paths, bins.count + 1) float64, or the wanted columns of it; the last is the power above the last common bin
    """
    paths, count = power.shape
    first, stop, _ = wanted.indices(bins.count + 1)
    # Summed from the top: the power there is smaller than the rounding of a total by far.
    above = np.zeros((paths, count + 1))
    np.cumsum(power[:, ::-1], axis=1, dtype=np.float64, out=above[:, count - 1 :: -1])
    edges = (np.arange(max(first - 1, 0), min(stop, bins.count)) + 0.5) * bins.unit
    position = np.asarray(distance)[:, None] * edges - (frequency[0] - half_width)
    position = np.clip(position / (2 * half_width), 0, count)
    whole = np.minimum(position.astype(np.int64), count - 1)
    rest = np.take_along_axis(above, whole + 1, 1)
    rest += (1 - (position - whole)) * np.take_along_axis(power, whole, 1)
    whole_path, nothing = above[:, :1], np.zeros((paths, 1))
    return -np.diff(np.hstack([whole_path] * (first == 0) + [rest] + [nothing] * (stop > bins.count)))


def centroid(power: np.ndarray, bins: Bins, reference: float) -> float:
    """Mean frequency of a pooled spectrum (count,) up to 16 cycles per d_ref, in cycles per unit RMS distance."""
    kept = bins.frequency <= CENTROID_LIMIT / reference
    total = power[kept].sum()
    return float((bins.frequency * power)[kept].sum() / total) if total > 0 else float("nan")


def rolloff(power: np.ndarray, bins: Bins, above: float = 0.0) -> float:
    """Frequency below which 95 % of the wiggle lies, interpolated, in cycles per unit RMS distance.

    NaN where that is beyond the last bin.

    Parameters
    ----------
    power : (count,) pooled spectrum; above : power beyond its last bin
    """
    total = power.sum() + above
    if not power.sum() > ROLLOFF_SHARE * total:
        return float("nan")
    edges = np.concatenate([[0.0], bins.frequency + bins.unit / 2])
    return float(np.interp(ROLLOFF_SHARE, np.concatenate([[0.0], np.cumsum(power) / total]), edges))


def decay(power: np.ndarray, bins: Bins, cutoff: float) -> float:
    """Slope of log2 power over log2 frequency of a pooled spectrum (count,), cut-off to half the Nyquist frequency.

    NaN with fewer than three bins of positive power there.
    """
    f = bins.frequency
    slack = 1e-9 * bins.unit  # both ends usually are bin centres
    kept = (f >= cutoff - slack) & (f <= (f[-1] + bins.unit) / 2 + slack) & (f > 0) & (power > 0)
    if kept.sum() < 3:
        return float("nan")
    return float(np.polyfit(np.log2(f[kept]), np.log2(power[kept]), 1)[0])
