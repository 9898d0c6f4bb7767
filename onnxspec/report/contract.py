"""What stands in every report of this schema: the columns of each group, and the attributes.

Whoever reads a report may rely on it: after `require` no index leads out of its table, no text is a number, and no
attribute is missing. What is not in the contract is refused as well, since the digest would not tell who put it there.
"""

from collections.abc import Mapping
from typing import Any

import h5py
import numpy as np

from onnxspec import spectra
from onnxspec.paths.pairs import pair_codes
from onnxspec.report import attributes, families, schema
from onnxspec.report.columns import BYTE, Column, checked, endless, real, text, whole
from onnxspec.report.storage import Budget, Flaw, members
from onnxspec.results import GRIDS
from onnxspec.settings import ESTIMATORS, KINDS

GROUPS = ("paths", "figures", "spectra", "classes", "images", "checks", "strips")
OPTIONAL = ("strips", families.GROUP)
MOST_STRIPS, MOST_RANKS, MOST_SIDE = 256, 5, 1024


def require(file: h5py.File, budget: Budget) -> dict[str, Any]:
    """The attributes of a report that is whole, those of /run as `run_NAME`.

    Raises
    ------
    Flaw
        It is not; the words say where, what is there and what was expected.
    """
    others = families.names_of(members(file))
    if extra := sorted(set(members(file)) - {*GROUPS, *OPTIONAL, "run", *(f"paths_{name}" for name in others)}):
        raise Flaw(f"has something at /{extra[0]} that no report has")
    found = attributes.of_report(file)
    signals, kinds = found["signals"].split(), found["kinds"].split()
    outputs = max(found["outputs"], 2) - 1
    sizes = {"signal": len(signals), "bin": len(_bins(found))}
    got = checked(file, "classes", _classes(outputs), sizes, budget)
    if (got["right"][()] > got["used"][()]).any():
        raise Flaw("has more images predicted right than used at /classes/right")
    got = checked(file, "paths", _paths(found, signals, sizes["class"] - 1, outputs), sizes, budget)
    _require_pairs(got, kinds)
    _require_grid(got["bin"], _bins(found))
    for group, columns in _others(signals, kinds).items():
        got |= checked(file, group, columns, sizes, budget)
    halves = np.arange(sizes["frequency"]) / 2
    _require_grid(got["frequency_per_reference"], halves)
    _require_grid(got["frequency"], halves / found["d_ref"])
    if "strips" in file:
        _require_strips(file, sizes, outputs, budget)
    families.require(file, others, signals, sizes["class"] - 1, budget)
    if not sizes["path"] or not sizes["frequency"]:
        raise Flaw("has no paths")
    return found


def _bins(found: Mapping[str, Any]) -> np.ndarray:
    """Bins of a path's spectrum under the report's estimator, cycles per path."""
    return spectra.bins(found["estimator"], found["points"]).frequency


def _require_grid(dataset: h5py.Dataset, wanted: np.ndarray) -> None:
    if not np.allclose(dataset[()], wanted, rtol=1e-6, atol=0):
        raise Flaw(f"has other frequencies at {dataset.name} than its points and its d_ref make")


def _classes(outputs: int) -> dict[str, Column]:
    numbers = {name: whole("class") for name in ("class", "images", "used", "right")}
    return numbers | {"name": text("class"), "folder": text("class"), "output": whole("class", high=outputs)}


def _paths(found: Mapping[str, Any], signals: list[str], last_class: int, outputs: int) -> dict[str, Column]:
    ends = {f"class_{end}": whole("path", high=last_class) for end in "ab"}
    ends |= {f"predicted_{end}": whole("path", high=outputs) for end in "ab"}
    ends |= {f"image_{end}": whole("path") for end in "ab"}
    flags = {name: whole("path", high=1) for name in ("kind", "same_prediction", "within_reach")}
    counts = {"path": whole("path"), "ends_right": whole("path", high=2), "flips": whole("path")}
    lengths = {"bin": real("bin", low=0, finite=True), "distance": real("path", low=0, finite=True)}
    scalars = {name: real("path") for name in ("excess_tv", "consistent", "width")}
    for signal in signals:
        scalars |= {f"{name}_{signal}": real("path") for name in ("wiggle", "chord", "slope")}
        scalars[f"power_{signal}"] = real("path", "bin")
        for estimator in ESTIMATORS:
            suffix = signal if estimator == found["estimator"] else f"{signal}_{estimator}"
            scalars |= {f"{name}_{suffix}": real("path") for name in ("hf", "total")}
    return ends | flags | counts | lengths | scalars


