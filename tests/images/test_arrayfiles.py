"""Array files of both kinds: which keys are taken, what is read, what is refused."""

import zipfile

import h5py
import numpy as np
import pytest

from onnxspec.errors import DataError, UsageError
from onnxspec.images import npz, stored
from onnxspec.images.opening import open_images

from .make import noise

IMAGES = noise((6, 5, 4, 3))
LABELS = np.array([0, 1, 0, 1, 2, 2])


def write_npz(path, **arrays):
    np.savez_compressed(path, **arrays)
    return str(path)


def write_hdf5(path, **arrays):
    with h5py.File(path, "w") as file:
        for key, values in arrays.items():
            values = np.asarray(values)
            file[key] = values.astype(h5py.string_dtype()) if values.dtype.kind == "U" else values
    return str(path)


@pytest.fixture(params=[(write_npz, "data.npz"), (write_hdf5, "data.h5")], ids=["npz", "hdf5"])
def write(request, tmp_path):
    writer, name = request.param
    return lambda **arrays: writer(tmp_path / name, **arrays)


@pytest.mark.parametrize(
    "keys", [("images", "labels"), ("x", "y"), ("X", "Y"), ("x_test", "y_test"), ("data", "targets")]
)
def test_usual_keys(write, keys):
    images = open_images(write(**{keys[0]: IMAGES, keys[1]: LABELS, "seed": 3}))
    np.testing.assert_array_equal(images.labels, LABELS)
    assert images.class_names == ("0", "1", "2")
    for i in range(6):
        np.testing.assert_array_equal(images.read(i)[0], IMAGES[i])


def test_class_names_stand_beside(write):
    images = open_images(write(images=IMAGES, labels=LABELS, class_names=["ant", "bee", "cat", "dog"]))
    assert images.class_names == ("ant", "bee", "cat", "dog")
    np.testing.assert_array_equal(images.labels, LABELS)


def test_labels_in_chunks_cost_a_look_for_each_chunk_and_not_for_each_label(tmp_path, monkeypatch):
    labels = np.arange(1000) % 7
    asked = []
    plain = h5py.Dataset.chunks
    monkeypatch.setattr(h5py.Dataset, "chunks", property(lambda one: asked.append(one.name) or plain.fget(one)))
    with h5py.File(tmp_path / "data.h5", "w") as file:
        file.create_dataset("labels", data=labels, chunks=(500,), compression="gzip")
        np.testing.assert_array_equal(stored.whole(file, "labels", "x"), labels)
    assert len(asked) < 20


def test_without_labels(write):
    assert open_images(write(images=IMAGES)).labels is None
    path = write(images=IMAGES, labels=LABELS)
    unlabelled = open_images(path, labels="predicted")
    assert unlabelled.labels is None and unlabelled.class_names == ()


def test_keys_by_flag(write):
    path = write(photos=IMAGES, kinds=LABELS, x=IMAGES[:, :2], y=LABELS)
    images = open_images(path, images_key="photos", labels_key="kinds")
    np.testing.assert_array_equal(images.read(3)[0], IMAGES[3])


def test_several_candidates_are_listed(write):
    path = write(x_train=IMAGES, x_test=IMAGES[:2], y_train=LABELS, y_test=LABELS[:2])
    with pytest.raises(
        DataError, match=r"several arrays that could be the images\. Name it with --images-key.*x_test 2x5x4x3"
    ):
        open_images(path)
    np.testing.assert_array_equal(open_images(path, images_key="x_train").labels, LABELS)
    np.testing.assert_array_equal(open_images(path, images_key="x_test").labels, LABELS[:2])


def test_missing_keys_list_what_is_there(write):
    path = write(photos=IMAGES, kinds=LABELS)
    with pytest.raises(DataError, match=r"no array with a usual name for images\. Name it with --images-key.*kinds 6"):
        open_images(path)
    with pytest.raises(DataError, match=r"no array 'images'\. Name it with --images-key.*photos 6x5x4x3"):
        open_images(path, images_key="images")
    with pytest.raises(DataError, match=r"no array 'classes'\. Name it with --labels-key"):
        open_images(path, images_key="photos", labels_key="classes")


def test_labels_of_another_length(write):
    path = write(images=IMAGES, labels=LABELS[:3])
    with pytest.raises(DataError, match="6 images and labels of the shape"):
        open_images(path)
    assert len(open_images(path, labels="predicted")) == 6


def test_label_files_are_for_folders(write):
    with pytest.raises(UsageError, match=r"--labels x\.csv is for folders and archives"):
        open_images(write(images=IMAGES), labels="x.csv")


def test_keys_are_for_array_files(tmp_path):
    with pytest.raises(UsageError, match="--images-key and --labels-key name arrays"):
        open_images(tmp_path, images_key="x")


def test_images_are_read_where_files_have_no_locks(tmp_path, without_locks):
    images = open_images(write_hdf5(tmp_path / "data.h5", images=IMAGES, labels=LABELS))
    np.testing.assert_array_equal(images.read(0)[0], IMAGES[0])


