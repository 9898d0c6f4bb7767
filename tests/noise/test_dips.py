"""A dip is a minimum that the data tell from both ends."""

import numpy as np
import pytest

from onnxspec.noise.dips import DIP, FALLING, NO_RISE, RISING, UNDECIDED, locate
from onnxspec.noise.measuring import mean
from onnxspec.statistics import paired

RNG = np.random.default_rng(0)
SHARED = RNG.standard_normal(400)


def series(*levels, noise=0.2):
    """Checkpoints of these means over the same images, which have much in common."""
    return [mean(level + SHARED + noise * RNG.standard_normal(400)) for level in levels]


@pytest.mark.parametrize(
    ("levels", "at", "verdict"),
    [
        ([0, -0.4, -0.2], 1, DIP),
        ([0, -0.2, -0.4], 2, FALLING),
        ([-0.4, -0.2, 0], 0, RISING),
        ([0, -0.4, -0.395], None, None),
        ([0], 0, UNDECIDED),
    ],
)
def test_verdicts(levels, at, verdict):
    found = locate(series(*levels))
    if verdict is None:
        assert found.verdict in (NO_RISE, FALLING)
    else:
        assert (found.at, found.verdict) == (at, verdict)


def test_pairing_over_images_decides_what_intervals_alone_would_not():
    found = locate(series(0, -0.06, 0))
    assert found.verdict == DIP
    assert found.minimum.high > 0


def test_checkpoints_that_do_not_differ_seldom_make_a_dip():
    """Although the lowest of eight is chosen."""
    count = sum(locate(series(*[0] * 8)).verdict in (DIP, FALLING, RISING) for _ in range(200))
    assert count <= 20


@pytest.mark.parametrize("count", [3, 15])
def test_the_lowest_is_known_no_better_than_it_was_chosen(count):
    """Of checkpoints that are equally good."""

    def covered():
        minimum = locate(series(*[0] * count, noise=3)).minimum
        return minimum.low <= SHARED.mean() <= minimum.high

    assert np.mean([covered() for _ in range(300)]) >= 0.93


def test_two_checkpoints_are_one_contrast_and_three_are_two():
    first, last = series(0, -0.3)
    assert locate([first, last]).fall == paired(first, last).interval()
    first, lowest, last = series(0, -0.3, 0)
    found = locate([first, lowest, last])
    assert found.fall == paired(first, lowest).interval(0.975)
    assert found.rise == paired(last, lowest).interval(0.975)


@pytest.mark.parametrize(
    ("levels", "verdict"), [([0.4, 0, 1e-3], NO_RISE), ([1e-3, 0, 0.4], UNDECIDED), ([1e-3, 0, 1e-3], UNDECIDED)]
)
def test_an_inner_minimum_is_told_from_the_ends_that_it_is_told_apart_from(levels, verdict):
    noise = 0.2 * np.random.default_rng(1).standard_normal((3, 400))
    found = locate([mean(level + SHARED + own - own.mean()) for level, own in zip(levels, noise, strict=True)])
    assert (found.at, found.verdict) == (1, verdict)
