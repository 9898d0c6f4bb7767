"""Bootstrap-t: against the textbook, and against the interval that it is there to check."""

import math
from dataclasses import astuple

import numpy as np
import pytest

from onnxspec import statistics
from onnxspec.statistics import Design, bootstrap
from onnxspec.statistics.bootstrap import bootstrap_t
from onnxspec.statistics.drawn import Drawn
from simulation import Population, disjoint

EACH, PATHS = 12, 300
STRATA = np.arange(PATHS) // EACH


def survey(seed, paths=PATHS, apart=0.0):
    """Figures of disjoint pairs, whose strata differ by a factor of e^apart or so; a fifth of the paths do not count."""
    rng = np.random.default_rng(seed)
    seen = Population(path=0.7).survey(rng, *disjoint(paths))
    effect = np.exp(apart * np.random.default_rng(99).standard_normal(paths // EACH + 1))
    counts = rng.random(paths) < 0.8
    return seen.numerator * effect[np.arange(paths) // EACH] * counts, seen.denominator * counts


def usual(numerator, denominator, stratum):
    every = Drawn.whole(np.zeros_like(stratum), stratum, stratum)
    rows = np.flatnonzero(denominator)
    image_a, image_b = (ends[rows] for ends in disjoint(len(stratum)))
    return statistics.ratio(numerator[rows], denominator[rows], Design(image_a, image_b, every[rows])).interval()


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("apart", [0.0, 1.0])
def test_it_is_near_the_usual_interval_on_disjoint_pairs(seed, apart):
    shares = survey(seed, apart=apart)
    default, drawn = usual(*shares, STRATA), bootstrap_t(*shares, STRATA)
    assert drawn.estimate == pytest.approx(default.estimate, rel=1e-12)
    assert drawn.paths == default.paths
    width = math.log(default.high / default.low)
    assert abs(math.log(drawn.low / default.low)) < 0.15 * width
    assert abs(math.log(drawn.high / default.high)) < 0.15 * width
    assert astuple(drawn)[:3] == astuple(bootstrap_t(*shares, STRATA))[:3]


def test_how_strata_differ_is_no_chance():
    shares = survey(0, apart=2.0)
    within, whole = (math.log(one.high / one.low) for one in (bootstrap_t(*shares, STRATA), bootstrap_t(*shares)))
    assert within < 0.75 * whole


def written_out(numerator, denominator, strata):
    """log of the ratio of the means and its error by the delta method, within strata (Cochran 1977, 5.3 and 6.11)."""
    value = math.log(numerator.mean() / denominator.mean())
    gradient = np.array([1 / numerator.sum(), -1 / denominator.sum()])
    covariances = (len(own) * np.cov(numerator[own], denominator[own], ddof=1) for own in strata)
    return value, math.sqrt(sum(gradient @ covariance @ gradient for covariance in covariances))


@pytest.mark.parametrize("stratum", [None, np.repeat([3, 1, 2], 10)])
def test_it_is_that_of_the_textbook(stratum):
    numerator, denominator = survey(3, paths=30)
    strata = [np.arange(30)] if stratum is None else [np.arange(10, 20), np.arange(20, 30), np.arange(10)]
    value, error = written_out(numerator, denominator, strata)
    place = np.random.default_rng(5).integers(np.full(30, len(strata[0])), size=(200, 30))
    pivots = []
    for draw in place:
        again = np.concatenate([own[some] for own, some in zip(strata, np.split(draw, len(strata)), strict=True)])
        new = np.split(np.arange(30), len(strata))
        other, its = written_out(numerator[again], denominator[again], new)
        pivots.append((other - value) / its)
    low, high = np.quantile(pivots, [0.05, 0.95])
    found = bootstrap_t(numerator, denominator, stratum, draws=200, seed=5, level=0.9)
    assert (found.low, found.high) == pytest.approx((math.exp(value - high * error), math.exp(value - low * error)))


def test_paths_that_are_alone_in_their_strata_are_one_stratum():
    shares = survey(1, paths=40)
    everywhere = bootstrap_t(*shares, np.arange(40))
    assert astuple(everywhere)[:3] == pytest.approx(astuple(bootstrap_t(*shares))[:3])
    one = np.concatenate([np.repeat(np.arange(13), 3), [13]])
    assert astuple(bootstrap_t(*shares, one))[:3] == pytest.approx(
        astuple(bootstrap_t(*shares, np.where(one == 13, 0, one)))[:3]
    )


def test_what_cannot_be_resampled_says_so():
    assert bootstrap_t(np.ones(30), np.ones(30)).reason == "the paths are all alike"
    assert bootstrap_t(np.linspace(-3, 1, 30), np.ones(30)).reason == statistics.BELOW_FLOOR
    values = np.repeat(np.linspace(0.1, 1.3, 10), 6)
    assert bootstrap_t(values, 1 + 0.1 * values, np.repeat(range(10), 6)).reason == "the paths are all alike"
    nearly = values * (1 + 1e-5 * np.random.default_rng(0).random(60))
    assert bootstrap_t(nearly, 1 + 0.1 * nearly, np.repeat(range(10), 6)).reason == "the paths are all alike"
    further = values * (1 + 1e-3 * np.random.default_rng(0).random(60))
    assert not bootstrap_t(further, 1 + 0.1 * further, np.repeat(range(10), 6)).reason
    assert "fewer than 10" in bootstrap_t(np.r_[np.ones(9), np.zeros(30)], np.ones(39)).reason


def test_draws_are_the_same_however_many_are_worked_on_together(monkeypatch):
    shares = survey(2)
    at_once = bootstrap_t(*shares, STRATA)
    monkeypatch.setattr(bootstrap, "_VALUES", 10 * PATHS)
    assert astuple(bootstrap_t(*shares, STRATA))[:3] == astuple(at_once)[:3]


def test_a_share_does_not_exceed_one():
    numerator = np.random.default_rng(0).lognormal(0, 2, 12)
    denominator = numerator + 1e-3
    assert bootstrap_t(numerator, denominator).high > 1
    assert bootstrap_t(numerator, denominator, top=1.0).high == 1.0
