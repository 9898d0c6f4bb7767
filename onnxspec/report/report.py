"""A finished report, read back: the object that scripts, the terminal and every later command look at."""

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import numpy as np

from onnxspec.errors import ReportError
from onnxspec.report import families, schema, tables
from onnxspec.report.contract import GROUPS
from onnxspec.report.lookup import Lookup
from onnxspec.report.printed import Printed
from onnxspec.report.reading import Table
from onnxspec.report.storage import opened, stamp
from onnxspec.report.verification import as_written, verified
from onnxspec.results import Remark
from onnxspec.settings import LINEAR
from onnxspec.statistics import Interval

_LINES = {"hff": "sine", "slope": "sine"}
HEADLINE = (("prob", "hff"), ("prob", "slope"), ("prob", "excess_tv"), ("logit", "hff"), ("logit", "slope"))


@dataclass(frozen=True)
class SpectrumOf:
    """A pooled power spectrum of a report.

    frequency : (bins,) float64, cycles per unit RMS distance; cycles : the same in cycles per d_ref
    power, low, high : (bins,) float32, squared units of the signal; above : mean power beyond the last bin
    paths : how many were pooled
    """

    frequency: np.ndarray
    cycles: np.ndarray
    power: np.ndarray
    low: np.ndarray
    high: np.ndarray
    above: float
    paths: int


