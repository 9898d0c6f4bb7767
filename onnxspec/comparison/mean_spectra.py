"""Mean spectra of members, each over the pairs that it gets right itself, in the bins of the reference."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from onnxspec.comparison.alignment import Member
from onnxspec.metrics import Bins
from onnxspec.report.pooling import PooledSpectrum, Stratum, pooled_spectra
from onnxspec.report.schema import describe_path_column


@dataclass(frozen=True)
class BinOf:
    """A bin of a model's mean spectrum over the pairs right under it, of those that the reference has.

    frequency : of its centre, cycles per unit RMS distance; frequency_per_reference : the same in cycles per d_ref
    power, low, high : mean and its 95 % interval, in `unit`
    """

    model: str
    kind: str
    signal: str
    frequency: float
    frequency_per_reference: float
    power: float
    low: float
    high: float
    unit: str
    paths: int


def mean_spectra(members: Sequence[Member], reference: Member) -> list[BinOf]:
    """The spectra of all members, kind by kind and signal by signal."""
    frequency = reference.report.spectra["frequency"]
    bins = Bins(float(frequency[1]), len(frequency))
    kinds = [stratum for stratum, _ in reference.pooling.strata.kinds()]
    cycles = reference.report.cycles
    return [row for one in members for found in _of(one, kinds, bins) for row in _rows(one, found, frequency, cycles)]


def _of(member: Member, kinds: Sequence[Stratum], bins: Bins) -> list[PooledSpectrum]:
    """The spectra of a member; of a kind that it has not walked they are undefined."""
    pooling = member.pooling
    held, none = dict(pooling.strata.kinds()), np.empty(0, np.int64)
    wanted = [(kind, "right", pooling.selected(held.get(kind, none), "right")) for kind in kinds]

    def power(signal: str) -> Iterator[tuple[slice, np.ndarray]]:
        yield slice(0, len(member.own)), member.report.paths[f"power_{signal}"][member.own]

    return [one for one in pooled_spectra(pooling, wanted, bins, power) if one.signal in member.signals]


def _rows(member: Member, spectrum: PooledSpectrum, frequency: np.ndarray, cycles: np.ndarray) -> Iterator[BinOf]:
    kind, signal = spectrum.stratum.kind, spectrum.signal
    unit, _ = describe_path_column(f"power_{signal}", member.pooling.reading.measurement.estimator)
    columns = (one.tolist() for one in (frequency, cycles, spectrum.power, spectrum.low, spectrum.high))
    for at, per_reference, power, low, high in zip(*columns, strict=True):
        yield BinOf(member.name, kind, signal, at, per_reference, power, low, high, unit, spectrum.paths)
