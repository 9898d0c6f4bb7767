import hashlib
import threading

import numpy as np
import pytest

from onnxspec.errors import DataError
from onnxspec.images.cache import PixelCache
from onnxspec.images.inputspec import InputSpec
from onnxspec.images.opening import open_images
from onnxspec.images.preprocess import Preprocess, fit

from .make import encoded, noise, pets, write_folder


def cached(tmp_path, files=None, channels=3, **options) -> PixelCache:
    images = open_images(write_folder(tmp_path, files or pets()))
    spec, preprocess = fit(InputSpec("NCHW", channels, 6, 5), Preprocess(), (6, 5, 3))
    return PixelCache(images, preprocess, spec, **options)


def test_pixels_are_decoded_once(tmp_path):
    cache = cached(tmp_path)
    first = cache.get(2)
    np.testing.assert_array_equal(first, cache.images.read(2)[0])
    (tmp_path / "cat" / "10.png").unlink()
    assert cache.get(2) is first
    with pytest.raises(ValueError, match="read-only"):
        first[0] = 0


def test_the_least_recently_used_goes_first(tmp_path):
    cache = cached(tmp_path, limit_bytes=2 * 6 * 5 * 3)
    kept = [cache.get(i) for i in (0, 1)]
    assert cache.get(0) is kept[0]
    cache.get(2)
    assert cache.get(0) is kept[0] and cache.get(1) is not kept[1]


def test_an_image_larger_than_the_limit_still_comes(tmp_path):
    cache = cached(tmp_path, limit_bytes=1)
    assert cache.get(0).shape == cache.get(1).shape == (6, 5, 3)


def test_content_digests_are_of_the_files_used(tmp_path):
    cache = cached(tmp_path)
    cache.get(0)
    cache.get(4)
    expected = {i: hashlib.sha256(pets()[cache.images.names[i]]).hexdigest() for i in (0, 4)}
    assert {i: cache.content_digest(i) for i in expected} == expected


def test_a_file_that_changes_is_noticed(tmp_path):
    cache = cached(tmp_path, limit_bytes=1)
    cache.get(0)
    cache.get(1)
    (tmp_path / "cat" / "1.png").write_bytes(encoded(noise((6, 5, 3), 99)))
    with pytest.raises(DataError, match=r"cat/1\.png has changed while it was in use"):
        cache.get(0)


def test_threads_share_it(tmp_path):
    cache = cached(tmp_path, limit_bytes=200)
    expected = [cache.images.read(i)[0] for i in range(6)]
    wrong = []

    def work(seed):
        for i in np.random.default_rng(seed).integers(6, size=60):
            if not np.array_equal(cache.get(int(i)), expected[i]):
                wrong.append(i)

    threads = [threading.Thread(target=work, args=(k,)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


BAD = pets() | {"cat/1.png": b"broken", "dog/b.png": b""}


def test_an_unreadable_image_is_named(tmp_path):
    cache = cached(tmp_path, BAD)
    with pytest.raises(DataError, match=r"image cat/1\.png cannot be read: .*--skip-bad N"):
        cache.get(0)
    with pytest.raises(DataError, match=r"image cat/1\.png cannot be read"):
        cache.readable(0)


def test_some_may_be_skipped(tmp_path):
    cache = cached(tmp_path, BAD, skip_bad=2)
    assert [cache.readable(i) for i in (0, 1, 2, 3, 4, 5, 0, 4)] == [False, True, True, True, False, True, False, False]
    assert set(cache.unreadable) == {0, 4}


def test_one_more_than_may_be_skipped(tmp_path):
    cache = cached(tmp_path, BAD, skip_bad=1)
    assert not cache.readable(0)
    with pytest.raises(DataError, match=r"^At least 2 images are unreadable\. The image dog/b\.png cannot"):
        cache.readable(4)


def test_an_image_that_does_not_fit_is_named_and_not_skipped(tmp_path):
    images = open_images(
        write_folder(tmp_path, {"a.png": encoded(noise((6, 5, 3))), "b.png": encoded(noise((9, 9, 3)))})
    )
    spec, preprocess = fit(InputSpec("NCHW", 3), Preprocess(), (6, 5, 3))
    cache = PixelCache(images, preprocess, spec, skip_bad=5)
    assert cache.readable(0)
    with pytest.raises(DataError, match=r"^b\.png: An image of 9 x 9 x 3"):
        cache.readable(1)


def test_channel_conversions_are_said_once(tmp_path):
    files = pets() | {"cat/grey.png": encoded(noise((6, 5)))}
    cache = cached(tmp_path, files)
    for i in range(7):
        cache.get(i)
    assert cache.notes == {"grey images repeated over the model's 3 channels"}
