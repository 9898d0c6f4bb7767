"""What a comparison found: plain rows of named values, six tables of them."""

import json
import math
import os
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

from onnxspec.comparison.contrasts import PER_CLASS, Contrast, Quantity
from onnxspec.comparison.mean_spectra import BinOf
from onnxspec.comparison.ranking import Rank
from onnxspec.errors import UsageError
from onnxspec.report import tables
from onnxspec.report.pooling import Stratum
from onnxspec.report.printed import Printed
from onnxspec.report.schema import figure_unit
from onnxspec.results import Remark
from onnxspec.statistics import Interval

Row = dict[str, Any]
RANKING = ("model", "kind", "signal", "metric", "place", "letters", "estimate")
"""The columns of that table."""
# The mean over a path apart, upper ends of the bands in units of the cut-off; the last band is open.
BANDS = {"constant": "constant", "slow": "to f_c/4", "middle": "to f_c/2", "fast": "to f_c", "fastest": "above f_c"}


@dataclass(frozen=True)
class ModelOf:
    """A model of the comparison.

    position : its place in the series, NaN without one; accuracy : of the images used, NaN where it is not measured
    paths : those it shares with the reference; left_out : those that it has and the reference has not
    """

    name: str
    source: str
    digest: str
    from_report: int
    position: float
    accuracy: float
    accuracy_low: float
    accuracy_high: float
    accuracy_images: int
    cutoff: float
    outputs: int
    output_kind: str
    provider: str
    paths: int
    left_out: int

    @property
    def share_right(self) -> Interval:
        """The accuracy with its interval; undefined where it is not measured."""
        reason = "" if math.isfinite(self.accuracy) else "not measured"
        return Interval(self.accuracy, self.accuracy_low, self.accuracy_high, self.accuracy_images, math.nan, reason)


@dataclass(frozen=True)
class FigureOf:
    """A figure of one model over the pairs right under it, of those that the reference has."""

    model: str
    stratum: Stratum
    quantity: Quantity
    interval: Interval


@dataclass(frozen=True)
class Agreement:
    """How `model` differs from `reference` as a function.

    distance, distance_95 : total variation distance of the probabilities, in 0..1: mean over points, and the 95th
    percentile over paths
    logit_difference, noise : RMS difference of the centred logits, and that of the reference under rounding, in nats
    same_points, same_flips : share of points with the same prediction, of paths with the same sequence of predictions
    constant, slow, middle, fast, fastest : shares of the squared difference of the probabilities: its mean over the
    path, and below 1/4, 1/2 and 1 f_c, and above it; NaN without a difference
    """

    model: str
    reference: str
    paths: int
    distance: float
    distance_95: float
    logit_difference: float
    noise: float
    same_points: float
    same_flips: float
    constant: float
    slow: float
    middle: float
    fast: float
    fastest: float
    verdict: str

    @property
    def split(self) -> str:
        """The shares in words; empty without a difference."""
        if math.isnan(self.constant):
            return ""
        return ", ".join(f"{word} {getattr(self, name):.0%}" for name, word in BANDS.items())


