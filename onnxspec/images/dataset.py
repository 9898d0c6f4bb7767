"""A set of labelled images, whatever it was read from: names, labels, a digest, and a way to read image i."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

ORDER_SEED = 20110
PREDICTED = "predicted"
"""What stands in place of a label file where the data's own labels are to be ignored."""
EXPECTED = "Expected: a folder of class folders, a zip or tar of one, an .npz or an .h5 file."
Reader = Callable[[int], tuple[NDArray[Any], str | None]]


@dataclass(frozen=True, eq=False)
class ImageSet:
    """Images that are listed, not yet read.

    names : a stable identity per image, "cat/0001.jpg"
    labels : (n,) int64, index into `class_names`; None for unlabelled images
    class_names : names of the classes; for arrays without names the labels' own digits
    digest : sha256 of what was listed, hexadecimal. Files: class names, names, sizes, labels; arrays in memory: all
        of their bytes. Equal for a folder and an archive of the same files.
    reader : thread-safe; image index -> array and sha256 of the image's bytes (None where `digest` covers them)
    source : what to call the set in messages
    notes : what was left out in reading it, in words
    way : what `open_images` opens it by in another process; None for data in memory
    """

    names: tuple[str, ...]
    labels: NDArray[np.int64] | None
    class_names: tuple[str, ...]
    digest: str
    reader: Reader = field(repr=False)
    source: str = "images"
    notes: tuple[str, ...] = ()
    way: Mapping[str, Any] | None = None

    def __len__(self) -> int:
        return len(self.names)

    @property
    def order(self) -> NDArray[np.int64]:
        """All images, (n,), in an order that only the data fix: where some stand for all, the first of these do."""
        return generator(self.digest, ORDER_SEED).permutation(len(self))

    def read(self, index: int) -> tuple[NDArray[Any], str | None]:
        """Image `index`: (H, W) or (H, W, C), uint8 or floating in its own units; and the sha256 of its bytes or None.

        Raises
        ------
        UnreadableImageError
            The image is damaged or of no supported format.
        """
        return self.reader(index)


def generator(digest: str, *tags: int) -> np.random.Generator:
    """Random numbers that a data set, by its hexadecimal digest, and the tags alone fix."""
    return np.random.default_rng([int(digest[:16], 16), *tags])
