"""The engine: outputs along paths equal to a plain loop, results in order, prompt ends."""

import threading
import time

import numpy as np
import pytest

from onnxspec.engine import forming
from onnxspec.engine.local import LocalEngine
from onnxspec.errors import ModelError, ResourceError
from onnxspec.images.cache import PixelCache
from onnxspec.images.distance import rms_distance
from onnxspec.images.inputspec import InputSpec
from onnxspec.images.opening import open_images
from onnxspec.images.preprocess import Preprocess, fit
from onnxspec.model.callable import CallableModel
from onnxspec.paths import families

RNG = np.random.default_rng(0)
IMAGES = RNG.integers(0, 256, (12, 6, 6, 3), np.uint8)
WEIGHTS = RNG.normal(size=(108, 4)).astype(np.float32)


def classifier(batch):
    return np.tanh(batch.reshape(len(batch), -1) @ WEIGHTS)


def engine(function=classifier, layout="NHWC", dtype=np.float32, tile=5, workers=2, **preprocess):
    spec, made = fit(InputSpec(layout, dtype=np.dtype(dtype)), Preprocess(**preprocess), (6, 6, 3))
    pixels = PixelCache(open_images((IMAGES, np.arange(12) % 3)), made, spec)
    return LocalEngine(CallableModel(function, spec), pixels, made, spec, tile=tile, workers=workers)


A, B = np.array([0, 3, 7]), np.array([1, 4, 7])


@pytest.mark.parametrize("tile", [1, 4, 33, 100])
def test_outputs_equal_a_plain_loop(tile):
    made = engine(tile=tile, mean=(0.5, 0.4, 0.3), std=(0.2, 0.2, 0.3)).outputs(A, B, families.line(9))
    x = (IMAGES / 255 - [0.5, 0.4, 0.3]) / [0.2, 0.2, 0.3]
    for path, (a, b) in enumerate(zip(A, B, strict=True)):
        for j in range(9):
            point = (1 - j / 8) * x[a] + j / 8 * x[b]
            assert made[path, j] == pytest.approx(classifier(point[None].astype(np.float32))[0], abs=2e-5)


def test_no_image_is_evaluated_alone_where_batches_are_larger():
    """Kernels for a single row may round otherwise, and what is left for the last batch depends on the batch's size."""

    def moody(batch):
        return classifier(batch) + (len(batch) == 1)

    expected = engine().outputs(A, B, families.line(11))
    for tile in (2, 4, 16, 32):
        assert np.array_equal(engine(moody, tile=tile).outputs(A, B, families.line(11)), expected)
    assert np.array_equal(engine(moody, tile=2).predict(np.array([0])), expected[:1, 0])


@pytest.mark.parametrize(("values", "anchored"), [(1 << 18, [6]), (2 * 6 * 6 * 3, [4, 2]), (1, [2, 2, 2])])
def test_points_are_formed_ahead_as_far_as_a_cache_holds_them(monkeypatch, values, anchored):
    one, seen = engine(tile=5), []
    plain = one.outputs(A, B, families.line(9))
    monkeypatch.setattr(forming, "AHEAD_VALUES", values)
    monkeypatch.setattr(one, "anchors", lambda images: (seen.append(len(images)), LocalEngine.anchors(one, images))[1])
    assert np.array_equal(one.outputs(A, B, families.line(9)), plain)
    assert seen == anchored


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_distances_do_not_depend_on_how_many_are_measured_together(monkeypatch, dtype):
    many = RNG.integers(0, 256, (12, 6, 6, 3)).astype(dtype)
    spec, made = fit(InputSpec("NHWC"), Preprocess(), (6, 6, 3))
    pixels = PixelCache(open_images((many, np.arange(12) % 3)), made, spec)
    one = LocalEngine(CallableModel(classifier, spec), pixels, made, spec)
    together = one.distance(A, B)
    assert together == pytest.approx([rms_distance(many[a], many[b]) for a, b in zip(A, B, strict=True)], rel=1e-15)
    monkeypatch.setattr(forming, "AHEAD_VALUES", 1)
    assert np.array_equal(one.distance(A, B), together)
    assert one.distance(A[:0], B[:0]).shape == (0,)


def test_on_a_device_batches_have_one_shape(monkeypatch):
    sizes = []
    monkeypatch.setattr(CallableModel, "in_flight", 2)
    one = engine(lambda batch: (sizes.append(len(batch)), classifier(batch))[1], tile=7)
    assert one.outputs(A, B, families.line(5)) == pytest.approx(engine().outputs(A, B, families.line(5)), abs=1e-6)
    assert sizes == [7, 7, 7]  # fifteen points


def test_every_path_may_have_its_own_weights():
    t = np.array([[0.0, 0.3], [1.0, 0.5], [0.2, 0.9]])
    made = engine().outputs(A, B, families.line_at(t))
    assert made.shape == (3, 2, 4)
    assert made[0, 0] == pytest.approx(classifier(IMAGES[:1] / 255)[0], abs=1e-5)
    assert made[1, 0] == pytest.approx(classifier(IMAGES[4:5] / 255)[0], abs=1e-5)


