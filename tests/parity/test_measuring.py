"""A whole protocol run: against plain loops over the definition, bit for bit repeatable, and honest about its data."""

import dataclasses
import json

import h5py
import numpy as np
import pytest
import xarray
from PIL import Image

import onnxspec
from conftest import FASHION
from onnxspec import parity
from onnxspec.analysis.subject import open_subject
from onnxspec.errors import DataError, ModelError, UsageError
from onnxspec.images.opening import open_images
from onnxspec.listening import Silence
from onnxspec.parity import pooling
from onnxspec.parity.planning import prepare
from onnxspec.parity.pooling import concluded
from onnxspec.parity.result import CONSISTENT, HFF
from onnxspec.parity.walking import walked
from oracle import mool
from oracle import signals as oracle

SIDE, CLASSES, EACH = 8, 3, 8
RNG = np.random.default_rng(0)
IMAGES = RNG.integers(0, 256, (CLASSES * EACH, SIDE, SIDE, 3), np.uint8)
LABELS = np.arange(CLASSES * EACH) % CLASSES
WEIGHTS = RNG.normal(size=(3 * SIDE * SIDE, CLASSES)) / 3
MEAN, STD = np.array([0.491, 0.482, 0.447]), np.array([0.247, 0.243, 0.262])
PREPROCESS = {"mean": MEAN.tolist(), "std": STD.tolist()}


def logits(batch):
    """Of (n, c, h, w) in the papers' normalised input."""
    return 3 * np.sin(batch.reshape(len(batch), -1).astype(np.float64) @ WEIGHTS)


def settings(pairs=3, preprocess=PREPROCESS, **more):
    return onnxspec.Settings.of(pairs=pairs, preprocess=preprocess, **more)


@pytest.fixture(scope="module")
def by_mool():
    return parity.run(logits, (IMAGES, LABELS), settings())


def normalised(image):
    return (IMAGES[image] / 255 - MEAN) / STD


def probabilities(points):
    """Of points (n, h, w, c), the oracle's softmax of each by itself."""
    return oracle.probabilities(logits(np.moveaxis(points, -1, 1)))


def points_of(family, a, b):
    if family in ("within", "between"):
        return mool.steps(normalised(a).ravel(), normalised(b).ravel()).reshape(-1, SIDE, SIDE, 3)
    shares = [1 - j / 99 for j in range(100)]
    return np.stack([mool.blend(normalised(a), normalised(b), share, family) for share in shares])


@pytest.mark.parametrize("family", ["within", "between", "amplitude", "phase"])
def test_every_path_is_the_definition_s(by_mool, family):
    paths = by_mool.paths
    rows = np.flatnonzero(paths["family"] == family)
    assert len(rows) == {"within": 9, "between": 9}.get(family, 12)
    for row in rows[:3] if family in ("within", "between") else rows[:1]:
        prob = probabilities(points_of(family, paths["image_a"][row], paths["image_b"][row]))
        assert paths["points"][row] == len(prob)
        assert paths["hff"][row] == pytest.approx(mool.high_share(mool.magnitude(prob)), rel=1e-4)
        assert paths["consistent"][row] == mool.consistent(prob)
        assert paths["right"][row] == (prob[0].argmax() == LABELS[paths["image_a"][row]])
    figure = by_mool.figure(family)
    assert figure.interval.estimate == pytest.approx(paths["hff"][rows].mean())
    assert figure.interval.low <= figure.interval.estimate <= figure.interval.high
    assert by_mool.figure(family, CONSISTENT).interval.estimate == pytest.approx(paths["consistent"][rows].mean())


def test_no_interval_goes_beyond_the_last_point():
    paths = {"consistent": np.array([80] + [100] * 19), "points": np.full(20, 100)}
    paths |= {
        "image_a": np.arange(20),
        "image_b": np.arange(20, 40),
        "class_a": np.zeros(20, int),
        "class_b": np.zeros(20, int),
    }
    assert pooling._figure(paths, np.arange(20), "phase", CONSISTENT).interval.high == 100


@pytest.mark.parametrize(("family", "chance"), [("within", False), ("between", False), ("amplitude", True)])
def test_how_classes_differ_is_chance_only_where_classes_are_drawn(family, chance):
    """Values that are a class's own, but for little noise: as many paths of every class leave the noise alone."""
    rng = np.random.default_rng(0)
    classes = np.repeat(np.arange(4), 20)
    paths = {"class_a": classes, "class_b": classes + (family != "within")}
    paths |= {"image_a": np.arange(80), "image_b": np.arange(80, 160), "points": np.full(80, 100)}
    paths["hff"] = 0.1 + 0.05 * classes + 1e-3 * rng.standard_normal(80)
    interval = pooling._figure(paths, np.arange(80), family, HFF).interval
    noise, differing = (1.96 * np.sqrt(value / 80) for value in (1e-6, 0.05**2 * 1.25))
    assert (interval.high - interval.low) / 2 == pytest.approx(differing if chance else noise, rel=0.2)


