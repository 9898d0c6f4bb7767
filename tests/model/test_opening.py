"""What may be passed as a model, and what is said of what may not."""

from types import SimpleNamespace

import onnxruntime
import pytest

from conftest import FASHION
from onnxspec.errors import UsageError
from onnxspec.model.opening import open_model
from onnxspec.model.session import OnnxModel
from onnxspec.settings import Settings

MODEL = FASHION / "pytorch.onnx"


def test_a_path_a_function_and_what_is_open():
    opened = open_model(str(MODEL), Settings())
    assert isinstance(opened, OnnxModel)
    assert open_model(opened, Settings()) is opened
    assert open_model(lambda batch: batch.mean((2, 3)), Settings()).provider == "python"


class Module:
    """As a torch module is."""

    def __call__(self, tensors):
        return tensors.flatten(1)

    forward = state_dict = __call__


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (Module(), r"takes tensors, .* lambda batch: module\(torch.from_numpy\(batch\)\)"),
        (onnxruntime.InferenceSession(MODEL, providers=["CPUExecutionProvider"]), "is InferenceSession. Pass the path"),
        (SimpleNamespace(graph=None), "onnx.save"),
        (None, "this is NoneType"),
    ],
)
def test_what_is_no_model_here(model, message):
    with pytest.raises(UsageError, match=message):
        open_model(model, Settings())