class Report(Printed):
    """A frequency report.

    Raises
    ------
    ReportError
        The file is missing, is not a report, is of another schema version, is damaged, or was changed after it was
        written: nothing of it is used before its digest is found right.
    """

    def __init__(self, path: str | os.PathLike[str]):
        self._open(Path(path), verified)

    @classmethod
    def of_own(cls, path: Path) -> Self:
        """The report that this process has just written there, which need not be read whole to be found right.

        Raises
        ------
        ReportError
            The file is missing, or is no report.
        """
        report = cls.__new__(cls)
        report._open(path, as_written)
        return report

    def _open(self, path: Path, attributes: Callable[[Path], dict[str, Any]]) -> None:
        self.path = path
        self._file = Path(os.path.abspath(path))  # whatever folder the process is in later on
        self._stamp = stamp(path) if path.is_file() else None
        self.attributes = attributes(path)

    @cached_property
    def paths(self) -> Mapping[str, np.ndarray]:
        """Per-path columns, each (paths,) or (paths, bins), and `bin` (bins,); see `report/schema.py` for names and units."""
        return self._table("paths")

    @cached_property
    def images(self) -> Mapping[str, np.ndarray]:
        """The images that were used, by `image` (index in the data set) and `name`."""
        return self._table("images")

    @cached_property
    def classes(self) -> dict[str, np.ndarray]:
        """The classes of the data: class, name, folder, output, images, used, right; each (classes,)."""
        return self._table("classes").read()

    @cached_property
    def figures(self) -> dict[str, np.ndarray]:
        """Every pooled number as a long table of columns, each (figures,); `unit` is that of estimate, low and high."""
        return _with_units(self._table("figures").read())

    @cached_property
    def checks(self) -> dict[str, np.ndarray]:
        """What the pilot found: convergence per kind and signal, and the noise floor."""
        return self._table("checks").read()

    @cached_property
    def strips(self) -> dict[str, np.ndarray]:
        """Paths to look at, the wildest and the calmest; empty where no path moves, thumbnails only if they were kept."""
        return self._table("strips").read() if "strips" in self._groups else {}

    @cached_property
    def families(self) -> dict[str, np.ndarray]:
        """Every pooled number of other families of paths, a long table of columns, each (figures,); empty without any."""
        return _with_units(self._table(families.GROUP).read()) if families.GROUP in self._groups else {}

    def paths_of(self, family: str) -> Mapping[str, np.ndarray]:
        """Per-path columns of a family, as `paths` has them of straight lines; its length stands under `length`.

        Raises
        ------
        ReportError
            The report has no such paths.
        """
        if family == LINEAR:
            return self.paths
        if f"paths_{family}" not in self._groups:
            raise ReportError(f"The report has no paths of the family {family}.", self._families_held)
        return self._table(f"paths_{family}")

    @cached_property
    def remarks(self) -> tuple[Remark, ...]:
        """Warnings, the most serious first."""
        return tuple(Remark(**remark) for remark in json.loads(self.attributes["remarks"]))

    @cached_property
    def ended(self) -> dict[str, str]:
        """Of a run to a precision: kind to why it went no further, a key of `sampling.ENDINGS`; else empty."""
        return dict(json.loads(self.attributes["ended"]))

    @cached_property
    def _groups(self) -> tuple[str, ...]:
        with opened(self._file) as file:
            own = [f"paths_{name}" for name in families.names_of(list(file))]
            return tuple(name for name in (*GROUPS, families.GROUP, *own) if name in file)

    def _table(self, group: str) -> Table:
        return Table(self._file, group, self._stamp)

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of pairs in the report."""
        return tuple(str(kind) for kind in self.attributes["kinds"].split())

    @cached_property
    def _index(self) -> Lookup:
        names = ("kind", "class_a", "class_b", "selection", "signal", "metric", "estimator")
        return Lookup([self.figures[name] for name in names])

    def figure(
        self,
        kind: str,
        metric: str = "hff",
        signal: str = "prob",
        class_a: str = "",
        class_b: str = "",
        selection: str = "right",
        estimator: str | None = None,
    ) -> Interval:
        """A pooled number of straight paths with its interval.

        Parameters
        ----------
        kind : within or between; between/within for the ratio of the two
        metric : hff, slope, excess_tv and whatever else the column `metric` of `figures` has
        class_a, class_b : a class, or the two of a pair in either order, by the names that the report shows; "" for all
        selection : right (pairs whose two ends are predicted right) or all
        estimator : of hff; None takes that of the run

        Raises
        ------
        ReportError
            The report has no such figure; the message lists what it has.
        """
        known = dict.fromkeys((self.attributes["estimator"], "", "sine")) if estimator is None else (estimator,)
        for by in known:
            for pair in _orders(class_a, class_b):
                at = self._index.get((kind, *pair, selection, signal, metric, by))
                if at is not None:
                    return _interval(self.figures, at)
        raise ReportError(
            f"The report has no {metric} of {signal}, {_words(kind, class_a, class_b)} ({selection}).",
            self._figures_held,
        )

    def family(
        self,
        family: str,
        kind: str,
        metric: str = "hff",
        signal: str = "prob",
        band: str = "",
        selection: str = "right",
    ) -> Interval:
        """A pooled number of another family of paths with its interval; that of straight lines for `linear`.

        Parameters
        ----------
        metric : hff, slope, excess_tv, flips, length, or spread (fourier)
        band : of image frequency, cycles per image, "0", "1-2", "2-4" and so on (fourier)

        Raises
        ------
        ReportError
            The report has no such figure; the message lists what it has.
        """
        if family == LINEAR:
            return self.figure(kind, metric, signal, selection=selection, estimator=_LINES.get(metric, ""))
        at = self._families_index.get(families.key_of(family, kind, metric, signal, band, selection))
        if at is None:
            raise ReportError(
                f"The report has no {metric} of {signal}, {_words(family, kind, band)} ({selection}).",
                self._families_held,
            )
        return _interval(self.families, at)

    @cached_property
    def _families_index(self) -> Lookup:
        names = ("family", "band", "kind", "selection", "signal", "metric")
        return Lookup([self.families[name] for name in names] if self.families else [])

    @cached_property
    def _families_held(self) -> str:
        if not self.families:
            return "Measure them: onnxspec analyze --paths ellipse,random"
        held = (f"{name} {_listed(self.families[name])}" for name in ("family", "kind", "metric", "band"))
        return f"It has: {'; '.join(held)}."

    @cached_property
    def _figures_held(self) -> str:
        held = (f"{name}s {_listed(self.figures[name])}" for name in ("metric", "signal", "kind", "estimator"))
        return f"It has {'; '.join(held)}; classes {_listed(self.figures['class_a'])}."

    def p_holm(self, kind: str, name: str, signal: str = "prob") -> float:
        """p of a class's hff against the rest of its kind, adjusted over all classes; NaN where it was not tested.

        Raises
        ------
        ReportError
            The report has no such class, kind or signal.
        """
        if (
            kind not in self.kinds
            or name not in self.classes["name"]
            or signal not in self.attributes["signals"].split()
        ):
            raise ReportError(f"The report has no hff of {signal}, {_words(kind, name)}.", self._figures_held)
        at = self._index.get((kind, name, "", "right", signal, "hff", self.attributes["estimator"]))
        return float("nan") if at is None else float(self.figures["p_holm"][at])

    @property
    def headline(self) -> dict[str, dict[str, Interval]]:
        """Kind to "signal.metric" to its interval, over pairs whose two ends are predicted right."""
        signals = self.attributes["signals"].split()
        return {
            kind: {f"{s}.{m}": self.figure(kind, m, s) for s, m in HEADLINE if s in signals or m == "excess_tv"}
            for kind in self.kinds
        }

    def spectrum(
        self, kind: str, class_a: str = "", class_b: str = "", signal: str = "prob", selection: str = "right"
    ) -> SpectrumOf:
        """The pooled spectrum of a kind, of a class of it or of a pair of classes, named as for `figure`.

        Selection all is there for kinds only.

        Raises
        ------
        ReportError
            The report has no such spectrum.
        """
        spectra = self.spectra
        strata = ((kind, *pair, selection) for pair in _orders(class_a, class_b))
        at = next((self._strata[one] for one in strata if one in self._strata), None)
        if at is None or f"power_{signal}" not in spectra:
            raise ReportError(
                f"The report has no spectrum of {signal}, {_words(kind, class_a, class_b)}.",
                self._spectra_held,
            )
        power, low, high = (spectra[f"power_{signal}{suffix}"][at] for suffix in ("", "_low", "_high"))
        frequency, cycles = spectra["frequency"], spectra["frequency_per_reference"]
        above, paths = float(spectra[f"above_{signal}"][at]), int(spectra["paths"][at])
        return SpectrumOf(frequency, cycles, power, low, high, above, paths)

    @cached_property
    def cycles(self) -> np.ndarray:
        """Centres of the bins of pooled spectra, (bins,) float64, cycles per d_ref."""
        return self.spectra["frequency_per_reference"]

    @cached_property
    def spectra(self) -> dict[str, np.ndarray]:
        """The pooled spectra as columns over strata and frequencies."""
        return self._table("spectra").read()

    @cached_property
    def _strata(self) -> dict[tuple[str, ...], int]:
        columns = [self.spectra[name].tolist() for name in ("kind", "class_a", "class_b", "selection")]
        return {key: i for i, key in enumerate(zip(*columns, strict=True))}

    @cached_property
    def _spectra_held(self) -> str:
        return f"It has kinds {_listed(self.spectra['kind'])} and classes {_listed(self.spectra['class_a'])}."

    @property
    def accuracy(self) -> Interval:
        """Share of the used images that the model gets right; NaN where labels are the model's own."""
        parts = (self.attributes[name] for name in ("accuracy", "accuracy_low", "accuracy_high"))
        estimate, low, high = (float("nan") if part is None else part for part in parts)
        return Interval(estimate, low, high, int(self.attributes["accuracy_images"]), float("nan"))

    def to_dict(self) -> dict[str, Any]:
        """The summary as JSON-ready data: settings, accuracy, figures, classes, checks, remarks, the answer in a line."""
        from onnxspec.report.findings import verdicts
        from onnxspec.report.headline import answer

        whole = {name: tables.plain(value) for name, value in self.attributes.items()}
        for name in ("settings", "preprocess", "remarks", "ended"):
            whole[name] = json.loads(whole[name])
        whole |= {"figures": tables.records(self.figures), "classes": tables.records(self.classes)}
        if self.families:
            whole["families"] = tables.records(self.families)
        whole["checks"] = [asdict(verdict) for verdict in verdicts(self)]
        whole["answer"] = answer(self)
        return whole

    def to_xarray(self) -> Any:
        """The groups as an `xarray.DataTree`.

        Raises
        ------
        ImportError
            xarray or h5netcdf is not installed.
        """
        import xarray

        groups = {name: xarray.load_dataset(self._file, engine="h5netcdf", group=name) for name in self._groups}
        return xarray.DataTree.from_dict(groups)

    def _line(self) -> str:
        return f"Report({str(self.path)!r}: {self.attributes['model']} on {self.attributes['data']})"

    def _view(self) -> Any:
        from onnxspec.report.terminal import summary

        return summary(self)


def _interval(figures: Mapping[str, np.ndarray], at: int) -> Interval:
    row = {name: figures[name][at] for name in ("estimate", "low", "high", "n_eff")}
    paths, reason = int(figures["paths"][at]), str(figures["reason"][at])
    return Interval(paths=paths, reason=reason, **{name: float(value) for name, value in row.items()})


def _orders(class_a: str, class_b: str) -> tuple[tuple[str, str], ...]:
    """A class, or a pair of classes in both orders: what is between two has none."""
    return ((class_a, class_b), (class_b, class_a)) if class_b else ((class_a, ""),)


def _words(*names: str) -> str:
    return " ".join(name for name in names if name)


def _listed(values: np.ndarray) -> str:
    known = sorted({str(value) for value in values if value})
    return ", ".join(known[:12]) + (", ..." if len(known) > 12 else "")


def _with_units(columns: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """A table of figures with the unit of each, (figures,) text."""
    of = zip(*(columns[name].tolist() for name in ("kind", "signal", "metric")), strict=True)
    unit = np.array([schema.figure_unit(*one) for one in of], object)
    unit.flags.writeable = False
    return columns | {"unit": unit}
