"""What was built in is found: classes the more diverse of which are the more wiggly; and what too few cannot say."""

import math
import re
from dataclasses import astuple

import numpy as np
import pytest
from onnx import TensorProto, helper
from scipy.spatial.distance import pdist

import onnxspec
from model import build
from onnxspec.diversity.columns import Columns
from onnxspec.diversity.correlation import Correlation, averaged, plain, rank_correlation
from onnxspec.diversity.embedding import class_distances, images_of_classes, mean_pairwise
from onnxspec.diversity.found import NEGATIVE, POSITIVE, UNDECIDED, Quantity, Relation
from onnxspec.diversity.halves import halved
from onnxspec.diversity.picture import picture
from onnxspec.diversity.relating import relate
from onnxspec.diversity.remarks import remarks
from onnxspec.diversity.view import View
from onnxspec.errors import DataError, ModelError, ReportError, UsageError
from onnxspec.listening import Silence
from onnxspec.report.rendering import rendered

SIDE, CLASSES, EACH = 5, 24, 10
QUANTITY = Quantity("prob", "hff")


def images(classes=CLASSES):
    """Class c has pixel c lit and the last pixel free, the freer the larger c is: (n, 5, 5) uint8, and labels."""
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(classes), EACH)
    pixels = np.zeros((len(labels), SIDE * SIDE))
    pixels[np.arange(len(labels)), labels] = 200
    pixels[:, -1] = 128 + (5 + 4 * labels) * rng.uniform(-1, 1, len(labels))
    return pixels.reshape(-1, SIDE, SIDE).astype(np.uint8), labels


def network(classes=CLASSES):
    """Scores of the lit pixel, and a wave over the free one that is the higher the larger the class is."""

    def scores(batch):
        flat = batch.reshape(len(batch), -1)
        lit = flat[:, :classes]
        return 8 * lit + lit * (1 + np.arange(classes)) / 20 * np.sin(30 * flat[:, -1:])

    return scores


