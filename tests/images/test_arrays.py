import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from onnxspec.errors import DataError
from onnxspec.images.arrays import ArrayLayout, array_set, label_indices

from .make import noise, property_test


@pytest.mark.parametrize("shape", [(4, 6, 5), (4, 6, 5, 1), (4, 6, 5, 3), (4, 6, 5, 4), (4, 3, 9, 3)])
def test_channels_last(shape):
    values = noise(shape)
    images = array_set(values, None, "x.npz")
    assert len(images) == 4 and images.names == ("000000", "000001", "000002", "000003")
    np.testing.assert_array_equal(images.read(2)[0], values[2])


@pytest.mark.parametrize("shape", [(4, 3, 6, 5), (4, 1, 6, 5)])
def test_channels_first(shape):
    values = noise(shape)
    np.testing.assert_array_equal(array_set(values, None, "x.npz").read(2)[0], np.moveaxis(values[2], 0, -1))


@pytest.mark.parametrize("shape", [(4,), (4, 784), (4, 1, 3, 6, 5), (0, 6, 5), ()])
def test_shapes_that_are_no_images(shape):
    with pytest.raises(DataError, match=r"images of x.npz have the shape \(.*\)\. Expected: \(n, height, width\)"):
        array_set(np.zeros(shape, np.uint8), None, "x.npz")


def test_whole_numbers_of_other_types_are_pixels_if_they_fit():
    values = noise((2, 4, 4)).astype(np.int64)
    image = array_set(values, None, "x").read(1)[0]
    assert image.dtype == np.uint8 and (image == values[1]).all()
    with pytest.raises(DataError, match="Image 1 of x has whole numbers from 0 to 4095"):
        array_set(np.array([[[0]], [[0]]]) + np.array([[[[0, 4095]]]])[0], None, "x").read(1)


def test_floating_images_keep_their_units():
    values = np.random.default_rng(0).normal(size=(2, 4, 4))
    assert array_set(values, None, "x").read(0)[0].dtype == np.float64
    assert array_set(values.astype(np.float16), None, "x").read(0)[0].dtype == np.float32
    values[1, 2, 3] = np.nan
    images = array_set(values, None, "x")
    images.read(0)
    with pytest.raises(DataError, match="Image 1 of x has NaN or infinite values"):
        images.read(1)


@pytest.mark.parametrize("dtype", [bool, "U3", complex, object])
def test_types_that_are_no_images(dtype):
    with pytest.raises(DataError, match=r"are of type .*Expected: uint8"):
        array_set(np.zeros((2, 4, 4), dtype), None, "x")


def test_digest_covers_values_types_labels_and_names():
    values = noise((3, 4, 4))
    other = values.copy()
    other[2, 3, 3] ^= 1
    sets = [
        array_set(values, None, "x"),
        array_set(other, None, "x"),
        array_set(values.astype(np.int16), None, "x"),
        array_set(values, [0, 1, 1], "x"),
        array_set(values, [0, 1, 0], "x"),
        array_set(values, [0, 1, 1], "x", ("cat", "dog")),
    ]
    assert len({images.digest for images in sets}) == len(sets)
    assert array_set(values.copy(), None, "elsewhere").digest == sets[0].digest
    assert array_set(np.asfortranarray(values), None, "x").digest == sets[0].digest


@pytest.mark.parametrize(
    ("labels", "indices", "names"),
    [
        ([0, 3, 3, 10], [0, 1, 1, 2], ("0", "3", "10")),
        (np.array([[2], [1], [2], [1]], np.uint8), [1, 0, 1, 0], ("1", "2")),
        (np.eye(4)[[3, 0, 1, 0]], [2, 0, 1, 0], ("0", "1", "3")),
        ([1.0, 0.0, 1.0, 0.0], [1, 0, 1, 0], ("0", "1")),
        (["dog", "cat", "dog", "cat"], [1, 0, 1, 0], ("cat", "dog")),
        (np.array([b"dog", b"cat", b"dog", b"cat"]), [1, 0, 1, 0], ("cat", "dog")),
        (np.array([b"dog", b"cat", b"dog", b"cat"], object), [1, 0, 1, 0], ("cat", "dog")),
    ],
)
def test_labels_of_many_kinds(labels, indices, names):
    found, found_names = label_indices(labels, 4, None, "x")
    assert found_names == names
    np.testing.assert_array_equal(found, indices)
    assert found.dtype == np.int64


def test_class_names_are_indexed_by_labels():
    found, names = label_indices([2, 0], 2, ("ant", "bee", "cat"), "x")
    assert names == ("ant", "bee", "cat") and found.tolist() == [2, 0]
    with pytest.raises(DataError, match="labels of x go from 0 to 3, and there are 3 class names"):
        label_indices([0, 3], 2, ("ant", "bee", "cat"), "x")


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([1, 2], r"3 images and labels of the shape \(2\)"),
        (np.zeros((3, 4)), r"shape \(3, 4\)"),
        (np.full((3, 2), 0.5), r"shape \(3, 2\)"),
        ([0.5, 1, 2], "labels of x are of type float64, such as 0.5. Expected: whole"),
    ],
)
def test_labels_that_do_not_fit(labels, message):
    with pytest.raises(DataError, match=message):
        label_indices(labels, 3, None, "x")


def test_labels_below_zero_are_no_labels():
    with pytest.raises(DataError, match="go down to -1"):
        label_indices([3, -1], 2, None, "x")


@property_test
@given(st.lists(st.integers(0, 300), min_size=1, max_size=20))
def test_labels_are_their_class_names(labels):
    indices, names = label_indices(labels, len(labels), None, "x")
    assert [int(names[i]) for i in indices] == labels


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ((1, 3, 2, 10**8), "more than 89,478,485 pixels each"),
        ((1, 2, 10**8), "more than 89,478,485 pixels each"),
        ((1, 1000, 1000, 1000), "more than 357,913,940 bytes each"),
    ],
)
def test_images_beyond_reason_are_refused_wherever_their_channels_are(shape, message):
    with pytest.raises(DataError, match=message):
        ArrayLayout(shape, np.dtype("u1"), "x")
