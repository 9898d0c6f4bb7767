"""What any implementation must pass: method.md section 12, as far as it concerns signals, spectra, metrics, statistics."""

import math

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from onnxspec import metrics, signals, spectra, statistics
from onnxspec.statistics import Design
from simulation import Population, disjoint, recurring

IMAGE = (3, 8, 8)
PIXELS = math.prod(IMAGE)


def session(nodes, outputs, **constants):
    """A float32 classifier of images, `x` -> `logits`, run by onnxruntime."""
    graph = helper.make_graph(
        [helper.make_node("Flatten", ["x"], ["flat"]), *nodes],
        "classifier",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", *IMAGE])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", outputs])],
        [numpy_helper.from_array(np.asarray(value, np.float32), name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, ir_version=10, opset_imports=[helper.make_opsetid("", 17)])
    onnx.checker.check_model(model, full_check=True)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])


def wave_classifier(direction, origin, cycles, amplitude, phase=0.0):
    """Logits (z, -z) / 2 with z = A sin(2 pi f0 <x - origin, direction> + phase), f0 in cycles per unit L2."""
    nodes = [
        helper.make_node("Sub", ["flat", "origin"], ["offset"]),
        helper.make_node("MatMul", ["offset", "wave"], ["turns"]),
        helper.make_node("Add", ["turns", "phase"], ["angle"]),
        helper.make_node("Sin", ["angle"], ["z"]),
        helper.make_node("MatMul", ["z", "halves"], ["logits"]),
    ]
    wave = 2 * np.pi * cycles * direction.reshape(-1, 1)
    halves = amplitude * np.array([[0.5, -0.5]])
    return session(nodes, 2, origin=origin.ravel(), wave=wave, phase=[phase], halves=halves)


def linear_classifier(rng, classes=10):
    nodes = [helper.make_node("Gemm", ["flat", "weights", "bias"], ["logits"])]
    return session(nodes, classes, weights=rng.standard_normal((PIXELS, classes)), bias=rng.standard_normal(classes))


def along(classifier, start, end, points):
    """Its logits (1, points, classes) on the straight path, both ends included."""
    t = np.linspace(0, 1, points).reshape(-1, 1, 1, 1)
    (logits,) = classifier.run(None, {"x": ((1 - t) * start + t * end).astype(np.float32)})
    return logits[None]


def rms(a, b):
    return np.array([np.sqrt(np.mean((a - b) ** 2))])


def two_images_and_a_direction(seed):
    rng = np.random.default_rng(seed)
    direction = rng.standard_normal(IMAGE)
    return rng.random(IMAGE), rng.random(IMAGE), direction / np.linalg.norm(direction)


class TestAKnownFrequencyIsFound:
    """1. A network that oscillates F times along a path has its spectrum at F."""

    @pytest.mark.parametrize("amplitude", [0.1, 1.0, 3.0])
    @pytest.mark.parametrize(
        ("points", "cycles"),
        [(33, 0.5), (33, 1.0), (33, 3.5), (33, 8.0), (33, 14.0), (65, 10.5), (65, 28.5), (129, 57.5)],
    )
    def test_power_is_in_the_one_bin(self, points, cycles, amplitude):
        start, end, direction = two_images_and_a_direction(seed=int(2 * cycles))
        reach = abs(np.sum(direction * (end - start)))
        logits = along(wave_classifier(direction, start, cycles / reach, amplitude), start, end, points)
        k = int(2 * cycles)
        for name, share in {"logit": 1 - 1e-7, "prob": 0.98}.items():
            spectrum = spectra.sine(signals.SIGNALS[name](logits, False))
            assert np.argmax(spectrum.power[0]) + 1 == k
            assert spectrum.frequency[k - 1] == cycles
            assert spectrum.power[0, k - 1] > share * spectrum.power.sum()

    @pytest.mark.parametrize("stretch", [0.5, 1.0, 1.5])
    def test_physical_frequency_is_the_networks_whatever_the_length_of_the_path(self, stretch):
        """One network, paths of three lengths: the same cycles per unit distance."""
        start, end, direction = two_images_and_a_direction(seed=3)
        reference, cycles = rms(start, end)[0], 6.0
        classifier = wave_classifier(direction, start, cycles / abs(np.sum(direction * (end - start))), 1.0)
        far = start + stretch * (end - start)
        spectrum, distance = spectra.sine(signals.logit(along(classifier, start, far, 33), False)), rms(start, far)
        assert spectrum.frequency[np.argmax(spectrum.power)] / distance[0] == pytest.approx(cycles / reference)
        bins = metrics.Bins.common(distance, 33, reference)
        common = metrics.rebinned(spectrum.power, spectrum.frequency, spectrum.half_width, distance, bins)
        assert bins.frequency[np.argmax(common[0, :-1])] == pytest.approx(cycles / reference)

    @pytest.mark.parametrize("phase", [0.3, 0.9, 1.25, 1.9, 3.0, 4.0, 5.5])
    @pytest.mark.parametrize(("points", "cycles"), [(33, 3.0), (33, 7.5), (65, 25.5)])
    def test_with_a_phase_the_largest_bin_from_there_up_is_its_own(self, points, cycles, phase):
        """Unless the ends stand near a crest (section 3's blind spot): beyond |tan phase| of about pi / 2 the next wins."""
        start, end, direction = two_images_and_a_direction(seed=5)
        reach = np.sum(direction * (end - start))
        direction = direction * np.sign(reach)
        logits = along(wave_classifier(direction, start, cycles / abs(reach), 1.0, phase), start, end, points)
        power = spectra.sine(signals.logit(logits, False)).power[0]
        k = int(2 * cycles)
        assert np.argmax(power[k - 1 :]) == (abs(math.tan(phase)) > math.pi / 2)


