"""The distance that frequencies are measured by: how far apart two images of the data usually are."""

import numpy as np

from onnxspec.analysis.subject import Subject
from onnxspec.errors import DataError
from onnxspec.images.cache import LIMIT_BYTES
from onnxspec.images.dataset import generator

PAIRS = 20_000
SEED = 2207


def reference_distance(subject: Subject) -> float:
    """d_ref: median RMS distance of 20,000 seeded random image pairs (all pairs if fewer), method.md section 4.

    Of a data set that the image cache does not hold, the pairs are drawn among as many seeded images as it does, so
    that no image is decoded twice for it.

    Raises
    ------
    DataError
        All images are the same, or no two can be read.
    """
    engine = subject.engine
    held = max(2, LIMIT_BYTES // engine.pixels.first(subject.images.order).nbytes)
    pool = subject.images.order[:held]
    if len(pool) < 2:
        raise DataError(f"{subject.images.source} holds {len(pool)} image; a path needs two.", "Give more images.")
    first, second = _random_pairs(len(pool), subject.images.digest)
    if engine.pixels.skip_bad:
        usable = [
            engine.pixels.readable(int(pool[a])) and engine.pixels.readable(int(pool[b]))
            for a, b in zip(first, second, strict=True)
        ]
        first, second = first[usable], second[usable]
        if not len(first):
            raise DataError(
                f"No two images of {subject.images.source} can be read; a path needs two.", "Give more images."
            )
    blocks = [slice(i, i + 1000) for i in range(0, len(first), 1000)]
    parts = engine.map(lambda block: engine.distance(pool[first[block]], pool[second[block]]), blocks)
    median = float(np.median(np.concatenate(list(parts))))
    if not median > 0:
        raise DataError(
            f"The images of {subject.images.source} do not differ: the median distance of two is 0.",
            "Check the data and the preprocessing (resize, crop).",
        )
    return median


def _random_pairs(images: int, digest: str) -> tuple[np.ndarray, np.ndarray]:
    if images * (images - 1) // 2 <= PAIRS:
        return np.triu_indices(images, 1)
    rng = generator(digest, SEED)
    first = rng.integers(images, size=PAIRS)
    return first, (first + rng.integers(1, images, size=PAIRS)) % images
