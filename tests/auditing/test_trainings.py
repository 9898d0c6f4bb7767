"""Several trainings as a baseline: another of them seldom fails, a worse recipe does, and too few say so."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from auditing.made import World
from onnxspec.auditing import regressions
from onnxspec.auditing.names import parse
from onnxspec.auditing.policy import Regression, usual
from onnxspec.auditing.verdicts import State

USUAL = usual(("within", "between"), "prob", labelled=True)
AUDITS = 48
SPREAD = {"within_hf": 0.12, "between_hf": 0.08}
"""Of trainings, of log hff: what models/STUDIES.md has for one recipe and 400 pairs."""


def world(seed, pairs=400):
    return World(np.random.default_rng(seed), pairs)


def trained(world, count, **worse):
    """So many trainings of one recipe, which `worse` multiplies the figures of."""
    moved = {name: np.exp(world.rng.normal(0, spread, count)) * worse.get(name, 1) for name, spread in SPREAD.items()}
    accuracy = np.clip(world.rng.normal(worse.get("accuracy", 0.5), 0.06, count), 0, 1)
    return [
        world.run(accuracy=of_one, **{name: factors[at] for name, factors in moved.items()})
        for at, of_one in enumerate(accuracy)
    ]


def states(now, baselines, rules=USUAL):
    return [verdict.state for verdict in regressions.judge(rules, now, baselines, True)]


def test_another_training_fails_where_one_is_the_baseline_and_not_where_five_are():
    failed = {1: 0, 5: 0}
    for seed in range(AUDITS):
        *baselines, now = trained(world(seed), 6)
        for count in failed:
            failed[count] += State.FAIL in states(now, baselines[:count])
    assert failed[1] > 0.08 * AUDITS
    assert failed[5] <= stats.binom.ppf(0.99, AUDITS, 0.025)


@pytest.mark.parametrize(
    ("worse", "expected"),
    [({"between_hf": 2.0}, "between.hff"), ({"within_hf": 4.0}, "within.hff"), ({"accuracy": 0.0}, "accuracy")],
)
def test_a_worse_recipe_fails_against_five(worse, expected):
    found = 0
    for seed in range(AUDITS // 4):
        here = world(seed)
        (now,) = trained(here, 1, **worse)
        verdicts = regressions.judge(USUAL, now, trained(here, 5), True)
        found += expected in [verdict.name for verdict in verdicts if verdict.state is State.FAIL]
    assert found >= 0.8 * (AUDITS // 4)


def all_right(world, count, **worse):
    """Trainings that get every image right, so that every two share all pairs."""
    runs = trained(world, count, **worse)
    return [replace(one, columns={**one.columns, "status": np.full(len(one), 7, np.uint8)}) for one in runs]


@pytest.mark.parametrize("count", [2, 3, 6])
def test_the_interval_is_that_of_one_observation_beside_a_sample(count):
    """Crawford and Howell's, from the log figures alone."""
    *baselines, now = runs = all_right(world(5), count + 1)
    (found,) = regressions.judge([Regression(parse("between.hff"), 1.1)], now, baselines, True)
    of_kind = now.selected("between")
    *before, after = [np.log(one["hf_prob"][of_kind].sum() / one["total_prob"][of_kind].sum()) for one in runs]
    middle, error = after - np.mean(before), np.std(before, ddof=1) * np.sqrt(1 + 1 / count)
    reach = stats.t.ppf(0.975, count - 1) * error
    expected = np.exp([middle, middle - reach, middle + reach])
    assert (found.found.estimate, found.found.low, found.found.high) == pytest.approx(expected, rel=1e-5)
    assert f"times the mean of {count} trainings (400 pairs)" in found.text


@pytest.mark.parametrize(
    ("factor", "worse"),
    [(1.1, 3.0), (0.9, 1 / 3)],
)
def test_a_failure_has_the_p_of_the_sample(factor, worse):
    here = world(12)
    baselines, (now,) = all_right(here, 6), all_right(here, 1, between_hf=worse)
    (found,) = regressions.judge([Regression(parse("between.hff"), factor)], now, baselines, True)
    of_kind, runs = now.selected("between"), (*baselines, now)
    *before, after = [np.log(one["hf_prob"][of_kind].sum() / one["total_prob"][of_kind].sum()) for one in runs]
    t = (after - np.mean(before)) / np.std(before, ddof=1) / np.sqrt(1 + 1 / 6)
    assert found.state is State.FAIL
    assert found.p == pytest.approx(stats.t.sf(abs(t), 5), rel=1e-3) and f"p = {found.p:.2g}" in found.text


