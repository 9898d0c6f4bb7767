"""Regressions: few false alarms, real changes found, and no pass where nothing could have failed."""

from dataclasses import replace

import numpy as np
import pytest

from auditing.made import World
from onnxspec import statistics
from onnxspec.auditing import regressions
from onnxspec.auditing.changes import one_sided
from onnxspec.auditing.names import parse
from onnxspec.auditing.policy import SEVERITIES, Regression, usual
from onnxspec.auditing.samples import Sample, identical
from onnxspec.auditing.verdicts import State
from onnxspec.errors import UsageError
from onnxspec.report.pooling import STILL
from onnxspec.statistics import Design

USUAL = usual(("within", "between"), "prob", labelled=True)
AUDITS = 200
CLASSES = tuple("abcdef")


def held(rules, now, then, same_data=True):
    return regressions.judge(rules, now, [then], same_data)


def judged(rules, now, then, same_data=True):
    return [verdict.state for verdict in held(rules, now, then, same_data)]


def one(name, now, then, same_data=True, **keys):
    return judged([Regression(parse(name), **keys)], now, then, same_data)[0]


def world(seed, pairs=400):
    return World(np.random.default_rng(seed), pairs)


def test_the_made_up_runs_are_as_heavy_tailed_and_correlated_as_measured_ones():
    """method.md sections 4 and 6: half-widths of 8 and 35 %, paired variance .3 to .5 of the unpaired."""
    widths, shares = {"within": [], "between": []}, []
    for seed in range(20):
        then, now = (lambda w: (w.run(), w.run()))(world(seed))
        for kind, found in widths.items():
            of_kind = np.flatnonzero(then.selected(kind))
            a, b = (regressions._pooled(parse(f"{kind}.hff"), sample, of_kind) for sample in (now, then))
            found.append(a.interval().half_width)
            shares.append(statistics.paired(a, b).variance[0] / (a.variance[0] + b.variance[0]))
    assert 0.25 < np.median(widths["within"]) < 0.5
    assert 0.06 < np.median(widths["between"]) < 0.12
    assert 0.3 < np.median(shares) < 0.55


@pytest.mark.parametrize("carriers", [1, 2])
def test_a_path_or_two_that_change_fail_no_audit(carriers):
    then = world(3).run()
    lone = np.zeros(len(then), np.float32)
    lone[np.flatnonzero(then.selected("within") & then.right)[:carriers]] = 0.2
    before, after = (replace(then, columns={**then.columns, "hf_prob": lone * np.float32(times)}) for times in (1, 1.3))
    assert one("within.hff", after, before, factor=1.1) is State.INCONCLUSIVE


def of_classes(seed, count=100, paths=20):
    """Two networks of which some paths within a class jump by chance, and neither is the wilder."""
    rng = np.random.default_rng(seed)
    classes = np.repeat(np.arange(count, dtype=np.int32), paths)
    ends = np.arange(2 * len(classes), dtype=np.int32).reshape(2, -1)
    same = {"kind": np.zeros(len(classes), np.int8), "class_a": classes, "class_b": classes}
    same |= {"image_a": ends[0], "image_b": ends[1], "status": np.full(len(classes), 7, np.uint8)}
    names = tuple(map(str, range(count)))
    total = 10 * np.exp(0.5 * rng.standard_normal(len(classes)))
    base = 0.03 * total * np.exp(1.5 * rng.standard_normal(len(classes)))

    def run():
        jumps = np.where(rng.random(len(classes)) < 0.05, np.exp(2.5 + 0.7 * rng.standard_normal(len(classes))), 1)
        hf = base * jumps * np.exp(0.5 * rng.standard_normal(len(classes)))
        sums = {"hf_prob": hf.astype(np.float32), "total_prob": np.maximum(hf, total).astype(np.float32)}
        return Sample({**same, **sums}, names, {"prob": 0.0})

    return run(), run()


@pytest.mark.parametrize("seed", [5, 30])
def test_many_classes_that_few_paths_carry_cry_no_wolf(seed):
    """In these two of forty worlds, Holm's correction alone lets one of a hundred fail."""
    rules = [Regression(parse(f"class.{number}.hff"), 1.1) for number in range(100)]
    found = held(rules, *of_classes(seed), True)
    assert [one.state for one in found if "carried by few" in one.text] == [State.INCONCLUSIVE]
    assert State.FAIL not in {one.state for one in found}


