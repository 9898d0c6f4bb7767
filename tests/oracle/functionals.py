"""Section 4: numbers read off one path."""

import math

import numpy as np

from oracle.estimators import chord_line, sine, trapezoid_mean
from oracle.signals import predicted


def chord(signal):
    """||s(1) - s(0)||^2."""
    return math.fsum((end - start) ** 2 for start, end in zip(signal[0], signal[-1], strict=True))


def wiggle(signal):
    """Mean square, over the path, of what is left beside the chord."""
    return trapezoid_mean([math.fsum(values**2) for values in signal - chord_line(signal)])


def share_above(low, high, cutoff):
    """How much of the band low..high lies above the cut-off."""
    if cutoff <= low:
        return 1.0
    if cutoff >= high:
        return 0.0
    return (high - cutoff) / (high - low)


def hf(frequencies, power, cutoff_per_path):
    """Power above the cut-off; a bin reaches half a spacing to either side, and counts by the part above."""
    half = (frequencies[1] - frequencies[0]) / 2
    return math.fsum(
        p * share_above(f - half, f + half, cutoff_per_path) for f, p in zip(frequencies, power, strict=True)
    )


def everything(estimator, power, signal):
    """All that the outputs do: the wiggle and the chord's energy, which `cosine` and `rfft` already count as power."""
    return math.fsum(power) + (0.0 if estimator in ("cosine", "rfft") else chord(signal) / 12)


def usable(points, cutoff_per_path):
    """A path counts if its cut-off is at most half its Nyquist frequency, (N - 1) / 2 cycles."""
    return cutoff_per_path <= (points - 1) / 4


def slope(signal, distance):
    """Root mean square rate of change, per unit RMS distance, of the sine interpolant and its chord."""
    frequencies, power = sine(signal)
    squares = [(math.pi * round(2 * f)) ** 2 * p for f, p in zip(frequencies, power, strict=True)]
    return math.sqrt(chord(signal) + math.fsum(squares)) / distance


def excess_tv(probs):
    """Total variation beyond the change that is due."""
    steps = [np.abs(probs[j + 1] - probs[j]).sum() / 2 for j in range(len(probs) - 1)]
    return math.fsum(steps) - np.abs(probs[-1] - probs[0]).sum() / 2


def flip_positions(probs):
    """The j at which the class of point j + 1 is not that of point j."""
    classes = [predicted(point) for point in probs]
    return [j for j in range(len(probs) - 1) if classes[j + 1] != classes[j]]


def flips(probs):
    return len(flip_positions(probs))


def consistent(probs):
    """Fraction of the path before the first change of class, taken to happen half-way between the two points."""
    changes = flip_positions(probs)
    return (changes[0] + 0.5) / (len(probs) - 1) if changes else 1.0


def width(probs, distance):
    """Length over which the end class takes over, from .1 to .9 of the two, where the class changes exactly once."""
    changes = flip_positions(probs)
    if len(changes) != 1:
        return math.nan
    flip = changes[0]
    a, b = predicted(probs[0]), predicted(probs[-1])
    g = [point[b] / (point[a] + point[b]) for point in probs]
    low = [j for j in range(flip + 1) if g[j] <= 0.1]
    high = [j for j in range(flip + 1, len(probs)) if g[j] >= 0.9]
    if not low or not high:
        return math.nan
    start, end = low[-1], high[0]
    leaves = start + (0.1 - g[start]) / (g[start + 1] - g[start])
    arrives = end - 1 + (0.9 - g[end - 1]) / (g[end] - g[end - 1])
    return (arrives - leaves) / (len(probs) - 1) * distance
