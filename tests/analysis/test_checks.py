"""Checks: what they measure is what they say, on functions whose answers are known."""

from dataclasses import replace

import numpy as np
import pytest

from analysis.functions import DIGEST, LABELS, PAIRS, engine, images, swinging
from onnxspec import spectra
from onnxspec.analysis import checks
from onnxspec.paths.families import line
from onnxspec.paths.pairs import draw
from onnxspec.results import SAME_BITS, Convergence, Pilot, Reading, Rows, measure
from onnxspec.settings import ESTIMATORS, KINDS, Measurement


def reading(points=33, signals=("prob", "logit"), cutoff=4.0):
    return Reading(Measurement(points=points, signals=signals), cutoff, False, np.array([0, 1]))


def noise_floor(evaluated, points=33, reference=None):
    plain = evaluated.outputs(PAIRS.image_a, PAIRS.image_b, line(points))
    noise, source = checks.noise_of(evaluated, PAIRS, plain, reading(points), 0, reference)
    return {name: one.floor() for name, one in noise.items()}, source


def test_the_pilot_is_the_first_pairs_of_every_kind():
    pilot = checks.pilot_pairs(PAIRS, 5)
    assert pilot.kind.tolist() == [0] * 5 + [1] * 5
    assert np.array_equal(pilot.image_a[:5], PAIRS.image_a[PAIRS.kind == 0][:5])


def test_noise_is_measured_on_eight_paths_of_the_pilot_or_more_from_every_kind():
    for pairs, expected in ((PAIRS, [0] * 4 + [1] * 4), (PAIRS[PAIRS.kind == 1], [1] * 8)):
        places = checks.dithered_places(pairs)
        assert pairs.kind[places].tolist() == expected
        assert set(places.tolist()) <= set(checks.pilot_places(pairs).tolist())


def test_the_passes_of_the_pilot_are_counted():
    passes: list[int] = []
    checks.run_pilot(replace(engine(swinging(1)), on_images=passes.append), PAIRS, reading(9), 0, None)
    assert sum(passes) == checks.pilot_images(PAIRS, 9)


@pytest.mark.parametrize("workers", [1, 2, 16])
@pytest.mark.parametrize("paths", [1, 5, 64])
def test_the_pilot_ends_with_single_paths_so_that_no_core_idles_through_several(paths, workers):
    spans = list(checks._spans(paths, workers))
    assert [path for span in spans for path in range(span.start, span.stop)] == list(range(paths))
    sizes = [span.stop - span.start for span in spans]
    assert sizes == sorted(sizes, reverse=True) and sizes[-1] == 1 and sizes[0] <= checks.AT_ONCE
    left = paths - np.cumsum([0, *sizes[:-1]])
    assert all(size == 1 or 2 * size * workers <= rest for size, rest in zip(sizes, left, strict=True))


def test_the_noise_of_a_kind_is_all_of_its_bins():
    """Of as many paths of either the mean is the noise of all."""
    noise, weak = swinging(1), np.random.default_rng(0)

    def noisy(batch):
        return noise(batch) + 1e-3 * weak.normal(size=(len(batch), 2))

    found, _ = checks.run_pilot(engine(noisy), PAIRS, reading(), 0, checks.Reference(engine(noise), finer=True))
    floors = [one.floor for one in found.convergence if one.signal == "logit"]
    assert len(floors) == 2 and np.mean(floors) == pytest.approx(found.floor["logit"].sum())


def test_steps_are_named_as_a_cause_where_many_points_do_not_help():
    for points, named in ((65, False), (129, True)):
        (found,) = checks.remarks(Pilot((convergence(0.1, 0.2),), {}, "", SAME_BITS, points))
        assert found.code == "unconverged" and ("move in steps" in found.hint) is named
        assert f"--points {2 * points - 1}." in found.hint


def test_what_is_noise_is_said():
    pilot = Pilot((convergence(0.1, 0.1, high=1e-13, floor=1e-13),), {}, "", SAME_BITS, 33)
    assert [one.code for one in checks.remarks(pilot)] == ["noise"]


def test_figures_on_the_three_grids_are_those_of_runs_with_these_points():
    function = swinging(3.3)
    pilot, _ = checks.run_pilot(engine(function), PAIRS, reading(33), 0, None)
    between = next(c for c in pilot.convergence if (c.kind, c.signal) == ("between", "logit"))
    for i, points in enumerate((17, 33, 65)):
        own, _ = checks.run_pilot(engine(function), PAIRS, reading(points), 0, None)
        chosen = next(c for c in own.convergence if (c.kind, c.signal) == ("between", "logit"))
        for metric in ("hff", "slope"):
            assert between.figures[metric][i] == pytest.approx(chosen.figures[metric][1], rel=1e-9)


