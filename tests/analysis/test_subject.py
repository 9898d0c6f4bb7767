"""Models of every kind fit images of every kind, and what is the same function gives the same figures."""

import json

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from PIL import Image

import onnxspec
from model import build
from onnxspec.analysis.reference import PAIRS, _random_pairs, reference_distance
from onnxspec.analysis.subject import open_subject
from onnxspec.errors import DataError, ModelError, UsageError
from onnxspec.images.inputspec import InputSpec
from onnxspec.images.names import distinct
from onnxspec.images.preprocess import Preprocess
from onnxspec.model import metadata
from onnxspec.model.callable import CallableModel
from onnxspec.settings import Settings

SIDE, CLASSES = build.SIDE, build.CLASSES
RNG = np.random.default_rng(0)
LABELS = np.repeat(np.arange(CLASSES), 12)
IMAGES = RNG.integers(0, 256, (len(LABELS), SIDE, SIDE, 3), np.uint8)
OPTIONS = {"pairs": 12, "preprocess": "0..1", "batch": 16}


def headline(report, signal="logit"):
    metrics = ("hff", "slope", "wiggle")
    return [report.figure(kind, m, signal, selection="all").estimate for kind in report.kinds for m in metrics]


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    """The headline of a float32 NCHW network with a dynamic batch."""
    path = build.save(build.convnet(), tmp_path_factory.mktemp("plain") / "m.onnx")
    return headline(onnxspec.analyze(path, (IMAGES, LABELS), **OPTIONS))


@pytest.mark.parametrize(
    ("variant", "tolerance"),
    [
        ({"layout": "NHWC"}, 1e-6),
        ({"squeezed": False}, 0),
        ({"batch": 1}, 0),
        ({"batch": 7}, 0),
    ],
)
def test_the_same_network_in_another_form_gives_the_same_figures(plain, variant, tolerance, tmp_path):
    path = build.save(build.convnet(**variant), tmp_path / "m.onnx")
    report = onnxspec.analyze(path, (IMAGES, LABELS), **{**OPTIONS, "batch": None})
    assert headline(report) == pytest.approx(plain, rel=tolerance)


def test_float16_is_close_and_its_noise_is_said(plain, tmp_path):
    path = build.save(build.convnet(dtype=TensorProto.FLOAT16), tmp_path / "m.onnx")
    report = onnxspec.analyze(path, (IMAGES, LABELS), **OPTIONS)
    slope = [report.figure(kind, "slope", "logit", selection="all").estimate for kind in report.kinds]
    assert slope == pytest.approx([plain[1], plain[4]], rel=0.05)
    assert "reduced-precision" in {remark.code for remark in report.remarks}


def test_a_uint8_network_gets_pixels_and_its_rounding_is_said(plain, tmp_path):
    path = build.save(build.convnet(uint8=True), tmp_path / "m.onnx")
    report = onnxspec.analyze(path, (IMAGES, LABELS), **{**OPTIONS, "preprocess": None})
    slope = [report.figure(kind, "slope", "logit", selection="all").estimate for kind in report.kinds]
    assert slope == pytest.approx([plain[1], plain[4]], rel=0.2)
    assert "rounded" in {remark.code for remark in report.remarks}


@pytest.mark.parametrize(
    ("whole", "graph"),
    [
        ("UINT16", "off"),
        ("INT64", "on"),
        *(
            pytest.param(name, graph, marks=pytest.mark.slow)
            for name in ("UINT16", "UINT32", "UINT64", "INT16", "INT32", "INT64")
            for graph in ("off", "on")
        ),
    ],
)
def test_the_figures_are_those_of_uint8_in_every_type_of_whole_numbers(whole, graph, tmp_path):
    options = OPTIONS | {"preprocess": None, "path_graph": graph}
    made = [build.convnet(uint8=True, whole=getattr(TensorProto, name)) for name in ("UINT8", whole)]
    bytes_, wide = (onnxspec.analyze(build.save(m, tmp_path / "m.onnx"), (IMAGES, LABELS), **options) for m in made)
    for table in ("figures", "checks"):
        for name, column in getattr(bytes_, table).items():
            np.testing.assert_array_equal(getattr(wide, table)[name], column, err_msg=name)
    assert wide.remarks == bytes_.remarks
    assert wide.attributes["path_form"] == {"off": "host", "on": "graph"}[graph]
    assert f"model's {whole.lower()} input" in wide.attributes["preprocess"]


