import unicodedata

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from onnxspec.errors import DataError
from onnxspec.images.listing import natural_key
from onnxspec.images.opening import open_images

from .make import pets, property_test, write_folder, write_tar, write_zip

RUBBISH = {"__MACOSX/cat/._1.png": b"x", "cat/.DS_Store": b"x", "dog/Thumbs.db": b"x", ".git/config": b"x"}


def forms(tmp_path, files):
    """The same files as a folder, a zip, a tar and a compressed tar."""
    yield open_images(write_folder(tmp_path / "folder", files))
    yield open_images(write_zip(tmp_path / "files.zip", dict(reversed(files.items()))))
    yield open_images(write_tar(tmp_path / "files.tar", files))
    yield open_images(write_tar(tmp_path / "files.tar.gz", files, "w:gz"))
    yield open_images(write_tar(tmp_path / "files.tar.xz", files, "w:xz"))


def test_folder_and_archives_of_the_same_files_are_the_same_set(tmp_path):
    first, *others = forms(tmp_path, pets())
    for other in others:
        assert (other.names, other.class_names, other.digest) == (first.names, first.class_names, first.digest)
        np.testing.assert_array_equal(other.labels, first.labels)
        for i in range(len(first)):
            np.testing.assert_array_equal(other.read(i)[0], first.read(i)[0])
            assert other.read(i)[1] == first.read(i)[1]


def test_wrapping_folder_and_rubbish_change_nothing(tmp_path):
    plain, *_ = forms(tmp_path / "plain", pets())
    wrapped = {f"pets-v1/{name}": content for name, content in (pets() | RUBBISH).items()}
    for other in forms(tmp_path / "wrapped", wrapped):
        assert (other.names, other.digest, other.notes) == (plain.names, plain.digest, ())


def test_what_windows_puts_on_a_drive_is_no_class(tmp_path):
    """A drive whose folders are the classes has them beside these, with what was deleted, and under any case."""
    left = {"$RECYCLE.BIN/S-1-5-21/$RAB12CD.png": b"x", "System Volume Information/WPSettings.dat": b"x"}
    left |= {"$Recycle.Bin/S-1-5-18/desktop.ini": b"x", "cat/THUMBS.DB": b"x", "cat/Desktop.ini": b"x"}
    plain, *_ = forms(tmp_path / "plain", pets())
    for other in forms(tmp_path / "drive", pets() | left):
        assert (other.class_names, other.digest, other.notes) == (plain.class_names, plain.digest, ())


def test_the_digest_follows_names_sizes_and_classes(tmp_path):
    digests = {open_images(write_folder(tmp_path / "0", pets())).digest}
    renamed = {name.replace("dog", "wolf"): content for name, content in pets().items()}
    longer = pets() | {"cat/1.png": pets()["cat/1.png"] + b"\0"}
    fewer = {name: content for name, content in pets().items() if name != "cat/1.png"}
    for k, files in enumerate((renamed, longer, fewer), 1):
        digests.add(open_images(write_folder(tmp_path / str(k), files)).digest)
    assert len(digests) == 4


def test_a_flat_folder_is_unlabelled(tmp_path):
    images = open_images(write_folder(tmp_path, {name.replace("/", "-"): c for name, c in pets().items()}))
    assert images.labels is None and images.class_names == () and len(images) == 6


def test_predicted_ignores_the_folders(tmp_path):
    images = open_images(write_folder(tmp_path, pets()), labels="predicted")
    assert images.labels is None and images.names[0] == "cat/1.png"


def test_other_files_are_left_out_and_said_so(tmp_path):
    files = pets() | {"cat/readme.txt": b"x", "licence": b"x", "preview.png": pets()["cat/1.png"]}
    images = open_images(write_folder(tmp_path, files))
    assert len(images) == 6
    assert images.notes == (
        "2 files left out: no images by their extension",
        "1 file left out: beside the class folders, not in one",
    )


@pytest.mark.parametrize("wrap", ["", "cifar/"])
def test_splits_name_the_folder_to_pass(tmp_path, wrap):
    files = {f"{wrap}{split}/{name}": content for split in ("train", "test") for name, content in pets().items()}
    folder, archive = write_folder(tmp_path / "data", files), write_zip(tmp_path / "data.zip", files)
    for source in (folder, archive):
        with pytest.raises(DataError, match=r"holds the splits test, train, not class folders.*Pass one of") as caught:
            open_images(source)
        hint = caught.value.hint.rpartition("--data ")[2]
        assert hint == f"{source}/{wrap}test"
        assert open_images(hint).class_names == ("cat", "dog")


def test_a_class_may_be_called_train(tmp_path):
    files = {name.replace("dog", "train"): content for name, content in pets().items()}
    assert open_images(write_folder(tmp_path, files)).class_names == ("cat", "train")


def test_no_images_says_what_was_found(tmp_path):
    with pytest.raises(DataError, match=r"has no images \(found: 2 \.csv, 1 \.txt\)\. Expected: .*png, jpg"):
        open_images(write_folder(tmp_path, {"a.csv": b"", "b.CSV": b"", "cat/c.txt": b""}))


def test_names_that_occur_twice_are_refused(tmp_path):
    composed, decomposed = (unicodedata.normalize(form, "é/1.png") for form in ("NFC", "NFD"))
    files = {composed: pets()["cat/1.png"], decomposed: pets()["cat/9.png"]}
    with pytest.raises(DataError, match="1 files whose names occur twice"):
        open_images(write_zip(tmp_path / "twice.zip", files))


@property_test
@given(st.lists(st.text("ab01/9.", min_size=1, max_size=8), max_size=8))
def test_natural_order_is_total(names):
    backwards = names[::-1]
    assert sorted(names, key=natural_key) == sorted(backwards, key=natural_key)


def test_natural_order():
    names = ["b/1", "a/10", "a/9", "a/09", "a", "a1/x", "a/9b", "9" * 5000]
    assert sorted(names, key=natural_key) == ["9" * 5000, "a", "a/09", "a/9", "a/9b", "a/10", "a1/x", "b/1"]