def test_a_class_that_many_paths_carry_still_fails():
    same = world(0)
    assert one("class.dog.between.hff", same.run(between_hf=2), same.run(), factor=1.1) is State.FAIL


def test_a_change_that_only_the_number_of_rules_excuses_says_so():
    same = world(0)
    then, now = same.run(), same.run(between_slope=1.08)
    rule = Regression(parse("between.slope"), 1.01)
    p = held([rule], now, then, True)[0]
    assert p.state is State.FAIL
    among = held([rule] * 2000, now, then, True)[0]
    assert among.state is State.PASS and "among so many rules" in among.text


@pytest.mark.slow
def test_so_many_rules_that_no_doubling_could_fail_do_not_pass_a_change_that_alone_would():
    same = world(0)
    then, now = same.run(), same.run(within_hf=4)
    rule = Regression(parse("within.hff"), 1.1)
    assert held([rule], now, then, True)[0].state is State.FAIL
    among = held([rule] * 10_000, now, then, True)[0]
    assert among.state is State.INCONCLUSIVE
    assert "that alone would be significant" in among.text and "could not have shown" not in among.text


def test_nothing_then_and_nothing_now_is_no_change():
    then = world(3).run()
    none = {**then.columns, "hf_prob": np.zeros(len(then), np.float32)}
    then, now = (replace(then, columns={**none, "total_prob": times * then["total_prob"]}) for times in (1, 2))
    assert one("within.hff", now, then, factor=1.1) is State.PASS
    few = replace(now, columns={name: values[:9] for name, values in now.columns.items()})
    assert one("within.hff", few, then, factor=1.1) is State.INCONCLUSIVE


def test_at_most_one_audit_in_twenty_fails_without_a_change():
    failures = 0
    for seed in range(AUDITS):
        same = world(seed)
        failures += State.FAIL in judged(USUAL, same.run(), same.run())
    assert failures <= 0.05 * AUDITS


def test_a_change_of_30_percent_is_found():
    found = 0
    for seed in range(AUDITS):
        same = world(seed)
        found += judged(USUAL, same.run(between_hf=1.3), same.run())[2] is State.FAIL
    assert found >= 0.95 * AUDITS


def test_the_same_run_passes_however_few_the_pairs():
    run = world(0, pairs=2).run()
    found = held(USUAL, run, run, True)
    assert [(one.state, one.found.estimate) for one in found] == [(State.PASS, neutral) for neutral in (0, 1, 1)]


def test_so_few_pairs_that_nothing_could_fail_do_not_pass():
    same = world(3, pairs=2)
    then, now = same.run(), same.run()
    assert judged(USUAL, now, then) == [State.INCONCLUSIVE] * 3
    rules = [replace(rule, severity=severity) for rule in USUAL for severity in SEVERITIES]
    assert [found.gating for found in held(rules, now, then, True)] == [True, False] * 3


@pytest.mark.parametrize(("factor", "change"), [(1.1, 0.3), (0.9, 3.0)])
def test_an_interval_on_the_right_side_is_never_inconclusive(factor, change):
    """Its shown end decides: what many rules correct for is failing, not passing. Of a handful of pairs it is luck."""
    rules, found = [Regression(parse(f"{kind}.hff"), factor) for kind in ("within", "between")], []
    for seed in range(40):
        same = world(seed, pairs=14)
        found += held(rules, same.run(within_hf=change), same.run(), True)
    kept = [one for one in found if (one.found.high <= factor if factor > 1 else one.found.low >= factor)]
    many, few = ([one.state for one in kept if (one.found.paths >= 10) is enough] for enough in (True, False))
    assert len(many) >= 10 and set(many) == {State.PASS}
    assert few and set(few) == {State.INCONCLUSIVE}


def test_a_handful_of_pairs_that_move_alike_fail_and_pass_nothing():
    same = world(4, pairs=6)
    then, now = same.run(), same.run()
    for factor in (4.0, 0.25):
        moved = {**now.columns, "hf_prob": then["hf_prob"] * factor}
        (found,) = held([Regression(parse("within.hff"), 1.1)], replace(now, columns=moved), then, True)
        assert found.state is State.INCONCLUSIVE and "could not have shown even a doubling" in found.text


