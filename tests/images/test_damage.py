"""Whatever bytes a data file has, it is read or refused: never another exception, for any parser of one."""

import json

import h5py
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from onnxspec.errors import OnnxspecError
from onnxspec.images.classes import read_classes
from onnxspec.images.labelfile import read_labels
from onnxspec.images.opening import open_images
from onnxspec.images.presets import from_metadata
from onnxspec.images.processors import from_file
from onnxspec.model import metadata

from .make import noise, pets, property_test, write_tar, write_zip

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=4),
    max_leaves=8,
)
FIELDS = ("do_resize", "size", "crop_size", "crop_pct", "resample", "do_rescale", "rescale_factor", "image_mean", "image_std",
          "do_normalize", "do_center_crop", "input_size", "mean", "std", "interpolation", "crop_mode", "pretrained_cfg",
          "id2label", "label_names", "label_descriptions", "image_processor_type", "include_top", "resize", "crop", "scale",
          "order", "layout", "preset")  # fmt: skip


def formed(form, folder):
    if form == "data.h5":
        with h5py.File(folder / form, "w") as file:
            file.create_dataset("images", data=noise((3, 6, 5)), chunks=(1, 6, 5), compression="gzip")
            file["labels"] = [0, 1, 0]
            file.create_dataset("class_names", data=["cat", "dog"], dtype=h5py.string_dtype())
    elif form == "data.npz":
        np.savez_compressed(folder / form, images=noise((3, 6, 5)), labels=[0, 1, 0], class_names=["cat", "dog"])
    elif form == "data.zip":
        write_zip(folder / form, pets())
    else:
        write_tar(folder / form, pets(), "w:gz" if form.endswith("gz") else "w")
    return (folder / form).read_bytes()


@pytest.mark.parametrize("form", ["data.zip", "data.tar", "data.tar.gz", "data.npz", "data.h5"])
def test_damaged_data_are_read_or_refused(form, tmp_path):
    whole = formed(form, tmp_path)

    @property_test
    @given(st.data())
    def damaged(data):
        content = bytearray(whole)
        for _ in range(data.draw(st.integers(1, 6))):
            content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
        path = tmp_path / f"damaged-{form}"
        path.write_bytes(content[: data.draw(st.just(len(content)) | st.integers(0, len(content)))])
        try:
            images = open_images(path)
            for i in range(min(len(images), 6)):
                images.read(i)
        except OnnxspecError as error:
            assert len(str(error)) < 5000

    damaged()


@property_test
@given(st.dictionaries(st.sampled_from(FIELDS) | st.text(max_size=4), JSON, max_size=6))
def test_any_json_is_a_preprocessing_or_an_error(tmp_path_factory, table):
    path = tmp_path_factory.mktemp("json") / "config.json"
    path.write_text(json.dumps(table))
    for read in (from_file, read_classes, lambda path: from_metadata(path.read_text())):
        try:
            read(path)
        except OnnxspecError:
            pass


@property_test
@given(st.binary(max_size=80) | JSON.map(lambda value: json.dumps(value).encode()))
def test_any_bytes_are_labels_classes_a_stamp_or_an_error(tmp_path_factory, content):
    folder = tmp_path_factory.mktemp("bytes")
    (folder / "x.txt").write_bytes(content)
    (folder / "x.json").write_bytes(content)
    (folder / "config.json").write_bytes(content)
    text = content.decode("utf-8", "replace")
    for read in (
        lambda: read_labels(str(folder / "x.txt"), ("a.png", "b.png")),
        lambda: read_classes(folder / "x.txt"),
        lambda: read_classes(folder / "x.json"),
        lambda: from_file(folder / "x.json"),
        lambda: metadata.of([(metadata.CLASSES_KEY, text)], folder / "m.onnx"),
        lambda: metadata.of([("names", text)], folder / "m.onnx"),
    ):
        try:
            read()
        except OnnxspecError:
            pass