def encoder(path, width=SIDE * SIDE):
    """Writes an ONNX model whose outputs are the first pixels, times 3."""
    nodes = [
        helper.make_node("Flatten", ["x"], ["flat"]),
        helper.make_node("MatMul", ["flat", "w"], ["y"]),
    ]
    weights = {"w": 3 * np.eye(SIDE * SIDE, width, dtype=np.float32)}
    inputs = [build.tensor("x", TensorProto.FLOAT, ["n", 1, SIDE, SIDE])]
    outputs = [build.tensor("y", TensorProto.FLOAT, ["n", width])]
    return build.save(build.model(nodes, inputs, outputs, weights), path)


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    path = tmp_path_factory.mktemp("diversity") / "r.h5"
    return onnxspec.analyze(network(), images(), preprocess="0..1", pairs=CLASSES * EACH // 2, output=path)


@pytest.fixture(scope="module")
def found(report, tmp_path_factory):
    path = encoder(tmp_path_factory.mktemp("encoder") / "e.onnx")
    return relate(report, path, images(), preprocess="0..1")


def test_the_relation_that_was_built_in_is_found(found):
    for measure in ("distance", "embedding"):
        one = found.relation(measure, "slope", "logit")
        # The images of the first class are so alike that a half of it has one path that moves.
        assert one.correlation.classes == CLASSES - 1
        assert one.correlation.rho > 0.7 and one.verdict == POSITIVE and one.p_holm >= one.correlation.p


def test_many_classes_are_dots_without_names(found):
    drawn = picture(found)
    assert len(drawn.axes) == 6
    assert not any(axes.texts for axes in drawn.axes)
    assert all(len(axes.lines[0].get_xdata()) == CLASSES for axes in drawn.axes)


def test_many_classes_are_not_listed(found):
    shown = rendered(View(found), 80, "utf-8")
    assert "within a class" not in shown and "24 classes" in shown
    assert re.search(r"distance +0\.\d+ \[0\.\d+, 0\.\d+\] +[\d.e-]+ +positive", shown)


def test_figures_of_a_half_are_set_against_measures_of_the_other(report, found):
    rows, names = report.paths.read(), list(found.classes)
    halves = halved(rows)

    def slopes(half):
        paths = half.paths[rows["ends_right"][half.paths] == 2]
        of = [rows["slope_logit"][paths[rows["class_a"][paths] == c]] for c in range(len(names))]
        return np.array([np.nanmean(one) if np.isfinite(one).sum() > 1 else np.nan for one in of])

    def lengths(half):
        return np.array(
            [rows["distance"][half.paths[rows["class_a"][half.paths] == c]].mean() for c in range(len(names))]
        )

    def crossed(one, other):
        known = np.isfinite(slopes(one))
        return plain(slopes(one)[known], lengths(other)[known])

    expected = averaged(crossed(*halves), crossed(*halves[::-1])).correlation()
    assert astuple(found.relation("distance", "slope", "logit").correlation)[:5] == pytest.approx(astuple(expected)[:5])


def alike(each):
    """Images of classes that are equal in law, each of a contrast of its own: (n, 6, 6) uint8, and labels."""
    rng, labels = np.random.default_rng(0), np.repeat(np.arange(CLASSES), each)
    pixels = np.zeros((len(labels), 36))
    pixels[np.arange(len(labels)), labels] = 200
    contrast = 15 * np.exp(0.5 * rng.standard_normal(len(labels)))
    pixels[:, CLASSES:] = 128 + contrast[:, None] * rng.standard_normal((len(labels), 36 - CLASSES))
    return np.clip(pixels, 0, 255).reshape(-1, 6, 6).astype(np.uint8), labels


def ripples(batch):
    """Scores of the lit pixel, and waves over the others whose height no path's length changes."""
    flat = batch.reshape(len(batch), -1)
    waves = np.random.default_rng(99).standard_normal((36 - CLASSES, CLASSES))
    return 12 * flat[:, :CLASSES] + 1.5 * np.sin(9 * flat[:, CLASSES:] @ waves)


def test_chance_that_a_path_s_figure_and_length_share_is_no_relation(tmp_path):
    report = onnxspec.analyze(
        ripples, alike(20), preprocess="0..1", pairs=10 * CLASSES, kinds="within", points=33, output=tmp_path / "r.h5"
    )
    found = relate(report)
    figures = np.array([one.figures[Quantity("logit", "hff")].estimate for one in found.classes])
    lengths = np.array([one.measures["distance"] for one in found.classes])
    assert rank_correlation(figures, lengths).rho < -0.7
    assert abs(found.relation("distance", "hff", "logit").correlation.rho) < 0.2


def test_the_encoder_sees_nothing_beyond_distance_here(found):
    """Its distances are those of the pixels over more pairs: what distance leaves is chance."""
    beyond = found.relation("embedding", "slope", "logit", ("distance", "accuracy"))
    assert abs(beyond.correlation.rho) < found.relation("embedding", "slope", "logit").correlation.rho


def test_measures_are_what_they_are_called(report, found):
    paths = report.paths
    pixels = images()[0].reshape(-1, SIDE * SIDE) / 255
    for c in (0, 11, 23):
        own = (paths["kind"] == 0) & (paths["class_a"] == c)
        measures = found.classes[c].measures
        assert measures["distance"] == pytest.approx(paths["distance"][own].mean())
        assert measures["embedding"] == pytest.approx(3 * pdist(pixels[images_of_classes(report)[c]]).mean(), rel=1e-5)
        assert measures["accuracy"] == report.classes["right"][c] / report.classes["used"][c]
        figure = report.figure("within", "slope", "logit", class_a=found.classes[c].name)
        assert found.classes[c].figures[found.quantities[3]] == figure


def test_distances_of_groups_are_of_their_own_images(report, tmp_path):
    groups = [half.images for half in halved(report.paths)]
    settings = onnxspec.Settings().updated(preprocess="0..1")
    found = class_distances(str(encoder(tmp_path / "e.onnx")), report, images(), settings, Silence(), groups)
    pixels = images()[0].reshape(-1, SIDE * SIDE) / 255
    for c, used in enumerate(images_of_classes(report)):
        expected = [pdist(pixels[some]).mean() for some in (used, *(np.intersect1d(used, one) for one in groups))]
        assert found[:, c] == pytest.approx(3 * np.array(expected), rel=1e-5)


def test_no_accuracy_that_varies_is_said(found):
    one = found.relation("accuracy", "slope", "logit")
    assert one.correlation.reason == "all classes are alike"
    assert math.isnan(one.p_holm) and one.verdict == UNDECIDED


def test_holm_is_over_the_whole_table(found):
    p = [one.correlation.p for one in found.relations if not math.isnan(one.correlation.p)]
    least = min(range(len(found.relations)), key=lambda i: found.relations[i].correlation.p)
    assert found.relations[least].p_holm == pytest.approx(min(1, len(p) * min(p)))


def test_few_classes_decide_nothing_however_small_p_is(tmp_path):
    data = images(10)
    report = onnxspec.analyze(network(10), data, preprocess="0..1", pairs=50, output=tmp_path / "r.h5")
    few = relate(report)
    assert {one.verdict for one in few.relations} == {UNDECIDED}
    assert min(one.correlation.p for one in few.relations if not one.correlation.reason) < 0.02
    said = " ".join(remark.text for remark in few.remarks)
    # Half of the images of one class are too alike.
    assert "9 classes decide nothing" in said and "no verdict is given on 8 plain correlations" in said
    assert "9 classes are too few to take controls out of" in said
    assert {POSITIVE, NEGATIVE}.isdisjoint(few.to_csv("relations").split(","))


def test_the_bundled_network_is_undecided_too(bundled_report):
    found = relate(bundled_report)
    assert found.measures == ("distance", "accuracy")
    assert {one.verdict for one in found.relations} == {UNDECIDED}


def test_classes_of_few_paths_are_said(found):
    assert [remark.code for remark in found.remarks] == ["few-beyond", "few-paths", "undefined"]
    assert "2.5 paths or fewer in half of their images" in found.remarks[1].text
    assert "1 of 24 classes" in found.remarks[2].text


def related(classes, controls):
    """A relation over so many classes that is beyond doubt otherwise."""
    return Relation(QUANTITY, "distance", controls, Correlation(0.9, 0.8, 0.95, 1e-9, classes), 1e-8)


@pytest.mark.parametrize(
    ("plain_classes", "beyond_classes", "codes"),
    [
        (15, 99, ["few-classes", "few-beyond"]),
        (16, 99, ["few-beyond"]),
        (15, 100, ["few-classes"]),
        (16, 100, []),
    ],
)
def test_every_verdict_that_is_withheld_is_said(plain_classes, beyond_classes, codes):
    asked = [
        related(plain_classes, ()),
        related(beyond_classes, ("accuracy",)),
        related(200, ()),
        related(200, ("accuracy",)),
    ]
    half = Columns({QUANTITY: np.ones(200)}, {"accuracy": np.arange(200)}, np.full(200, 50))
    found = list(remarks({"paths": 9, "paths_in_halves": 9}, (half, half), asked))
    assert [remark.code for remark in found] == codes
    assert sum(one.verdict == UNDECIDED for one in asked) == sum("on 1 " in remark.text for remark in found)


@pytest.mark.parametrize(("noise", "classes", "said"), [(0.1, 200, False), (1.0, 200, True), (1.0, 99, False)])
def test_controls_that_halves_do_not_agree_on_are_said_beside_a_verdict(noise, classes, said):
    rng = np.random.default_rng(0)
    own = rng.standard_normal(200)
    first, second = (
        Columns({QUANTITY: own}, {"accuracy": own + noise * rng.standard_normal(200)}, np.full(200, 50)) for _ in "ab"
    )
    asked = [related(classes, ("accuracy",)), related(200, ())]
    found = list(remarks({"paths": 9, "paths_in_halves": 9}, (first, second), asked))
    assert [one.text.startswith("Accuracy is too rough") for one in found if one.code == "rough-control"] == [
        True
    ] * said


def test_paths_that_join_the_halves_are_left_out_and_said(tmp_path):
    data = images(10)
    report = onnxspec.analyze(
        network(10), data, preprocess="0..1", pairs=10 * EACH, kinds="within", output=tmp_path / "r.h5"
    )
    found = relate(report)
    assert found.attributes["paths"] == 10 * EACH > found.attributes["paths_in_halves"] >= 5 * EACH
    left = 10 * EACH - found.attributes["paths_in_halves"]
    assert found.remarks[-1].text.startswith(f"{left} of 100 paths join the two halves")


def test_other_images_are_refused(report, tmp_path):
    pixels, labels = images()
    with pytest.raises(ReportError, match="not those of the report"):
        relate(report, encoder(tmp_path / "e.onnx"), (pixels + 1, labels), preprocess="0..1")


@pytest.mark.parametrize(
    ("width", "data", "preprocess", "error", "message"),
    [
        (25, None, "0..1", UsageError, "--data"),
        (25, images(), None, UsageError, "--preprocess"),
        (1, images(), "0..1", ModelError, "one output"),
    ],
)
def test_encoders_that_cannot_be_used_are_refused(report, tmp_path, width, data, preprocess, error, message):
    with pytest.raises(error, match=message):
        relate(report, encoder(tmp_path / "e.onnx", width), data, preprocess=preprocess)


def test_images_in_8_bit_levels_need_a_preprocessing_for_them(tmp_path):
    pixels, labels = images(4)
    data = pixels.astype(np.float32), labels
    report = onnxspec.analyze(network(4), data, preprocess="scale=1/255", pairs=10, output=tmp_path / "f.h5")
    with pytest.raises(DataError, match="for 0 to 1"):
        relate(report, encoder(tmp_path / "e.onnx"), data, preprocess="0..1")


def test_reports_without_labelled_pairs_within_classes_are_refused(tmp_path):
    pixels, labels = images(4)
    between = onnxspec.analyze(
        network(4), (pixels, labels), preprocess="0..1", pairs=10, kinds="between", output=tmp_path / "b.h5"
    )
    with pytest.raises(ReportError, match="no pairs within classes"):
        relate(between)
    unlabelled = onnxspec.analyze(
        network(4), (pixels, labels), preprocess="0..1", pairs=10, labels="predicted", output=tmp_path / "u.h5"
    )
    with pytest.raises(ReportError, match="the model's own predictions"):
        relate(unlabelled)


def test_relations_that_are_not_there_are_said(found):
    with pytest.raises(UsageError, match="Known: distance, embedding, accuracy"):
        found.relation("age")


def test_mean_pairwise_distance_of_fewer_than_two_is_undefined():
    points = np.random.default_rng(0).standard_normal((30, 7)) + 1e3
    assert mean_pairwise(points) == pytest.approx(pdist(points).mean())
    assert math.isnan(mean_pairwise(points[:1]))