def test_off_grid_error_of_an_unseen_wave_is_its_power():
    """32 cycles on 33 points: the grid sees nothing, so the error is the wave's whole power, A^2 / 2 per output."""
    pilot, _ = checks.run_pilot(engine(swinging(32, 0.5)), PAIRS, reading(33), 0, None)
    between = next(c for c in pilot.convergence if (c.kind, c.signal) == ("between", "logit"))
    assert between.off_grid == pytest.approx(2 * 0.5**2 / 2, rel=0.25)
    assert between.unresolved
    within = next(c for c in pilot.convergence if (c.kind, c.signal) == ("within", "logit"))
    assert not within.unresolved


def test_a_resolved_wave_has_next_to_no_off_grid_error():
    pilot, _ = checks.run_pilot(engine(swinging(5)), PAIRS, reading(33), 0, None)
    assert not any(c.unresolved or c.unconverged for c in pilot.convergence)
    assert {r.code for r in checks.remarks(pilot)} <= {"noise"}


def test_the_distance_from_the_start_is_that_of_the_path_off_the_grid_too():
    pilot, _ = checks.run_pilot(engine(swinging(0.2)), PAIRS, reading(signals=("distance",)), 0, None)
    between = next(c for c in pilot.convergence if c.kind == "between")
    assert 0 < between.off_grid < 1e-5 * between.total


def test_scores_that_do_not_move_have_the_rounding_of_float32():
    floor, _ = noise_floor(engine(lambda batch: np.tile([3.0, -3.0], (len(batch), 1))))
    assert floor["logit"].sum() == pytest.approx(np.finfo(np.float32).eps ** 2 / 12 * 18, rel=1e-9, abs=0)


@pytest.mark.parametrize("dtype", [np.float32, np.uint8])
def test_the_noise_floor_is_half_the_power_of_the_dither(dtype):
    """A network that only passes a pixel on makes the dither itself its noise."""
    x = np.random.default_rng(1).integers(0, 256, (80, 4, 4, 1), np.uint8) if dtype == np.uint8 else images() + 8

    def pass_on(batch):
        z = batch[:, 1, 1, 0].astype(np.float64)
        return np.stack([z, -z], -1)

    floor, source = noise_floor(engine(pass_on, x, dtype), 129)
    if dtype == np.uint8:
        # Two logits of a grey level that is rounded, the variance of which is 1/12.
        assert floor["logit"].sum() == pytest.approx(2 / 12, rel=0.1)
    else:
        unit = np.spacing(np.float32(8))
        assert floor["logit"].sum() == pytest.approx(unit**2 * 2 / 2, rel=0.4, abs=0)
    assert "dither" in source


def _bfloat16(values):
    """Rounded to eight binary digits, as float64."""
    bits = np.asarray(values, np.float32).view(np.uint32)
    return ((bits + 0x8000) & 0xFFFF0000).view(np.float32).astype(np.float64)


@pytest.mark.parametrize(
    ("dtype", "inside", "rounded"),
    [
        (np.float16, "", np.float64),
        (np.float32, "float16", lambda z: z.astype(np.float16).astype(np.float64)),
        (np.float32, "bfloat16", _bfloat16),
    ],
)
def test_the_noise_floor_of_half_precision_is_what_its_rounding_does(dtype, inside, rounded):
    """Against the same paths without any rounding."""

    def pass_on(batch):
        z = rounded(batch[:, 1, 1, 0])
        return np.stack([z, -z], -1)

    coarse, exact = (
        engine(pass_on, images() + 12, dtype),
        engine(lambda x: x[:, 1, 1, 0, None] * [1.0, -1], images() + 12),
    )
    coarse.spec = replace(coarse.spec, inside=inside)
    outputs = [one.outputs(PAIRS.image_a, PAIRS.image_b, line(129)) for one in (coarse, exact)]
    error = spectra.sine(np.subtract(*outputs)).power
    floor, _ = noise_floor(coarse, 129)
    assert floor["logit"].sum() == pytest.approx(error.mean(0).sum(), rel=0.2, abs=0)


def test_each_kind_is_held_against_its_own_noise():
    """A step that grid points between classes lie on makes noise there, and none within a class."""

    def stepped(batch):
        z = batch[:, 0, 0, 0].astype(np.float64)
        calm = 1e-2 * np.sin(40 * batch[:, 1, 1, 0].astype(np.float64))
        return np.stack([(np.abs(z - 0.5) < 0.4) * (z % 0.125 == 0) + calm, -calm], -1)

    found, _ = checks.run_pilot(engine(stepped), PAIRS, reading(33), 0, None)
    within, between = (next(c for c in found.convergence if (c.kind, c.signal) == (kind, "logit")) for kind in KINDS)
    assert between.floor > 1e3 * within.floor and not within.noise