def test_more_pairs_are_asked_of_the_baseline_unless_it_has_more():
    """Pairs beyond the baseline's have nothing to pair with, and a run that has them is refused."""
    same = world(4, pairs=3)
    then, now = same.run(), same.run()
    part = replace(now, columns={name: values[::2] for name, values in now.columns.items()})
    rule = [Regression(parse("within.hff"), 1.1)]
    assert held(rule, now, then, True)[0].text.endswith(": make the baseline with more --pairs")
    assert held(rule, part, then, True)[0].text.endswith(": use more --pairs")


def test_what_so_few_pairs_could_not_have_shown_is_named():
    same = world(4, pairs=3)
    found = held([*USUAL, Regression(parse("between.slope"), 0.9)], same.run(), same.run(), True)
    for verdict, large in zip(found, ("halving", "doubling", "doubling", "halving"), strict=True):
        assert f"so few pairs could not have shown even a {large}" in verdict.text


def test_a_change_within_the_factor_passes_however_significant():
    same = world(1)
    then = same.run()
    columns = dict(then.columns) | {"hf_prob": then["hf_prob"] * np.float32(1.05)}
    now = replace(then, columns=columns)
    assert one("between.hff", now, then, factor=1.10) is State.PASS
    assert one("between.hff", now, then, factor=1.04) is State.FAIL
    assert one("between.hff", now, then, factor=1.04, severity="warn") is State.WARN


def test_no_change_has_a_p_of_nothing():
    """All paths change alike here: the paired variance is zero."""
    then = world(1).run()
    now = replace(then, columns=dict(then.columns) | {"hf_prob": then["hf_prob"] * np.float32(2)})
    (found,) = held([Regression(parse("within.hff"), 1.1)], now, then, True)
    assert found.state is State.FAIL and found.text.endswith("p < 1e-300")


def test_a_factor_below_one_guards_against_a_fall():
    same = world(1)
    then, now = same.run(), same.run(between_hf=0.6)
    assert one("between.hff", now, then, factor=0.9) is State.FAIL
    assert one("between.hff", then, now, factor=0.9) is State.PASS


@pytest.mark.parametrize(
    ("name", "factor", "said"),
    [("between.hff", 1.1, True), ("class.dog.between.hff", 1.1, True), ("within.hff", 1.1, False)]
    + [("between.slope", 1.1, False), ("between.hff", 0.9, False)],
)
def test_a_rule_that_a_better_network_breaks_says_so(name, factor, said):
    same, changes = world(1), ("between_hf", "between_slope", "within_hf")
    calm, wild = same.run(), same.run(**dict.fromkeys(changes, 3.0))
    now, then = (wild, calm) if factor > 1 else (calm, wild)
    (found,) = held([Regression(parse(name), factor)], now, then, True)
    assert found.state is State.FAIL and ("a better network" in found.text) is said


def test_slope_and_a_class_are_judged_too():
    same = world(2)
    then, now = same.run(), same.run(between_slope=1.4)
    assert one("between.slope", now, then, factor=1.1) is State.FAIL
    assert one("class.dog.between.slope", now, then, factor=1.1) is State.FAIL
    assert one("within.slope", now, then, factor=1.1) is State.PASS


@pytest.mark.parametrize("same_data", [True, False])
def test_accuracy_that_falls_fails(same_data):
    same = world(4)
    then, now, steady = same.run(accuracy=0.9), same.run(accuracy=0.4), same.run(accuracy=0.9)
    assert one("accuracy", now, then, same_data) is State.FAIL
    assert one("class.cat.accuracy", now, then, same_data) is State.FAIL
    assert one("accuracy", now, then, same_data, drop=0.3) is State.PASS
    assert one("accuracy", steady, then, same_data) is State.PASS


