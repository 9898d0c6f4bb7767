"""A report with every family on the bundled network, made once."""

import numpy as np
import pytest

import onnxspec
from conftest import FASHION
from onnxspec.settings import FAMILIES


@pytest.fixture(scope="session")
def pictures():
    """A few bundled images of ten classes as arrays."""
    data = np.load(FASHION / "test.npz")
    kept = np.concatenate([np.flatnonzero(data["labels"] == c)[:8] for c in range(10)])
    return data["images"][kept], data["labels"][kept]


def drawn(a, b, t):
    """A way of one's own: there and back again."""
    return a + np.sin(np.pi * t)[:, None, None, None] ** 2 * (b - a)


def measured(pictures, output=None, **how):
    own = {"detour": onnxspec.OwnFamily(drawn, closed=True)}
    how = {"pairs": 12, "points": 17, "cutoff": 4.0, "paths": FAMILIES, "own_paths": own} | how
    return onnxspec.analyze(FASHION / "pytorch.onnx", pictures, output=output, **how)


@pytest.fixture(scope="session")
def every(pictures, tmp_path_factory):
    return measured(pictures, tmp_path_factory.mktemp("families") / "every.h5", batch=64, threads=2)
