"""Heat maps against what is known in closed form, and the same whoever computes them."""

import numpy as np
import pytest

from model import build
from onnxspec import CallableModel, Settings
from onnxspec.errors import DataError, ModelError, UsageError
from onnxspec.heatmap import heat_map
from onnxspec.heatmap.measuring import default_eps
from onnxspec.heatmap.perturbed import signs
from onnxspec.images.inputspec import InputSpec
from onnxspec.paths.waves import Waves

SIDE = build.SIDE
WAVES = Waves.half_plane(SIDE, SIDE)
IMAGES = np.random.default_rng(0).integers(0, 256, (30, SIDE, SIDE, 3), np.uint8)
LABELS = np.arange(30) % build.CLASSES
STD = "mean=.1,.2,.3;std=.5,.25,2"


def linear(weights):
    """x to its inner products with (classes, channels, height, width) weights."""
    return CallableModel(lambda x: np.einsum("nchw,kchw->nk", x, weights), InputSpec("NCHW", 3, SIDE, SIDE))


def test_a_linear_model_changes_by_its_weights_along_each_wave():
    """logit: eps |<w, U>| per channel with the image's signs, whatever the image."""
    weights = np.random.default_rng(1).normal(size=(4, 3, SIDE, SIDE))
    found = heat_map(linear(weights), (IMAGES, LABELS % 4), eps=0.3, images=10, preprocess=STD)
    along = np.einsum("kcuv,duv->kcd", weights, WAVES.images().astype(float)) / np.array([0.5, 0.25, 2.0])[:, None]
    for row, image in enumerate(found.images):
        own = signs(IMAGES[image], len(WAVES), 3, seed=0)
        change = 0.3 * np.einsum("kcd,dc->kd", along, own)
        expected = np.linalg.norm(change - change.mean(0), axis=0)
        assert np.allclose(found.change["logit"][row], expected, rtol=1e-3, atol=1e-5)


