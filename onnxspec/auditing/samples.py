"""What one path leaves for a later run to pair with: its ends, its status and what figures are made of.

Numbers are float32 in a baseline, so they are float32 in every sample: the same run compares as exactly equal.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from onnxspec.paths.pairs import pair_codes
from onnxspec.report.report import Report
from onnxspec.settings import KINDS
from onnxspec.statistics import Design
from onnxspec.statistics.drawn import Drawn

RIGHT_A, RIGHT_B, WITHIN_REACH = 1, 2, 4
QUANTITIES = ("hf", "total", "slope")


@dataclass(frozen=True)
class Sample:
    """Paths of a report or a baseline.

    columns : name to (paths,); kind, class_a, class_b, image_a, image_b, status (bits: first end right, second end
        right, within reach) as integers; hf, total (hff's denominator) and slope of every signal as float32
    class_names : display name of every class; floor : signal to the noise power under which hff means nothing
    """

    columns: Mapping[str, np.ndarray]
    class_names: tuple[str, ...]
    floor: Mapping[str, float]
    estimator: str = "sine"

    @classmethod
    def of(cls, report: Report) -> "Sample":
        """The paths of a report."""
        paths, output_of = report.paths, report.classes["output"]
        right_a, right_b = (paths[f"predicted_{end}"] == output_of[paths[f"class_{end}"]] for end in "ab")
        status = right_a * RIGHT_A + right_b * RIGHT_B + (paths["within_reach"] > 0) * WITHIN_REACH
        columns = {name: paths[name] for name in ("kind", "class_a", "class_b", "image_a", "image_b")}
        columns["status"] = status.astype(np.uint8)
        signals = str(report.attributes["signals"]).split()
        names = [f"{quantity}_{signal}" for signal in signals for quantity in QUANTITIES]
        columns |= {name: paths[name].astype(np.float32) for name in names}
        floor = dict(zip(signals, report.checks["noise_floor"].sum(1).tolist(), strict=True))
        return cls(columns, tuple(map(str, report.classes["name"])), floor, str(report.attributes["estimator"]))

    def __len__(self) -> int:
        return len(self.columns["kind"])

    def __getitem__(self, name: str) -> np.ndarray:
        return self.columns[name]

    @property
    def signals(self) -> tuple[str, ...]:
        """The signals that were measured."""
        return tuple(self.floor)

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of pairs that there are."""
        return tuple(KINDS[kind] for kind in np.unique(self["kind"]))

    @property
    def pairs(self) -> int:
        """How many pairs there are of a kind, the largest."""
        return int(np.bincount(self["kind"]).max(initial=0))

    @property
    def right(self) -> np.ndarray:
        """Whether both ends are predicted right, (paths,) bool."""
        return (self["status"] & (RIGHT_A | RIGHT_B)) == RIGHT_A | RIGHT_B

    @cached_property
    def codes(self) -> np.ndarray:
        """The pairs of images, as of `pair_codes`, (paths,) int64."""
        return pair_codes(self["kind"], self["image_a"], self["image_b"])

    @cached_property
    def _drawn(self) -> Drawn:
        return Drawn.whole(self["kind"], self["class_a"], self["class_b"])

    def design(self, rows: np.ndarray) -> Design:
        """Which images the paths at (n,) places share, and where they come from: what statistics take."""
        return Design(self["image_a"][rows], self["image_b"][rows], self._drawn[rows])

    def selected(self, kind: str, of_class: str = "") -> np.ndarray:
        """Which paths are of a kind, and touch a class where one is named, (paths,) bool."""
        of_kind = self["kind"] == KINDS.index(kind)
        if not of_class:
            return of_kind
        number = self.class_names.index(of_class)
        return of_kind & ((self["class_a"] == number) | (self["class_b"] == number))

    def images(self, of_class: str = "") -> dict[int, bool]:
        """Every image that was used (of a class), and whether it is predicted right."""
        found: dict[int, bool] = {}
        for end, bit in (("a", RIGHT_A), ("b", RIGHT_B)):
            at = self[f"class_{end}"] == self.class_names.index(of_class) if of_class else slice(None)
            right = (self["status"][at] & bit) > 0
            found |= dict(zip(self[f"image_{end}"][at].tolist(), right.tolist(), strict=True))
        return found


def identical(now: Sample, then: Sample) -> bool:
    """Whether all pairs of the smaller sample are in the other, and equal there, bit for bit: the same function."""
    first, second = matched(now, then)
    both = now.columns.keys() & then.columns.keys()
    return 0 < len(first) == min(len(now), len(then)) and all(
        np.array_equal(now[name][first], then[name][second], equal_nan=now[name].dtype.kind == "f") for name in both
    )


def matched(now: Sample, then: Sample) -> tuple[np.ndarray, np.ndarray]:
    """Positions of the pairs of images that both have, (pairs,) int64 each, in one order."""
    _, first, second = np.intersect1d(now.codes, then.codes, assume_unique=True, return_indices=True)
    return first, second
