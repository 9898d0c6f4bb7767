"""Across frameworks: the same weights through the exporters of two frameworks, on the same pairs."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from onnxspec import compare
from onnxspec.comparison.comparison import Agreement, Comparison
from onnxspec.comparison.contrasts import Quantity
from studies.effects import FIGURES, KINDS
from studies.verdicts import FOUND, NOT_FOUND, NOT_RUN

MODELS = Path(__file__).resolve().parents[1]
FILES = ("first", "second", "data", "classes")


@dataclass(frozen=True)
class Twin:
    """A figure of both files, how much larger it is in `model`, as a share, and the verdict of compare.

    pairs : right under both, which carry the figures
    """

    reference: str
    model: str
    kind: str
    signal: str
    metric: str
    first: float
    second: float
    larger: float
    pairs: int
    verdict: str


def of_files(twins: Sequence[dict[str, Any]], out: Path, data: Path) -> tuple[list[Twin], list[Agreement]]:
    """The two files of each of the study's tables, the second against the first, as figures and as functions.

    Files are looked for in models/, `out` and `data`; twins that were not made are left out. Reports are kept in
    out/twins.
    """
    rows, alike = [], []
    for asked in twins:
        files = {name: _found(asked[name], out, data) for name in FILES if name in asked}
        if not all(path.exists() for path in files.values()):
            continue
        given: dict[str, Any] = {name: value for name, value in asked.items() if name not in FILES}
        if "classes" in files:
            given["classes"] = str(files["classes"])
        models = [str(files[name]) for name in ("first", "second")]
        found = compare(models, files["data"], with_agreement=True, reports=out / "twins", **given)
        alike += found.agreement
        rows += [_twin(found, kind, figure) for kind in KINDS for figure in FIGURES]
    return rows, alike


def verdict(rows: Sequence[Twin], alike: Sequence[Agreement]) -> tuple[str, str]:
    """Found where no figure differs beyond rounding."""
    if not rows:
        return NOT_RUN, "nothing was measured"
    most = max(abs(one.larger) for one in rows)
    same = sum(one.verdict == "the same" for one in rows)
    points = min((one.same_points for one in alike), default=float("nan"))
    why = (
        f"{same} of {len(rows)} figures are the same, the largest difference is {most:.1g} of the figure; predictions "
        f"agree at {100 * points:.4g} % of points"
    )
    return (FOUND if same == len(rows) else NOT_FOUND), why


def _twin(found: Comparison, kind: str, figure: Quantity) -> Twin:
    first, second = (one.name for one in found.models)
    one = found.contrast(second, kind, figure.metric, figure.signal)
    values = (found.figure(name, kind, figure.metric, figure.signal).estimate for name in (first, second))
    larger = one.common.estimate - 1
    return Twin(first, second, kind, figure.signal, figure.metric, *values, larger, one.pairs, one.verdict)


def _found(name: str, *folders: Path) -> Path:
    """The file in models/ or else in the first folder that has it."""
    places = [folder / name for folder in (MODELS, *folders)]
    return next((place for place in places if place.exists()), places[-1])
