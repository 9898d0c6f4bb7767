"""The classifier behind what a caller passes: a path, a function, or a classifier that is open already."""

import os
from typing import Any

from onnxspec.errors import UsageError
from onnxspec.images.inputspec import InputSpec
from onnxspec.model.callable import CallableModel
from onnxspec.model.protocol import Classifier
from onnxspec.model.session import OnnxModel
from onnxspec.settings import Settings


def open_model(model: Any, settings: Settings) -> Classifier:
    """The classifier that `model` is or stands for.

    Raises
    ------
    UsageError
        It is none of these, or cannot be called with NumPy arrays.
    OnnxspecError
        As `OnnxModel.open`.
    """
    if hasattr(model, "state_dict") and hasattr(model, "forward"):
        raise UsageError(
            "A torch module takes tensors, and would be given NumPy arrays.",
            "Pass lambda batch: module(torch.from_numpy(batch)), once module.eval() was called.",
        )
    if callable(model):
        spec = InputSpec("NCHW")
        return CallableModel(model, spec)
    if isinstance(model, str | os.PathLike):
        execution, inputs = settings.execution, settings.inputs
        return OnnxModel.open(
            model,
            device=execution.device,
            tf32=execution.tf32,
            input=inputs.input,
            output=inputs.output,
            max_memory=execution.max_memory,
        )
    if not (hasattr(model, "run") and hasattr(model, "spec")):
        raise UsageError(
            f"A model is the path of an ONNX file or a function from a batch to scores; this is {type(model).__name__}.",
            "Pass the path that an InferenceSession was opened from; save an onnx.ModelProto with onnx.save first.",
        )
    return model
