"""Unit steps: as many points as whole units begin below the length, whichever batches they are filled in."""

import numpy as np
import pytest

from onnxspec.parity.steps import UnitSteps, times
from oracle import mool
from paths.scene import walked

RNG = np.random.default_rng(1)
ENDS = RNG.normal(size=(4, 2, 3, 5)).astype(np.float32) * np.array([1, 2, 0.1, 4], np.float32)[:, None, None, None]
LENGTHS = [float(np.linalg.norm(b.astype(float) - a)) for a, b in ENDS]


@pytest.mark.parametrize("single", [False, True])
@pytest.mark.parametrize(("length", "points"), [(0.3, 1), (1.0, 1), (1.0001, 2), (75.0, 75), (74.2, 75)])
def test_the_far_end_is_excluded(length, points, single):
    share = times(length, single)
    assert share.dtype == (np.float32 if single else np.float64)
    assert len(share) == points
    np.testing.assert_allclose(share * length, np.arange(points), rtol=1e-6)


@pytest.mark.parametrize("parts", [1, 3, 11])
def test_paths_end_to_end_are_the_oracles_one_by_one(parts):
    steps = UnitSteps(ENDS.__getitem__, [times(length, False) for length in LENGTHS], (3, 5))
    points = walked(steps, 0, parts)
    assert len(steps) == 1
    for (a, b), path in zip(ENDS, steps.split(points[None]), strict=True):
        expected = mool.steps(a.astype(float).ravel(), b.astype(float).ravel())
        np.testing.assert_allclose(path.reshape(len(path), -1), expected, atol=1e-5)


def test_a_length_that_float32_rounds_down_has_no_point_at_its_end():
    share = times(37.0000001, True)
    assert len(share) == 37 and share[-1] < 1
