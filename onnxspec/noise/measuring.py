"""What a checkpoint makes of one noise, with intervals over images: arrays in, pooled figures out."""

from collections.abc import Sequence

import numpy as np

from onnxspec import statistics
from onnxspec.noise.losses import LogLikelihood, perfect, uniform
from onnxspec.results import Remark
from onnxspec.statistics import Design, Pooled

QUANTITIES = ("clean", "noisy", "noise_fitting", "following", "explained")


def measure(found: LogLikelihood, s: np.ndarray, amplitude: float, classes: int) -> dict[str, Pooled]:
    """The quantities of method.md section 10 over images whose smoothing is s (n,).

    `explained` is (L_const - L_noisy) / (L_const - L_perfect), the constants those of the same images: 0 for uniform
    smoothing and 1 for a perfect fit exactly, whatever noise these images happen to have. Every figure is over the same
    images in the same order, so that two checkpoints, or two frequencies, are compared by `statistics.paired`.
    """
    noisy, fit = found.noisy(s), perfect(s, classes).noisy(s)
    constant = uniform(amplitude, classes, len(s)).noisy(s)
    return {
        "clean": mean(found.clean),
        "noisy": mean(noisy),
        "noise_fitting": mean(found.noise_fitting(s)),
        "following": mean(found.following(s)),
        "explained": ratio(constant - noisy, constant - fit),
    }


def mean(values: np.ndarray) -> Pooled:
    """The mean over images (n,)."""
    return statistics.mean(values, Design.apart(len(values)))


def ratio(numerator: np.ndarray, denominator: np.ndarray) -> Pooled:
    """The ratio of means over images (n,) of either sign, with its linear influences."""
    n, total = len(numerator), float(denominator.sum())
    if n < 2 or not total > 0:
        reason = "all images have the same noise" if n >= 2 else f"{n} image: at least 2 are needed"
        return Pooled(np.nan, np.zeros(n), Design.apart(n), reason=reason)
    value = float(numerator.sum()) / total
    return Pooled(value, (numerator - value * denominator) / total, Design.apart(n))


def concentration(position: np.ndarray, frequency: float) -> float:
    """How alike the phases of the noise are over images: 0 where they are uniform, 1 where all are the same."""
    return float(abs(np.exp(2j * np.pi * frequency * position).mean()))


def concentrated(frequencies: Sequence[float], position: np.ndarray, radial: bool) -> Remark:
    """What to say of noise of frequencies at which nearly all images (images,) have the same phase."""
    spread = position.std()
    text = (
        f"At frequency {', '.join(f'{f:g}' for f in frequencies)} the noise hardly varies over these images (their "
        f"{'norms' if radial else 'projections'} spread by {spread:.3g}): the closed forms, for all phases alike, do "
        "not hold."
    )
    return Remark("concentrated", text, f"Use frequencies above {0.25 / spread:.2g}." if spread > 0 else "")