def test_softmax_inside_is_found_and_its_logits_recovered(plain, tmp_path):
    path = build.save(build.convnet(head="Softmax"), tmp_path / "m.onnx")
    report = onnxspec.analyze(path, (IMAGES, LABELS), **OPTIONS)
    assert report.attributes["output_kind"] == "probabilities"
    assert headline(report) == pytest.approx(plain, rel=1e-3)


def test_a_multi_label_network_is_refused(tmp_path):
    path = build.save(build.convnet(head="Sigmoid"), tmp_path / "m.onnx")
    with pytest.raises(ModelError, match="multi-label"):
        onnxspec.analyze(path, (IMAGES, LABELS), **OPTIONS)


def test_one_column_becomes_two_classes(tmp_path):
    path = build.save(build.convnet(classes=1), tmp_path / "m.onnx")
    report = onnxspec.analyze(path, (IMAGES, LABELS % 2), **OPTIONS)
    assert report.attributes["outputs"] == 2
    assert len(report.classes["name"]) == 2


@pytest.mark.parametrize("preprocess", ["0..1", None])
def test_one_column_for_many_classes_is_called_what_it_is(tmp_path, preprocess):
    path = build.save(build.convnet(classes=1), tmp_path / "m.onnx")
    named = [(image, f"animal {label}") for image, label in zip(IMAGES, LABELS.tolist(), strict=True)]
    with pytest.raises(DataError, match=r"5 classes and the model has 1 output, read as a binary classifier's"):
        onnxspec.analyze(path, named, pairs=12, preprocess=preprocess)


def test_the_probabilities_beside_a_label_are_found(tmp_path):
    path = build.save(build.labelled(), tmp_path / "m.onnx")
    images = RNG.integers(0, 256, (len(LABELS), 2, 2, 3), np.uint8)
    report = onnxspec.analyze(path, (images, LABELS), **OPTIONS)
    assert report.attributes["output_kind"] == "probabilities"


def test_zipmap_is_refused_with_the_way_out(tmp_path):
    path = build.save(build.labelled(zipmap=True), tmp_path / "m.onnx")
    with pytest.raises(ModelError, match="zipmap"):
        onnxspec.analyze(path, (IMAGES, LABELS), **OPTIONS)


def test_several_outputs_are_listed_and_one_can_be_chosen(tmp_path):
    path = build.save(build.two_outputs(), tmp_path / "m.onnx")
    images = RNG.integers(0, 256, (len(LABELS), 2, 2, 3), np.uint8)
    with pytest.raises(ModelError, match=r"(?s)coarse.*fine.*--output"):
        onnxspec.analyze(path, (images, LABELS), **OPTIONS)
    chosen = onnxspec.analyze(path, (images, LABELS % 2), Settings.of(output="coarse", **OPTIONS))
    assert chosen.attributes["outputs"] == 2


def test_a_background_class_is_suggested(tmp_path):
    path = build.save(build.convnet(classes=CLASSES + 1), tmp_path / "m.onnx")
    named = [(image, f"animal {label}") for image, label in zip(IMAGES, LABELS.tolist(), strict=True)]
    with pytest.raises(DataError, match=r"5 classes.*6 outputs.*background"):
        onnxspec.analyze(path, named, **OPTIONS)


def test_grey_images_go_into_a_colour_network_with_a_word(tmp_path):
    path = build.save(build.convnet(), tmp_path / "m.onnx")
    report = onnxspec.analyze(path, (IMAGES[..., 0], LABELS), **OPTIONS)
    assert any("grey" in remark.text for remark in report.remarks)


def test_float_images_keep_their_units(tmp_path):
    path = build.save(build.convnet(), tmp_path / "m.onnx")
    units = onnxspec.analyze(path, ((IMAGES / 255 * 7).astype(np.float32), LABELS), pairs=12)
    pixels = onnxspec.analyze(path, (IMAGES, LABELS), **OPTIONS)
    assert units.attributes["d_ref"] == pytest.approx(7 * pixels.attributes["d_ref"], rel=1e-6)


def test_12_bits_in_files_of_16_are_said(tmp_path):
    for k, value in enumerate(np.linspace(500, 4095, 12).astype(np.uint16)):
        folder = tmp_path / "data" / "ab"[k % 2]
        folder.mkdir(parents=True, exist_ok=True)
        pixels = np.full((SIDE, SIDE), value)
        pixels[k % SIDE] = 0
        Image.fromarray(pixels).save(folder / f"{k}.tif")
    report = onnxspec.analyze(lambda b: b.reshape(len(b), -1)[:, :2] * 9, tmp_path / "data", pairs=4, preprocess="0..1")
    assert any("above 16 of 255" in remark.text for remark in report.remarks if remark.code == "dark")