@dataclass(frozen=True, repr=False)
class Comparison(Printed):
    """Models side by side.

    attributes : what was compared on what; names of models are unique, and `reference` is one of them
    """

    reference: str
    attributes: dict[str, Any]
    models: tuple[ModelOf, ...]
    figures: tuple[FigureOf, ...]
    contrasts: tuple[Contrast, ...]
    ranking: tuple[Rank, ...]
    spectra: tuple[BinOf, ...] = ()
    agreement: tuple[Agreement, ...] = ()
    remarks: tuple[Remark, ...] = ()

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of pairs that were compared."""
        return tuple(dict.fromkeys(one.stratum.kind for one in self.figures))

    @property
    def main_quantities(self) -> list[Quantity]:
        """Those that are shown first, and by class, in the order in which they were measured."""
        every = dict.fromkeys(one.quantity for one in self.figures)
        return [quantity for quantity in every if quantity.metric in PER_CLASS]

    @property
    def ended(self) -> dict[str, str]:
        """Of a comparison to a precision: kind to why it went no further, a key of `sampling.ENDINGS`; else empty."""
        return dict(json.loads(self.attributes["ended"]))

    @property
    def series(self) -> bool:
        """Whether the models are checkpoints in order."""
        return not math.isnan(self.models[0].position)

    @cached_property
    def digest(self) -> str:
        """What a figure of it is cited with: SHA-256 (hex) of all but its names and remarks, as its file has it."""
        from onnxspec.comparison.storing import digest

        return digest(self)

    def figure(self, model: str, kind: str, metric: str = "hff", signal: str = "prob", class_a: str = "") -> Interval:
        """A figure of a model over the pairs that it gets right.

        Raises
        ------
        UsageError
            There is none; the message lists what there is.
        """
        wanted = (model, Stratum(kind, class_a), Quantity(signal, metric))
        if wanted not in self._figures:
            raise self._missing("figure", *wanted)
        return self._figures[wanted].interval

    def contrast(self, model: str, kind: str, metric: str = "hff", signal: str = "prob", class_a: str = "") -> Contrast:
        """A model against the reference; raises as `figure` does."""
        wanted = (model, Stratum(kind, class_a), Quantity(signal, metric))
        if wanted not in self._contrasts:
            raise self._missing("contrast", *wanted)
        return self._contrasts[wanted]

    @cached_property
    def _figures(self) -> dict[tuple[str, Stratum, Quantity], FigureOf]:
        return {(one.model, one.stratum, one.quantity): one for one in self.figures}

    @cached_property
    def _contrasts(self) -> dict[tuple[str, Stratum, Quantity], Contrast]:
        return {(one.model, one.stratum, one.quantity): one for one in self.contrasts}

    def tables(self) -> dict[str, list[Row]]:
        """All tables by name, each a list of flat rows; agreement is empty unless asked for, spectra in older files."""
        return {
            "models": [asdict(one) for one in self.models],
            "figures": [_figure_row(one) for one in self.figures],
            "contrasts": [_contrast_row(one) for one in self.contrasts],
            "ranking": [_rank_row(one) for one in self.ranking],
            "spectra": [asdict(one) for one in self.spectra],
            "agreement": [asdict(one) for one in self.agreement],
        }

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes an HDF5 file, under its name only when it is whole; raises as `storing.write` does."""
        from onnxspec.comparison.storing import write

        write(self, path)

    @staticmethod
    def load(path: str | os.PathLike[str]) -> "Comparison":
        """Reads what `save` wrote; raises ReportError where that is no comparison."""
        from onnxspec.comparison.reading import read

        return read(path)

    def to_dict(self) -> dict[str, Any]:
        """Everything but spectra as JSON-ready data; undefined numbers are None."""
        told = {name: table for name, table in self.tables().items() if name != "spectra"}
        rows = {name: [_plain(row) for row in table] for name, table in told.items()}
        remarks = [asdict(remark) for remark in self.remarks]
        own = _plain(self.attributes) | {"ended": self.ended}
        return {"reference": self.reference, "digest": self.digest, **own, **rows, "remarks": remarks}

    def _line(self) -> str:
        return f"Comparison({', '.join(one.name for one in self.models)} on {self.attributes['data']})"

    def _view(self) -> Any:
        from onnxspec.comparison.view import View

        return View(self)

    def _missing(self, what: str, model: str, stratum: Stratum, quantity: Quantity) -> UsageError:
        """The error of a figure or a contrast that is not there."""
        metrics: dict[str, dict[str, None]] = {}
        for one in self.figures:
            metrics.setdefault(one.quantity.signal, {})[one.quantity.metric] = None
        measured = "; ".join(f"{signal} {', '.join(names)}" for signal, names in metrics.items())
        where = f"{stratum.kind} {stratum.class_a}".rstrip()
        models = ", ".join(one.name for one in self.models)
        return UsageError(
            f"The comparison has no {what} of {model}, {quantity.signal} {quantity.metric}, {where}.",
            f"Models: {models}; reference: {self.reference}. Kinds: {', '.join(self.kinds)}. Measured: {measured}; "
            f"of classes {', '.join(PER_CLASS)}.",
        )


def _figure_row(one: FigureOf) -> Row:
    unit = figure_unit(one.stratum.kind, one.quantity.signal, one.quantity.metric)
    return {"model": one.model, **asdict(one.stratum), **asdict(one.quantity), **asdict(one.interval), "unit": unit}


def _contrast_row(one: Contrast) -> Row:
    head = {"model": one.model, "reference": one.reference, **asdict(one.stratum), **asdict(one.quantity)}
    common, own = asdict(one.common), asdict(one.own)
    found = {name: common[name] for name in ("estimate", "low", "high", "n_eff", "reason")}
    beside = {f"own_{name}": own[name] for name in ("estimate", "low", "high", "reason")}
    rest = ("p", "p_holm", "pairs", "own_pairs", "reference_pairs", "verdict")
    return head | {"scale": one.scale} | found | beside | {name: getattr(one, name) for name in rest}


def _rank_row(one: Rank) -> Row:
    values = one.model, one.kind, one.quantity.signal, one.quantity.metric, one.place, one.letters, one.estimate
    return dict(zip(RANKING, values, strict=True))


def _plain(row: Row) -> Row:
    return {name: tables.plain(value) for name, value in row.items()}