def test_a_network_of_another_normalisation_is_measured_at_the_same_points(by_mool):
    """The same function of the pixels, fed 0..1: the papers' normalisation is undone in the network itself."""

    def plain(batch):
        return logits((batch - MEAN[:, None, None]) / STD[:, None, None])

    found = parity.run(plain, (IMAGES, LABELS), settings(preprocess="0..1"))
    np.testing.assert_array_equal(found.paths["points"], by_mool.paths["points"])
    np.testing.assert_allclose(found.paths["hff"], by_mool.paths["hff"], rtol=1e-3)


def test_sbp_has_the_power_of_every_path_and_its_mean():
    found = parity.run(logits, (IMAGES, LABELS), settings(), "sbp")
    assert found.families == ["within", "between"]
    mean, std = (0.49139968, 0.48215841, 0.44653091), (0.24703223, 0.24348513, 0.26158784)
    for row in (0, 10, 17):
        a, b = (IMAGES[found.paths[name][row]] / 255 for name in ("image_a", "image_b"))
        ends = [((end - mean) / std).ravel() for end in (a, b)]
        # The network is fed what PREPROCESS says, whatever space decides the steps.
        shares = np.arange(found.paths["points"][row]) / np.linalg.norm(ends[1] - ends[0])
        points = (a + shares[:, None, None, None] * (b - a) - MEAN) / STD
        np.testing.assert_allclose(
            found.spectrum(row), mool.distance_power(probabilities(points)), rtol=1e-3, atol=1e-4
        )
    within = next(s for s in found.spectra if s.family == "within")
    of_within = [found.spectrum(i).sum() for i in range(9)]
    assert within.power.sum() == pytest.approx(np.mean(of_within), rel=1e-5)
    assert (within.low <= within.power).all()


def within(classifier, images, labels):
    """MOOL's within figure alone: Fourier paths, half the work, are nothing to the point."""
    rules = dataclasses.replace(parity.PROTOCOLS["mool"], families=("within", "between"))
    chosen = settings(50, "0..1", kinds=("within",))
    subject = open_subject(classifier, (images, labels), chosen)
    prepared = prepare(subject, rules, chosen, Silence())
    return concluded(prepared, chosen, walked(prepared)).figure("within").interval.estimate


def test_a_wrong_end_is_most_of_what_within_class_figures_show():
    """method.md section 12, item 3: a step wherever an end is wrong, and MOOL's within figure follows their share."""
    rng = np.random.default_rng(5)
    images, labels = rng.integers(0, 256, (200, SIDE, SIDE, 3), np.uint8), np.arange(200) % 2
    shares = []
    for wrong in (0.0, 0.05, 0.1, 0.2, 0.4):
        hit = rng.random(200) < wrong
        made = images.copy()
        made[:, 0, 0, 0] = np.where(labels ^ hit, 255, 0)  # what the classifier looks at, and all it looks at

        def classifier(batch):
            z = 1e3 * (batch[:, 0, 0, 0] - 0.5)
            return np.stack([-z, z], -1)

        shares.append(within(classifier, made, labels))
    assert shares[0] < 1e-15
    assert shares == sorted(shares)
    np.testing.assert_allclose(shares[1:], [0.03, 0.06, 0.11, 0.18], rtol=0.5)


def test_batch_size_and_threads_do_not_change_a_bit(tmp_path):
    digests = set()
    for batch, threads in [(1, 1), (7, 2), (64, 2)]:
        output = tmp_path / f"{batch}.h5"
        chosen = settings(3, None, batch=batch, threads=threads, kinds=("within",))
        parity.run(FASHION / "pytorch.onnx", FASHION / "test.npz", chosen, "sbp", output)
        with h5py.File(output) as file:
            digests.add(file.attrs["digest"])
    assert len(digests) == 1


def test_xarray_reads_the_file(tmp_path):
    output = tmp_path / "mool.h5"
    found = parity.run(logits, (IMAGES, LABELS), settings(), "mool", output)
    paths = xarray.open_dataset(output, group="paths", engine="h5netcdf")
    assert paths["hff"].dims == ("path",)
    assert set(paths["family"].values) == {"within", "between", "amplitude", "phase"}
    assert paths["distance"].attrs["units"] == "normalised L2"
    assert json.loads(json.dumps(found.to_dict(), allow_nan=False))["figures"][0]["paths"] == 9
    with h5py.File(output) as file:
        assert [remark["code"] for remark in json.loads(file.attrs["remarks"])] == [r.code for r in found.remarks]


