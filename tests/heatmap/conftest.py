"""A small heat map that several tests look at."""

import pytest

from conftest import FASHION
from onnxspec.heatmap import HeatMap, heat_map


@pytest.fixture(scope="session")
def bundled_map() -> HeatMap:
    """The bundled network on 40 of the bundled images, up to 6 cycles."""
    return heat_map(FASHION / "pytorch.onnx", FASHION / "test.npz", images=40, highest=6)
