"""Python functions as classifiers."""

import numpy as np
import pytest

from onnxspec.errors import ModelError
from onnxspec.images.inputspec import InputSpec
from onnxspec.model import Classifier
from onnxspec.model.callable import CallableModel

SPEC = InputSpec("NCHW", 3, 8, 8)
BATCH = np.ones((2, 3, 8, 8))


class Tensor:
    """Like a torch tensor: NumPy cannot have it before it is detached and on the host."""

    def __init__(self, values, steps=()):
        self.values, self.steps = values, steps

    def detach(self):
        return Tensor(self.values, (*self.steps, "detach"))

    def cpu(self):
        return Tensor(self.values, (*self.steps, "cpu"))

    def __array__(self, dtype=None, copy=None):
        if self.steps != ("detach", "cpu"):
            raise RuntimeError("Can't call numpy() on Tensor that requires grad.")
        return self.values


def test_a_function_is_a_classifier():
    model: Classifier = CallableModel(lambda batch: batch.mean((2, 3)), SPEC, outputs=3)
    np.testing.assert_array_equal(model.run(BATCH), np.ones((2, 3), np.float32))
    assert (model.provider, model.digest, model.fixed_batch, model.threads_allowed) == ("python", None, None, False)
    assert model.with_threads(4) is model


def test_it_gets_the_dtype_of_its_specification():
    seen = []
    CallableModel(lambda batch: seen.append(batch) or np.zeros((2, 3)), SPEC).run(BATCH)
    assert seen[0].dtype == np.float32
    assert seen[0].flags.c_contiguous


def test_a_uint8_function_gets_rounded_grey_levels():
    seen = []
    spec = InputSpec("NCHW", 3, 8, 8, np.dtype(np.uint8))
    CallableModel(lambda batch: seen.append(batch) or np.zeros((1, 3)), spec).run(np.full((1, 3, 8, 8), 254.6))
    assert seen[0].dtype == np.uint8
    assert (seen[0] == 255).all()


def test_tensors_are_brought_to_the_host():
    model = CallableModel(lambda batch: Tensor(np.ones((2, 3), np.float32)), SPEC)
    assert model.run(BATCH).dtype == np.float32


def test_lists_are_arrays_too():
    assert CallableModel(lambda batch: [[1, 2], [3, 4]], SPEC).run(BATCH).shape == (2, 2)


@pytest.mark.parametrize("result", [None, "scores", [[1], [2, 3]], {"logits": 1}, object()])
def test_what_is_no_array_is_refused(result):
    with pytest.raises(ModelError, match="an array of scores"):
        CallableModel(lambda batch: result, SPEC).run(BATCH)


def test_wrong_shapes_are_refused():
    with pytest.raises(ModelError, match="1 rows for 2"):
        CallableModel(lambda batch: np.zeros((1, 3)), SPEC).run(BATCH)
    with pytest.raises(ModelError, match="3 scores per image; 4"):
        CallableModel(lambda batch: np.zeros((2, 3)), SPEC, outputs=4).run(BATCH)
