"""What `stamp` writes, and that it writes nothing else."""

import json

import numpy as np
import onnx
import pytest
from onnx import helper

import onnxspec
from model import build
from onnxspec.errors import ModelError, ResourceError, UsageError
from onnxspec.images.preprocess import METADATA
from onnxspec.images.presets import PRESETS, from_metadata
from onnxspec.model import metadata
from onnxspec.model.inspection import inspect
from onnxspec.model.metadata import Stamp, of, stamp
from onnxspec.model.session import OnnxModel

NAMES = ["cat", "dog", "käse", "[bold]", "a,b"]


def read(path) -> Stamp:
    info = inspect(path)
    return of(info.metadata, info.path)


@pytest.fixture
def path(tmp_path):
    proto = build.mlp()
    helper.set_model_props(proto, {"author": "me"})
    return build.save(proto, tmp_path / "m.onnx")


def test_written_and_read_again(path, tmp_path):
    out = tmp_path / "out.onnx"
    stamp(path, out, '{"scale": 1}', NAMES)
    assert read(out) == Stamp('{"scale": 1}', tuple(NAMES))
    assert read(path) == Stamp()
    assert dict(metadata_of(out))["author"] == "me"


def told(**properties):
    """What metadata of a model say of preprocessing, None where nothing."""
    said = of([(f"Image.{key}", value) for key, value in properties.items()], "m.onnx").preprocess_json
    return said and json.loads(said)


@pytest.mark.parametrize(
    ("pixel_range", "preset"),
    [("NominalRange_0_255", "0..255"), ("normalized_0_1", "0..1"), ("Normalized_1_1", "-1..1")],
)
@pytest.mark.parametrize(("pixel_format", "bgr"), [("Bgr8", True), ("RGB8", False)])
def test_the_properties_that_onnx_has_for_images_are_read(pixel_range, preset, pixel_format, bgr, path):
    said = {
        "Image.BitmapPixelFormat": pixel_format,
        "Image.ColorSpaceGamma": "SRGB",
        "IMAGE.NominalPixelRange": pixel_range,
    }
    found = from_metadata(of(said.items(), path).preprocess_json)
    expected = PRESETS[f"{preset}-bgr" if bgr else preset]
    assert found == expected and set(found.origin) == set(expected.origin)
    assert set(found.origin.values()) == {METADATA}


def test_image_properties_that_say_less_or_what_cannot_be_done():
    assert told(BitmapPixelFormat="Bgr8") == {"order": "BGR"}
    assert told(BitmapPixelFormat="Gray8", NominalPixelRange="NominalRange_0_255")["scale"] == 1
    assert told(BitmapPixelFormat="Gray8") is told(NominalPixelRange="NominalRange_16_235") is None
    assert told(BitmapPixelFormat="Bgr8", ColorSpaceGamma="Linear") is None


def test_a_stamp_and_flags_come_before_the_properties_of_images(tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (60, 8, 8, 3), np.uint8), np.arange(60) % build.CLASSES
    proto = build.convnet()
    plain = build.save(proto, tmp_path / "plain.onnx")
    properties = {"Image.BitmapPixelFormat": "Bgr8", "Image.NominalPixelRange": "NominalRange_0_255"}
    helper.set_model_props(proto, properties)
    path = build.save(proto, tmp_path / "m.onnx")
    stamp(path, tmp_path / "stamped.onnx", '{"mean": 0.5, "std": 0.5}')

    def said(model, **options):
        report = onnxspec.analyze(model, images, pairs=12, **options)
        return report, {name: (of["value"], of["from"]) for name, of in report.to_dict()["preprocess"].items()}

    found, fields = said(path)
    assert fields["order"] == ("BGR", METADATA) and fields["scale"] == (1.0, METADATA)
    assert {remark.code for remark in found.remarks}.isdisjoint({"preprocess-auto", "preprocess-overridden"})
    flagged, _ = said(plain, preprocess="scale=1;order=BGR")
    np.testing.assert_array_equal(found.figures["estimate"], flagged.figures["estimate"])
    assert said(path, preprocess="0..1")[1]["order"] == ("RGB", "preset 0..1")
    assert said(tmp_path / "stamped.onnx")[1]["mean"] == ([0.5], METADATA)


def test_an_order_alone_is_not_overridden_by_values(tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (60, 8, 8, 3), np.uint8), np.arange(60) % build.CLASSES
    proto = build.convnet()
    helper.set_model_props(proto, {"Image.BitmapPixelFormat": "Bgr8"})
    report = onnxspec.analyze(build.save(proto, tmp_path / "m.onnx"), images, pairs=12, preprocess="mean=.5;std=.5")
    assert "preprocess-overridden" not in {remark.code for remark in report.remarks}
    assert json.loads(report.attributes["preprocess"])["order"] == {"value": "BGR", "from": METADATA}


def test_the_graph_stays_as_it_is(path, tmp_path):
    out = tmp_path / "out.onnx"
    stamp(path, out, "{}")
    before, after = onnx.load(path), onnx.load(out)
    assert after.graph.SerializeToString() == before.graph.SerializeToString()
    assert after.ir_version == before.ir_version
    assert after.opset_import == before.opset_import


def test_stamping_again_replaces_and_keeps_the_rest(path):
    stamp(path, path, '{"scale": 1}', NAMES)
    stamp(path, path, '{"scale": 2}')
    assert read(path) == Stamp('{"scale": 2}', tuple(NAMES))
    assert len(metadata_of(path)) == 3