def test_grey_images_and_two_classes_leave_the_absolute_inner_product():
    """Logits (z, -z) / sqrt 2: the change is eps |<w, U>| to the last digits, so that its interval has no width."""
    w = np.random.default_rng(2).normal(size=(SIDE, SIDE))
    model = CallableModel(
        lambda x: np.einsum("nchw,hw->n", x, w)[:, None] * np.array([1, -1]) / np.sqrt(2),
        InputSpec("NCHW", 1, SIDE, SIDE),
    )
    found = heat_map(model, (IMAGES[..., 0], LABELS % 2), eps=0.3, images=10, preprocess="mean=.5;std=.25")
    expected = 0.3 / 0.25 * np.abs(np.einsum("uv,duv->d", w, WAVES.images().astype(float)))
    figures = found.mean_change["logit"]
    for values in (figures.estimate, figures.low, figures.high):
        assert np.allclose(values, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("wave", [0, 5, 17, len(WAVES) - 1])
def test_a_model_of_one_frequency_lights_up_that_cell_alone(wave):
    """Classes by the sign of <x, U>: a wave along it turns some answers over, all others none."""
    u = WAVES.images()[wave]
    coordinate = np.einsum("nhwc,hw->n", IMAGES / 255, u)
    middle = np.median(coordinate)

    def model(x):
        return (np.einsum("nchw,hw->n", x, u) - middle)[:, None] * np.array([1, -1])

    found = heat_map(model, (IMAGES, (coordinate < middle).astype(int)), eps=0.5, images=30, preprocess="0..1")
    assert found.accuracy.estimate == 1
    lit = np.flatnonzero(found.error.estimate)
    assert lit.tolist() == [wave]
    assert np.flatnonzero(found.mean_change["logit"].estimate > 1e-4).tolist() == [wave]
    plane = found.waves.plane(found.error.estimate)
    assert np.count_nonzero(plane) == (1 if WAVES.own_opposite[wave] else 2)
    assert found.increase.low[wave] > 0


def test_eps_is_the_norm_of_what_is_added_to_each_channel_in_pixels():
    seen = []

    def model(x):
        seen.append(x.copy())
        return x.mean((2, 3))

    found = heat_map(model, (IMAGES[:2], [0, 1]), eps=0.7, images=2, preprocess=STD, batch=1)
    every = np.concatenate(seen)[:, None]
    std = np.array([0.5, 0.25, 2.0])
    pixels = np.moveaxis(IMAGES[:2] / 255, -1, 1)
    clean = (pixels - np.array([0.1, 0.2, 0.3])[:, None, None]) / std[:, None, None]
    added = (every - clean).astype(float) * std[:, None, None]
    norms = np.linalg.norm(added, axis=(-2, -1))
    with_wave = np.isclose(norms, 0.7, atol=1e-4).all(-1).any(-1)
    assert with_wave.sum() == 2 * len(WAVES)
    assert found.attributes["rms"] == pytest.approx(0.7 / SIDE)
    assert np.isclose(np.sqrt(np.square(added).mean((-1, -2)))[with_wave].min(), found.attributes["rms"], atol=1e-4)


def test_signs_are_the_image_s_own():
    first = signs(IMAGES[0], 400, 3, 0)
    assert set(np.unique(first)) == {-1, 1}
    assert abs(first.mean()) < 0.1
    assert np.array_equal(first, signs(IMAGES[0].copy(), 400, 3, 0))
    assert not np.array_equal(first, signs(IMAGES[1], 400, 3, 0))
    assert not np.array_equal(first, signs(IMAGES[0], 400, 3, 1))


@pytest.fixture(scope="module")
def convnet(tmp_path_factory):
    return build.save(build.convnet(), tmp_path_factory.mktemp("model") / "m.onnx")


def measured(model, **options):
    data = (IMAGES, LABELS)
    return heat_map(model, data, Settings.of(**{"preprocess": "0..1", **options}), images=20)


def assert_same(first, second):
    assert np.array_equal(first.images, second.images)
    assert np.array_equal(first.wrong, second.wrong)
    assert np.array_equal(first.wrong_filtered, second.wrong_filtered)
    for signal, change in first.change.items():
        assert np.allclose(change, second.change[signal], rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("options", [{"batch": 1}, {"batch": 7, "threads": 1}, {"batch": 64, "threads": 2}])
def test_batch_size_and_threads_do_not_matter(convnet, options):
    assert_same(measured(convnet), measured(convnet, **options))


def test_the_layout_does_not_matter(convnet, tmp_path):
    assert_same(measured(convnet), measured(build.save(build.convnet(layout="NHWC"), tmp_path / "m.onnx")))


def test_a_model_that_ends_in_softmax_has_the_same_probabilities(convnet, tmp_path):
    soft = measured(build.save(build.convnet(head="Softmax"), tmp_path / "m.onnx"))
    assert_same(measured(convnet), soft)


def test_more_images_are_added_to_the_same(convnet):
    few, more = (heat_map(convnet, (IMAGES, LABELS), images=n, preprocess="0..1") for n in (10, 20))
    assert np.array_equal(more.images[:10], few.images)
    assert np.array_equal(more.wrong[:10], few.wrong)


def test_restricted_outputs_are_the_classes_of_the_data(convnet):
    data = (IMAGES, LABELS % 3)
    options = {"images": 20, "preprocess": "0..1"}
    whole, restricted = (heat_map(convnet, data, restrict_outputs=flag, **options) for flag in (False, True))
    assert restricted.wrong_before.sum() <= whole.wrong_before.sum()
    assert not np.allclose(whole.change["prob"], restricted.change["prob"])


def test_without_labels_an_error_is_another_answer(convnet):
    found = heat_map(convnet, IMAGES, images=20, preprocess="0..1")
    assert not found.labelled
    assert found.wrong_before.sum() == 0
    assert np.array_equal(found.increase.estimate, found.error.estimate)
    assert found.increase.low.min() == 0 and found.rings.increase.low.min() >= 0
    assert "unlabelled" in [remark.code for remark in found.remarks]


def test_a_uint8_model_is_rounded_and_clipped_and_says_so(convnet, tmp_path):
    whole = build.save(build.convnet(uint8=True), tmp_path / "m.onnx")
    found = heat_map(whole, (IMAGES, LABELS), images=20)
    assert "clipped" in [remark.code for remark in found.remarks]
    # The same function on uint8 and on 0..1: as far as nothing is clipped, rounding is all that differs.
    middle = (IMAGES // 3 + 85, LABELS)
    rounded, exact = (
        heat_map(m, middle, eps=0.5, images=20, **o) for m, o in ((whole, {}), (convnet, {"preprocess": "0..1"}))
    )
    mean = exact.mean_change["logit"].estimate
    assert np.allclose(rounded.mean_change["logit"].estimate, mean, atol=0.1 * mean.max())


def test_floating_images_have_their_own_units(convnet):
    scaled = heat_map(
        convnet, ((IMAGES / 255).astype(np.float32), LABELS), eps=0.5, images=30, preprocess="mean=0;std=1"
    )
    whole = heat_map(convnet, (IMAGES, LABELS), eps=0.5, images=30, preprocess="0..1")
    assert "units" in [remark.code for remark in scaled.remarks]
    assert np.allclose(
        scaled.mean_change["logit"].estimate.mean(), whole.mean_change["logit"].estimate.mean(), rtol=0.1
    )


def test_floating_images_in_8_bit_levels_need_an_eps_of_their_own(convnet):
    data = IMAGES.astype(np.float32), LABELS
    options = {"images": 10, "preprocess": "scale=1/255"}
    with pytest.raises(DataError, match=r"from 0 to 255, and the default --eps, 1.\d+, is for 0 to 1.*--eps \d+"):
        heat_map(convnet, data, **options)
    levels = heat_map(convnet, data, eps=255 * default_eps(SIDE, SIDE), **options)
    whole = heat_map(convnet, (IMAGES, LABELS), **options)
    mean = whole.mean_change["logit"].estimate.mean()
    assert levels.mean_change["logit"].estimate.mean() == pytest.approx(mean, rel=0.1)


def test_what_is_no_number_is_an_error_that_names_the_image():
    def model(x):
        scores = 40 * x.mean((2, 3))
        scores[np.ptp(x, axis=(1, 2, 3)) > 1.5] = np.nan
        return scores

    with pytest.raises(ModelError, match=r"NaN or Inf for \d+ with a wave added"):
        heat_map(model, (IMAGES, LABELS % 3), eps=8.0, images=5, preprocess="0..1")


def test_one_answer_for_everything_is_a_warning():
    def first(batch):
        return np.tile(np.float32([1, 0]), (len(batch), 1))

    found = heat_map(first, (IMAGES, (np.arange(30) > 27).astype(int)), images=30, highest=1, preprocess="0..1")
    assert any("same class is predicted for all" in r.text for r in found.remarks if r.code == "accuracy")


def test_fewer_images_than_asked_for_are_said(convnet):
    found = heat_map(convnet, (IMAGES, LABELS), images=99, preprocess="0..1")
    assert len(found.images) == 30
    assert "30 usable images, fewer than 99" in next(r.text for r in found.remarks if r.code == "capped")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"eps": 0.0}, "--eps is 0.0"),
        ({"eps": float("nan")}, "--eps is nan"),
        ({"images": 1}, "--images is 1; it must be a whole number, at least 2"),
        ({"highest": 0}, "--highest is 0"),
        ({"images": 2.5}, "--images is 2.5; it must be a whole number"),
        ({"eps": "a"}, "--eps is a"),
    ],
)
def test_what_cannot_be_done_is_refused(convnet, options, said):
    with pytest.raises(UsageError, match=said):
        heat_map(convnet, (IMAGES, LABELS), **options)


def test_the_default_size_is_that_of_the_paper():
    assert default_eps(32, 32) == 4
    assert default_eps(224, 224) == pytest.approx(15.7, rel=0.01)


def test_images_of_three_pixels_have_waves_and_no_filter():
    images = np.random.default_rng(0).integers(0, 256, (12, 1, 3, 3), np.uint8)
    found = heat_map(lambda x: x.mean((2, 3)), (images, np.arange(12) % 3), images=9, preprocess="0..1", highest=10**20)
    assert found.wrong_filtered.shape == (9, 0) and found.wrong.shape[1] == len(found.waves)