@pytest.mark.parametrize("name", ["broken.npz", "broken.h5"])
def test_damaged_files(tmp_path, name):
    path = tmp_path / name
    (write_npz if name.endswith("npz") else write_hdf5)(path, images=IMAGES, labels=LABELS)
    content = path.read_bytes()
    for damaged in (b"", content[: len(content) // 3], b"\0" * 100):
        path.write_bytes(damaged)
        with pytest.raises(DataError, match=r"broken\.(npz|h5) is not an? (\.npz|HDF5) file that can be read"):
            open_images(path)


class TestNpz:
    def test_objects_are_never_unpickled(self, tmp_path):
        path = tmp_path / "data.npz"
        np.savez(path, images=np.array([{"evil": 1}], object))
        with pytest.raises(DataError, match=r"array images of .* holds Python objects, which are never unpickled"):
            open_images(path)

    def test_sizes_that_lie(self, tmp_path):
        path = tmp_path / "data.npz"
        np.savez(path, images=IMAGES)
        with zipfile.ZipFile(path) as archive:
            content = archive.read("images.npy").replace(b"(6, 5, 4, 3)", b"(9, 9, 9, 9)")
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("images.npy", content)
        with pytest.raises(DataError, match="declares 6,561 bytes and stores 360"):
            open_images(path)

    def test_more_than_memory_is_for(self, tmp_path, monkeypatch):
        monkeypatch.setattr(npz, "MAX_ARRAY_BYTES", 100)
        with pytest.raises(DataError, match=r"an \.npz is read whole\. Save it as \.h5"):
            open_images(write_npz(tmp_path / "data.npz", images=IMAGES))


class TestHdf5:
    def test_images_carry_their_digests(self, tmp_path):
        images = open_images(write_hdf5(tmp_path / "data.h5", images=IMAGES, labels=LABELS))
        digests = [images.read(i)[1] for i in range(6)]
        assert all(digests) and len(set(digests)) == 6

    @pytest.mark.parametrize("filters", [{"compression": "gzip"}, {"compression": "lzf"}, {"shuffle": True}])
    def test_labels_and_names_may_be_compressed_too(self, tmp_path, filters):
        with h5py.File(tmp_path / "data.h5", "w") as file:
            file["images"] = IMAGES
            file.create_dataset("labels", data=LABELS, chunks=(2,), **filters)
            names = ["cat", "dog", "hen"]
            file.create_dataset("class_names", data=names, dtype=h5py.string_dtype(), chunks=(3,), **filters)
        images = open_images(tmp_path / "data.h5")
        np.testing.assert_array_equal(images.labels, LABELS)
        assert images.class_names == ("cat", "dog", "hen")

    def test_arrays_in_groups(self, tmp_path):
        path = write_hdf5(tmp_path / "data.h5", **{"test/images": IMAGES, "test/labels": LABELS})
        images = open_images(path, images_key="test/images", labels_key="test/labels")
        np.testing.assert_array_equal(images.labels, LABELS)

    @pytest.mark.parametrize("link", [h5py.SoftLink("/hidden"), h5py.ExternalLink("other.h5", "/images")])
    def test_links_are_not_followed(self, tmp_path, link):
        write_hdf5(tmp_path / "other.h5", images=IMAGES)
        path = tmp_path / "data.h5"
        with h5py.File(path, "w") as file:
            file["hidden"] = IMAGES
            file["images"] = link
        with pytest.raises(DataError, match=r"no array 'images'\. .*The file has: hidden 6x5x4x3"):
            open_images(path, images_key="images")

    def test_values_in_other_files_are_refused(self, tmp_path):
        (tmp_path / "raw").write_bytes(IMAGES.tobytes())
        external, virtual = tmp_path / "external.h5", tmp_path / "virtual.h5"
        with h5py.File(external, "w") as file:
            file.create_dataset("images", IMAGES.shape, "u1", external=[(str(tmp_path / "raw"), 0, IMAGES.nbytes)])
        source = write_hdf5(tmp_path / "other.h5", images=IMAGES)
        with h5py.File(virtual, "w") as file:
            layout = h5py.VirtualLayout(IMAGES.shape, "u1")
            layout[:] = h5py.VirtualSource(source, "images", IMAGES.shape)
            file.create_virtual_dataset("images", layout)
        for path in (external, virtual):
            with pytest.raises(DataError, match="keeps its values in other files"):
                open_images(path)

    def test_values_that_were_never_stored_are_refused(self, tmp_path):
        path = tmp_path / "data.h5"
        with h5py.File(path, "w") as file:
            file.create_dataset("images", (2, 10**6, 10**6), "u1", chunks=(1, 1000, 1000))
        with pytest.raises(DataError, match=r"2,000,000 chunks, and stores 0\. The file is damaged"):
            open_images(path)