def test_external_weights_stay_beside_it(tmp_path):
    path = build.save_external(build.mlp(), tmp_path / "m.onnx")
    weights = (tmp_path / "model.weights").read_bytes()
    stamp(path, tmp_path / "out.onnx", classes=NAMES)
    assert (tmp_path / "model.weights").read_bytes() == weights
    assert OnnxModel.open(tmp_path / "out.onnx", device="cpu").outputs == 5
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    with pytest.raises(UsageError, match="external weights"):
        stamp(path, elsewhere / "out.onnx", classes=NAMES)
    assert not list(elsewhere.iterdir())


def test_class_names_must_fit_the_outputs(path, tmp_path):
    with pytest.raises(ModelError, match=r"4 class names.* tells 5"):
        stamp(path, tmp_path / "out.onnx", classes=NAMES[:4])
    assert not (tmp_path / "out.onnx").exists()
    single = build.save(build.convnet(classes=1, head="Sigmoid"), tmp_path / "single.onnx")
    stamp(single, single, classes=["no", "yes"])


def test_preprocessing_must_fit_the_channels(tmp_path):
    grey = build.save(build.convnet(channels=1), tmp_path / "grey.onnx")
    with pytest.raises(ModelError, match=r"3 values of mean.* takes 1 channel"):
        stamp(grey, tmp_path / "out.onnx", PRESETS["imagenet"].to_json())
    assert not (tmp_path / "out.onnx").exists()
    with pytest.raises(ModelError, match="not usable"):
        stamp(grey, grey, '{"mean": "x"}')
    stamp(grey, grey, PRESETS["mnist"].to_json())


def test_nothing_half_written(path, tmp_path, monkeypatch):
    def full(self, content):
        self.touch()
        raise OSError(28, "No space left on device")

    before = path.read_bytes()
    monkeypatch.setattr("pathlib.Path.write_bytes", full)
    with pytest.raises(ResourceError, match="No space left"):
        stamp(path, path, "{}")
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["m.onnx"]


def test_a_link_stays_a_link_and_a_private_model_private(path, tmp_path):
    path.chmod(0o600)
    link = tmp_path / "link.onnx"
    link.symlink_to(path)
    stamp(link, link, '{"scale": 1}')
    assert link.is_symlink() and path.stat().st_mode & 0o777 == 0o600
    assert read(path).preprocess_json


def test_a_model_is_stamped_where_permissions_cannot_be_set(path, without_modes):
    stamp(path, path, '{"scale": 1}')
    assert read(path).preprocess_json


def test_a_name_as_long_as_a_system_takes_is_no_trouble(path, tmp_path):
    out = tmp_path / f"{'x' * 250}.onnx"
    stamp(path, out, "{}")
    assert out.is_file()


def test_a_folder_that_is_not_there(path, tmp_path):
    with pytest.raises(UsageError, match="does not exist"):
        stamp(path, tmp_path / "none" / "out.onnx", "{}")


@pytest.mark.parametrize("text", ["", "cat", "{}", "[]", "[1, 2]", '{"0": "cat"}', "[" * 9999])
def test_class_names_that_are_none(text):
    with pytest.raises(ModelError, match=r"onnxspec\.classes is not a JSON list"):
        metadata.of([(metadata.CLASSES_KEY, text)], "m.onnx")


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("{0: 'cat', 1: \"dog's\", 2: ''}", ("cat", "dog's", "(unnamed 2)")),
        ("{1: 'cat', 0: 'dog'}", None),
        ("{0: 'cat', 2: 'dog'}", None),
        ("['cat', 'dog']", None),
        ("{0: 'a" + "\\'" + "b', 1: 'c'}", None),
        ("{" * 100_000, None),
        ("", None),
    ],
)
def test_names_as_ultralytics_numbers_them(text, names):
    assert metadata.of([("names", text)], "m.onnx").classes == names


@pytest.mark.parametrize("folder", [".", "onnx"])
def test_names_published_beside_the_model(path, tmp_path, folder):
    """As transformers publishes a model: config.json, and the graph beside it or in a folder of its own."""
    model = tmp_path / folder / "m.onnx"
    model.parent.mkdir(exist_ok=True)
    onnx.save(onnx.load(path), model)
    config = tmp_path / "config.json"
    config.write_text(json.dumps({"id2label": {"0": "cat", "1": "dog"}}))
    assert read(model).classes == ("cat", "dog")
    stamp(model, model, classes=NAMES)
    assert read(model).classes == tuple(NAMES)
    for other in ({"id2label": {"0": "LABEL_0", "1": "LABEL_1"}}, {"id2label": {"1": "cat"}}, {"architecture": "vit"}):
        config.write_text(json.dumps(other))
        assert metadata.of([], model).classes is None
    config.write_text("[")
    assert metadata.of([], model).classes is None


def metadata_of(path):
    return [(entry.key, entry.value) for entry in onnx.load(path).metadata_props]


def test_names_are_readable_in_the_file(path):
    stamp(path, path, classes=NAMES)
    assert json.loads(dict(metadata_of(path))[metadata.CLASSES_KEY]) == NAMES
    assert "käse" in dict(metadata_of(path))[metadata.CLASSES_KEY]


def test_a_model_has_the_name_of_one(path, tmp_path):
    with pytest.raises(UsageError, match=r"no name of a model like .*Name it .*st\.txt\.onnx"):
        metadata.stamp(path, tmp_path / "st.txt", classes=None)
    assert not (tmp_path / "st.txt").exists()
