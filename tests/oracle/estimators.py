"""Section 3: power per frequency of one path's signal s (N, K), by sums over explicit sines, cosines and exponentials.

Each estimator returns (frequencies in cycles per path, power summed over the K outputs). The grid is t_j = j / (N - 1).
"""

import math

import numpy as np


def chord_line(signal):
    """The straight line between the two ends, on the grid."""
    last = len(signal) - 1
    return np.array([(1 - j / last) * signal[0] + j / last * signal[last] for j in range(last + 1)])


def trapezoid_mean(values):
    """The mean over the path of what is known at its grid points."""
    return (math.fsum(values) - (values[0] + values[-1]) / 2) / (len(values) - 1)


def sine(signal):
    """Half waves sin(pi k t), k = 1..N-2, of what is left when the chord is taken away."""
    last = len(signal) - 1
    residual = signal - chord_line(signal)
    k = np.arange(1, last)
    waves = np.sin(np.pi * np.outer(k, np.arange(last + 1)) / last)
    amplitude = 2 / last * waves @ residual
    return k / 2, (amplitude**2 / 2).sum(axis=1)


def cosine(signal):
    """Half waves cos(pi k t), k = 1..N-1: the path there and back. The chord stays, the constant does not."""
    last = len(signal) - 1
    k = np.arange(1, last + 1)
    waves = np.cos(np.pi * np.outer(k, np.arange(last + 1)) / last)
    waves[:, [0, last]] /= 2  # trapezoid: each end belongs half to this path and half to its mirror image
    amplitude = 2 / last * waves @ signal
    power = amplitude**2 / 2
    power[-1] /= 2  # the fastest wave is +-1 on the grid: half the amplitude, but all of its square
    return k / 2, power.sum(axis=1)


def one_sided(samples):
    """|amplitude|^2 of the waves exp(2 pi i k n / count), negative frequencies folded onto positive ones, k = 1..count//2."""
    count = len(samples)
    k = np.arange(1, count // 2 + 1)
    waves = np.exp(-2j * np.pi * np.outer(k, np.arange(count)) / count)
    power = 2 * np.abs(waves @ samples / count) ** 2
    power[2 * k == count] /= 2
    return k, power.sum(axis=1)


def hann(signal):
    """The residual under a periodic Hann window, on the first N-1 points; the window's mean square is divided out."""
    last = len(signal) - 1
    window = np.array([0.5 - 0.5 * math.cos(2 * math.pi * j / last) for j in range(last)])
    residual = (signal - chord_line(signal))[:last]
    k, power = one_sided(window[:, None] * residual)
    return k.astype(float), power / np.mean(window**2)


def rfft(signal):
    """The plain transform of all N samples, jump and all. They span N steps of 1 / (N - 1), a little more than the path."""
    count = len(signal)
    k, power = one_sided(signal)
    return k * (count - 1) / count, power


ESTIMATORS = {"sine": sine, "cosine": cosine, "hann": hann, "rfft": rfft}
