"""Scores of whole images, which paths have as their ends: what several paths share is evaluated once.

Only for a model that gives an image the same bits in any company, which a Python function need not, whatever a pilot
finds. Of another, an end's scores would depend on which of its paths came first.
"""

import numpy as np

LIMIT_BYTES = 4 * 2**20
_BESIDE = 200
"""Bytes that a row of scores takes beside its values."""


class KnownScores:
    """What images have got; from any thread. Once it is full, further ones are evaluated again wherever they occur."""

    def __init__(self, limit: int = LIMIT_BYTES) -> None:
        self._rows: dict[int, np.ndarray] = {}
        self._limit = limit

    def unknown(self, images: np.ndarray) -> np.ndarray:
        """Which points must be evaluated, (n,) int64 ascending: of an image that is not known, the first.

        Parameters
        ----------
        images : (points,) int, the image that a point is, -1 where it is none
        """
        needed = images < 0
        whole = np.flatnonzero(~needed)
        distinct, first = np.unique(images[whole], return_index=True)
        new = [image not in self._rows for image in distinct.tolist()]
        needed[whole[first[new]]] = True
        return np.flatnonzero(needed)

    def completed(self, scores: np.ndarray, images: np.ndarray, evaluated: np.ndarray) -> np.ndarray:
        """Scores of all points, and what is new about images is kept.

        Parameters
        ----------
        scores : (evaluated, K) float32, (0, 0) where nothing was; images : as of `unknown`, which gave `evaluated`

        Returns
        -------
        (points, K) float32
        """
        found = images[evaluated]
        new = {image: scores[place].copy() for place, image in enumerate(found.tolist()) if image >= 0}
        rest = np.setdiff1d(np.flatnonzero(images >= 0), evaluated, assume_unique=True)
        known = [new[image] if image in new else self._rows[image] for image in images[rest].tolist()]
        out = np.empty((len(images), known[0].shape[-1] if known else scores.shape[-1]), np.float32)
        if len(evaluated):
            out[evaluated] = scores
        if known:
            out[rest] = known
        room = self._limit // (out.shape[-1] * out.itemsize + _BESIDE) - len(self._rows)
        self._rows.update(list(new.items())[: max(room, 0)])
        return out
