import numpy as np
import pytest
from scipy import stats

from onnxspec.errors import DataError, ModelError
from onnxspec.images.convention import NOT_FINITE, candidates, chance_probability, choose, difference_probability
from onnxspec.images.inputspec import InputSpec
from onnxspec.images.preprocess import Preprocess, fit
from onnxspec.images.presets import PRESETS

from .make import noise

LABELS = np.arange(200) % 10


def predictions(accuracy: float, seed: int = 0) -> np.ndarray:
    """Predictions of which exactly that share is right, at places fixed by the seed."""
    wrong = np.random.default_rng(seed).permutation(200)[round(200 * accuracy) :]
    made = LABELS.copy()
    made[wrong] = (made[wrong] + 1) % 10
    return made


def chosen(accuracies: dict[str, float]):
    cases = [(name, PRESETS[name]) for name in accuracies]
    made = {PRESETS[name]: predictions(value, k) for k, (name, value) in enumerate(accuracies.items())}
    return choose(cases, lambda preprocess: made[preprocess], LABELS, 0.1)


def test_candidates_in_colour_and_grey():
    colour = [name for name, _ in candidates(3, Preprocess())]
    assert colour[:6] == ["0..1", "0..255", "-1..1", "127/128", "imagenet", "cifar10"]
    assert colour[6:] == [f"{name}-bgr" for name in colour[:6]]
    grey = dict(candidates(1, Preprocess()))
    assert {"0..1", "mnist", "fashion-mnist"} <= set(grey) and "imagenet" not in grey
    assert not any(name.endswith("bgr") for name in grey)
    assert [name for name, _ in candidates(5, Preprocess())] == colour[:4]


def test_candidates_keep_sizes_and_say_where_values_come_from():
    base = Preprocess(resize=40, crop=(32, 32), interpolation="bicubic")
    made = dict(candidates(3, base))["imagenet"]
    assert (made.resize, made.crop, made.interpolation) == (40, (32, 32), "bicubic")
    assert made.origin["mean"] == "auto" and made.mean == PRESETS["imagenet"].mean


def test_the_most_accurate_is_taken():
    choice = chosen({"0..1": 0.3, "imagenet": 0.9, "cifar10": 0.7, "0..255": 0.1})
    assert choice.name == "imagenet" and choice.best == PRESETS["imagenet"]
    assert choice.accuracies == {"imagenet": 0.9, "cifar10": 0.7, "0..1": 0.3, "0..255": 0.1}
    assert list(choice.accuracies) == ["imagenet", "cifar10", "0..1", "0..255"]
    assert choice.ties == () and choice.images == 200


def test_what_the_data_cannot_tell_apart_is_named():
    choice = chosen({"0..1": 0.90, "imagenet": 0.88, "cifar10": 0.6})
    assert choice.name == "0..1" and choice.ties == ("imagenet",)


def test_among_equals_the_likelier_one():
    choice = choose([(n, PRESETS[n]) for n in ("-1..1", "0..1")], lambda _: LABELS, LABELS, 0.1)
    assert choice.name == "-1..1" and choice.ties == ("0..1",)


def test_nothing_above_chance_lists_everything():
    with pytest.raises(DataError) as caught:
        chosen({"0..1": 0.1, "imagenet": 0.14, "cifar10": 0.09})
    assert (
        "significantly above chance (10.0%) on 200 images: imagenet 14.0%, 0..1 10.0%, cifar10 9.0%"
        in caught.value.message
    )
    assert "--preprocess" in caught.value.hint and "--classes" in caught.value.hint


def test_a_model_without_answers_is_not_called_badly_preprocessed():
    broken = LABELS.copy()
    broken[3:] = NOT_FINITE
    cases = [(name, PRESETS[name]) for name in ("0..1", "0..255")]
    with pytest.raises(ModelError, match=r"gives NaN or Inf on 200 images under each.* at most 3 had an answer"):
        choose(cases, lambda _: broken, LABELS, 0.1)
    # One that overflows under some preprocessing has its own.
    choice = choose(cases, lambda p: LABELS if p == PRESETS["0..1"] else broken, LABELS, 0.1)
    assert choice.name == "0..1" and not choice.ties


def test_a_model_with_one_answer_is_not_called_badly_preprocessed():
    with pytest.raises(ModelError, match=r"predicts output 7 on 200 images under each usual preprocessing"):
        choose([(name, PRESETS[name]) for name in ("0..1", "0..255")], lambda _: LABELS * 0 + 7, LABELS, 0.1)


def test_a_linear_model_gets_its_own_convention():
    """Real preprocessing end to end: a model that compares brightness with a threshold in its own units."""
    images = noise((300, 4, 4, 3))
    spec = InputSpec("NHWC", 3, 4, 4)
    true = PRESETS["127/128"]

    def predict(preprocess: Preprocess) -> np.ndarray:
        x = fit(spec, preprocess, (4, 4, 3))[1].to_input(images, spec)
        return (x[..., 0].mean(axis=(1, 2)) > 0.02).astype(np.int64)

    choice = choose(candidates(3, Preprocess()), predict, predict(true), 0.5)
    assert choice.name == "127/128" and choice.accuracies["127/128"] == 1
    assert "0..255" not in choice.ties and "127/128-bgr" not in choice.ties


@pytest.mark.parametrize(("right", "images", "chance"), [(0, 10, 0.1), (3, 10, 0.1), (10, 10, 0.5), (40, 300, 0.1)])
def test_binomial_test_is_scipys(right, images, chance):
    expected = stats.binomtest(right, images, chance, alternative="greater").pvalue
    assert chance_probability(right, images, chance) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(("only_one", "only_other"), [(0, 0), (5, 0), (8, 2), (3, 3), (40, 20)])
def test_mcnemars_test_is_the_sign_test(only_one, only_other):
    one = np.array([True] * only_one + [False] * only_other + [True] * 7)
    other = np.array([False] * only_one + [True] * only_other + [True] * 7)
    count = only_one + only_other
    expected = stats.binomtest(only_one, count).pvalue if count else 1
    assert difference_probability(one, other) == pytest.approx(expected, rel=1e-9)
