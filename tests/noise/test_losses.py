"""Losses agree with cross-entropies written out, and closed forms with the method's digits."""

import numpy as np
import pytest
from scipy import special

from onnxspec.noise import ClosedForms, LogLikelihood, soft_targets, uniform
from onnxspec.noise.losses import perfect

RNG = np.random.default_rng(1)
LOGITS = 3 * RNG.standard_normal((500, 10))
LABELS = RNG.integers(0, 10, 500)
S = RNG.uniform(0, 0.4, 500)


@pytest.mark.parametrize("probabilities", [False, True])
def test_losses_are_cross_entropies(probabilities):
    outputs = special.softmax(LOGITS, axis=-1) if probabilities else LOGITS
    found = LogLikelihood.of(outputs, LABELS, probabilities)
    log = special.log_softmax(LOGITS, axis=-1)
    noisy = -(soft_targets(LABELS, S, 10) * log).sum(-1)
    clean = -(np.eye(10)[LABELS] * log).sum(-1)
    assert found.clean == pytest.approx(clean, rel=1e-6)
    assert found.noisy(S) == pytest.approx(noisy, rel=1e-6)
    assert found.noise_fitting(S) == pytest.approx(clean - noisy, abs=1e-5)


@pytest.mark.parametrize(("amplitude", "flat", "fit"), [(0.1, -0.4060, -0.3737), (0.2, -0.6684, -0.5910)])
def test_closed_forms_are_the_method_s(amplitude, flat, fit):
    forms = ClosedForms.of(amplitude, 10)
    assert (round(forms.uniform, 4), round(forms.perfect, 4)) == (flat, fit)
    a = amplitude * 0.9
    assert forms.uniform == pytest.approx(a * np.log((amplitude / 10) / (1 - a)), rel=1e-12)


def test_losses_of_the_closed_forms_are_the_method_s():
    forms = ClosedForms.of(0.1, 10)
    assert (round(forms.loss_uniform, 4), round(forms.loss_perfect, 4)) == (0.5003, 0.4704)


def test_the_grid_of_phases_has_converged():
    """Against an adaptive integral over the phase; at A = .5 the loss has its sharpest corner."""
    from scipy import integrate

    for amplitude in (0.1, 0.2, 0.5):
        forms = ClosedForms.of(amplitude, 10)

        def loss(phase, amplitude=amplitude):
            return perfect(np.array([amplitude * (1 + np.sin(phase))]), 10).noisy(amplitude * (1 + np.sin(phase)))[0]

        exact = integrate.quad(loss, 0, 2 * np.pi, limit=200)[0] / (2 * np.pi)
        assert forms.loss_perfect == pytest.approx(exact, abs=1e-7)


@pytest.mark.parametrize("amplitude", [0.1, 0.2, 0.5])
def test_following_of_a_perfect_fit_is_its_closed_form(amplitude):
    """E log(1 + sin) is -log 2, and E log(1 - a (1 + sin)) is log of (1 - a + sqrt(1 - 2 a)) / 2."""
    forms, a = ClosedForms.of(amplitude, 10), 0.9 * amplitude
    gap = 0.9 * (np.log(amplitude / 20) - np.log((1 - a + np.sqrt(1 - 2 * a)) / 2))
    assert forms.following == pytest.approx(forms.perfect - amplitude * gap, rel=2e-3)


@pytest.mark.parametrize("count", [2, 500])
def test_following_is_the_covariance_of_the_noise_and_the_gap(count):
    """And what each image adds does not depend on how much noise all of them have."""
    found, s = LogLikelihood.of(LOGITS[:count], LABELS[:count]), S[:count]
    assert found.following(s).mean() == pytest.approx(np.cov(s, found.mean - found.right)[0, 1])
    assert found.following(s + 0.1) == pytest.approx(found.following(s))


def test_following_is_what_the_mean_of_the_noise_does_not_explain():
    found = LogLikelihood.of(LOGITS, LABELS)
    gap = (found.mean - found.right).mean()
    n = len(S)
    rest = found.noise_fitting(S).mean() - S.mean() * gap
    assert found.following(S).mean() == pytest.approx(rest * n / (n - 1), abs=1e-12)
    assert uniform(0.1, 10, n).following(S).mean() == pytest.approx(0, abs=1e-15)
    assert perfect(S, 10).following(S).mean() > 0.01
