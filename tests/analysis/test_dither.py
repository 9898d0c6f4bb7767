"""The dither: the next numbers, up or down by chance."""

import numpy as np

from analysis.functions import images
from onnxspec.analysis.dither import dither


def test_the_dither_moves_each_value_to_one_of_its_neighbours():
    values = np.array([0, -0.0, 1, -1, 1.5e-45, 1e-40, -3e38, 0.1, 255], np.float32)
    batch = np.tile(values, (64, 1)).reshape(64, 3, 3, 1)
    moved = dither(np.random.default_rng(0), "float32")(batch)
    up, down = (np.nextafter(batch, np.float32(way)) for way in (np.inf, -np.inf))
    assert ((moved == up) | (moved == down)).all()
    ups = (moved == up).mean(0)
    assert ((ups > 0.25) & (ups < 0.75)).all()


def test_the_dither_of_an_image_does_not_depend_on_its_batch():
    batch = images()[:7]
    whole = dither(np.random.default_rng(3), "float32")(batch)
    apart = dither(np.random.default_rng(3), "float32")
    assert np.array_equal(whole, np.concatenate([apart(batch[:1]), apart(batch[1:4]), apart(batch[4:])]))