def test_a_uint8_model_gets_rounded_pixels():
    seen = []

    def record(batch):
        seen.append(batch.copy())
        return classifier(batch.astype(np.float32) / 255)

    engine(record, dtype=np.uint8).outputs(A, B, families.line(9))
    batch = np.concatenate(seen)
    assert batch.dtype == np.uint8
    middle = (IMAGES[0].astype(float) + IMAGES[1]) / 2
    assert np.array_equal(batch[4], np.rint(middle))


def test_a_float16_model_gets_float16():
    seen = []
    engine(lambda b: (seen.append(b.dtype), classifier(b.astype(np.float32)))[1], dtype=np.float16).outputs(
        A, B, families.line(9)
    )
    assert set(seen) == {np.dtype(np.float16)}


def test_where_memory_runs_out_the_batch_is_halved():
    sizes = []

    def small(batch):
        sizes.append(len(batch))
        if len(batch) > 3:
            raise MemoryError
        return classifier(batch)

    one = engine(small, tile=16, workers=1)
    expected = engine(tile=16).outputs(A, B, families.line(9))
    assert one.outputs(A, B, families.line(9)) == pytest.approx(expected, abs=1e-6)
    assert sizes[:4] == [16, 8, 4, 2]
    assert one.tile == 2


def test_where_memory_runs_out_whole_images_are_seen_in_smaller_batches():
    sizes = []

    def small(batch):
        sizes.append(len(batch))
        if len(batch) > 1:
            raise MemoryError
        return classifier(batch)

    one = engine(small)
    np.testing.assert_allclose(one.raw([0, 3, 7, 5]), engine().raw([0, 3, 7, 5]), atol=1e-5)
    assert sizes == [4, 2, 1, 1, 1, 1]
    # For whoever comes next, too: two at a time with batches of their own found no room for a single image.
    one.raw([2, 4])
    assert sizes[6:] == [1, 1]


@pytest.mark.parametrize("call", range(3))
@pytest.mark.parametrize("failing", [(LocalEngine, "anchors"), (families.Frames, "fill")])
def test_where_memory_runs_out_while_points_are_formed_they_are_formed_again(monkeypatch, failing, call):
    """Batches of 4, of which a single one is formed at a time, so that the rest of a path is formed anew."""
    monkeypatch.setattr(forming, "AHEAD_VALUES", 1)
    one, calls = engine(tile=4, workers=1), []
    expected = one.outputs(A, B, families.line(9))
    plain = getattr(*failing)

    def short(*arguments):
        calls.append(arguments)
        made = plain(*arguments)
        if len(calls) == call + 1:
            (arguments[-1] if made is None else made)[:] = np.nan
            raise MemoryError
        return made

    monkeypatch.setattr(*failing, short)
    assert one.outputs(A, B, families.line(9)) == pytest.approx(expected, abs=1e-6)  # BLAS minds the batch
    assert one.tile == 2


def test_no_memory_for_a_single_image_is_said():
    def none(batch):
        raise MemoryError

    with pytest.raises(ResourceError, match=r"Memory ran out on a batch of 1, with 2 batches at a time\. .*--threads"):
        engine(none).outputs(A, B, families.line(9))


def test_distances_are_rms_pixel_differences():
    expected = np.sqrt(np.mean((IMAGES[A] / 255 - IMAGES[B] / 255) ** 2, axis=(1, 2, 3)))
    assert engine(mean=0.3, std=0.1).distance(A, B) == pytest.approx(expected, abs=1e-12)


def test_results_come_in_the_order_of_the_items():
    def slow_first(i):
        time.sleep(0.05 if i == 0 else 0.0)
        return i

    assert list(engine().map(slow_first, range(20))) == list(range(20))


def test_only_a_few_items_are_in_flight():
    taken = []

    def items():
        for i in range(50):
            taken.append(i)
            yield i

    results = engine().map(lambda i: i, items())
    next(results)
    assert len(taken) <= 6
    results.close()


def test_workers_stop_at_the_next_batch_when_the_caller_goes():
    calls = []
    ready = threading.Event()

    def slow(batch):
        calls.append(len(batch))
        ready.set()
        time.sleep(0.02)
        return classifier(batch)

    running = engine(slow, tile=1)

    def interrupted(i):
        ready.wait()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        work = [lambda _: running.outputs(A, B, families.line(33)), interrupted]
        list(running.map(lambda one: one(0), work[::-1]))
    assert sum(calls) < 99
    assert running.outputs(A[:1], B[:1], families.line(9)).shape == (1, 9, 4)


def test_an_error_in_a_worker_reaches_the_caller():
    def fail(i):
        raise ModelError("no")

    with pytest.raises(ModelError, match="no"):
        list(engine().map(fail, range(3)))


def test_listeners_hear_of_every_image():
    heard = []
    one = engine(tile=4)
    one.on_images = heard.append
    one.outputs(A, B, families.line(9))
    assert sum(heard) == 27
    assert max(heard) == 4


@pytest.mark.parametrize(("value", "said"), [(np.nan, "NaN or Inf"), (-np.inf, "NaN or Inf"), (-3e15, "beyond 1e")])
def test_scores_that_no_power_spectrum_can_hold_are_refused(value, said):
    def wild(batch):
        return np.where(np.arange(4) == 2, value, classifier(batch)).astype(np.float32)

    with pytest.raises(ModelError, match=rf"The model gives .*{said}.* between 0+ and 0*1, at point 0 of 9"):
        engine(wild).outputs(A, B, families.line(9))
