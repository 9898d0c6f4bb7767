"""A comparison from its file, which may be damaged or made by somebody else."""

import math
import os
from collections import defaultdict
from collections.abc import Iterable
from itertools import pairwise, product
from typing import get_type_hints

import h5py

from onnxspec.comparison.comparison import RANKING, Agreement, Comparison, FigureOf, ModelOf
from onnxspec.comparison.contrasts import Contrast, Quantity
from onnxspec.comparison.mean_spectra import BinOf
from onnxspec.comparison.ranking import Rank
from onnxspec.report import flat
from onnxspec.report.attributes import held
from onnxspec.report.flat import Row, made, typed
from onnxspec.report.pooling import Stratum
from onnxspec.report.storage import Flaw
from onnxspec.report.verification import COMPARISON, other
from onnxspec.settings import KINDS
from onnxspec.statistics import Interval

_ATTRIBUTES = {
    **dict.fromkeys(("reference", "data", "labelling", "ended"), str),
    **dict.fromkeys(("data_images", "points", "seed"), int),
    **dict.fromkeys(("cutoff", "d_ref", "precision"), float),
}
_RANK = dict(zip(RANKING, (str, str, str, str, int, str, float), strict=True))
_CONTRAST = get_type_hints(Contrast)
_FACTOR = {**dict.fromkeys(("estimate", "low", "high", "n_eff"), float), "reason": str}
_OWN = {**dict.fromkeys(("own_estimate", "own_low", "own_high"), float), "own_reason": str}


def read(path: str | os.PathLike[str]) -> Comparison:
    """The comparison in a file; of contrasts over own paths counts and effective numbers are not kept.

    Raises
    ------
    ReportError
        The file is missing, is no comparison, is of another schema version, or is damaged.
    """
    with other(path, COMPARISON) as file:
        return _checked(_read(file))


def _read(file: h5py.File) -> Comparison:
    attributes, remarks = flat.described(file, COMPARISON)
    known = typed(_ATTRIBUTES, attributes)
    return Comparison(
        attributes.pop("reference"),
        attributes | {name: known[name] for name in _ATTRIBUTES if name != "reference"},
        tuple(made(ModelOf, row) for row in flat.rows(file, "models")),
        tuple(_figure(row) for row in flat.rows(file, "figures")),
        tuple(_contrast(row) for row in flat.rows(file, "contrasts")),
        tuple(_rank(row) for row in flat.rows(file, "ranking")),
        tuple(made(BinOf, row) for row in flat.rows(file, "spectra")),
        tuple(made(Agreement, row) for row in flat.rows(file, "agreement")),
        remarks,
    )


def _figure(row: Row) -> FigureOf:
    interval = made(Interval, row)
    return FigureOf(typed({"model": str}, row)["model"], _stratum(row), _quantity(row), interval)


def _contrast(row: Row) -> Contrast:
    found, own = typed(_FACTOR, row), typed(_OWN, row)
    plain = typed({name: kind for name, kind in _CONTRAST.items() if kind in (str, int, float)}, row)
    return Contrast(
        stratum=_stratum(row),
        quantity=_quantity(row),
        common=Interval(paths=plain["pairs"], **found),
        own=Interval(own["own_estimate"], own["own_low"], own["own_high"], plain["own_pairs"], math.nan, own["own_reason"]),
        **plain,
    )  # fmt: skip


def _rank(row: Row) -> Rank:
    one = typed(_RANK, row)
    quantity = Quantity(one.pop("signal"), one.pop("metric"))
    return Rank(quantity=quantity, **one)


def _stratum(row: Row) -> Stratum:
    return made(Stratum, row)


def _quantity(row: Row) -> Quantity:
    return made(Quantity, row)


def _checked(found: Comparison) -> Comparison:
    """The same, if it has what every view of it asks for; raises Flaw if it has not."""
    names = [one.name for one in found.models]
    _require(found.reference in names and len(set(names)) == len(names), "models of a name each, with the reference")
    _require(bool(found.kinds) and set(found.kinds) <= set(KINDS), "figures of kinds of paths")
    _require(bool(found.main_quantities), "figures that are shown first")
    named = {
        one.model
        for table in (found.figures, found.contrasts, found.ranking, found.spectra, found.agreement)
        for one in table
    }
    _require(named <= set(names), "figures of its models alone")
    shown = set(product(map(Stratum, found.kinds), found.main_quantities))
    figures, contrasts = _by_model(found.figures), _by_model(found.contrasts)
    for model in names:
        _require(shown <= figures[model], f"all figures of {model}")
        _require(model == found.reference or shown <= contrasts[model], f"{model} beside {found.reference}")
    scale = (found.attributes[name] for name in ("cutoff", "d_ref"))
    _require(all(0 < one < math.inf for one in scale), "a cut-off and a d_ref above nought")
    _require(not found.spectra or _whole(found), "spectra of all models in the same bins")
    _require(len({math.isnan(one.position) for one in found.models}) == 1, "a place for all models or for none")
    held(found.attributes["ended"], "ended")
    return found


def _whole(found: Comparison) -> bool:
    """Whether every model has a spectrum of every signal and kind, in bins that ascend and are the same."""
    bins: dict[tuple[str, str, str], list[float]] = defaultdict(list)
    for one in found.spectra:
        bins[one.model, one.kind, one.signal].append(one.frequency_per_reference)
    wanted = product([one.name for one in found.models], found.kinds, {one.signal for one in found.spectra})
    common = next(iter(bins.values()))
    return (
        bins.keys() == set(wanted)
        and all(one == common for one in bins.values())
        and len(common) > 1
        and common[0] >= 0
        and common[-1] < math.inf
        and all(a < b for a, b in pairwise(common))
    )


def _by_model(rows: Iterable[FigureOf | Contrast]) -> dict[str, set[tuple[Stratum, Quantity]]]:
    """What there is of every model."""
    found: dict[str, set[tuple[Stratum, Quantity]]] = defaultdict(set)
    for one in rows:
        found[one.model].add((one.stratum, one.quantity))
    return found


def _require(right: bool, what: str) -> None:
    if not right:
        raise Flaw(f"is damaged: it should hold {what}")