def _others(signals: list[str], kinds: list[str]) -> dict[str, dict[str, Column]]:
    stratum = {name: text("stratum") for name in ("class_a", "class_b")} | {"kind": text("stratum", *kinds)}
    bins = {name: real("frequency", low=0, finite=True) for name in ("frequency", "frequency_per_reference")}
    power = {f"power_{signal}{end}": endless("stratum", "frequency") for signal in signals for end in ("_low", "_high")}
    power |= {f"power_{signal}": real("stratum", "frequency") for signal in signals}
    return {
        "figures": _figures(kinds),
        "spectra": {
            **stratum,
            **bins,
            **power,
            **{f"above_{signal}": real("stratum") for signal in signals},
            "selection": text("stratum", "right", "all"),
            "stratum": whole("stratum"),
            "paths": whole("stratum"),
        },
        "images": {"image": whole("image"), "name": text("image")},
        "checks": _checks(signals, kinds),
    }


def _figures(kinds: list[str]) -> dict[str, Column]:
    texts = {name: text("figure") for name in ("class_a", "class_b", "signal", "metric", "reason")}
    closed = {"kind": text("figure", *kinds, schema.RATIO), "selection": text("figure", "right", "all")}
    numbers = {name: endless("figure") for name in ("low", "high", "n_eff")}
    numbers |= {"estimate": real("figure"), "p_holm": real("figure", low=0, high=1)}
    counts = {name: whole("figure") for name in ("figure", "paths")}
    return texts | closed | numbers | counts | {"estimator": text("figure", "", *ESTIMATORS)}


def _checks(signals: list[str], kinds: list[str]) -> dict[str, Column]:
    numbers = {f"{metric}_{grid}": real("check") for metric in ("hff", "slope", "excess_tv") for grid in GRIDS}
    numbers |= {name: real("check") for name in ("off_grid", "high", "total", "floor", "unresolved")}
    texts = {"kind": text("check", *kinds), "signal_name": text("check", *signals)}
    floor = {"noise_bin": real("noise_bin", low=0, finite=True)}
    floor["noise_floor"] = real("signal", "noise_bin", low=0, finite=True)
    return numbers | texts | floor | {"check": whole("check"), "paths": whole("check"), "signal": whole("signal")}


def _require_pairs(columns: Mapping[str, h5py.Dataset], kinds: list[str]) -> None:
    """Paths of the kinds that the report says, no pair of images twice: reports are paired by them."""
    kind, first, second = (columns[name][()] for name in ("kind", "image_a", "image_b"))
    if [KINDS[k] for k in np.unique(kind)] != kinds:
        raise Flaw(f"says that its kinds are {' '.join(kinds)}, which /paths/kind does not hold")
    if len(np.unique(pair_codes(kind, first, second))) < len(kind):
        raise Flaw("has one pair of images twice in /paths")


def _require_strips(file: h5py.File, sizes: dict[str, int], outputs: int, budget: Budget) -> None:
    wanted = {
        **{name: whole(name) for name in ("strip", "rank")},
        "t": real("t", finite=True),
        "path": whole("strip", high=sizes["path"] - 1),
        "wild": whole("strip", high=1),
        "hff": real("strip"),
        "output": Column("whole number", ("strip", "rank"), 0, outputs),
        "name": Column("text", ("strip", "rank")),
        "prob": real("strip", "rank", "t", finite=True),
    }
    axes = ("end", "row", "column", "channel")
    if isinstance(file["strips"], h5py.Group) and "thumbnail" in file["strips"]:
        wanted |= {name: whole(name) for name in axes} | {"thumbnail": Column(BYTE, ("strip", *axes))}
        sizes["end"] = 2
    checked(file, "strips", wanted, sizes, budget)
    most = {"strip": MOST_STRIPS, "rank": MOST_RANKS, "row": MOST_SIDE, "column": MOST_SIDE, "channel": 3}
    for name, limit in most.items():
        if sizes.get(name, 1) not in range(1, limit + 1) or sizes.get("channel") == 2:
            raise Flaw(f"has {sizes[name]} along {name} in /strips; 1 to {limit} was expected")
