import numpy as np
import pytest
from PIL import Image

from onnxspec.errors import DataError
from onnxspec.images.decode import decode
from onnxspec.images.opening import open_images

from .make import noise

IMAGES = noise((4, 6, 5, 3))
LABELS = [0, 1, 1, 0]


class Indexable:
    """What torch calls a map-style data set."""

    def __len__(self):
        return 4

    def __getitem__(self, i):
        return np.moveaxis(IMAGES[i], -1, 0).astype(np.float32) / 255, LABELS[i]


class WithGradient:
    """What NumPy cannot take, as a torch tensor that is being trained."""

    shape = (4, 6, 5, 3)

    def __len__(self):
        return 4

    def __array__(self, *_, **__):
        raise RuntimeError("Can't call numpy() on Tensor that requires grad.")


@pytest.mark.parametrize(
    "data",
    [
        (IMAGES, LABELS),
        (list(IMAGES), LABELS),
        ([Image.fromarray(image) for image in IMAGES], np.array(LABELS)),
        [(image, label) for image, label in zip(IMAGES, LABELS, strict=True)],
        [(Image.fromarray(image), str(label)) for image, label in zip(IMAGES, LABELS, strict=True)],
        ((IMAGES[0], 0), (IMAGES[1], 1), (IMAGES[2], 1), (IMAGES[3], 0)),
    ],
)
def test_images_and_labels(data):
    images = open_images(data)
    assert len(images) == 4 and images.class_names == ("0", "1")
    np.testing.assert_array_equal(images.labels, LABELS)
    for i in range(4):
        image, digest = images.read(i)
        np.testing.assert_array_equal(image, IMAGES[i])
        assert digest is None


def test_two_pairs_are_not_images_and_labels():
    assert len(open_images(((IMAGES[0], 0), (IMAGES[1], 1)))) == 2


def test_anything_indexable():
    images = open_images(Indexable())
    assert images.read(1)[0].shape == (6, 5, 3)
    np.testing.assert_allclose(images.read(1)[0], IMAGES[1] / 255, rtol=1e-6)


def test_images_alone_are_unlabelled():
    for data in (IMAGES, (IMAGES, None), (list(IMAGES), None), [(image, None) for image in IMAGES]):
        images = open_images(data)
        assert images.labels is None and len(images) == 4
    assert open_images(images) is images


def test_digest_follows_images_and_labels():
    pairs = list(zip(IMAGES, LABELS, strict=True))
    digests = {open_images(data).digest for data in (pairs, pairs[::-1], [(IMAGES[0], 0), *pairs[1:3], (IMAGES[3], 1)])}
    assert len(digests) == 3


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (3, "data are of type int. Expected: a path"),
        ({"images": IMAGES}, "of type dict"),
        ([], "data are empty"),
        ([IMAGES[0]], "Item 0 of the data is of type ndarray"),
        ([(IMAGES[0], 0), 7], "Item 1 of the data is of type int"),
        ((IMAGES, [0, 1]), r"4 images and labels of the shape \(2\)"),
        ((list(IMAGES), [0, 1]), "There are 4 images and 2 labels"),
        ((list(IMAGES), iter(LABELS)), "The labels are of type list_iterator. Pass a list"),
        ((iter(IMAGES), LABELS), "The images are of type .* Pass a list"),
        ((IMAGES, set(LABELS)), "The labels are of type set. Pass a list"),
        ((list(IMAGES), 5), "The labels are of type int"),
        (("a.npz", "b.npz"), "The images are of type str"),
        (WithGradient(), r"The data passed in cannot become .* requires grad.* tensor.detach\(\)"),
        ((IMAGES, WithGradient()), "The labels of the data passed in cannot become"),
        ([(IMAGES[0], 0), (WithGradient(), 1)], "Image 1 of the data passed in cannot become"),
    ],
)
def test_data_that_are_none_of_these(data, message):
    with pytest.raises(DataError, match=message):
        open_images(data)


def test_pil_images_become_what_their_files_would(tmp_path):
    """Pillow's own conversion clips 16 bits at 255."""
    ramp = Image.fromarray(np.linspace(0, 65535, 64).astype(np.uint16).reshape(8, 8))
    ramp.save(tmp_path / "ramp.png")
    passed, _ = open_images([(ramp, 0), (ramp, 1)]).read(0)
    assert np.array_equal(passed, decode((tmp_path / "ramp.png").read_bytes(), "ramp"))
    with pytest.raises(DataError, match="The image 1 of the data cannot be read: floating-point pixels"):
        open_images([(ramp, 0), (Image.fromarray(np.ones((8, 8), np.float32)), 1)])