def test_a_share_of_rounding_is_at_most_all():
    pilot, _ = checks.run_pilot(engine(swinging(1)), PAIRS, reading(33), 0, None)
    rounded = replace(pilot, convergence=tuple(replace(c, high=1e-300, floor=1.0) for c in pilot.convergence))
    assert "100.0% (prob, within)" in checks.rounding_remark(rounded).text


def scores(noise=0.0):
    """Two logits of a float64 network, and independent noise in both."""

    def run(batch):
        z = batch[:, 0, 0, 0].astype(np.float64)
        return np.stack([z, -z], -1) + noise * np.random.default_rng(0).normal(size=(len(batch), 2))

    return run


def test_another_provider_is_compared_with_the_cpu():
    finer = checks.Reference(engine(scores()), finer=True)
    floor, source = noise_floor(engine(scores(1e-5)), 129, finer)
    equal, unsaid = noise_floor(engine(scores(1e-5)), 129, checks.Reference(engine(scores()), finer=False))
    exact, _ = noise_floor(engine(scores()), reference=finer)
    assert (source, unsaid) == (checks.COARSER, checks.REFERENCE)
    # Independent noise of variance 1e-10 in two logits: centred, their variances add up to half of the two.
    assert floor["logit"].sum() == pytest.approx(1e-10, rel=0.5)
    assert equal["logit"].sum() == pytest.approx(floor["logit"].sum() / 2)
    assert exact["logit"].sum() < 1e-14


def in_half_precision(batch):
    return (scores()(batch) / 3).astype(np.float16).astype(np.float32) * 3


def test_a_device_that_computes_coarsely_is_found_out_whatever_its_options_say():
    """OpenVINO's plugin takes half precision on GPUs by itself, Core ML on the Neural Engine."""
    finer, equal = (checks.Reference(engine(scores()), finer=one) for one in (True, False))
    told, _ = noise_floor(engine(in_half_precision), reference=finer)
    found, source = noise_floor(engine(in_half_precision), reference=equal)
    assert source == checks.COARSER
    assert np.array_equal(told["logit"], found["logit"])


def test_a_floor_is_subtracted_and_said():
    """A slow wave under noise: all that is above the cut-off is noise, and subtraction leaves next to nothing."""
    clean, noise = swinging(1), np.random.default_rng(2)

    def noisy(batch):
        return clean(batch) + 0.05 * noise.normal(size=(len(batch), 2))

    pilot, _ = checks.run_pilot(engine(noisy), PAIRS, reading(), 0, checks.Reference(engine(clean), finer=True))
    between = PAIRS[PAIRS.kind == 1]
    outputs = engine(noisy).outputs(between.image_a, between.image_b, line(33))
    d = np.ones(len(between))
    plain = measure(outputs, between, d, reading())["hf_logit"].mean()
    less = measure(outputs, between, d, replace(reading(), floor=pilot.floor))["hf_logit"].mean()
    assert abs(less) < plain / 3


def test_accuracy_counts_every_image_once():
    def by_pixel(batch):
        z = np.where(batch[:, 0, 0, 0] > 0.5, 1.0, -1.0) * np.where(batch[:, 1, 1, 0] > 1, -1, 1)
        return np.stack([-z, z], -1)

    x = images()
    pairs = draw(LABELS, KINDS, 300, DIGEST, 0)
    outputs = engine(by_pixel).outputs(pairs.image_a, pairs.image_b, np.array([[1, 0], [0, 1]], np.float32))
    wide = np.repeat(outputs, [5, 4], axis=1)
    rows = measure(wide.astype(np.float32), pairs, np.ones(len(pairs)), reading(9))
    used = pairs.images
    right = (x[used, 1, 1, 0] <= 1).mean()
    assert checks.accuracy(rows, reading(9)).estimate == pytest.approx(right)


def convergence(chosen, double, high=1.0, off_grid=0.0, floor=0.0):
    return Convergence("within", "prob", 32, {"hff": (chosen, chosen, double)}, off_grid, high, high / chosen, floor)


@pytest.mark.parametrize(("double", "warns"), [(0.1, False), (0.1019, False), (0.1025, True), (0.097, True)])
def test_two_per_cent_of_hff_is_the_line(double, warns):
    assert bool(convergence(0.1, double).unconverged) is warns


@pytest.mark.parametrize(("metric", "tolerance"), [("hff", 0.02), ("slope", 0.05), ("excess_tv", 0.1)])
def test_every_metric_has_its_own_line(metric, tolerance):
    for change, warns in ((0.99 * tolerance, ()), (1.01 * tolerance, (metric,))):
        for factor in (1 + change, 1 - change):
            figures = {"hff": (0.1,) * 3} | {metric: (0.1, 0.1 * factor, 0.1)}
            assert Convergence("within", "prob", 32, figures, 0.0, 1.0, 10.0, 0.0).unconverged == warns


