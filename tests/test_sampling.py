"""Rounds until a figure is precise: the rule by itself, and the coverage of intervals at which it stops."""

import math
from dataclasses import replace

import numpy as np
import pytest

from onnxspec import sampling, statistics
from onnxspec.sampling import FIRST_CHECK, REACHED, ROUND, UNDEFINED, USED_UP, Standing, ending, next_round
from onnxspec.statistics import Interval
from simulation import Population, disjoint, recurring


def figure(half_width, paths=FIRST_CHECK, estimate=0.5, reason=""):
    reach = half_width * estimate
    return Interval(estimate, estimate - reach, estimate + reach, paths, 50.0, reason)


def undefined(paths=FIRST_CHECK):
    return Interval(*[math.nan] * 3, paths, math.nan, "the outputs do not change")


def test_it_starts_with_enough_for_the_first_look_and_goes_on_in_equal_rounds():
    kinds = {"within": Standing(0, 5000, ()), "between": Standing(0, 50, ())}
    assert next_round(kinds, 0.1) == {"within": slice(0, FIRST_CHECK), "between": slice(0, 50)}
    kinds = {"within": Standing(200, 5000, [figure(0.3)]), "between": Standing(300, 350, [figure(0.3)])}
    assert next_round(kinds, 0.1) == {"within": slice(200, 200 + ROUND), "between": slice(300, 350)}


def test_each_kind_ends_for_itself():
    kinds = {"within": Standing(200, 5000, [figure(0.3)]), "between": Standing(200, 5000, [figure(0.0999)])}
    assert list(next_round(kinds, 0.1)) == ["within"]
    assert [ending(one, 0.1) for one in kinds.values()] == ["", REACHED]


@pytest.mark.parametrize(
    ("standing", "why"),
    [
        (Standing(400, 5000, [figure(0.0999)]), REACHED),
        (Standing(5000, 5000, [figure(0.0999)]), REACHED),
        (Standing(400, 5000, [figure(0.101)]), ""),
        (Standing(5000, 5000, [figure(0.101)]), USED_UP),
        (Standing(400, 5000, [figure(0.01, paths=FIRST_CHECK - 1)]), ""),
        (Standing(200, 200, [figure(0.01, paths=169)]), REACHED),
        (Standing(400, 5000, [replace(figure(0.009), n_eff=9.0)]), ""),
        (Standing(400, 400, [replace(figure(0.009), n_eff=9.0)]), REACHED),
        (Standing(400, 400, [replace(figure(0.011), n_eff=9.0)]), USED_UP),
        (Standing(400, 5000, [figure(0.01), figure(0.2)]), ""),
        (Standing(400, 5000, [figure(0.01), undefined()]), UNDEFINED),
        (Standing(400, 5000, [figure(0.2), undefined()]), ""),
        (Standing(400, 5000, [undefined(paths=1)]), ""),
        (Standing(400, 5000, [figure(0.0, estimate=0.0)]), REACHED),
        (Standing(400, 400, [figure(0.0, estimate=0.0)]), REACHED),
        (Standing(0, 5000, ()), ""),
    ],
)
def test_why_it_ends(standing, why):
    assert ending(standing, 0.1) == why


def test_what_is_said_names_every_kind():
    assert sampling.said(0.025, {"within": USED_UP, "between": REACHED}) == (
        "hff to 2.5%: within not reached: the pairs allowed are used up, between reached"
    )


@pytest.mark.parametrize(("precision", "text"), [(0.5, "50%"), (0.07, "7%"), (0.0005, "0.05%"), (1 / 3, "33.33%")])
def test_a_precision_has_no_more_digits_than_it_needs(precision, text):
    assert sampling.percent(precision) == text


def walked(seen, precision):
    """How many paths of a survey the rule walks, and the interval it stops at."""
    standing = Standing(0, len(seen.numerator), ())
    while spans := next_round({"within": standing}, precision):
        stop = spans["within"].stop
        found = statistics.ratio(*seen.first(stop).columns).interval()
        standing = Standing(stop, standing.held, [found])
    return standing.walked, standing.figures[0]


def coverage(population, ends, precision, repeats):
    """Share of the intervals at the stop that hold the truth; how many paths that took, and how many reached it."""
    truth, held, paths, reached = math.exp(population.truth), 0, [], 0
    for seed in range(repeats):
        count, found = walked(population.survey(np.random.default_rng(seed), *ends), precision)
        held += found.low <= truth <= found.high
        paths.append(count)
        reached += found.half_width <= precision
    return held / repeats, np.array(paths), reached / repeats


def test_intervals_at_the_stop_cover():
    covered, paths, reached = coverage(Population(path=0.8), disjoint(3000), 0.1, 600)
    assert 0.92 <= covered <= 0.97
    assert reached == 1 and paths.min() >= FIRST_CHECK and 250 < np.median(paths) < 600


@pytest.mark.slow
@pytest.mark.parametrize("precision", [0.07, 0.1, 0.2])
@pytest.mark.parametrize(
    ("population", "ends"),
    [
        (Population(path=0.6), disjoint(4000)),
        (Population(path=1.2), disjoint(12_000)),
        (Population(image=0.5, path=0.8), disjoint(12_000)),
        (Population(image=0.4, path=0.8), recurring(4000, 3)),
    ],
)
def test_intervals_at_the_stop_cover_whatever_the_tails(population, ends, precision):
    covered, _, _ = coverage(population, ends, precision, 1000)
    assert 0.91 <= covered <= 0.975