def two_of_ten(share):
    """(1, points, 10) outputs of which two share everything."""
    probs = np.zeros((1, len(share), 10))
    probs[0, :, 3], probs[0, :, 8] = share, 1 - share
    return probs


def step(t, width):
    return 1 / (1 + np.exp(-(t - 0.5) / width))


def hff(signal, cycles=4.0):
    spectrum = spectra.sine(signal)
    return (metrics.high_power(spectrum, np.ones(len(signal)), cycles) / spectrum.total)[0]


def mool_share(probs):
    spectrum = spectra.mool(probs)
    return metrics.mool_high_power(spectrum.power) / spectrum.total


class TestASharperStepIsFaster:
    """2. The sharper a decision, the higher its frequency; a ramp has none. MOOL's estimator cannot tell."""

    SHARPER = (0.1, 0.07, 0.05, 0.03, 0.02, 0.01, 0.007, 0.005, 0.003)

    @pytest.mark.parametrize("points", [129, 257, 1025])
    def test_hff_and_slope_rise_as_the_step_sharpens(self, points):
        t = np.linspace(0, 1, points)
        paths = np.concatenate([two_of_ten(step(t, width)) for width in self.SHARPER])
        fast = [hff(one[None]) for one in paths]
        steep = metrics.slope(spectra.sine(paths).power, spectra.chord(paths), np.ones(len(paths)))
        assert (np.diff(fast) > 0).all()
        assert (np.diff(steep) > 0).all()

    @pytest.mark.parametrize("width", [0.1, 0.15, 0.2, 0.4])
    def test_a_wide_step_has_next_to_no_fast_part(self, width):
        assert hff(two_of_ten(step(np.linspace(0, 1, 129), width))) < 1e-5

    @pytest.mark.parametrize("points", [9, 33, 129, 1025])
    def test_a_ramp_has_none(self, points):
        assert hff(two_of_ten(np.linspace(0, 1, points)), cycles=min(4.0, (points - 1) / 4)) < 1e-20

    @pytest.mark.parametrize("seed", range(3))
    def test_a_linear_network_has_none_but_rounding(self, seed):
        start, end, _ = two_images_and_a_direction(seed)
        logits = along(linear_classifier(np.random.default_rng(seed)), start, end, 129)
        assert 0 < hff(signals.logit(logits, False)) < 1e-10

    def test_models_out_of_lines_share_calls_the_ramp_the_fastest(self):
        t = np.arange(76) / 75
        steps = [mool_share(two_of_ten(step(t, width)))[0] for width in (0.1, 0.03, 0.01, 0.003)]
        assert steps == pytest.approx([0.315, 0.302, 0.299, 0.323], abs=5e-4)
        assert mool_share(two_of_ten(t))[0] == pytest.approx(0.338, abs=5e-4)


