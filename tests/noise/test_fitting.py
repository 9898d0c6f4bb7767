"""Networks that do exactly what theory says are found to do so; the rest of the world is refused in words."""

import json

import numpy as np
import pytest
from scipy import special

from conftest import FASHION
from model import build
from noise import made
from noise.conftest import DATA, OPTIONS, OTHER, A, F
from onnxspec.errors import DataError, UsageError
from onnxspec.model.session import OnnxModel
from onnxspec.noise import random_direction, storing
from onnxspec.noise.fitting import fit
from onnxspec.noise.making import make_targets


def figures(course, quantity, frequency=F):
    return [course.figure(one.name, frequency, A, quantity).estimate for one in course.checkpoints]


def test_checkpoints_stand_in_order(course):
    assert [one.name for one in course.checkpoints] == ["e-1", "e-2", "e-3", "e-10"]
    assert course.checkpoints[-1].accuracy.estimate == 1


def test_theory_is_found(course):
    noise = course.noise(F, A)
    assert figures(course, "explained")[1] == pytest.approx(0, abs=1e-4)
    assert figures(course, "explained")[3] == pytest.approx(1, abs=1e-4)
    assert figures(course, "noise_fitting")[0] == pytest.approx(0, abs=1e-6)
    assert figures(course, "noise_fitting")[3] == pytest.approx(noise.perfect_here, abs=1e-5)
    assert figures(course, "noise_fitting")[1:4:2] == pytest.approx(
        [noise.forms.uniform, noise.forms.perfect], abs=0.02
    )
    assert figures(course, "noisy")[1:4:2] == pytest.approx(
        [noise.forms.loss_uniform, noise.forms.loss_perfect], abs=0.02
    )
    assert figures(course, "following")[1] == pytest.approx(0, abs=1e-6)
    assert figures(course, "following")[3] == pytest.approx(noise.forms.following, abs=0.02)


def test_the_dip_is_where_the_classes_are_known_and_the_noise_is_not(course):
    noise = course.noise(F, A)
    assert (noise.dip_model, noise.dip.verdict) == ("e-2", "dip")
    assert noise.dip.rise.low > 0
    assert noise.dip.minimum.estimate == min(figures(course, "noise_fitting"))


def test_noise_of_another_frequency_is_not_followed(course):
    for one in course.checkpoints:
        following = course.figure(one.name, OTHER, A, "following")
        assert following.low <= 0 <= following.high
    assert course.noise(OTHER, A).dip.verdict == "still falling"


def test_a_minimum_is_told_from_that_of_the_first_frequency_and_the_first_from_none(course):
    first, other = course.noise(F, A), course.noise(OTHER, A)
    difference = other.dip.minimum.estimate - first.dip.minimum.estimate
    assert other.against_first.estimate == pytest.approx(difference)
    assert other.against_first.low <= difference <= other.against_first.high
    assert np.isnan([getattr(first.against_first, end) for end in ("estimate", "low", "high")]).all()
    assert [row["against_first"] for row in json.loads(storing.to_json(course))["noises"]] == [
        None,
        pytest.approx(difference),
    ]


@pytest.mark.parametrize("direction", [None, 3])
def test_losses_are_those_on_the_targets_that_were_written(tmp_path, direction):
    """The whole way round: targets of the data set, and cross-entropies with a network's own outputs."""
    path = made.fitted(tmp_path / "m.onnx", F, A, 0.5)
    targets = make_targets(DATA, frequency=F, amplitude=A, direction=direction, preprocess="-1..1")
    x = (np.moveaxis(DATA[0], -1, 1) / np.float32(255) - 0.5) / 0.5
    log = special.log_softmax(OnnxModel.open(path, device="cpu").run(x.astype(np.float32)), axis=-1)
    found = fit([path], DATA, frequencies=[F], amplitudes=[A], direction=direction, **OPTIONS)
    assert found.figure("m", F, A, "noisy").estimate == pytest.approx(
        -(targets.targets() * log).sum(1).mean(), abs=1e-5
    )
    assert found.figure("m", F, A, "clean").estimate == pytest.approx(-log[range(3000), DATA[1]].mean(), abs=1e-6)


@pytest.mark.parametrize("direction", [None, 5, random_direction(made.SHAPE, 5)])
def test_the_layout_of_a_network_does_not_matter(tmp_path, direction):
    models = [made.fitted(tmp_path / f"{i}.onnx", F, A, layout=layout) for i, layout in enumerate(["NCHW", "NHWC"])]
    found = fit(models, DATA, frequencies=[F], amplitudes=[A], direction=direction, **OPTIONS)
    first, second = (found.figure(one.name, F, A).estimate for one in found.checkpoints)
    assert first == pytest.approx(second, abs=1e-6)


def test_phases_that_are_all_alike_are_said(tmp_path):
    path = made.fitted(tmp_path / "m.onnx", F, A)
    found = fit([path], DATA, frequencies=[0.001], amplitudes=[A], **OPTIONS)
    assert found.noise(0.001, A).concentration > 0.9
    assert "concentrated" in {remark.code for remark in found.remarks}


