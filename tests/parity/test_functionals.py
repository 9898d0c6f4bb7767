"""The papers' functionals: golden values of method.md section 8, the oracle, and what their definition implies."""

import numpy as np
import pytest
from hypothesis import given

from onnxspec import signals
from onnxspec.parity.functionals import BANDS, banded, consistent, distance_power, high_share
from oracle import mool
from simulation import examples, walks


def two_of_ten(samples):
    prob = np.zeros((len(samples), 10))
    prob[:, 3], prob[:, 8] = samples, 1 - np.asarray(samples, float)
    return prob


@pytest.mark.parametrize(
    ("samples", "golden"),
    [
        (np.zeros(75), 0.0),
        (np.arange(75) >= 37, 0.3396),
        (np.linspace(0, 1, 75, endpoint=False), 0.3383),
        (np.arange(60) >= 30, 0.2785),
        (np.linspace(0, 1, 60, endpoint=False), 0.3191),
        (np.arange(100) >= 50, 0.2749),
        (np.linspace(0, 1, 100, endpoint=False), 0.3080),
        ((np.arange(75) >= 36) & (np.arange(75) <= 38), 0.4723),
    ],
)
def test_golden_values(samples, golden):
    assert high_share(two_of_ten(samples)) == pytest.approx(golden, abs=5e-5)
    assert mool.high_share(mool.magnitude(two_of_ten(samples))) == pytest.approx(golden, abs=5e-5)


def test_the_ordering_that_it_must_fail():
    """method.md section 12, item 2: no step, however sharp, counts as more than a straight ramp."""
    t = np.arange(75) / 75
    shares = [high_share(two_of_ten(1 / (1 + np.exp(-(t - 0.5) / w)))) for w in (0.1, 0.03, 0.01, 0.003)]
    assert all(0.298 < share < 0.324 for share in shares)
    assert high_share(two_of_ten(t)) == pytest.approx(0.338, abs=1e-3)


@examples
@given(walks)
def test_the_oracles(case):
    for prob in signals.prob(case.logits, False):
        assert high_share(prob) == pytest.approx(mool.high_share(mool.magnitude(prob)), rel=1e-9, abs=1e-12)
        assert consistent(prob) == mool.consistent(prob)
        np.testing.assert_allclose(distance_power(prob), mool.distance_power(prob), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("points", [1, 2, 3])
def test_the_shortest_paths_have_figures_too(points):
    prob = two_of_ten(np.arange(points) % 2)
    assert high_share(prob) == pytest.approx(mool.high_share(mool.magnitude(prob)))
    assert len(distance_power(prob)) == points // 2 + 1


def test_consistent_counts_points_to_the_first_other_class():
    assert consistent(two_of_ten(np.arange(100) >= 37)) == 37
    assert consistent(two_of_ten(np.zeros(100))) == 100


@pytest.mark.parametrize("points", [7, 40, 75, 128])
def test_bands_conserve_the_total_and_keep_a_wave_at_its_frequency(points):
    k = points // 4
    power = distance_power(two_of_ten(0.5 + 0.4 * np.sin(2 * np.pi * k * np.arange(points) / points)))
    spread = banded(power, points)
    assert spread.sum() == pytest.approx(power.sum())
    assert BANDS.frequency[-1] == 0.5
    line = np.zeros(points // 2 + 1)
    line[k] = 1.0
    centre = (banded(line, points) * BANDS.frequency).sum()
    assert centre == pytest.approx(k / points, abs=BANDS.unit / 2)


def test_what_a_short_path_has_beyond_half_a_cycle_is_in_the_last_band():
    """Bin 2 of 4 points covers .375 to .625 cycles."""
    spectrum = banded(np.array([0.0, 0.0, 1.0]), 4)
    assert spectrum[-1] == pytest.approx((0.625 - 31.5 / 64) / 0.25)
    assert spectrum[:24].sum() == 0 and spectrum.sum() == pytest.approx(1)