class TestEndsDecide:
    """3. A classifier that only ever steps from one end's answer to the other's."""

    ERRORS = (0.0, 0.05, 0.1, 0.2, 0.4)
    MOOL = (0.0, 0.03, 0.06, 0.11, 0.18)

    @staticmethod
    def stepped(error, paths=2000, points=257, classes=10):
        """Outputs (paths, points, classes) within class 0, and which paths have both ends right."""
        rng = np.random.default_rng(12)
        wrong = rng.random((2, paths)) < error
        start, end = np.where(wrong, rng.integers(1, classes, (2, paths)), 0)
        turn = rng.uniform(0, 1, (paths, 1))
        label = np.where(np.linspace(0, 1, points) < turn, start[:, None], end[:, None])
        return np.eye(classes)[label], ~wrong.any(0)

    @pytest.mark.parametrize("error", ERRORS)
    def test_paths_with_both_ends_right_have_no_fast_part_and_no_share(self, error):
        probs, right = self.stepped(error)
        spectrum = spectra.sine(probs[right])
        high = metrics.high_power(spectrum, np.ones(right.sum()), 4.0)
        assert not high.any()
        pooled = statistics.ratio(high, spectrum.total, Design.apart(len(high))).interval()
        assert math.isnan(pooled.estimate) and pooled.reason

    def test_unstratified_figures_rise_with_the_error(self):
        fast, mool = [], []
        for error in self.ERRORS:
            probs, _ = self.stepped(error)
            fast.append(metrics.high_power(spectra.sine(probs), np.ones(len(probs)), 4.0).mean())
            mool.append(mool_share(probs).mean())
        assert fast[0] == 0 and (np.diff(fast) > 0).all()
        assert mool == pytest.approx(self.MOOL, rel=0.15) and (np.diff(mool) > 0).all()


@pytest.fixture(scope="module")
def logits():
    """Some paths of a network with a wave on top of a linear part, so that chord and wiggle both matter."""
    rng = np.random.default_rng(4)
    nodes = [
        helper.make_node("MatMul", ["flat", "waves"], ["turns"]),
        helper.make_node("Sin", ["turns"], ["bends"]),
        helper.make_node("MatMul", ["flat", "weights"], ["straight"]),
        helper.make_node("Add", ["bends", "straight"], ["logits"]),
    ]
    waves, weights = 8 * rng.standard_normal((PIXELS, 5)), 0.2 * rng.standard_normal((PIXELS, 5))
    classifier = session(nodes, 5, waves=waves, weights=weights)
    ends = rng.random((6, 2, *IMAGE))
    return np.concatenate([along(classifier, start, end, 33) for start, end in ends]).astype(np.float64)


class TestInvariance:
    """4. What must not change the measurement: Parseval, class permutation, path reversal, on a real session's output."""

    DISTANCE = np.linspace(0.2, 0.4, 6)

    @pytest.mark.parametrize("signal", list(signals.SIGNALS))
    def test_wiggle_is_the_trapezoid_mean_of_the_squared_residual(self, logits, signal):
        followed = signals.SIGNALS[signal](logits, False)
        mean_square = np.trapezoid(np.square(spectra.residual(followed)).sum(-1), dx=1 / 32, axis=1)
        np.testing.assert_allclose(spectra.sine(followed).power.sum(1), mean_square, rtol=1e-12)

    def figures(self, logits, signal):
        """Everything that sections 3 and 4 say about some paths, MOOL's and what has a direction left out."""
        followed, probs, labels = signals.SIGNALS[signal](logits, False), signals.prob(logits, False), logits.argmax(-1)
        found = {}
        for name in ("sine", "cosine", "hann", "rfft"):
            spectrum = spectra.ESTIMATORS[name](followed)
            found[name] = spectrum.power
            found[f"{name} total"] = spectrum.total
            found[f"{name} hf"] = metrics.high_power(spectrum, self.DISTANCE, 12.0)
        found["slope"] = metrics.slope(found["sine"], spectra.chord(followed), self.DISTANCE)
        found["excess_tv"] = metrics.excess_tv(probs)
        found["flips"] = metrics.flips(labels)
        found["width"] = metrics.width(probs, labels, self.DISTANCE)
        return found

    def assert_same(self, changed, logits, signal):
        expected = self.figures(logits, signal)
        for name, value in self.figures(changed, signal).items():
            np.testing.assert_allclose(value, expected[name], rtol=1e-9, atol=1e-14, err_msg=name)

    @pytest.mark.parametrize("signal", list(signals.SIGNALS))
    def test_the_order_of_classes_does_not_matter(self, logits, signal):
        changed = logits[..., [3, 0, 4, 2, 1]]
        self.assert_same(changed, logits, signal)
        labels = [metrics.consistent(z.argmax(-1)) for z in (changed, logits)]
        np.testing.assert_array_equal(*labels)
        shares = [mool_share(signals.SIGNALS[signal](z, False)) for z in (changed, logits)]
        np.testing.assert_allclose(*shares, rtol=1e-9)

    @pytest.mark.parametrize("signal", ["prob", "logit", "label"])
    def test_the_direction_of_a_path_does_not_matter(self, logits, signal):
        self.assert_same(logits[:, ::-1], logits, signal)


