"""What a family of paths is to a run, whatever it walks along."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from onnxspec.paths.families import Walk

NONE = -1


@dataclass(frozen=True)
class Family:
    """The planned paths of one family.

    points : on each path; closed : whether a path ends where it begins, and its points leave the end out
    kind, class_a, class_b : (paths,) as of `Pairs`
    image : (paths, 3) int32 indices into the data set of what a path is made of, `NONE` where it takes fewer
    anchors : how many of these count for `right`, the first ones
    walk : paths of a span, ready to be evaluated; length : how long they are, (paths,) float64 RMS pixel difference
    extra : further columns of its rows by name, (paths,)
    own : whether it is the user's, of which nothing can be kept for another process
    """

    name: str
    points: int
    closed: bool
    kind: np.ndarray
    class_a: np.ndarray
    class_b: np.ndarray
    image: np.ndarray
    anchors: int
    walk: Callable[[slice], Walk]
    length: Callable[[slice], np.ndarray]
    extra: Mapping[str, np.ndarray] = field(default_factory=dict)
    own: bool = False

    def __len__(self) -> int:
        return len(self.kind)

    @property
    def images(self) -> int:
        """Forward passes of one path: its points, and the images that count as they are."""
        return self.points + self.anchors

    def used(self, span: slice = slice(None)) -> np.ndarray:
        """The distinct images that some paths use, sorted, (images,) int32."""
        used = np.unique(self.image[span])
        return used[used != NONE]

    def classes(self, span: slice) -> np.ndarray:
        """The classes that are right at the anchors, (paths, anchors) int32."""
        if self.anchors == 2:
            return np.column_stack([self.class_a[span], self.class_b[span]])
        return np.repeat(self.class_a[span, None], self.anchors, 1)
