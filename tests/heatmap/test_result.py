"""Figures of a heat map, from numbers that are made up."""

import os
import subprocess
import sys

import numpy as np
import pytest

from conftest import ROOT
from onnxspec.heatmap.result import HeatMap
from onnxspec.paths.waves import Waves, octaves

WAVES = Waves.half_plane(32, 32)
IMAGES = 400


def made() -> HeatMap:
    rng = np.random.default_rng(0)
    wrong = rng.integers(0, 2, (IMAGES, len(WAVES)), np.uint8)
    change = {name: rng.random((IMAGES, len(WAVES)), np.float32) for name in ("prob", "logit")}
    names = tuple(map(str, range(IMAGES)))
    return HeatMap(
        WAVES, (), np.arange(IMAGES), names, wrong[:, 0], wrong, wrong[:, :0], change, {"labelling": "true"}, {}
    )


def test_rings_are_means_over_the_waves_of_an_octave():
    found = made()
    of = octaves(WAVES.radius)
    for ring, band in enumerate(np.unique(of)):
        assert found.rings.waves[ring] == (of == band).sum()
        assert found.rings.error[ring] == pytest.approx(found.wrong[:, of == band].mean())
        mean = found.change["logit"][:, of == band].mean(dtype=np.float64)
        assert found.rings.change["logit"].estimate[ring] == pytest.approx(mean)


def test_rings_have_the_same_bits_whatever_the_threads_of_linear_algebra():
    code = (
        "from heatmap.test_result import made; rings = made().rings; "
        "print(rings.error.tobytes().hex(), *(c.estimate.tobytes().hex() for c in rings.change.values()))"
    )

    def printed(threads: int) -> str:
        path = os.pathsep.join([str(ROOT), str(ROOT / "tests")])
        environment = os.environ | {"OPENBLAS_NUM_THREADS": str(threads), "PYTHONPATH": path}
        command = [sys.executable, "-c", code]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout

    assert printed(1) == printed(2)