def test_a_report_states_the_scale_that_floating_images_got(tmp_path):
    path = build.save(build.convnet(), tmp_path / "m.onnx")
    metadata.stamp(path, path, '{"scale": 0.00392156862745098, "mean": [0.4], "std": [0.3]}')
    fractions = onnxspec.analyze(path, ((IMAGES / 255).astype(np.float32), LABELS), pairs=12)
    assert json.loads(fractions.attributes["preprocess"])["scale"] == {"value": 1.0, "from": "floating-point images"}
    assert "floating" not in {remark.code for remark in fractions.remarks}
    whole = onnxspec.analyze(path, (IMAGES, LABELS), pairs=12)
    assert fractions.attributes["d_ref"] == pytest.approx(whole.attributes["d_ref"], rel=1e-6)


def test_floating_images_in_8_bit_levels_are_refused_or_said():
    seen = []

    def network(batch):
        seen.append(batch.max())
        return 40 * batch.mean((2, 3))

    data = IMAGES.astype(np.float32), LABELS % 3
    with pytest.raises(DataError, match="for 0 to 1"):
        onnxspec.analyze(network, data, pairs=12, preprocess="0..1")
    assert not seen
    report = onnxspec.analyze(network, data, pairs=12, preprocess="0..255")
    assert max(seen) == pytest.approx(255)
    assert any("0 to 255" in remark.text for remark in report.remarks if remark.code == "floating")


def test_a_preprocessor_file_beside_the_model_speaks(tmp_path):
    path = build.save(build.convnet(), tmp_path / "m.onnx")
    (tmp_path / "preprocessor_config.json").write_text(
        '{"do_normalize": true, "image_mean": [0.1, 0.2, 0.3], "image_std": [0.5, 0.5, 0.5], "do_rescale": true,'
        ' "rescale_factor": 0.00392156862745098, "do_resize": false}'
    )
    subject = open_subject(path, (IMAGES, LABELS), Settings())
    assert subject.engine.preprocess.mean == (0.1, 0.2, 0.3)
    assert "preprocessor_config" in subject.engine.preprocess.origin["mean"]


def test_a_flag_about_size_alone_leaves_the_values_to_be_found(tmp_path):
    """Random weights and labels: no convention can be right, and trying them says so."""
    path = build.save(build.convnet(), tmp_path / "m.onnx")
    with pytest.raises(DataError, match=r"No usual preprocessing .* imagenet-bgr .*--preprocess"):
        onnxspec.analyze(path, (IMAGES, LABELS), pairs=12, preprocess=f"resize={SIDE},{SIDE}")


@pytest.mark.filterwarnings("error")  # NumPy's are not for who has such a model
@pytest.mark.parametrize(
    ("score", "message"),
    [
        (np.nan, "gives NaN or Inf on 60 images"),
        (np.inf, "gives NaN or Inf on 60 images"),
        (1.0, "predicts output 2 on 60 images"),
    ],
)
def test_a_model_that_is_broken_whatever_the_preprocessing_is_said_to_be(score, message):
    def network(batch):
        return np.tile(np.float32([0, 0, score, 0, 0]), (len(batch), 1))

    with pytest.raises(ModelError, match=message):
        onnxspec.analyze(network, (IMAGES, LABELS), pairs=12)


def test_a_model_in_training_mode_is_not_taken_for_one_of_unknown_preprocessing():
    """Batch statistics and dropout left on: said of them, not of twelve conventions that cannot help."""
    rng = np.random.default_rng(0)

    def with_batch_statistics(batch):
        z = batch.reshape(len(batch), -1)[:, :CLASSES]
        return (z - z.mean(0)) / (z.std(0) + 1e-3)

    def with_dropout(batch):
        return (batch.reshape(len(batch), -1)[:, :CLASSES] - 3) * rng.integers(0, 2, (len(batch), CLASSES))

    for network, said in ((with_batch_statistics, "others in its batch"), (with_dropout, "it is random")):
        with pytest.raises(ModelError, match=said) as error:
            onnxspec.analyze(network, (IMAGES, LABELS), pairs=12)
        assert "evaluation mode" in error.value.hint