def lost(run, count, rng):
    """The same network, that gets so many images wrong."""
    wrong = np.zeros((2, len(run)), bool)
    wrong.flat[rng.choice(wrong.size, count, replace=False)] = True
    status = (~wrong[0] + 2 * ~wrong[1] + 4).astype(np.uint8)
    return replace(run, columns={**run.columns, "status": status})


@pytest.mark.parametrize(("drop", "state"), [(0.0, State.FAIL), (0.02, State.FAIL), (0.06, State.PASS)])
def test_accuracy_may_fall_by_what_the_rule_allows(drop, state):
    """From 95 to 90 %, where trainings differ by half a point."""
    rng, (run,) = np.random.default_rng(1), all_right(world(13), 1)
    baselines = [lost(run, 80 + step, rng) for step in (-8, -4, 0, 4, 8)]
    assert states(lost(run, 160, rng), baselines, [Regression(parse("accuracy"), drop=drop)]) == [state]


def test_trainings_that_are_as_good_by_chance_are_not_sure_for_it():
    """Two that get ten images wrong each, and not the same, say little of a third with twenty-five."""
    rng, (run,) = np.random.default_rng(2), all_right(world(14), 1)
    now, first, second = (lost(run, count, rng) for count in (25, 10, 10))
    assert states(now, [first], USUAL[:1]) == [State.FAIL]
    assert states(now, [first, second], USUAL[:1])[0] in (State.PASS, State.INCONCLUSIVE)


def test_accuracy_near_one_fails_no_more_often_than_other_figures():
    """Accuracies of 97 % spread further down than up; their log odds do not."""
    rng, failed, (run,) = np.random.default_rng(3), 0, all_right(world(15, pairs=200), 1)
    for _ in range(150):
        odds = rng.normal(np.log(0.97 / 0.03), 0.35, 6)
        *baselines, now = [lost(run, rng.binomial(800, 1 / (1 + np.exp(one))), rng) for one in odds]
        failed += states(now, baselines, USUAL[:1]) == [State.FAIL]
    assert failed <= stats.binom.ppf(0.99, 150, 0.025)


def test_trainings_that_differ_by_too_much_are_not_told_to_be_more():
    here = world(16)
    *baselines, now = [here.run(between_hf=np.exp(here.rng.normal(0, 1.0))) for _ in range(13)]
    (found,) = regressions.judge([Regression(parse("between.hff"), 1.1)], now, baselines, True)
    assert found.state is State.INCONCLUSIVE and found.text.endswith("are all of one recipe? If so, write a limit")


def test_pairs_that_leave_more_open_than_trainings_make_the_interval():
    """Trainings that agree by chance say nothing of what pairs leave open."""
    first, now = all_right(world(6), 2)
    twins = [replace(first, columns={**first.columns, "hf_prob": first["hf_prob"] * np.float32(x)}) for x in (1, 1.001)]
    rule = [Regression(parse("between.hff"), 1.1)]
    alone, several = (regressions.judge(rule, now, some, True)[0].found for some in ([first], twins))
    assert np.log(several.high / several.low) == pytest.approx(np.log(alone.high / alone.low), rel=0.01)


def test_where_trainings_get_every_image_of_a_class_right_one_wrong_fails_nothing():
    *baselines, now = all_right(world(7), 6)
    lost = now["status"].copy()
    lost[0] = 6
    for count, state in ((1, State.PASS), (60, State.FAIL)):
        lost[:count] = 6
        worse = replace(now, columns={**now.columns, "status": lost})
        assert states(worse, baselines, [Regression(parse("class.cat.accuracy"))]) == [state]


def test_two_trainings_that_differ_could_have_shown_nothing_and_say_so():
    *baselines, now = trained(world(8), 3)
    (found,) = regressions.judge([Regression(parse("between.hff"), 1.1)], now, baselines, True)
    assert found.state is State.INCONCLUSIVE
    assert found.text.endswith("so few trainings could not have shown even a doubling: add baselines of more trainings")


