"""Models that say something else of the same images another time, or in other company, are found."""

from dataclasses import replace

import numpy as np

from analysis.functions import PAIRS, engine, images, swinging
from onnxspec.analysis.steadiness import repetition
from onnxspec.results import IN_COMPANY, RANDOM, ROUNDED, SAME_BITS


def test_a_model_that_looks_at_its_neighbours_in_the_batch_is_found():
    def coupled(batch):
        z = batch[:, 0, 0, 0] + batch[:, 1, 1, 0].mean()
        return np.stack([z, -z], -1)

    def random(batch):
        return noise.normal(size=(len(batch), 2))

    def shaken(batch):
        return swinging(2)(batch) * (1 + 1e-6 * noise.normal(size=(len(batch), 1)))

    noise = np.random.default_rng(0)
    for function, found in (
        (swinging(2), SAME_BITS),
        (coupled, IN_COMPANY),
        (random, RANDOM),
        (shaken, ROUNDED),
    ):
        assert repetition(engine(function), PAIRS) == found


def test_a_model_that_the_first_path_alone_decides_is_found():
    """As of dynamic quantisation, whose step is the whole batch's range: of these paths the first one has it."""

    def quantised(batch):
        z = batch[:, 0, 0, 0] + batch[:, 1, 1, 0].max() * (batch[:, 1, 1, 0] < batch[:, 1, 1, 0].max())
        return np.stack([z, -z], -1)

    largest_first = np.argsort(-images()[:, 1, 1, 0])[:3].astype(np.int32)
    pairs = replace(PAIRS[:3], image_a=largest_first, image_b=largest_first)
    assert repetition(engine(quantised), pairs) == IN_COMPANY
