"""Made-up data with known answers: the logits of a few paths, and figures of many paths that share images."""

from dataclasses import dataclass

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st

from onnxspec.statistics import Design

REFERENCE = 0.331
CUTOFF = 4 / REFERENCE

examples = settings(max_examples=40, deadline=None, derandomize=True)


def _noise(rng, t, shape):
    return rng.standard_normal((shape[0], len(t), shape[1]))


def _waves(rng, t, shape):
    k = np.arange(1, 7)
    turns = rng.standard_normal((*shape, 6)) / k
    return np.einsum("pck,nk->pnc", turns, np.sin(np.pi * np.outer(t, k) + rng.random(6)))


def _ramps(rng, t, shape):
    start, end = rng.standard_normal((2, shape[0], 1, shape[1]))
    return (1 - t[:, None]) * start + t[:, None] * end


def _decisions(rng, t, shape):
    """From one class to another in one smooth step somewhere on the path."""
    place, width = rng.uniform(0.2, 0.8, (shape[0], 1)), rng.uniform(0.003, 0.1, (shape[0], 1))
    rise = np.tanh((t - place) / width)
    logits = np.full((shape[0], len(t), shape[1]), -2.0)
    logits[..., 0], logits[..., 1] = -rise, rise
    return logits


def _islands(rng, t, shape):
    """Another class for a few points in the middle."""
    logits = np.zeros((shape[0], len(t), shape[1]))
    logits[..., 0] = 1.0
    logits[:, len(t) // 2 - 1 : len(t) // 2 + 2, 1] = 2.0
    return logits


def _constants(rng, t, shape):
    return np.broadcast_to(rng.standard_normal((shape[0], 1, shape[1])), (shape[0], len(t), shape[1])).copy()


SHAPES = {
    "noise": _noise,
    "waves": _waves,
    "ramps": _ramps,
    "decisions": _decisions,
    "islands": _islands,
    "constants": _constants,
}


@dataclass(frozen=True)
class Walk:
    """logits : (paths, points, classes) float64; distance : (paths,) float64, RMS."""

    logits: np.ndarray
    distance: np.ndarray

    @property
    def points(self):
        return self.logits.shape[1]


def walk(shape, points=33, classes=4, paths=2, scale=5.0, seed=0):
    rng = np.random.default_rng(seed)
    logits = scale * SHAPES[shape](rng, np.linspace(0, 1, points), (paths, classes))
    return Walk(logits, rng.uniform(0.15, 0.4, paths))


walks = st.builds(
    walk,
    st.sampled_from(sorted(SHAPES)),
    points=st.sampled_from([9, 17, 33, 65]),
    classes=st.integers(2, 6),
    paths=st.integers(1, 3),
    scale=st.sampled_from([1e-3, 1.0, 5.0, 40.0]),
    seed=st.integers(0, 10**6),
)


@dataclass(frozen=True)
class Survey:
    """What a set of paths left behind: (paths,) numerators and denominators, and the two images of each path."""

    numerator: np.ndarray
    denominator: np.ndarray
    image_a: np.ndarray
    image_b: np.ndarray

    def first(self, paths):
        return Survey(*(column[:paths] for column in vars(self).values()))

    @property
    def columns(self):
        return self.numerator, self.denominator, Design(self.image_a, self.image_b)

    @property
    def pairs(self):
        return list(zip(self.image_a.tolist(), self.image_b.tolist(), strict=True))


@dataclass(frozen=True)
class Population:
    """Log-normal figures: the logarithm is a sum of a normal effect of each image and one of the path itself.

    image, path : standard deviations of the numerator's effects; the denominator's are `milder` times as large, and
    correlate .5 with them.
    """

    image: float = 0.0
    path: float = 1.0
    milder: float = 0.4

    @property
    def truth(self):
        """log of E numerator / E denominator."""
        variance = 2 * self.image**2 + self.path**2
        return variance * (1 - self.milder**2) / 2

    def survey(self, rng, image_a, image_b, effects=None):
        """Figures of these pairs of images 0..images-1; `effects`, (2, images), are drawn unless given."""
        if effects is None:
            effects = self.effects(rng, 1 + max(image_a.max(), image_b.max()))
        top, bottom = self.image * (effects[:, image_a] + effects[:, image_b])
        own_top, own_bottom = self.path * _correlated(rng, len(image_a))
        denominator = np.exp(self.milder * (bottom + own_bottom))
        return Survey(np.exp(top + own_top), denominator, image_a, image_b)

    def effects(self, rng, images):
        return _correlated(rng, images)


def _correlated(rng, count):
    first, second = rng.standard_normal((2, count))
    return np.stack([first, (first + np.sqrt(3) * second) / 2])


def disjoint(paths):
    """Pairs of which no two share an image."""
    return np.arange(paths), np.arange(paths) + paths


def recurring(images, partners):
    """Every image is paired with the next few on a circle: each recurs 2 * partners times."""
    first = np.repeat(np.arange(images), partners)
    return first, (first + np.tile(np.arange(1, partners + 1), images)) % images
