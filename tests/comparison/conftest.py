"""A few bundled images, and models compared on them once for all tests."""

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

import onnxspec
from conftest import FASHION
from onnxspec.comparison.comparing import compare

PAIRS = 60


@pytest.fixture(scope="session")
def digits():
    """A hundred and forty bundled images of ten classes as arrays."""
    data = np.load(FASHION / "test.npz")
    kept = np.concatenate([np.flatnonzero(data["labels"] == c)[:14] for c in range(10)])
    return data["images"][kept], data["labels"][kept]


@pytest.fixture(scope="session")
def reports(digits, tmp_path_factory):
    """Reports of two bundled models, made one by one."""
    folder = tmp_path_factory.mktemp("reports")
    return {
        name: onnxspec.analyze(
            FASHION / f"{name}.onnx", digits, pairs=PAIRS, points=33, batch=32, output=folder / f"{name}.h5"
        )
        for name in ("pytorch", "sklearn")
    }


@pytest.fixture(scope="session")
def perturbed(tmp_path_factory):
    """pytorch.onnx with one weight of its last layer moved by a tenth of the largest."""
    path = tmp_path_factory.mktemp("perturbed") / "perturbed.onnx"
    model = onnx.load(FASHION / "pytorch.onnx")
    weights = [t for t in model.graph.initializer if len(t.dims) >= 2][-1]
    values = numpy_helper.to_array(weights).copy()
    values.flat[0] += 0.1 * np.abs(values).max()
    weights.CopyFrom(numpy_helper.from_array(values, weights.name))
    onnx.save(model, path)
    return path


@pytest.fixture(scope="session")
def quick_twin(tmp_path_factory):
    """sklearn.onnx with every weight as far from its own as the next number is: the same but for rounding."""
    path = tmp_path_factory.mktemp("twin") / "twin.onnx"
    model = onnx.load(FASHION / "sklearn.onnx")
    for weights in [t for t in model.graph.initializer if len(t.dims) >= 2]:
        values = numpy_helper.to_array(weights)
        weights.CopyFrom(numpy_helper.from_array(np.nextafter(values, values.dtype.type(np.inf)), weights.name))
    onnx.save(model, path)
    return path


@pytest.fixture(scope="session")
def four(digits, perturbed, evaluated):
    """The bundled network, its other export, itself with one weight moved, and another network."""
    models = [FASHION / "pytorch.onnx", FASHION / "twin.onnx", perturbed, FASHION / "sklearn.onnx"]
    return compare(models, digits, pairs=PAIRS, points=33, batch=32, with_agreement=True, cache=evaluated)