@pytest.mark.parametrize("same_data", [True, False])
def test_accuracy_that_rises_from_so_little_that_no_halving_could_be_shown_passes(same_data):
    many = world(4, pairs=20).run()

    def right(images):
        status = np.where(np.arange(40) < images // 2, 7, 4).astype(np.uint8)
        return replace(many, columns=dict(many.columns) | {"status": status})

    assert one("accuracy", right(80), right(4), same_data) is State.PASS
    assert one("accuracy", right(4), right(2), same_data) is State.INCONCLUSIVE
    assert one("accuracy", right(2), right(4), same_data) is State.INCONCLUSIVE
    assert one("accuracy", right(2), right(4), same_data, drop=0.5) is State.PASS


def test_a_few_other_images_that_could_not_have_shown_a_halving_pass_no_accuracy():
    """Five of six are right, and three quarters of eighty: two of the six would not have been significant, none would."""
    then = world(4, pairs=20).run()
    then = replace(then, columns=dict(then.columns) | {"status": np.repeat([7, 4], [30, 10]).astype(np.uint8)})
    few = {name: values[:3] for name, values in then.columns.items()} | {"status": np.array([7, 7, 5], np.uint8)}
    assert one("accuracy", replace(then, columns=few), then, same_data=False) is State.INCONCLUSIVE


def test_accuracy_is_paired_over_the_images_that_both_have():
    """Eight images lost of four hundred and none gained are no chance; of other images they would be."""
    then = world(4, pairs=100).run()
    status = then["status"].copy()
    status[np.flatnonzero(then.right[::2])[:4] * 2] = 4
    now = replace(then, columns=dict(then.columns) | {"status": status})
    parts = [replace(one, columns={name: x[::2] for name, x in one.columns.items()}) for one in (now, then)]
    for some, images in (((now, then), 400), ((parts[0], then), 200), ((now, parts[1]), 200)):
        (found,) = held(USUAL[:1], *some, True)
        assert (found.state, found.found.paths) == (State.FAIL, images)
        assert found.found.estimate == pytest.approx(-8 / images)
        assert found.text.startswith("changed by -0.0") and found.text.endswith("p = 0.0039")
    assert one("class.cat.accuracy", now, then) is State.FAIL  # though fewer than ten images carry it
    assert one("accuracy", now, then, same_data=False) is State.PASS


def test_accuracy_on_other_images_knows_its_interval_and_when_there_are_none():
    then = world(4).run()
    (found,) = held(USUAL[:1], then, then, same_data=False)
    assert -0.025 < found.found.low < 0 < found.found.high < 0.025
    cats = replace(then, columns={name: values[then.selected("within")] for name, values in then.columns.items()})
    for some in ((cats, then), (then, cats)):
        (found,) = held([Regression(parse("class.dog.accuracy"))], *some, same_data=False)
        assert found.state is State.INCONCLUSIVE and "there are no images" in found.text


def test_a_handful_of_other_images_that_are_all_right_pass_no_accuracy():
    """Where no image is wrong the shares do not spread; they are no surer for it."""
    few = {name: values[:2] for name, values in world(4, pairs=20).run().columns.items()}
    images = {"image_a": np.array([0, 2]), "image_b": np.array([1, 3]), "status": np.array([7, 7], np.uint8)}
    then = replace(world(4, pairs=20).run(), columns=few | images)
    (found,) = held(USUAL[:1], then, then, same_data=False)
    assert found.state is State.INCONCLUSIVE
    wilson = 1 / (1 + 4 / 1.959964**2)  # how far below 1 the interval of 4 of 4 begins
    assert (found.found.low, found.found.high) == pytest.approx((-wilson, wilson), abs=1e-6)


def test_other_images_are_compared_without_pairing():
    then, now = world(5).run(), world(6).run(between_hf=2.0)
    assert one("between.hff", now, then, same_data=False, factor=1.1) is State.FAIL
    assert one("between.hff", then, then, same_data=False, factor=1.1) is State.PASS


def test_pairs_of_other_images_are_counted_apart():
    then, now = world(5, pairs=200).run(), world(6, pairs=20).run()
    count = [int((sample.right & sample.selected("between")).sum()) for sample in (now, then)]
    (found,) = held([Regression(parse("between.hff"), 1.1)], now, then, same_data=False)
    assert f"times the baseline ({count[0]} against {count[1]} pairs)" in found.text


def test_only_pairs_that_both_have_are_paired():
    whole = world(7).run()
    part = replace(whole, columns={name: values[::-3] for name, values in whole.columns.items()})
    verdict = held([Regression(parse("between.slope"), 1.1)], part, whole, True)[0]
    assert verdict.text == "the same as the baseline"


def test_pairs_that_only_the_baseline_has_change_no_verdict():
    """A baseline of four times as many pairs: what it holds beyond those of the audit is not compared."""
    same = world(4, pairs=400)
    then, now = same.run(), same.run(between_hf=2.0, between_slope=2.0)
    rows = np.flatnonzero(np.tile(np.arange(400) < 100, 2))
    classes = {"class_b": (then["class_b"] * (1 + np.arange(800) % 5)).astype(np.int32)}
    then, now = (replace(one, columns=dict(one.columns) | classes, class_names=CLASSES) for one in (then, now))
    now, short = (replace(one, columns={k: v[rows] for k, v in one.columns.items()}) for one in (now, then))
    rules = [Regression(parse(f"between.{name}"), 1.1) for name in ("hff", "slope")]
    found = [held(rules, now, baseline, True) for baseline in (short, then)]
    assert found[0] == found[1]
    assert all(one.state is State.FAIL for one in found[0])


def test_a_verdict_that_depends_on_which_pairs_are_chosen_is_none():
    same = world(8)
    then, now = same.run(accuracy=1.0), same.run(accuracy=0.0, between_hf=2.0)
    right = same.rng.random(len(now)) < 0.5
    few = replace(now, columns=dict(now.columns) | {"status": np.where(right, 7, 4).astype(np.uint8)})
    many = replace(then, columns=dict(then.columns) | {"status": np.where(right, 4, 7).astype(np.uint8)})
    some = many["status"].copy()
    some[np.flatnonzero(right)[::2]] = 7
    many = replace(many, columns=dict(many.columns) | {"status": some})
    verdict = held([Regression(parse("between.hff"), 1.1)], few, many, True)[0]
    assert verdict.state is State.INCONCLUSIVE
    assert "depends on selection" in verdict.text


def test_outputs_that_do_not_change_cannot_be_judged():
    same = world(9)
    then, now = same.run(), same.run()
    still = replace(now, floor={"prob": 1e9})
    for pair in ((still, then), (then, still)):
        (found,) = held([Regression(parse("between.hff"), 1.1)], *pair, True)
        assert (found.state, found.text) == (State.INCONCLUSIVE, "undefined: the outputs do not change beyond noise")
    (found,) = held([Regression(parse("between.hff"), 1.1)], still, replace(then, floor=still.floor), True)
    assert found.state is State.PASS
    two = {name: values[then.selected("between") & then.right][:2] for name, values in then.columns.items()}
    pair = replace(still, columns=two), replace(then, columns=two)
    (found,) = held([Regression(parse("between.hff"), 1.1)], *pair, False)
    assert found.text == "undefined: the outputs do not change beyond noise"


def test_a_path_that_is_alone_needs_others():
    many = world(3).run()
    first = np.flatnonzero(many.selected("between") & many.right)[:1]
    lone = replace(many, columns={name: values[first] for name, values in many.columns.items()})
    (found,) = held([Regression(parse("between.hff"), 1.1)], lone, many, same_data=False)
    assert found.state is State.INCONCLUSIVE and found.text.endswith("at least 2 are needed; use more --pairs")


def test_means_of_shares_are_judged_over_paths_that_move_in_both():
    """A path that does not move has no share in the report either."""
    then = replace(world(3).run(), estimator="mool")
    still = np.arange(len(then)) % 4 == 0
    parts = {
        f"{part}_prob": np.where(still, 0, times * then[f"{part}_prob"]) for part, times in (("hf", 2), ("total", 1))
    }
    now = replace(then, columns={**then.columns, **{name: x.astype(np.float32) for name, x in parts.items()}})
    (found,) = held([Regression(parse("between.hff"), 1.1)], now, then, True)
    assert found.found.paths == (then.selected("between") & then.right & ~still).sum()
    assert found.found.estimate == pytest.approx(2) and found.state is State.FAIL
    shares = then["hf_prob"].astype(float) / then["total_prob"]
    other = replace(then, columns={**then.columns, "hf_prob": (then["hf_prob"] ** 0.9).astype(np.float32)})
    (found,) = held([Regression(parse("between.hff"), 1.1)], other, then, True)
    kept = then.selected("between") & then.right
    changed = other["hf_prob"].astype(float) / then["total_prob"]
    assert found.found.estimate == pytest.approx(changed[kept].mean() / shares[kept].mean(), rel=1e-6)


def test_paths_on_which_nothing_moves_before_or_now_are_no_change_of_a_mean_of_shares():
    then = world(3).run()
    none = {**then.columns, **dict.fromkeys(("hf_prob", "total_prob"), np.zeros(len(then), np.float32))}
    then = replace(then, columns=none, estimator="mool")
    now = replace(then, columns={**none, "slope_prob": 2 * then["slope_prob"]})
    assert one("between.hff", now, then, factor=1.1) is State.PASS


def test_paths_whose_cut_off_is_out_of_reach_are_in_no_hff():
    then = world(3).run()
    reached = np.arange(len(then)) % 4 > 0
    columns = {**then.columns, "status": np.where(reached, then["status"], then["status"] - 4).astype(np.uint8)}
    then = replace(then, columns=columns)
    now = replace(then, columns={**columns, "hf_prob": then["hf_prob"] * np.where(reached, 1, 50).astype(np.float32)})
    (found,) = held([Regression(parse("between.hff"), 1.1)], now, then, True)
    assert (found.state, found.found.estimate) == (State.PASS, 1)
    assert found.found.paths == (then.selected("between") & then.right & reached).sum()


@pytest.mark.parametrize(("mean", "still"), [(0.99, False), (1.0, True), (1.01, True)])
def test_noise_is_all_where_its_power_is_no_less_than_that_of_the_mean_path(mean, still):
    run = world(3).run()
    total = np.ones(len(run), np.float32)
    run = replace(run, columns={**run.columns, "total_prob": total}, floor={"prob": mean})
    assert (regressions._pooled(parse("between.hff"), run, np.arange(40)).reason == STILL) is still


def test_images_of_other_data_are_other_images_whatever_their_numbers():
    run = world(3).run()
    first, second = (
        regressions._pooled(parse("between.hff"), run, rows) for rows in (np.arange(50), np.arange(750, 759))
    )
    ends = second.design
    apart = replace(second, design=Design(ends.image_a + 10_000, ends.image_b + 10_000, ends.drawn))
    assert regressions._apart(first, second).interval() == statistics.contrast(first, apart).interval()
    ends = first.design
    swapped = replace(first, design=Design(ends.image_b, ends.image_a, ends.drawn))
    assert regressions._apart(swapped, first).interval() == regressions._apart(first, first).interval()


def test_a_p_is_half_of_the_two_sided_one_on_the_wrong_side_and_the_rest_on_the_other():
    values = np.random.default_rng(0).lognormal(0.2, 1, 60)
    moved = statistics.log_mean(values, Design(*np.arange(120).reshape(2, -1)))
    up, down = (one_sided(moved, wrong) for wrong in (1, -1))
    assert moved.value > 0 and up == moved.p_value() / 2 and up + down == pytest.approx(1)


def test_what_the_baseline_does_not_hold_is_said():
    run = world(10, pairs=3).run()
    with pytest.raises(UsageError, match="holds within, between, prob only"):
        one("within.logit.hff", run, run, factor=1.1)
    with pytest.raises(UsageError, match="no class 'cow'"):
        one("class.cow.hff", run, run, factor=1.1)


def test_a_pair_of_the_same_picture_twice_leaves_a_run_equal_to_itself():
    """It has no slope."""
    run = world(0).run()
    slope = run["slope_prob"].copy()
    slope[3] = np.nan
    run = replace(run, columns=dict(run.columns) | {"slope_prob": slope})
    verdicts = held(USUAL, run, replace(run), True)
    assert [one.text for one in verdicts] == ["the same as the baseline"] * 3
    assert verdicts[1].found.paths < len(run)


@pytest.mark.parametrize("column", ["hf_prob", "total_prob", "slope_prob", "status", "image_a"])
def test_a_run_that_differs_in_any_column_is_another(column):
    run = world(0).run()
    values = run[column].copy()
    values[0] += 1
    other = replace(run, columns=dict(run.columns) | {column: values})
    assert not identical(run, other) and identical(run, run)
