import unicodedata

import numpy as np
import pytest

from onnxspec.errors import DataError, UsageError
from onnxspec.images.opening import open_images

from .make import pets, write_folder, write_zip

FLAT = {f"val_{i}.JPEG": content for i, content in enumerate(pets().values())}
CLASSES = ["n02", "n01", "n02", "n01", "n02", "n01"]


@pytest.mark.parametrize(
    "text",
    [
        "".join(f"val_{i}.JPEG,{c}\n" for i, c in enumerate(CLASSES)),
        "file,label\n" + "".join(f"val_{i}.JPEG,{c}\n" for i, c in enumerate(CLASSES)),
        "".join(f"val_{i}.JPEG {c}\r\n" for i, c in enumerate(CLASSES)),
        "# ours\n\n" + "".join(f'"val_{i}.JPEG", {c}\n' for i, c in reversed(list(enumerate(CLASSES)))),
        "".join(f"val_{i}.JPEG\t{c}\t0\t0\t61\t61\n" for i, c in enumerate(CLASSES)),
        "".join(f"ILSVRC/val/val_{i}.JPEG {c}\n" for i, c in enumerate(CLASSES)),
    ],
)
def test_lines_of_file_and_label(tmp_path, text):
    (tmp_path / "labels.txt").write_text(text)
    images = open_images(write_folder(tmp_path / "val", FLAT), labels=str(tmp_path / "labels.txt"))
    assert images.class_names == ("n01", "n02") and images.names[0] == "val_0.JPEG"
    np.testing.assert_array_equal(images.labels, [1, 0, 1, 0, 1, 0])


def test_labels_are_one_class_however_their_accents_are_written(tmp_path):
    """macOS writes folder names with letter and accent apart, keyboards write them as one."""
    spelt = [unicodedata.normalize(form, "é") for form in ("NFC", "NFD")]
    lines = "".join(f"val_{i}.JPEG,{spelt[i % 2] if i < 4 else 'dog'}\n" for i in range(6))
    (tmp_path / "labels.txt").write_text(lines, encoding="utf-8")
    images = open_images(write_folder(tmp_path / "val", FLAT), labels=str(tmp_path / "labels.txt"))
    assert images.class_names == ("dog", unicodedata.normalize("NFC", "é"))
    np.testing.assert_array_equal(images.labels, [1, 1, 1, 1, 0, 0])


def test_paths_may_be_written_as_on_windows(tmp_path):
    """The last part alone would not do: two folders have a picture of that name."""
    one, other = list(FLAT.values())[:2]
    (tmp_path / "labels.csv").write_text("a\\1.png,dog\nb\\1.png,cat\n")
    images = open_images(
        write_folder(tmp_path / "val", {"a/1.png": one, "b/1.png": other}), labels=str(tmp_path / "labels.csv")
    )
    assert [images.class_names[label] for label in images.labels] == ["dog", "cat"]


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_names_may_be_composed_or_decomposed(tmp_path, form):
    names = {
        unicodedata.normalize(form, name): image
        for name, image in zip(("\xe9.png", "\xfc.png"), FLAT.values(), strict=False)
    }
    lines = (f"{unicodedata.normalize('NFD', name)},{c}\n" for name, c in zip(names, "ab", strict=True))
    (tmp_path / "labels.csv").write_text("".join(lines), encoding="utf-8")
    images = open_images(write_folder(tmp_path / "val", names), labels=str(tmp_path / "labels.csv"))
    assert images.labels.tolist() == [0, 1]


def test_images_without_a_line_are_left_out_and_said_so(tmp_path):
    (tmp_path / "labels.csv").write_text("val_1.JPEG,a\nval_3.JPEG,b\n")
    images = open_images(write_zip(tmp_path / "val.zip", FLAT), labels=str(tmp_path / "labels.csv"))
    assert images.names == ("val_1.JPEG", "val_3.JPEG")
    assert images.notes[0].startswith("4 files left out: without a line in ")


def test_labels_are_in_the_digest(tmp_path):
    folder = write_folder(tmp_path / "val", FLAT)
    digests = set()
    for k, order in enumerate((CLASSES, CLASSES[::-1])):
        path = tmp_path / f"{k}.csv"
        path.write_text("".join(f"val_{i}.JPEG,{c}\n" for i, c in enumerate(order)))
        digests.add(open_images(folder, labels=str(path)).digest)
    assert len(digests) == 2


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("val_1.JPEG,a\nval_9.JPEG,b\n", r"names 1 files that are not among the 6 images, the first 'val_9.JPEG'"),
        ("val_1.JPEG,a\nval_1.JPEG,b\n", r"gives val_1.JPEG two labels, a and b \(line 2\)"),
        ("val_1.JPEG\n", r"Line 1 of .* is 'val_1.JPEG'; a file and its label"),
        ("a" * 200_000 + ",b\n", "a file and its label were expected"),
        ("", "has no lines"),
        ("file,label\n", "has no lines"),
    ],
)
def test_lines_that_do_not_fit(tmp_path, text, message):
    (tmp_path / "labels.csv").write_text(text)
    with pytest.raises(DataError, match=message):
        open_images(write_folder(tmp_path / "val", FLAT), labels=str(tmp_path / "labels.csv"))


def test_label_files_that_cannot_be_read(tmp_path):
    folder = write_folder(tmp_path / "val", FLAT)
    with pytest.raises(UsageError, match=r"label file .*none\.csv cannot be read: No such file"):
        open_images(folder, labels=str(tmp_path / "none.csv"))
    (tmp_path / "labels.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UsageError, match="not UTF-8"):
        open_images(folder, labels=str(tmp_path / "labels.csv"))
