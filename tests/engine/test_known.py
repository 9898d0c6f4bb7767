"""Whole images: each is evaluated once, and every point gets what it would have got."""

import numpy as np

from onnxspec.engine.known import KnownScores

TRUE = np.arange(40.0, dtype=np.float32).reshape(10, 4)
"""Scores of ten images."""


def walked(known, images):
    """All points of a walk, and which were evaluated; what is no image scores -1."""
    images = np.array(images)
    at = known.unknown(images)
    scores = np.where(images[at, None] < 0, np.float32(-1), TRUE[images[at]])
    return known.completed(scores if len(at) else np.empty((0, 0), np.float32), images, at), at.tolist()


def expected(images):
    return np.where(np.array(images)[:, None] < 0, np.float32(-1), TRUE[images])


def test_an_image_is_evaluated_where_it_comes_first():
    known = KnownScores()
    for images, evaluated in (
        ([3, -1, 5, 5, -1, 3], [0, 1, 2, 4]),
        ([5, -1, -1, 7], [1, 2, 3]),
        ([7, 3, 5, 3], []),
        ([-1, -1], [0, 1]),
    ):
        out, at = walked(known, images)
        assert at == evaluated
        assert np.array_equal(out, expected(images))
        assert out.dtype == np.float32


def test_once_it_is_full_further_images_are_evaluated_again():
    known = KnownScores(limit=2 * (4 * 4 + 200))
    first = [1, 2, 3, 3]
    assert np.array_equal(walked(known, first)[0], expected(first))
    again = [3, 2, 1, -1]
    out, at = walked(known, again)
    assert at == [0, 3]
    assert np.array_equal(out, expected(again))


def test_what_is_known_does_not_hold_on_to_the_scores_it_came_with():
    known = KnownScores()
    scores = TRUE[:2].copy()
    known.completed(scores, np.array([0, 1]), np.array([0, 1]))
    scores[:] = 0
    assert np.array_equal(walked(known, [1, 0])[0], TRUE[[1, 0]])