def test_spectra_are_stored_with_their_frequencies(tmp_path):
    output = tmp_path / "sbp.h5"
    found = parity.run(logits, (IMAGES, LABELS), settings(), "sbp", output)
    spectra = xarray.open_dataset(output, group="spectra", engine="h5netcdf")
    assert spectra["power"].dims == ("family", "frequency")
    assert spectra["frequency"].attrs["units"] == "cycles per unit L2 distance"
    with h5py.File(output) as file:
        assert len(file["power/value"]) == (found.paths["points"] // 2 + 1).sum()


def test_what_keeps_figures_from_the_published_ones_is_said(by_mool):
    codes = {remark.code for remark in by_mool.remarks}
    assert {"not-cifar", "not-published-plan"} <= codes
    assert "sorted-by-class" not in codes
    order = np.argsort(LABELS, kind="stable")[:-1]
    found = parity.run(logits, (IMAGES[order], LABELS[order]), settings(200))
    assert {"sorted-by-class", "unequal-classes", "capped"} <= {remark.code for remark in found.remarks}


def test_equal_images_make_no_path():
    images = IMAGES.copy()
    images[LABELS == 1] = images[1]
    found = parity.run(logits, (images, LABELS), settings(4))
    assert (found.paths["family"] == "within").sum() == 8
    assert any(remark.code == "left-out" and remark.text.startswith("4 paths") for remark in found.remarks)


@pytest.mark.parametrize("protocol", ["mool", "sbp"])
def test_images_that_are_all_alike_are_told(protocol):
    images = np.repeat(IMAGES[:1], len(IMAGES), axis=0)
    with pytest.raises(DataError, match="All paths \\(within, between\\) join equal or unreadable images"):
        parity.run(logits, (images, LABELS), settings(2), protocol)


@pytest.mark.parametrize(
    ("data", "more", "error", "told"),
    [
        ((IMAGES, None), {}, DataError, "have no labels"),
        ((IMAGES / 255.0, LABELS), {}, DataError, "8-bit"),
        ((IMAGES, LABELS), {"points": 65, "cutoff": 9.0}, UsageError, "--points, --cutoff cannot be set"),
    ],
)
def test_what_cannot_be_measured_is_told(data, more, error, told):
    with pytest.raises(error, match=told):
        parity.run(logits, data, settings(**more))


def test_a_result_replaces_no_file_of_anybody_else_s(tmp_path):
    (tmp_path / "model.onnx").write_bytes(b"mine")
    with pytest.raises(UsageError, match="is not replaced"):
        parity.run(logits, (IMAGES, LABELS), settings(2), "sbp", tmp_path / "model.onnx")
    assert (tmp_path / "model.onnx").read_bytes() == b"mine"


def test_an_unknown_protocol_is_told():
    with pytest.raises(UsageError, match=r"no protocol 'mol'. Known: mool, sbp"):
        parity.run(logits, (IMAGES, LABELS), protocol="mol")


def test_a_network_that_overflows_names_the_path():
    seen = []

    def classifier(batch):
        seen.append(len(batch))
        return logits(batch) if sum(seen) < 400 else np.full((len(batch), CLASSES), np.nan)

    with pytest.raises(ModelError, match=r"NaN or Inf between \d+ and \d+"):
        parity.run(classifier, (IMAGES, LABELS), settings(batch=8))


def test_the_first_image_may_be_the_unreadable_one(tmp_path):
    for i, image in enumerate(IMAGES):
        place = tmp_path / "data" / str(LABELS[i]) / f"{i}.png"
        place.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(place)
    data = open_images(tmp_path / "data")
    first = tmp_path / "data" / data.names[data.order[0]]
    first.write_bytes(bytes(first.stat().st_size))  # of the same size: the order is drawn from names and sizes
    found = parity.run(logits, tmp_path / "data", settings(skip_bad=2))
    assert len(found.paths["family"])


def test_an_accuracy_that_no_chance_gives_is_no_chance():
    """Of two classes: 70 % of so many images are not near a half."""
    images = np.random.default_rng(1).integers(0, 256, (100, SIDE, SIDE, 3), np.uint8)
    labels = probabilities((images / 255 - MEAN) / STD)[:, :2].argmax(1)
    labels[::3] = 1 - labels[::3]
    found = parity.run(lambda x: logits(x)[:, :2], (images, labels), settings(200))
    assert 0.6 < found.attributes["accuracy"] < 0.75 and found.attributes["accuracy_images"] > 60
    assert not [remark for remark in found.remarks if remark.code == "accuracy"]


def test_a_seed_matters_where_pairs_are_drawn():
    said = {
        (protocol, seed): any("seed" in remark.text for remark in found.remarks)
        for protocol in ("mool", "sbp")
        for seed in (0, 1)
        for found in [parity.run(logits, (IMAGES, LABELS), settings(3, seed=seed), protocol)]
    }
    assert said["mool", 1] and not said["sbp", 1] and not said["sbp", 0]
