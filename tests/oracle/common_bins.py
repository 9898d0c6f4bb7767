"""Section 4: paths of different length on one frequency axis, and what is read off the pooled spectrum.

Common bin j is centred at j / (2 d_ref) cycles per unit RMS distance; bin k of a path of length d at k / (2 d).
"""

import math

import numpy as np


def overlap(low, high, other_low, other_high):
    return max(0.0, min(high, other_high) - max(low, other_low))


def spread(power, distance, reference, bins):
    """One path's half-wave power (k = 1, 2, ..) laid out over the common bins 0 .. bins-1 by overlap."""
    common = np.zeros(bins)
    for k, value in enumerate(power, start=1):
        low, high = (k - 0.5) / (2 * distance), (k + 0.5) / (2 * distance)
        for j in range(bins):
            shared = overlap(low, high, (j - 0.5) / (2 * reference), (j + 0.5) / (2 * reference))
            common[j] += value * shared / (high - low)
    return common


def count(points, distances, reference):
    """How many common bins, from bin 0, lie wholly below the lowest Nyquist frequency of the paths; at least two.

    At most four a point, which method.md does not say.
    """
    nyquist = min((points - 1) / 2 / d for d in distances)
    bins = 1
    while bins < 4 * points and (bins + 0.5) / (2 * reference) <= nyquist:
        bins += 1
    return max(bins, 2)


def centroid(frequencies, power, limit):
    """Mean frequency, by power, of all that lies at or below the limit."""
    pairs = [(f, p) for f, p in zip(frequencies, power, strict=True) if f <= limit]
    return math.fsum(f * p for f, p in pairs) / math.fsum(p for _, p in pairs)


def rolloff(frequencies, power, share=0.95):
    """The frequency below which that share of the power lies; a bin's power is even over its width, none is below 0."""
    half = (frequencies[1] - frequencies[0]) / 2
    due = share * math.fsum(power)
    for f, p in zip(frequencies, power, strict=True):
        low, high = max(f - half, 0.0), f + half
        if p >= due:
            return low + (high - low) * due / p
        due -= p
    return high


def decay(frequencies, power, cutoff, nyquist):
    """Slope of the least-squares line of log2 power on log2 frequency, from the cut-off to half the Nyquist frequency."""
    used = [
        (f, p)
        for f, p in zip(frequencies, power, strict=True)
        if cutoff * (1 - 1e-12) <= f <= nyquist / 2 * (1 + 1e-12)
    ]
    x = [math.log2(f) for f, _ in used]
    y = [math.log2(p) for _, p in used]
    mean_x, mean_y = math.fsum(x) / len(x), math.fsum(y) / len(y)
    rise = math.fsum((a - mean_x) * (b - mean_y) for a, b in zip(x, y, strict=True))
    return rise / math.fsum((a - mean_x) ** 2 for a in x)