def naive(pooled):
    """What one would write down for independent paths."""
    return 1.96 * math.sqrt(np.square(pooled.influence).sum())


def product_weights(rng, seen, draws=120):
    """Bootstrap of the images; a pair weighs as the product of its two images' weights (Owen 2007)."""
    images = 1 + seen.image_b.max()
    weights = rng.multinomial(images, np.full(images, 1 / images), size=draws)
    weights = weights[:, seen.image_a] * weights[:, seen.image_b]
    return 1.96 * np.std(np.log(weights @ seen.numerator / (weights @ seen.denominator)))


class TestIntervalsCover:
    """5. Heavy-tailed figures like those of method.md section 4: within a class a handful of paths carries it all."""

    @staticmethod
    def simulated(population, design, repeats):
        """Every simulated survey with its pooled ratio."""
        rng = np.random.default_rng(20)
        for _ in range(repeats):
            seen = population.survey(rng, *design)
            yield seen, statistics.ratio(*seen.columns)

    @staticmethod
    def coverage(pooled_figures, truth):
        found = [pooled.interval() for pooled in pooled_figures]
        return np.mean([one.low <= math.exp(truth) <= one.high for one in found])

    @pytest.mark.parametrize(
        ("spread", "paths", "effective"), [(0.7, 300, (20, 35)), (1.3, 300, (5, 10)), (1.0, 60, (4, 8))]
    )
    def test_of_disjoint_pairs(self, spread, paths, effective):
        population = Population(path=spread)
        found = [pooled for _, pooled in self.simulated(population, disjoint(paths), repeats=2000)]
        assert effective[0] <= np.median([pooled.interval().n_eff for pooled in found]) <= effective[1]
        assert 0.92 <= self.coverage(found, population.truth) <= 0.97

    @pytest.mark.parametrize(("images", "partners"), [(150, 4), (100, 5), (200, 3)])
    def test_of_recurring_images_where_naive_errors_do_not(self, images, partners):
        population = Population(image=0.5, path=0.5)
        found = [pooled for _, pooled in self.simulated(population, recurring(images, partners), repeats=2000)]
        assert 0.92 <= self.coverage(found, population.truth) <= 0.97
        assert np.mean([abs(pooled.value - population.truth) < naive(pooled) for pooled in found]) < 0.75

    def test_product_weights_are_far_too_wide_for_disjoint_pairs(self):
        rng, population, held, wider = np.random.default_rng(1), Population(path=0.7), [], []
        for seen, pooled in self.simulated(population, disjoint(300), repeats=250):
            half = product_weights(rng, seen)
            held.append(abs(pooled.value - population.truth) < half)
            wider.append(half / naive(pooled))
        assert np.mean(held) > 0.97
        assert np.median(wider) == pytest.approx(1.7, abs=0.15)

    @pytest.mark.slow
    @pytest.mark.parametrize("paths", [100, 200, 400, 1000])
    @pytest.mark.parametrize("spread", [0.5, 0.9, 1.3])
    def test_of_many_surveys_of_disjoint_pairs(self, spread, paths):
        population = Population(path=spread)
        found = [pooled for _, pooled in self.simulated(population, disjoint(paths), repeats=10_000)]
        assert 0.92 <= self.coverage(found, population.truth) <= 0.97
