"""Write preprocessing and class names into ONNX files, where onnxspec looks for them."""

import json
from pathlib import Path

import numpy as np
import onnx
import onnxruntime

# ONNX Runtime refuses files newer than itself, and onnx writes the newest version it knows.
IR_VERSION = 10


def stamp(path: Path, preprocess: dict, classes: list[str] | None = None) -> None:
    """Rewrite the ONNX file at `path` with its metadata_props, and without the exporter's notes.

    preprocess: how 8-bit pixels become the input, x = (pixels * scale - mean) / std, and how an
        image gets its size (resize, crop, interpolation); fields that do not matter are left out.
    classes: display names in output order; None for outputs that are no classes.
    """
    model = onnx.load(path)
    model.ir_version = min(model.ir_version, IR_VERSION)
    for node in model.graph.node:  # source lines and stack traces of the exporting machine
        node.doc_string = ""
        del node.metadata_props[:]
    properties = {"onnxspec.preprocess": json.dumps(preprocess)}
    if classes is not None:
        properties["onnxspec.classes"] = json.dumps(classes, ensure_ascii=False)
    onnx.helper.set_model_props(model, properties)
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, path)


def count_parameters(path: Path) -> int:
    """Floating-point numbers in the file's initialisers, scalars aside."""
    tensors = onnx.load(path).graph.initializer
    weights = [t for t in tensors if t.dims and t.data_type == onnx.TensorProto.FLOAT]
    return sum(int(np.prod(t.dims)) for t in weights)


def run(path: Path, inputs: np.ndarray, batch: int = 250) -> np.ndarray:
    """Scores (n, classes) float32 of the ONNX file for preprocessed `inputs`, on the CPU."""
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    scores = session.get_outputs()[-1].name  # scikit-learn's files give the label first
    starts = range(0, len(inputs), batch)
    parts = [session.run([scores], {name: inputs[i : i + batch]})[0] for i in starts]
    return np.concatenate(parts)


def accuracy(path: Path, inputs: np.ndarray, labels: np.ndarray) -> float:
    """Top-1 accuracy of the ONNX file on preprocessed `inputs`."""
    return float(np.mean(run(path, inputs).argmax(axis=1) == labels))
