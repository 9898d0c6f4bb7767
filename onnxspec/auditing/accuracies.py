"""Has accuracy fallen? Exact tests: McNemar's on the same images, Fisher's on different ones."""

import math
from collections.abc import Mapping, Sequence

import numpy as np
from scipy import special

from onnxspec import statistics
from onnxspec.auditing.changes import LARGE, Change
from onnxspec.auditing.policy import Regression
from onnxspec.statistics import Design, Interval


def change(rule: Regression, now: dict[int, bool], then: dict[int, bool], same_data: bool, alpha: float) -> Change:
    """The change of accuracy between two sets of images, each with whether it is predicted right.

    Parameters
    ----------
    same_data : image numbers mean the same images in both; alpha : the level at which a halving must be significant
    """
    common = sorted(now.keys() & then.keys()) if same_data else []
    if common:
        return _paired(rule, np.array([(now[image], then[image]) for image in common]), alpha)
    return _unpaired(rule, np.array(list(now.values()), bool), np.array(list(then.values()), bool), alpha)


def overall(samples: Sequence[Mapping[int, bool]]) -> float:
    """The accuracy over all samples, of images predicted right or not, with half an image more on either side."""
    right = [right for images in samples for right in images.values()]
    return (sum(right) + 0.5) / (len(right) + 1)


def _log_odds(right: np.ndarray) -> float:
    """Of (images,) bool, half an image more on either side: of none wrong, too, there are some then."""
    count = np.count_nonzero(right)
    return math.log((count + 0.5) / (len(right) - count + 0.5))


def _paired(rule: Regression, right: np.ndarray, alpha: float) -> Change:
    """right : (images, 2) bool, now and then."""
    first, second = right.T
    lost, gained = int((second & ~first).sum()), int((first & ~second).sum())
    moved = statistics.mean(first.astype(float) - second, Design.apart(len(right)), counts=True)
    halved = int(second.sum() * (1 - 1 / LARGE))
    return Change(
        moved.interval(),
        beyond=-moved.value > rule.drop,
        p=_mcnemar(lost, gained),
        decidable=_kept(rule, moved.interval()) or _mcnemar(halved, 0) <= alpha,
        counts=(len(right),),
        moved=moved,
        scaled=_log_odds(first) - _log_odds(second),
        at=np.arange(len(right)),
    )


def _unpaired(rule: Regression, first: np.ndarray, second: np.ndarray, alpha: float) -> Change:
    """first, second : (images,) bool, now and then."""
    counts = len(first), len(second)
    if not all(counts):
        none = Interval(math.nan, math.nan, math.nan, 0, math.nan, "there are no images")
        return Change(none, beyond=False, p=math.nan, decidable=False, counts=counts)
    moved = _difference(*(statistics.proportion(int(one.sum()), len(one)) for one in (first, second)))
    halved = round(second.mean() / LARGE * len(first))
    return Change(
        moved,
        beyond=-moved.estimate > rule.drop,
        p=_fisher(int(first.sum()), len(first), second),
        decidable=_kept(rule, moved) or _fisher(halved, len(first), second) <= alpha,
        counts=counts,
    )


def _difference(now: Interval, then: Interval) -> Interval:
    """Of two shares of different images, from their Wilson intervals (Newcombe, Statistics in Medicine 17, 1998, method 10)."""
    estimate = now.estimate - then.estimate
    low = estimate - math.hypot(now.estimate - now.low, then.high - then.estimate)
    high = estimate + math.hypot(now.high - now.estimate, then.estimate - then.low)
    images = now.paths + then.paths
    return Interval(estimate, low, high, images, float(images))


def _kept(rule: Regression, shown: Interval) -> bool:
    """Whether the whole interval lies on the right side, as of other figures: few that were right can still rise."""
    return shown.low >= -rule.drop


def _mcnemar(lost: int, gained: int) -> float:
    """One-sided p that no more images were lost than gained."""
    return float(special.bdtrc(lost - 1, lost + gained, 0.5)) if lost else 1.0


def _fisher(right: int, images: int, then: np.ndarray) -> float:
    """One-sided p that accuracy is no lower than that of the images (n,) bool of then."""
    from scipy import stats  # here, since it takes as long as a whole audit of a report, and most have the same images

    before = int(then.sum())
    table = [[right, images - right], [before, len(then) - before]]
    return float(stats.fisher_exact(table, alternative="less").pvalue)
