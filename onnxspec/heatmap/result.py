"""A heat map: what was seen on every image, and the figures that come of it."""

import os
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from onnxspec.heatmap import intervals
from onnxspec.heatmap.filters import Filter
from onnxspec.heatmap.intervals import Estimates
from onnxspec.paths.waves import Waves, octave_range, octaves
from onnxspec.report.printed import Printed
from onnxspec.results import Remark
from onnxspec.statistics import Interval, proportion

SIGNALS = ("prob", "logit")
MOST_CHANGE = {"prob": np.sqrt(2), "logit": np.inf}
"""L2, of probabilities of two images: all on one class, then all on another."""


@dataclass(frozen=True)
class Rings:
    """What happens on average over the waves of an octave of |frequency|, cycles per image.

    low, high : (rings,) from and to, not included; both 0 for the constant; waves : (rings,) how many
    error : (rings,) mean share of wrong answers; increase : over the images as they are; change : by signal
    """

    low: np.ndarray
    high: np.ndarray
    waves: np.ndarray
    error: np.ndarray
    increase: Estimates
    change: dict[str, Estimates]


@dataclass(frozen=True, eq=False, repr=False)
class HeatMap(Printed):
    """What a classifier answers on images with one wave added, and on filtered images.

    "Wrong" is another class than the label's; where images are not labelled, than on the image as it is.

    waves, filters : what was done to every image
    images : (n,) int64 indices into the data set; names : (n,) what they are called
    wrong_before : (n,) uint8, 1 where the answer on the image as it is is wrong
    wrong, wrong_filtered : (n, waves) and (n, filters) uint8
    change : signal to L2 norm over outputs of what the wave changed, (n, waves) float32, in units of the signal
    attributes : what was measured on what; `eps` is the L2 norm per channel of what was added, in units of pixels
    run : what differs between equal runs
    """

    waves: Waves
    filters: tuple[Filter, ...]
    images: np.ndarray
    names: tuple[str, ...]
    wrong_before: np.ndarray
    wrong: np.ndarray
    wrong_filtered: np.ndarray
    change: dict[str, np.ndarray]
    attributes: dict[str, Any]
    run: dict[str, Any]
    remarks: tuple[Remark, ...] = ()

    @property
    def labelled(self) -> bool:
        """Whether labels are the data's own, so that accuracy means something."""
        return bool(self.attributes["labelling"] == "true")

    @property
    def eps(self) -> float:
        """L2 norm per channel of what was added to an image, in units of pixels."""
        return float(self.attributes["eps"])

    @property
    def accuracy(self) -> Interval:
        """On the images as they are, with Wilson's interval; 1 where images are not labelled."""
        return proportion(int((1 - self.wrong_before).sum()), len(self.images))

    @cached_property
    def error(self) -> Estimates:
        """Share of wrong answers for every wave, with Wilson's intervals."""
        return intervals.rates(self.wrong)

    @cached_property
    def increase(self) -> Estimates:
        """Error for every wave less that on the images as they are, paired over images."""
        return self._increases(self.wrong)

    def _increases(self, wrong: np.ndarray) -> Estimates:
        """Where images are not labelled, their own answers are the right ones, and error cannot fall."""
        return intervals.increases(wrong, self.wrong_before, -1.0 if self.labelled else 0.0)

    @cached_property
    def mean_change(self) -> dict[str, Estimates]:
        """Mean change of the outputs for every wave, by signal."""
        return {signal: intervals.means(change, MOST_CHANGE[signal]) for signal, change in self.change.items()}

    @cached_property
    def rings(self) -> Rings:
        """Averages over octaves of |frequency|; every image's mean over the waves of a ring is one observation."""
        of = octaves(self.waves.radius)
        bands, at, count = np.unique(of, return_inverse=True, return_counts=True)
        low, high = np.array([octave_range(band) for band in bands]).T
        wrong = _averaged(self.wrong, at)
        change = {
            signal: intervals.means(_averaged(change, at), MOST_CHANGE[signal])
            for signal, change in self.change.items()
        }
        return Rings(low, high, count, wrong.mean(0), self._increases(wrong), change)

    @cached_property
    def filtered_accuracy(self) -> Estimates:
        """Accuracy under every filter with Wilson's interval; agreement with the answer on the image as it is where
        images are not labelled."""
        return intervals.rates(1 - self.wrong_filtered)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes an HDF5 file, under its name only when it is whole; raises as `storing.write` does."""
        from onnxspec.heatmap.storing import write

        write(self, path)

    @staticmethod
    def load(path: str | os.PathLike[str]) -> "HeatMap":
        """Reads what `save` wrote; raises ReportError where that is no heat map."""
        from onnxspec.heatmap.reading import read

        return read(path)

    def to_dict(self) -> dict[str, Any]:
        """Attributes, accuracy, rings, filters, every wave and remarks as JSON-ready data; undefined numbers are None."""
        from onnxspec.heatmap.storing import to_dict

        return to_dict(self)

    def _line(self) -> str:
        return f"HeatMap({self.attributes['model']} on {self.attributes['data']})"

    def _view(self) -> Any:
        from onnxspec.heatmap.view import View

        return View(self)


def _averaged(values: np.ndarray, group: np.ndarray) -> np.ndarray:
    """Means (images, groups) float64 of values (images, waves) over the waves of each group 0, 1, ..."""
    # No matrix product: its last digits depend on how many threads it takes.
    return np.stack([values[:, group == k].mean(1, dtype=np.float64) for k in range(group.max() + 1)], axis=1)
