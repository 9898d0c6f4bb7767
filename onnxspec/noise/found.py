"""What noise fitting found: plain rows of named values, three tables of them."""

import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from onnxspec.errors import UsageError
from onnxspec.noise.dips import Dip
from onnxspec.noise.losses import ClosedForms
from onnxspec.report.printed import Printed
from onnxspec.results import Remark
from onnxspec.statistics import Interval

Row = dict[str, Any]

CONCENTRATED = 0.3
"""Concentration of the inputs from which on noise of a frequency is nearly the same for all of them."""


@dataclass(frozen=True)
class CheckpointOf:
    """A network: its place in the series, its digest and its accuracy on clean labels."""

    name: str
    place: float
    digest: str
    accuracy: Interval


@dataclass(frozen=True)
class FitOf:
    """What a network makes of one noise: intervals by quantity, see `measuring.measure`; nats, `explained` a share."""

    model: str
    place: float
    frequency: float
    amplitude: float
    figures: Mapping[str, Interval]


@dataclass(frozen=True)
class NoiseOf:
    """One noise: what theory says of it, and its dip over the checkpoints.

    forms : for phases that are uniform
    smoothing, perfect_here : mean of s, and noise fitting of a perfect fit, on the images that were measured
    concentration : 0 where their phases are uniform, 1 where all are alike
    dip_model : the checkpoint with the lowest noise fitting
    against_first : this minimum less that of the first frequency of the same amplitude, over the same images;
    undefined for the first itself
    """

    frequency: float
    amplitude: float
    forms: ClosedForms
    smoothing: float
    perfect_here: float
    concentration: float
    dip: Dip
    dip_model: str
    against_first: Interval


@dataclass(frozen=True, repr=False)
class NoiseFit(Printed):
    """Checkpoints in order against noises, by amplitude and then frequency; attributes : what was measured on what."""

    attributes: Mapping[str, Any]
    checkpoints: tuple[CheckpointOf, ...]
    fits: tuple[FitOf, ...]
    noises: tuple[NoiseOf, ...]
    remarks: tuple[Remark, ...] = ()

    def figure(self, model: str, frequency: float, amplitude: float, quantity: str = "noise_fitting") -> Interval:
        """A quantity of a checkpoint.

        Raises
        ------
        UsageError
            There is none; the message says what there is.
        """
        for one in self.fits:
            if (one.model, one.frequency, one.amplitude) == (model, frequency, amplitude) and quantity in one.figures:
                return one.figures[quantity]
        known = ", ".join(one.name for one in self.checkpoints)
        raise UsageError(
            f"There is no {quantity} of {model} at {frequency:g}, {amplitude:g}.", f"Checkpoints: {known}."
        )

    def noise(self, frequency: float, amplitude: float) -> NoiseOf:
        """What was found of one noise; raises as `figure` does."""
        for one in self.noises:
            if (one.frequency, one.amplitude) == (frequency, amplitude):
                return one
        known = ", ".join(f"{one.frequency:g} {one.amplitude:g}" for one in self.noises)
        raise UsageError(f"There is no noise {frequency:g} {amplitude:g}.", f"Frequencies and amplitudes: {known}.")

    def of(self, noise: NoiseOf) -> list[FitOf]:
        """The checkpoints in order against one noise."""
        return [one for one in self.fits if (one.frequency, one.amplitude) == (noise.frequency, noise.amplitude)]

    def tables(self) -> dict[str, list[Row]]:
        """All tables by name, each a list of flat rows."""
        return {
            "fits": [_fit_row(one) for one in self.fits],
            "noises": [_noise_row(one) for one in self.noises],
            "checkpoints": [
                {"model": one.name, "place": one.place, "digest": one.digest, **_bounds("accuracy", one.accuracy)}
                for one in self.checkpoints
            ],
        }

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes an HDF5 file, under its name only when it is whole; raises as `storing.write` does."""
        from onnxspec.noise.storing import write

        write(self, path)

    @staticmethod
    def load(path: str | os.PathLike[str]) -> "NoiseFit":
        """Reads what `save` wrote; raises ReportError where that is no such file."""
        from onnxspec.noise.reading import read

        return read(path)

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain data."""
        return {**self.attributes, **self.tables(), "remarks": [asdict(remark) for remark in self.remarks]}

    def _line(self) -> str:
        return f"NoiseFit({', '.join(one.name for one in self.checkpoints)} on {self.attributes['data']})"

    def _view(self) -> Any:
        from onnxspec.noise.view import View

        return View(self)


def _fit_row(one: FitOf) -> Row:
    head = {"model": one.model, "place": one.place, "frequency": one.frequency, "amplitude": one.amplitude}
    return head | {name: value for q, interval in one.figures.items() for name, value in _bounds(q, interval).items()}


def _noise_row(one: NoiseOf) -> Row:
    return {
        "frequency": one.frequency,
        "amplitude": one.amplitude,
        **{f"form_{name}": value for name, value in asdict(one.forms).items()},
        "smoothing": one.smoothing,
        "perfect_here": one.perfect_here,
        "concentration": one.concentration,
        "dip_model": one.dip_model,
        **_bounds("minimum", one.dip.minimum),
        **_bounds("fall", one.dip.fall),
        **_bounds("rise", one.dip.rise),
        "verdict": one.dip.verdict,
        **_bounds("against_first", one.against_first),
    }


def _bounds(name: str, interval: Interval) -> Row:
    return {name: interval.estimate, f"{name}_low": interval.low, f"{name}_high": interval.high}
