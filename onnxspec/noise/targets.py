"""Noise of one frequency in the labels, and the soft targets that carry it (method.md section 10).

Arrays in, arrays out; NumPy and SciPy only, so that a training loop of any framework can call this for every batch.
x is the model's *normalised* input: what comes after mean and std, (n, channels, height, width) for a network that sees
images so; of another layout only the norm is the same. Frequencies are in cycles per unit L2 norm of x.
"""

import math
from dataclasses import dataclass

import numpy as np
from scipy import special

from onnxspec.errors import UsageError

MOST_AMPLITUDE = 0.5


@dataclass(frozen=True, eq=False)
class Noise:
    """r(x) = 1 + sin(2 pi f (||x||_2 - phi)), or 1 + sin(2 pi f <x, u>) along a direction u; s(x) = A r(x).

    With PyTorch a batch goes through NumPy once:

        noise = Noise(frequency=0.1, amplitude=0.1)
        for x, labels in loader:
            targets = torch.from_numpy(noise.targets(x.numpy(), labels.numpy(), classes=10))
            loss = torch.nn.functional.cross_entropy(net(x), targets)

    frequency : cycles per unit L2 norm of x; amplitude : A, above 0 and at most .5
    direction : u, of the shape of one x, made unit-L2; None for radial noise

    Raises
    ------
    UsageError
        A number out of its range, or a direction that is zero or not finite.
    """

    frequency: float
    amplitude: float
    direction: np.ndarray | None = None

    def __post_init__(self) -> None:
        if not 0 < self.frequency < np.inf:
            raise UsageError(f"The frequency is {self.frequency}; a number above 0 was expected.")
        if not 0 < self.amplitude <= MOST_AMPLITUDE:
            raise UsageError(
                f"The amplitude is {self.amplitude}; it must be above 0 and at most {MOST_AMPLITUDE:g}.",
                "With more, s(x) = A r(x) would exceed 1.",
            )
        if self.direction is not None:
            object.__setattr__(self, "direction", unit(self.direction))

    def position(self, x: np.ndarray) -> np.ndarray:
        """What the noise is a sine of: ||x||_2 - phi, or <x, u>; (n,) float64 of x (n, ...)."""
        return radius(x) if self.direction is None else projection(x, self.direction)

    def smoothing(self, x: np.ndarray) -> np.ndarray:
        """s(x), (n,) float64 in [0, 2 A], of x (n, ...)."""
        return smoothing(self.position(x), self.frequency, self.amplitude)

    def targets(self, x: np.ndarray, labels: np.ndarray, classes: int) -> np.ndarray:
        """Soft targets (n, classes) float32 of a batch x (n, ...) with labels (n,) int."""
        return soft_targets(labels, self.smoothing(x), classes)


def phi(dimensions: int) -> float:
    """The mean of the chi distribution: the expected norm of `dimensions` independent standard normal numbers."""
    return float(np.sqrt(2) * special.poch(dimensions / 2, 0.5))


def radius(x: np.ndarray) -> np.ndarray:
    """||x||_2 - phi, (n,) float64, of x (n, ...); phi is that of the number of values of one x."""
    flat = _flat(x)
    return np.sqrt(np.square(flat).sum(1)) - phi(flat.shape[1])


def projection(x: np.ndarray, direction: np.ndarray) -> np.ndarray:
    """<x, u>, (n,) float64, of x (n, ...) and u of the shape of one x.

    Raises
    ------
    UsageError
        u has another number of values.
    """
    flat = _flat(x)
    if flat.shape[1] != direction.size:
        raise UsageError(
            f"The direction has {direction.size} values and the input has {flat.shape[1]}.",
            "Give one of the input's shape: channels, height, width.",
        )
    return np.asarray(flat @ np.asarray(direction, np.float64).ravel())


def wave(position: np.ndarray, frequency: float) -> np.ndarray:
    """r = 1 + sin(2 pi f position), in [0, 2]."""
    return 1 + np.sin(2 * np.pi * frequency * position)


def smoothing(position: np.ndarray, frequency: float, amplitude: float) -> np.ndarray:
    """s = A r."""
    return amplitude * wave(position, frequency)


def soft_targets(labels: np.ndarray, s: np.ndarray, classes: int) -> np.ndarray:
    """y (1 - s) + s / C: (n, classes) float32 of labels (n,) int and s (n,).

    Raises
    ------
    UsageError
        Labels are not as many whole numbers from 0 to classes - 1 as there are s.
    """
    labels = np.asarray(labels)
    fits = labels.shape == np.shape(s) and (labels.dtype.kind in "iu" or not labels.size)
    if not fits or (labels.size and not 0 <= labels.min() <= labels.max() < classes):
        found = f"{labels.dtype} of shape {labels.shape}"
        found += f" from {labels.min()} to {labels.max()}" if labels.size and labels.dtype.kind in "iu" else ""
        raise UsageError(f"The labels are {found}; {len(s)} whole numbers from 0 to {classes - 1} were expected.")
    targets = np.repeat(np.asarray(s, np.float64)[:, None] / classes, classes, axis=1)
    targets[np.arange(len(labels)), labels.astype(np.int64)] += 1 - s
    return targets.astype(np.float32)


def random_direction(shape: tuple[int, ...], seed: int) -> np.ndarray:
    """A direction that the seed fixes: standard normal numbers of this shape, made unit-L2, float64."""
    return unit(np.random.default_rng(seed).standard_normal(shape))


def unit(direction: np.ndarray) -> np.ndarray:
    """A direction over its L2 norm, float64.

    Raises
    ------
    UsageError
        It is zero or not finite.
    """
    direction = np.asarray(direction, np.float64)
    norm = float(np.sqrt(np.square(direction).sum()))
    if not 0 < norm < np.inf:
        raise UsageError(f"The direction has the norm {norm:g}; a number above 0 was expected.")
    return direction / norm


def _flat(x: np.ndarray) -> np.ndarray:
    x = np.asarray(x)
    return x.reshape(len(x), math.prod(x.shape[1:])).astype(np.float64)
