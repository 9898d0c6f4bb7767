"""Cross-entropies on clean and noisy labels, and what they come to where theory knows (method.md section 10).

Arrays in, arrays out; NumPy and SciPy only; all losses in nats. A target y (1 - s) + s / C sees two numbers of a
network's probabilities: log p of the right class, and the mean of log p over classes.
"""

from dataclasses import dataclass

import numpy as np
from scipy import special

from onnxspec.signals import SMALLEST

_PHASES = 4096


@dataclass(frozen=True)
class LogLikelihood:
    """What targets see of a network: log p of the right class and mean log p over all, (n,) float64 each, in nats."""

    right: np.ndarray
    mean: np.ndarray

    @staticmethod
    def of(outputs: np.ndarray, labels: np.ndarray, probabilities: bool = False) -> "LogLikelihood":
        """From logits (or `probabilities`, floored at the smallest normal float32) (n, classes) and labels (n,) int."""
        outputs = np.asarray(outputs, np.float64)
        log = np.log(np.maximum(outputs, SMALLEST)) if probabilities else special.log_softmax(outputs, axis=-1)
        return LogLikelihood(log[np.arange(len(labels)), labels], log.mean(-1))

    @property
    def clean(self) -> np.ndarray:
        """Cross-entropy with the labels, (n,)."""
        return -self.right

    def noisy(self, s: np.ndarray) -> np.ndarray:
        """Cross-entropy with the soft targets of smoothing s (n,), (n,)."""
        return -(1 - s) * self.right - s * self.mean

    def noise_fitting(self, s: np.ndarray) -> np.ndarray:
        """Clean less noisy cross-entropy of every image, (n,)."""
        return s * (self.mean - self.right)

    def following(self, s: np.ndarray) -> np.ndarray:
        """Parts (n,) whose mean is the covariance of s and mean - right: how far the network follows the noise.

        Noise fitting is the sum of this and of what the mean of s for every image would give, which has all of the
        network's over-confidence. Zero, but for chance, for a network that knows nothing of the noise, unless its
        confidence happens to change with the position: at low frequencies it does a little.
        """
        gap = self.mean - self.right
        return (s - s.mean()) * (gap - gap.mean()) * (len(s) / max(len(s) - 1, 1))


def share(amplitude: float, classes: int) -> float:
    """a = A (C - 1) / C, the probability that uniform smoothing takes from the right class."""
    return amplitude * (classes - 1) / classes


def uniform(amplitude: float, classes: int, count: int = 1) -> LogLikelihood:
    """The network that is right and smooths by A whatever it sees: the best that knows nothing of the noise, (count,)."""
    right, other = np.log1p(-share(amplitude, classes)), np.log(amplitude / classes)
    mean = (right + (classes - 1) * other) / classes
    return LogLikelihood(np.full(count, right), np.full(count, mean))


def perfect(s: np.ndarray, classes: int) -> LogLikelihood:
    """The network whose probabilities are the soft targets of smoothing s (n,); floored where s is 0."""
    right = np.log1p(-s * (classes - 1) / classes)
    other = np.log(np.maximum(s / classes, SMALLEST))
    return LogLikelihood(right, (right + (classes - 1) * other) / classes)


@dataclass(frozen=True)
class ClosedForms:
    """What theory says where the phase of the noise is uniform; nats.

    uniform, perfect : noise fitting of the network that smooths by A whatever it sees, and of the one that gives the targets
    loss_uniform, loss_perfect : their noisy losses; following : how far the perfect one follows the noise
    """

    uniform: float
    perfect: float
    loss_uniform: float
    loss_perfect: float
    following: float

    @staticmethod
    def of(amplitude: float, classes: int) -> "ClosedForms":
        """The closed forms of an amplitude and a number of classes."""
        s = amplitude * (1 + np.sin(2 * np.pi * (np.arange(_PHASES) + 0.5) / _PHASES))
        fit, flat = perfect(s, classes), uniform(amplitude, classes, len(s))
        return ClosedForms(
            uniform=float(flat.noise_fitting(s).mean()),
            perfect=float(fit.noise_fitting(s).mean()),
            loss_uniform=float(flat.noisy(s).mean()),
            loss_perfect=float(fit.noisy(s).mean()),
            following=float(fit.following(s).mean()),
        )