@pytest.mark.parametrize("batch", [1, "n"])
@pytest.mark.parametrize(("opset", "outputs", "said"), [(9, 5, {}), (17, 3, {"training_mode": 1})])
def test_a_file_in_training_mode_is_said_to_be(opset, outputs, said, batch, tmp_path):
    """Where there are no other batches to show it, too: with this momentum nothing else does."""
    plain, proto = build.convnet(batch=batch), build.convnet(batch=batch)
    proto.opset_import[0].version = opset
    for name, value in {"s": 1, "b": 0, "m": 0, "v": 1}.items():
        proto.graph.initializer.append(numpy_helper.from_array(np.full(4, value, np.float32), name))
    names = ["n", *(f"unused{i}" for i in range(1, outputs))]
    proto.graph.node.insert(1, helper.make_node("BatchNormalization", ["v0", *"sbmv"], names, momentum=1.0, **said))
    proto.graph.node[2].input[0] = "n"
    path = build.save(proto, tmp_path / "m.onnx")
    with pytest.raises(ModelError, match=r"training mode.*No usual preprocessing") as error:
        onnxspec.analyze(path, (IMAGES, LABELS), pairs=12)
    assert "evaluation mode" in error.value.hint
    codes = [
        {remark.code for remark in onnxspec.analyze(one, (IMAGES, LABELS), **{**OPTIONS, "batch": None}).remarks}
        for one in (path, build.save(plain, tmp_path / "plain.onnx"))
    ]
    assert ["training-mode" in one for one in codes] == [True, False]


def test_the_reference_distance_is_the_median_over_pairs_of_images():
    model = CallableModel(lambda b: b.reshape(len(b), -1)[:, :CLASSES] - 3, InputSpec("NHWC"))
    subject = open_subject(model, (IMAGES, LABELS), Settings.of(preprocess=Preprocess(std=(2.0,))))
    x = IMAGES.reshape(len(IMAGES), -1) / 255
    a, b = np.triu_indices(len(x), 1)
    assert reference_distance(subject) == pytest.approx(np.median(np.sqrt(np.mean((x[a] - x[b]) ** 2, 1))), abs=1e-12)


def test_of_many_images_the_reference_distance_is_that_of_random_pairs():
    """More than can be joined each to each: near the median over all, and of no image with itself."""
    rng = np.random.default_rng(0)
    x = rng.random((400, 2, 2, 1)).astype(np.float32)
    subject = open_subject(
        lambda batch: batch.mean((2, 3)) * [1.0, -1], (x, np.arange(400) % 2), Settings.of(preprocess="0..1")
    )
    flat = x.reshape(400, -1).astype(np.float64)
    first, second = np.triu_indices(400, 1)
    every = np.sqrt(np.square(flat[first] - flat[second]).mean(1))
    assert len(every) > PAIRS
    assert reference_distance(subject) == pytest.approx(np.median(every), rel=0.01)
    drawn = _random_pairs(400, "ab" * 32)
    assert len(drawn[0]) == PAIRS and (drawn[0] != drawn[1]).all()
    assert np.bincount(np.concatenate(drawn), minlength=400).min() > 50


def test_images_that_are_all_alike_are_refused():
    images = np.full((20, 4, 4, 3), 7, np.uint8)
    with pytest.raises(DataError, match="do not differ"):
        onnxspec.analyze(lambda b: b.reshape(len(b), -1)[:, :2] - 3, (images, np.arange(20) % 2), preprocess="0..1")


def test_probes_fit_flat_inputs_or_say_why_not(tmp_path):
    path = build.save(build.mlp(size=8 * 8 * 3), tmp_path / "m.onnx")
    assert onnxspec.analyze(path, pairs=4).attributes["labelling"] == "probe"
    odd = build.save(build.mlp(size=13), tmp_path / "odd.onnx")
    with pytest.raises(UsageError, match="13 values"):
        onnxspec.analyze(odd, pairs=4)


def test_a_model_that_only_looks_dynamic_is_run_as_it_is(tmp_path):
    """A Reshape to a fixed batch of 1 under a dynamic name: the error is a sentence, no dump."""
    model = build.convnet(squeezed=False)
    model.graph.node[-1].output[0] = "wide"
    model.graph.initializer.append(onnx.numpy_helper.from_array(np.array([1, CLASSES]), "shape"))
    model.graph.node.append(helper.make_node("Reshape", ["wide", "shape"], ["y"]))
    model.graph.output[0].CopyFrom(build.tensor("y", TensorProto.FLOAT, ["n", CLASSES]))
    path = build.save(model, tmp_path / "m.onnx")
    with pytest.raises(ModelError) as caught:
        onnxspec.analyze(path, (IMAGES, LABELS), **OPTIONS)
    assert len(caught.value.message) < 400