@pytest.mark.parametrize(
    ("high", "total", "floor", "most"), [(1.0, 10.0, 0.0, 0.1), (1e-3, 1.0, 0.01, 0.1001), (0.0, 2.0, 0.0, 2e-9)]
)
def test_an_error_off_the_grid_is_too_large_beyond_a_tenth_of_what_is_fast_and_ten_times_the_noise(
    high, total, floor, most
):
    """And beyond a billionth of all power, below which there is nothing to resolve."""
    for off_grid, unresolved in ((0.999 * most, False), (1.001 * most, True)):
        found = Convergence("within", "prob", 32, {"hff": (0.1,) * 3}, off_grid, high, total, floor)
        assert found.unresolved is unresolved


@pytest.mark.parametrize(("of_sines", "of_chosen"), [(1, 0), (0, 1), (1, 1)])
def test_what_is_fast_is_noise_up_to_ten_times_the_floor_or_a_billionth_of_all(of_sines, of_chosen):
    """Of sines or of the chosen estimator, whichever has more of it."""
    for floor, most in ((1e-3, 1e-2), (0.0, 2e-9)):
        for high, noise in ((0.999 * most, True), (1.001 * most, False)):
            figures = {"hff": (0.0, of_chosen * high / 2.0, 0.0)}
            found = Convergence("within", "prob", 32, figures, 0.0, of_sines * high, 2.0, floor)
            assert found.noise is noise


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_the_error_off_the_grid_is_held_against_the_power_of_sines(estimator):
    """Whatever the figures are of: MOOL's magnitudes are no power, and the tail of a jump hides what aliases."""

    def between(fast):
        def steep(batch):
            z = batch[:, 0, 0, 0].astype(np.float64)
            z = 3 * z + fast * np.sin(63 * np.pi * z)
            return np.stack([z, -z], -1)

        by = replace(reading(), measurement=Measurement(points=33, signals=("logit",), estimator=estimator))
        return checks.run_pilot(engine(steep), PAIRS, by, 0, None)[0].convergence[1]

    assert between(0.05).unresolved
    assert not between(0).unresolved and between(0).noise is (estimator in ("sine", "hann"))


def test_rounding_noise_is_not_judged():
    assert convergence(0.1, 0.2, high=1e-13, floor=1e-13).unconverged == ()
    assert convergence(0.1, 0.2, high=1e-13, floor=1e-13).noise
    assert not convergence(0.1, 0.1, high=1e-13, off_grid=5e-13, floor=1e-13).unresolved


@pytest.mark.parametrize(("chosen", "double"), [(1e-3, 0.0), (0.0, 0.0), (np.nan, np.nan)])
def test_a_figure_that_is_not_seen_is_not_held_against_another(chosen, double):
    figures = {"hff": (0.1,) * 3, "excess_tv": (chosen, chosen, double)}
    found = Convergence("within", "prob", 32, figures, 0.0, 1.0, 10.0, 0.0)
    assert found.change("excess_tv") == 0 and found.unconverged == ()


def test_points_are_too_few_where_anything_is_unconverged_or_unresolved():
    calm = convergence(0.1, 0.1)
    for one, coarse in ((calm, False), (convergence(0.1, 0.2), True), (convergence(0.1, 0.1, off_grid=1.0), True)):
        assert Pilot((calm, one), {}, "", SAME_BITS, 33).too_coarse is coarse


def test_rows_join_in_any_grouping():
    parts = [Rows({"a": np.arange(i, i + 2), "b": np.ones((2, 3)) * i}) for i in range(4)]
    whole = Rows.concatenated(parts)
    left = Rows.concatenated([Rows.concatenated(parts[:3]), parts[3]])
    right = Rows.concatenated([parts[0], Rows.concatenated(parts[1:])])
    assert np.array_equal(Rows.concatenated(parts[:1])["a"], [0, 1])
    for name in ("a", "b"):
        assert np.array_equal(whole[name], left[name])
        assert np.array_equal(whole[name], right[name])
    with pytest.raises(ValueError, match="different measurements"):
        Rows.concatenated([parts[0], Rows({"a": np.zeros(1)})])


def test_what_the_pilot_has_walked_is_taken_once_and_whole():
    outputs = np.arange(24, dtype=np.float32).reshape(4, 3, 2)
    walked = checks.Walked(np.array([0, 1, 40, 41]), outputs)
    assert walked.take(slice(1, 3)) is None
    assert np.array_equal(walked.take(slice(0, 2)), outputs[:2])
    assert walked.take(slice(0, 2)) is None
    assert np.array_equal(walked.take(slice(40, 42)), outputs[2:])
