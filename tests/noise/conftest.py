"""Checkpoints that do exactly what theory says, against noise, once for all tests."""

import pytest

from noise import made
from onnxspec.noise.fitting import fit

# High enough for phases that are spread evenly over these images.
F, A = 5.0, 0.3
# No harmonic of F: log probabilities that follow F have those, too.
OTHER = 7.3
DATA = made.images(3000)
OPTIONS = {"preprocess": "-1..1", "batch": 64}


@pytest.fixture(scope="session")
def course(tmp_path_factory):
    """Four checkpoints: know nothing, smooth all labels alike, follow by half, fit the noise; against two noises."""
    folder = tmp_path_factory.mktemp("course")
    for name, follows, sharp in (("e-1", 0, 0), ("e-2", 0, 1), ("e-3", 0.5, 1), ("e-10", 1, 1)):
        made.fitted(folder / f"{name}.onnx", F, A, follows, sharp)
    models = sorted(folder.glob("*.onnx"))
    return fit(models, DATA, frequencies=[F, OTHER], amplitudes=[A], **OPTIONS)