def codes(report):
    return {remark.code for remark in report.remarks}


def test_a_class_without_a_name_gets_its_number(tmp_path):
    named = [(image, "" if label == 2 else f"animal {label}") for image, label in zip(IMAGES, LABELS, strict=True)]
    path = build.save(build.convnet(), tmp_path / "m.onnx")
    report = onnxspec.analyze(path, named, output=tmp_path / "r.h5", **OPTIONS)
    assert "(unnamed 0)" in report.classes["name"].tolist()


def test_names_that_classes_share_are_told_apart_and_from_all_others():
    assert distinct(["crane", "crane", "crane (0)"], ["0", "1", "2"]) == ("crane (0) (0)", "crane (1)", "crane (0) (2)")
    assert distinct(["cat", "dog"], ["0", "1"]) == ("cat", "dog")
    assert distinct(["cat", "cat"], ["cat", "cat"]) == ("cat (0)", "cat (1)")


def test_a_flag_overrides_metadata_that_cannot_be_read(tmp_path):
    model = build.convnet()
    helper.set_model_props(model, {metadata.PREPROCESS_KEY: "{"})
    path = build.save(model, tmp_path / "m.onnx")
    assert "preprocess-overridden" in codes(onnxspec.analyze(path, (IMAGES, LABELS), **OPTIONS))
    with pytest.raises(ModelError, match="override it with --preprocess"):
        onnxspec.analyze(path, (IMAGES, LABELS), pairs=12)


def test_names_of_other_classes_than_the_outputs_are_left_out_with_a_word(tmp_path):
    model = build.convnet()
    helper.set_model_props(model, {metadata.CLASSES_KEY: json.dumps(["a", "b"])})
    path = build.save(model, tmp_path / "m.onnx")
    report = onnxspec.analyze(path, (IMAGES, LABELS), **OPTIONS)
    assert "The model names 2 classes and has 5 outputs" in " ".join(remark.text for remark in report.remarks)


def test_pairs_of_the_same_picture_are_counted():
    images, labels = np.repeat(IMAGES[:10], 2, 0), np.repeat(np.arange(10) % 2, 2)
    twice = onnxspec.analyze(
        lambda b: b.reshape(len(b), -1)[:, :2] - 0.5, (images, labels), preprocess="0..1", pairs=30, kinds="within"
    )
    same = int((twice.paths["distance"] == 0).sum())
    assert same and f"{same} of {len(twice.paths['kind'])} (within)" in " ".join(r.text for r in twice.remarks)


def test_the_first_image_may_be_one_that_is_skipped(tmp_path):
    for label in range(2):
        (tmp_path / str(label)).mkdir()
        for number in range(8):
            Image.fromarray(IMAGES[8 * label + number]).save(tmp_path / str(label) / f"{number}.png")
    model = CallableModel(lambda b: b.reshape(len(b), -1)[:, :2] - 3, InputSpec("NHWC"))
    settings = Settings.of(preprocess="0..1", skip_bad=1)
    before = open_subject(model, tmp_path, settings)
    name = before.images.names[before.images.order[0]]
    place = tmp_path / name
    place.write_bytes(b"x" * place.stat().st_size)
    assert reference_distance(open_subject(model, tmp_path, settings)) > 0


def test_what_means_nothing_to_a_function_is_said():
    def function(batch):
        return 40 * batch.mean((2, 3))

    settings = Settings.of(device="cuda", threads=2, cache="nowhere", preprocess="0..1")
    subject = open_subject(function, (IMAGES, LABELS % 3), settings)
    said = [remark for remark in subject.remarks if remark.code == "function"]
    assert [str(remark) for remark in said] == [
        "The model is a Python function, to which device, threads, cache mean nothing. Give it a digest: "
        "CallableModel(function, spec, digest=...)."
    ]
    known = CallableModel(function, InputSpec("NCHW"), digest="1")
    subject = open_subject(known, (IMAGES, LABELS % 3), Settings.of(cache="nowhere", preprocess="0..1"))
    assert not [remark for remark in subject.remarks if remark.code == "function"]


def test_a_layout_that_there_is_not_is_refused():
    with pytest.raises(UsageError, match="layout of the input is 'NCWH'"):
        InputSpec("NCWH", 3, 8, 8)
