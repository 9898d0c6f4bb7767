"""What was seen on images becomes figures with 95 % intervals over images.

Error rates have Wilson's interval. Their increase over the error on the images as they are is a mean of paired
differences in -1..1; a plain t interval fails where few images change, so one image that turns wrong and one that
turns right are added to the variance, and two without change to the mean, each by half (Agresti and Min 2005). Changes
of the outputs are not negative and have heavy tails: their mean has a t interval on the log scale.
"""

from dataclasses import dataclass

import numpy as np
from scipy import special

from onnxspec.statistics import LEVEL, Design, mean_band, proportion

PSEUDO_IMAGES = 2.0


@dataclass(frozen=True)
class Estimates:
    """Figures with their intervals, (figures,) float64 each."""

    estimate: np.ndarray
    low: np.ndarray
    high: np.ndarray


def rates(wrong: np.ndarray) -> Estimates:
    """Shares of ones among images, with Wilson's interval; wrong : (images, figures) of 0 and 1."""
    found = [proportion(int(ones), len(wrong)) for ones in wrong.sum(0, dtype=np.int64)]
    return Estimates(*np.array([(one.estimate, one.low, one.high) for one in found]).reshape(-1, 3).T)


def increases(wrong: np.ndarray, before: np.ndarray, least: float = -1.0) -> Estimates:
    """Mean of what is wrong now less what was before, over the same images.

    Parameters
    ----------
    wrong : (images, figures) in 0..1; before : (images,) of 0 and 1
    least : that there can be: 0 where nothing was wrong before by definition
    """
    difference = wrong - before[:, None].astype(np.float64)
    images = len(difference)
    size = images + PSEUDO_IMAGES
    middle = difference.sum(0) / size
    variance = (np.square(difference).sum(0) + PSEUDO_IMAGES / 2) / size - middle**2
    reach = special.stdtrit(max(images - 1, 1), (1 + LEVEL) / 2) * np.sqrt(variance / size)
    low, high = np.maximum(middle - reach, least), np.minimum(middle + reach, 1)
    return Estimates(difference.mean(0), low, high)


def means(change: np.ndarray, most: float = np.inf) -> Estimates:
    """Means over images of what is not negative and at most `most`; change : (images, figures)."""
    mean, low, high = mean_band(change, Design.apart(len(change)))
    return Estimates(mean, low, np.minimum(high, most))
