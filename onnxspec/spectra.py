"""Signals become spectra: the estimators of method.md section 3.

Arrays in, arrays out; NumPy and SciPy only. Each takes `signal : (paths, points, outputs) float64`, sampled at
t_j = j / (points - 1) with both ends, and gives a `Spectrum`. Power is summed over the outputs, in squared units of
the signal; frequencies are in cycles per path, of half-waves k / 2 where a path is followed there and back. A closed
path is sampled at j / points and has an estimator of its own, `closed`.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import fft


@dataclass(frozen=True)
class Spectrum:
    """The power spectrum of some paths.

    power : (paths, bins) float64, squared units of the signal
    frequency : (bins,) float64, bin centres in cycles per path, evenly spaced
    half_width : half of a bin, in cycles per path
    total : (paths,) float64, what a fraction of the power is taken of
    """

    power: np.ndarray
    frequency: np.ndarray
    half_width: float
    total: np.ndarray


def bins(estimator: str, points: int) -> Spectrum:
    """The bins of an estimator on so many points: a spectrum of no path."""
    return ESTIMATORS[estimator](np.zeros((0, points, 1)))


def chord(signal: np.ndarray) -> np.ndarray:
    """||s(1) - s(0)||^2 of every path, (paths,) float64; the straight line itself has energy chord / 12."""
    return _squared(signal[:, -1] - signal[:, 0])


def residual(signal: np.ndarray) -> np.ndarray:
    """The signal less the straight line between its two ends: exactly zero at both, same shape."""
    t = np.linspace(0.0, 1.0, signal.shape[1])[:, None]
    return signal - ((1.0 - t) * signal[:, :1] + t * signal[:, -1:])


def sine(signal: np.ndarray) -> Spectrum:
    """Half waves around the chord: b = DST-I(residual) / (N - 1), P_k = b_k^2 / 2, k = 1..N-2.

    The power sums to the trapezoid mean of ||residual||^2 (Parseval), which is called the wiggle.
    """
    points = signal.shape[1]
    b = fft.dst(residual(signal)[:, 1:-1], type=1, axis=1) / (points - 1)
    power = _squared(b) / 2
    return Spectrum(power, np.arange(1, points - 1) / 2, 0.25, power.sum(-1) + chord(signal) / 12)


def sine_interpolant(signal: np.ndarray, t: np.ndarray) -> np.ndarray:
    """The chord and its half waves between the grid points: what `sine` takes the signal to be.

    Parameters
    ----------
    signal : (paths, points, outputs) float64; t : (paths, times) float64 in 0..1

    Returns
    -------
    (paths, times, outputs) float64
    """
    points = signal.shape[1]
    b = fft.dst(residual(signal)[:, 1:-1], type=1, axis=1) / (points - 1)
    waves = np.sin(np.pi * t[..., None] * np.arange(1, points - 1))
    line = (1 - t)[..., None] * signal[:, :1] + t[..., None] * signal[:, -1:]
    return line + waves @ b


def cosine(signal: np.ndarray) -> Spectrum:
    """There and back (DCT-I), without taking the chord away: a ramp keeps a 1 / k^4 tail."""
    points = signal.shape[1]
    a = fft.dct(signal, type=1, axis=1)[:, 1:] / (points - 1)
    power = _squared(a) / 2
    power[:, -1] /= 2
    return Spectrum(power, np.arange(1, points) / 2, 0.25, power.sum(-1))


def hann(signal: np.ndarray) -> Spectrum:
    """The residual under a Hann window, rfft over one turn: hides what happens near the images."""
    turn = signal.shape[1] - 1
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(turn) / turn)
    power = _one_sided(residual(signal)[:, :-1] * window[:, None]) / np.mean(window**2)
    return Spectrum(power, np.arange(1, turn // 2 + 1) * 1.0, 0.5, power.sum(-1) + chord(signal) / 12)


def rfft(signal: np.ndarray) -> Spectrum:
    """The plain DFT of the samples, constant left out: sees a jump at the end of every path that is not closed."""
    points = signal.shape[1]
    power = _one_sided(signal)
    spacing = (points - 1) / points
    return Spectrum(power, np.arange(1, points // 2 + 1) * spacing, spacing / 2, power.sum(-1))


def closed(signal: np.ndarray) -> Spectrum:
    """The plain DFT of a closed path, sampled at t_j = j / points: no end, so no chord and no jump, cycles per turn.

    The power sums to the variance over the turn (Parseval).
    """
    points = signal.shape[1]
    power = _one_sided(signal)
    return Spectrum(power, np.arange(1, points // 2 + 1) * 1.0, 0.5, power.sum(-1))


def mool(signal: np.ndarray) -> Spectrum:
    """Mean over outputs of |rfft|, far end excluded ("Models Out of Line", arXiv 2207.04075).

    Magnitudes, not powers, with the constant as bin 0, as there.
    """
    turn = signal.shape[1] - 1
    magnitude = mean_magnitude(signal[:, :-1])
    return Spectrum(magnitude, np.arange(turn // 2 + 1) * 1.0, 0.5, magnitude.sum(-1))


def mean_magnitude(samples: np.ndarray) -> np.ndarray:
    """Mean over outputs of |rfft| of samples without the far end: (paths, points, outputs) -> (paths, bins) float64."""
    return np.abs(fft.rfft(samples, axis=1)).mean(-1)


def _one_sided(samples: np.ndarray) -> np.ndarray:
    """Power of k = 1.. of (paths, points, outputs) samples, summing to their variance."""
    points = samples.shape[1]
    power = _squared(fft.rfft(samples, axis=1)[:, 1:]) * (2 / points**2)
    if points % 2 == 0:
        power[:, -1] /= 2
    return power


def _squared(values: np.ndarray) -> np.ndarray:
    """|values|^2 summed over the outputs, the last axis."""
    parts = values.view(values.real.dtype)  # of a complex number two
    return np.einsum("...i,...i->...", parts, parts)


ESTIMATORS: dict[str, Callable[[np.ndarray], Spectrum]] = {
    "sine": sine,
    "cosine": cosine,
    "hann": hann,
    "rfft": rfft,
    "mool": mool,
}
