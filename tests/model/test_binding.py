"""IOBinding: the same output as `run`, through buffers that stay."""

from itertools import count

import numpy as np
import pytest

from model import build
from onnxspec.model import providers, runtime
from onnxspec.model.binding import Binding


@pytest.fixture
def session(tmp_path):
    path = build.save(build.mlp(), tmp_path / "m.onnx")
    return runtime.make_session(path, [(providers.CPU, {})])


def batch(count, seed):
    return np.random.default_rng(seed).normal(size=(count, 12)).astype(np.float32)


def test_outputs_are_those_of_run(session):
    binding = Binding(session, "y", ("cpu", 0))
    for images, seed in ((4, 0), (4, 1), (2, 2), (4, 3)):  # the shape may change and change back
        x = batch(images, seed)
        np.testing.assert_array_equal(binding.run({"x": x}), session.run(["y"], {"x": x})[0])


def test_outputs_are_not_written_over(session):
    binding = Binding(session, "y", ("cpu", 0))
    first = binding.run({"x": batch(4, 0)})
    kept = first.copy()
    binding.run({"x": batch(4, 1)})
    np.testing.assert_array_equal(first, kept)


def test_buffers_stay_while_the_shape_does(session):
    binding = Binding(session, "y", ("cpu", 0))
    binding.run({"x": batch(4, 0)})
    buffer = binding._buffers["x"]
    binding.run({"x": np.asfortranarray(batch(4, 1))})
    assert binding._buffers["x"] is buffer
    assert binding.sent == 2 * 4 * 12 * 4


def test_a_wrong_input_does_not_spoil_the_next(session):
    binding = Binding(session, "y", ("cpu", 0))
    with pytest.raises(runtime.ERRORS):
        binding.run({"x": np.zeros((4, 11), np.float32)})
    x = batch(4, 0)
    np.testing.assert_array_equal(binding.run({"x": x}), session.run(["y"], {"x": x})[0])


class Capturing:
    """A session of the CPU that captures as CUDA's does: a graph is replayed on the buffers of its first run."""

    def __init__(self, session):
        self.session, self.captured = session, {}
        self.io_binding = session.io_binding

    def run_with_iobinding(self, bound, options):
        number = int(options.get_run_config_entry("gpu_graph_id"))
        self.session.run_with_iobinding(self.captured.setdefault(number, bound) if number >= 0 else bound)


def test_a_captured_graph_reads_and_writes_the_buffers_that_stay(session):
    capturing = Capturing(session)
    binding = Binding(capturing, "y", ("cpu", 0), count(1))
    for number, seed in ((4, 0), (4, 1), (4, 2), (2, 3), (2, 4), (4, 5)):
        x = batch(number, seed)
        np.testing.assert_array_equal(binding.run({"x": x}), session.run(["y"], {"x": x})[0])
    assert sorted(capturing.captured) == [1, 2, 3]


def test_a_graph_that_is_replayed_on_other_buffers_gives_old_answers(session):
    """What the test before this one would notice."""
    capturing = Capturing(session)
    first, second = (Binding(capturing, "y", ("cpu", 0), iter([1])) for _ in range(2))
    first.run({"x": batch(4, 0)})
    assert not np.array_equal(second.run({"x": batch(4, 1)}), session.run(["y"], {"x": batch(4, 1)})[0])
