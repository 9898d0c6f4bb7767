"""What a protocol run leaves: the papers' figures, spectra, and every path behind them."""

import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from onnxspec.report.printed import Printed
from onnxspec.report.tables import plain
from onnxspec.results import Remark
from onnxspec.statistics import Interval

HFF, CONSISTENT = "hff", "consistent"


@dataclass(frozen=True)
class Figure:
    """An arithmetic mean over the paths of a family, as published, with `std` over paths and a 95 % interval.

    metric : "hff", a share, or "consistent", points before the prediction changes
    """

    family: str
    metric: str
    interval: Interval
    std: float

    def row(self) -> dict[str, str | float | int]:
        """The figure as flat columns."""
        return {"family": self.family, "metric": self.metric, **asdict(self.interval), "std": self.std}


@dataclass(frozen=True)
class BandedSpectrum:
    """The mean of |fft(g)|^2 over the paths of a family, in common bins.

    frequency : (bins,) cycles per unit L2 distance; power, low, high : (bins,) with its 95 % interval
    """

    family: str
    paths: int
    frequency: np.ndarray
    power: np.ndarray
    low: np.ndarray
    high: np.ndarray


@dataclass(frozen=True, repr=False)
class ParityResult(Printed):
    """A protocol's measurement of one model.

    attributes : what was measured on what
    paths : columns (paths,) in the published order: family, class_a, class_b, image_a, image_b, distance (L2 in the
        protocol's normalised input, NaN on Fourier paths), points, right (point 0's prediction), and `mool`'s hff and
        consistent
    spectra : `sbp`'s, else empty; power : its (bins of all paths,) float32, path after path, points // 2 + 1 each
    """

    attributes: Mapping[str, Any]
    figures: tuple[Figure, ...]
    paths: Mapping[str, np.ndarray]
    spectra: tuple[BandedSpectrum, ...]
    power: np.ndarray | None
    remarks: tuple[Remark, ...]

    def figure(self, family: str, metric: str = HFF) -> Figure:
        """One figure.

        Raises
        ------
        KeyError
            The protocol or the kinds that were asked for have no such figure.
        """
        for figure in self.figures:
            if (figure.family, figure.metric) == (family, metric):
                return figure
        raise KeyError(f"{family} {metric}")

    @property
    def families(self) -> list[str]:
        """The families that were walked, in order."""
        return list(dict.fromkeys(self.paths["family"].tolist()))

    def spectrum(self, path: int) -> np.ndarray:
        """|fft(g)|^2 of one path of `sbp`, (points // 2 + 1,)."""
        assert self.power is not None
        ends = np.cumsum(self.paths["points"] // 2 + 1)
        return self.power[ends[path] - self.paths["points"][path] // 2 - 1 : ends[path]]

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes an HDF5 file, under its name only when it is whole; raises as `storing.write` does."""
        from onnxspec.parity.storing import write

        write(self, path)

    @staticmethod
    def load(path: str | os.PathLike[str]) -> "ParityResult":
        """Reads what `save` wrote; raises ReportError where that is no such file."""
        from onnxspec.parity.reading import read

        return read(path)

    def to_dict(self) -> dict[str, Any]:
        """Everything but single paths, JSON-ready: undefined numbers are None."""
        spectra = [
            {"family": s.family, "paths": s.paths}
            | {name: [plain(v) for v in getattr(s, name).tolist()] for name in ("frequency", "power", "low", "high")}
            for s in self.spectra
        ]
        return {
            **{name: plain(value) for name, value in self.attributes.items()},
            "figures": [{name: plain(value) for name, value in figure.row().items()} for figure in self.figures],
            "spectra": spectra,
            "remarks": [asdict(remark) for remark in self.remarks],
        }

    def _line(self) -> str:
        return f"ParityResult({self.attributes['model']} on {self.attributes['data']})"

    def _view(self) -> Any:
        from onnxspec.parity.view import View

        return View(self)
