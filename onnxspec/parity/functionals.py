"""What the papers read off one path of probabilities (points, classes), its far end excluded. Arrays in, arrays out."""

import numpy as np
from scipy import fft

from onnxspec.metrics import Bins, mool_high_power, rebinned
from onnxspec.spectra import mean_magnitude

BAND = 1 / 64
"""Width of the bins in which SBP's spectra of paths of different length are averaged, cycles per unit L2 distance."""
BANDS = Bins(BAND, 33)
"""Up to 1/2, the highest frequency that steps of 1 see."""


def high_share(prob: np.ndarray) -> float:
    """MOOL's high-frequency fraction: sum M[tau:K-1] / sum M[0:K], tau = ceil(K / 10), M the mean of |rfft| over classes."""
    magnitude = mean_magnitude(prob[None])
    return float(mool_high_power(magnitude)[0] / magnitude.sum())


def consistent(prob: np.ndarray) -> int:
    """MOOL's consistent distance: the index of the first point predicted otherwise than point 0, their number if none."""
    predicted = np.argmax(prob, axis=-1)
    other = np.flatnonzero(predicted != predicted[0])
    return int(other[0]) if len(other) else len(predicted)


def distance_power(prob: np.ndarray) -> np.ndarray:
    """SBP's power spectrum |fft(g)|^2 of g(t) = ||p(t) - p(0)||_2, bins 0..points // 2; the other half mirrors them."""
    g = np.linalg.norm(prob - prob[0], axis=-1)
    return np.square(np.abs(fft.rfft(g)))


def banded(power: np.ndarray, points: int) -> np.ndarray:
    """One path's spectrum (points // 2 + 1,) in the common bins `BANDS`, (33,), with its total conserved.

    Bin k of a path of so many unit steps is k / points cycles per unit L2 distance.
    """
    frequency = np.arange(len(power)) * 1.0
    spread = rebinned(power[None], frequency, 0.5, np.array([float(points)]), BANDS)[0]
    spread[-2] += spread[-1]
    return spread[:-1]
