"""What a protocol measured, from its file, which may be damaged or made by somebody else."""

import os

import h5py
import numpy as np

from onnxspec.parity.protocols import FOURIER, LINEAR
from onnxspec.parity.result import CONSISTENT, HFF, BandedSpectrum, Figure, ParityResult
from onnxspec.report import flat, tables
from onnxspec.report.flat import Row, made, typed
from onnxspec.report.storage import Flaw
from onnxspec.report.verification import PARITY, other
from onnxspec.statistics import Interval

_FAMILIES = {*LINEAR, *FOURIER}
_ATTRIBUTES = {
    **dict.fromkeys(("model", "source", "data", "preprocess"), str),
    **dict.fromkeys(("data_images", "accuracy_images"), int),
    "accuracy": float,
}


def read(path: str | os.PathLike[str]) -> ParityResult:
    """The result in a file.

    Raises
    ------
    ReportError
        The file is missing, is something else, is of another schema version, or is damaged.
    """
    with other(path, PARITY) as file:
        return _checked(_read(file))


def _read(file: h5py.File) -> ParityResult:
    attributes, remarks = flat.described(file, PARITY)
    known = typed(_ATTRIBUTES, attributes)
    paths = {name: tables.read_column(file["paths"][name]) for name in file["paths"] if name != "path"}
    return ParityResult(
        attributes | known,
        tuple(_figure(row) for row in flat.rows(file, "figures")),
        paths,
        _spectra(file, paths["family"]),
        tables.read_column(file["power/value"]) if "power" in file else None,
        remarks,
    )


def _figure(row: Row) -> Figure:
    interval = made(Interval, row)
    return Figure(**typed({"family": str, "metric": str, "std": float}, row), interval=interval)


def _spectra(file: h5py.File, family_of: np.ndarray) -> tuple[BandedSpectrum, ...]:
    if "spectra" not in file:
        return ()
    found = {
        name: tables.read_column(file["spectra"][name]) for name in ("family", "frequency", "power", "low", "high")
    }
    return tuple(
        BandedSpectrum(
            str(family), int((family_of == family).sum()), found["frequency"], *(found[n][i] for n in ("power", "low", "high"))
        )
        for i, family in enumerate(found["family"].tolist())
    )  # fmt: skip


def _checked(found: ParityResult) -> ParityResult:
    """The same, if it has what its view asks for; raises Flaw or KeyError if it has not."""
    if len({len(values) for values in found.paths.values()}) != 1 or not set(found.families) <= _FAMILIES:
        raise Flaw("is damaged: it should hold paths of known families")
    for one in found.spectra:
        sizes = {len(values) for values in (one.frequency, one.power, one.low, one.high)}
        if sizes == {0} or len(sizes) != 1 or one.family not in _FAMILIES:
            raise Flaw("is damaged: it should hold spectra of known families, all of as many bins")
    bins = found.paths["points"] // 2 + 1
    if found.power is not None and len(found.power) != bins.sum():
        raise Flaw("is damaged: it should hold the power of all paths")
    if not found.figures and not found.spectra:
        raise Flaw("is damaged: it should hold figures or spectra")
    for family in found.families if found.figures else ():
        found.figure(family, HFF)
        if family in FOURIER:
            found.figure(family, CONSISTENT)
    return found