def test_a_network_trained_on_clean_labels_knows_nothing_of_the_noise():
    """The bundled checkpoints: far below the closed forms, the same at all frequencies, still falling."""
    data = np.load(FASHION / "test.npz")
    some = (data["images"][:600], data["class_names"][data["labels"][:600]])
    found = fit([FASHION / "epoch-01.onnx", FASHION / "epoch-10.onnx"], some, frequencies=[0.1, 0.3], amplitudes=[0.1])
    for frequency in (0.1, 0.3):
        noise = found.noise(frequency, 0.1)
        assert (noise.dip.verdict, noise.dip_model) == ("still falling", "epoch-10")
        assert noise.dip.minimum.high < noise.forms.uniform == pytest.approx(-0.4060, abs=5e-5)
        following = found.figure("epoch-10", frequency, 0.1, "following")
        assert following.low < 0.02 and following.high < noise.forms.following
    low, high = (found.figure("epoch-10", f, 0.1).estimate for f in (0.1, 0.3))
    assert abs(low / high - 1) < 0.1


def test_outputs_that_are_left_out_do_not_take_part(tmp_path):
    """A network with more classes than the data, of which a softmax over the data's is taken."""
    path = build.save(build.convnet(), tmp_path / "m.onnx")
    images = np.random.default_rng(0).integers(0, 256, (60, 8, 8, 3), np.uint8)
    named = (images, np.array(["1", "3", "4"])[np.arange(60) % 3])
    settings = {"preprocess": "0..1", "restrict_outputs": True}
    found = fit([path], named, frequencies=[F], amplitudes=[A], **settings)
    assert found.attributes["classes"] == 3
    z = OnnxModel.open(path, device="cpu").run(np.moveaxis(images, -1, 1) / np.float32(255))[:, [1, 3, 4]]
    clean = -special.log_softmax(z.astype(float), axis=-1)[np.arange(60), np.arange(60) % 3].mean()
    assert found.figure("m", F, A, "clean").estimate == pytest.approx(clean, rel=1e-5)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"frequencies": []}, UsageError, "no frequency"),
        ({"frequencies": [-1.0]}, UsageError, "frequency is -1"),
        ({"amplitudes": [0.7]}, UsageError, "at most 0.5"),
        ({"amplitudes": [0.1, 0.1]}, UsageError, "given twice"),
        ({"at": [1, 2, 3]}, UsageError, "3 values stand for 2 models"),
        ({"direction": np.ones(7)}, UsageError, r"shape \(7,\)"),
        ({"data": None}, UsageError, "labelled images"),
        ({"labels": "predicted"}, DataError, "no labels"),
        ({"models": []}, UsageError, "no checkpoint"),
    ],
)
def test_what_cannot_be_measured_is_said(tmp_path, options, error, message):
    models = [made.fitted(tmp_path / f"{i}.onnx", F, A) for i in range(2)]
    given = {"models": models, "data": DATA, "frequencies": [F], "amplitudes": [A]} | OPTIONS | options
    with pytest.raises(error, match=message):
        fit(given.pop("models"), **given)


def test_two_checkpoints_of_one_name_are_refused(tmp_path):
    models = []
    for folder in ("a/x", "b/x"):
        (tmp_path / folder).mkdir(parents=True)
        models.append(made.fitted(tmp_path / folder / "e-1.onnx", F, A))
    with pytest.raises(UsageError, match="Two of the checkpoints are called x-e-1"):
        fit(models, DATA, frequencies=[F], amplitudes=[A], at=[1, 2], **OPTIONS)


def test_networks_that_see_other_numbers_are_refused():
    with pytest.raises(DataError, match=r"keras takes 1 x 28 x 28 .* pytorch takes .*mean 0.286.*the same noise"):
        fit(
            [FASHION / "pytorch.onnx", FASHION / "keras.onnx"],
            FASHION / "test.npz",
            frequencies=[0.1],
            amplitudes=[0.1],
            at=[1, 2],
        )


def test_a_network_of_other_classes_is_refused(tmp_path):
    models = [build.save(build.convnet(classes=k), tmp_path / f"{k}.onnx") for k in (5, 7)]
    images = np.random.default_rng(0).integers(0, 256, (20, 8, 8, 3), np.uint8)
    named = (images, np.array(["0", "1"])[np.arange(20) % 2])
    with pytest.raises(DataError, match="7 has 7 classes and 5 has 5"):
        fit(models, named, frequencies=[F], amplitudes=[A], preprocess="0..1")


def test_figures_that_are_not_there_are_said(course):
    with pytest.raises(UsageError, match="Checkpoints: e-1"):
        course.figure("e-4", F, A)
    with pytest.raises(UsageError, match=r"Frequencies and amplitudes: 5 0.3"):
        course.noise(1, 1)


def test_unreadable_images_are_left_out_with_a_word(tmp_path):
    from PIL import Image

    for label in range(3):
        (tmp_path / "data" / str(label)).mkdir(parents=True)
    for i, (image, label) in enumerate(zip(*made.images(30), strict=True)):
        Image.fromarray(image).save(tmp_path / "data" / str(label) / f"{i}.png")
    (tmp_path / "data" / "0" / "0.png").write_bytes(b"nothing")
    path = made.fitted(tmp_path / "m.onnx", F, A)
    found = fit([path], tmp_path / "data", frequencies=[F], amplitudes=[A], skip_bad=1, **OPTIONS)
    assert found.attributes["images"] == 29
    assert "skipped" in {remark.code for remark in found.remarks}
    targets = make_targets(tmp_path / "data", frequency=F, amplitude=A, skip_bad=1, preprocess="-1..1")
    assert len(targets) == 29 and "0/0.png" not in targets.names