def test_an_interval_of_accuracy_ends_where_accuracy_does():
    runs = [world(8, pairs=12).run(accuracy=share) for share in (0.0, 1.0, 0.5)]
    (found,) = regressions.judge(USUAL[:1], runs[2], runs[:2], True)
    assert (found.found.low, found.found.high) == (-1, 1) and found.state is State.INCONCLUSIVE


def at_random(run, share, rng):
    """The same network, that gets other images right."""
    right = rng.random((2, len(run))) < share
    return replace(run, columns={**run.columns, "status": (right[0] + 2 * right[1] + 4).astype(np.uint8)})


def test_few_pairs_in_common_tell_nothing_where_trainings_share_as_few():
    """Of networks that are right about 85 % of images, any two share 72 % of the pairs of one."""
    rng, rule = np.random.default_rng(0), [Regression(parse("between.hff"), 1.1)]
    here = world(11)
    *baselines, worse = all_right(here, 5) + all_right(here, 1, between_hf=2.5)
    others = [at_random(one, 0.85, rng) for one in baselines]
    (alone,) = regressions.judge(rule, at_random(worse, 0.85, rng), others[:1], True)
    assert alone.state is State.INCONCLUSIVE and "pairs are right under both" in alone.text
    (found,) = regressions.judge(rule, at_random(worse, 0.85, rng), others, True)
    assert found.state is State.FAIL
    alike = [replace(one, columns={**one.columns, "status": others[0]["status"]}) for one in baselines]
    (found,) = regressions.judge(rule, at_random(worse, 0.85, rng), alike, True)
    assert found.state is State.INCONCLUSIVE and "pairs are right under both" in found.text


def test_a_change_that_is_the_other_way_over_each_ones_own_pairs_fails_nothing():
    """Twice as much over the pairs that all get right, and less over those that the new one gets right beside them."""
    here = world(17)
    first, *more, now = all_right(here, 7)
    hard = np.arange(len(now)) % 10 == 0
    size = np.where(hard, 30, 1).astype(np.float32)  # nearly all of the fast power is in a tenth of the pairs
    status = np.where(hard, 4, 7).astype(np.uint8)
    baselines = [replace(one, columns={**one.columns, "hf_prob": one["hf_prob"] * size}) for one in (first, *more)]
    now = replace(now, columns={**now.columns, "hf_prob": now["hf_prob"] * size * 3, "status": status})
    (found,) = regressions.judge([Regression(parse("between.hff"), 1.1)], now, baselines, True)
    assert found.state is State.INCONCLUSIVE and found.text.endswith(
        "over each one's own right pairs the sign is the other"
    )


def test_so_few_pairs_are_said_to_be_pairs():
    *baselines, now = trained(world(8, pairs=6), 6)
    (found,) = regressions.judge([Regression(parse("between.hff"), 1.1)], now, baselines, True)
    assert found.state is State.INCONCLUSIVE and "so few pairs could not have shown" in found.text


def test_a_training_again_is_the_same():
    baselines = trained(world(9), 3)
    assert {one.text for one in regressions.judge(USUAL, baselines[1], baselines, True)} == {"the same as the baseline"}


def test_outputs_that_are_still_in_some_have_no_spread():
    """A figure that one training has none of is compared with no mean."""
    *baselines, now = trained(world(10), 4)
    still = replace(baselines[0], columns={**baselines[0].columns, "hf_prob": np.zeros(len(now), np.float32)})
    (found,) = regressions.judge([Regression(parse("between.hff"), 1.1)], now, [still, *baselines[1:]], True)
    assert found.state is State.INCONCLUSIVE and "one of the two is zero" in found.text
    (found,) = regressions.judge([Regression(parse("between.hff"), 1.1)], still, [*baselines[1:], still], True)
    assert found.state is State.PASS
    collapsed = replace(now, columns={**now.columns, "hf_prob": np.zeros(len(now), np.float32)})
    (found,) = regressions.judge([Regression(parse("between.hff"), 0.9)], collapsed, [still, *baselines[1:]], True)
    assert found.state is State.INCONCLUSIVE
