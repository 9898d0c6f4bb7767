"""What a reader of class diversity has to know: what was too little, and what was left out."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from onnxspec.diversity.columns import Columns
from onnxspec.diversity.correlation import rank_correlation, reach
from onnxspec.diversity.found import LEAST_BEYOND, Relation
from onnxspec.report.pooling import RANKED_FROM
from onnxspec.results import Remark

AGREED = 0.95
"""Less of a control's correlation between halves is said."""


def remarks(
    attributes: Mapping[str, Any], halves: tuple[Columns, Columns], relations: Sequence[Relation]
) -> Iterator[Remark]:
    """Those on relations over halves of the classes, the most serious first; attributes : as of `Diversity`."""
    withheld = [one for one in relations if one.withheld]
    yield from _few_classes([one for one in withheld if not one.controls])
    yield from _few_beyond([one for one in withheld if one.controls])
    yield from _rough_controls(halves, [one for one in relations if not one.withheld])
    yield from _few_paths(np.concatenate([half.paths for half in halves]))
    yield from _undefined(halves)
    if joining := attributes["paths"] - attributes["paths_in_halves"]:
        text = f"{joining:,} of {attributes['paths']:,} paths join the two halves of a class's images: left out."
        yield Remark("joining", text)


def _few_classes(withheld: list[Relation]) -> Iterator[Remark]:
    if withheld:
        wide = reach(fewest := _fewest(withheld))
        why = (
            f"no correlation at all has an interval from {-wide:.2f} to {wide:.2f}"
            if wide < 1
            else "they have no correlation"
        )
        who = f"{fewest} classes decide" if fewest != 1 else "1 class decides"
        text = f"{who} nothing about diversity: {why}, and no verdict is given on {_counted(withheld, 'plain')}."
        yield Remark("few-classes", text, "Use data of more classes: 100 give -0.20 to 0.20.")


def _few_beyond(withheld: list[Relation]) -> Iterator[Remark]:
    if withheld:
        text = (
            f"{_fewest(withheld)} classes are too few to take controls out of: with fewer than {LEAST_BEYOND} p is too "
            f"often small, and no verdict is given on {_counted(withheld, 'controlled')}."
        )
        yield Remark("few-beyond", text, f"Use data of {LEAST_BEYOND} classes or more.")


def _rough_controls(halves: tuple[Columns, Columns], told: list[Relation]) -> Iterator[Remark]:
    """On the controls behind a verdict that the two halves of a class do not agree on."""
    for name in sorted({name for one in told for name in one.controls}):
        pairs = np.stack([half.measures[name] for half in halves])
        agreed = rank_correlation(*pairs[:, np.isfinite(pairs).all(0)])
        if agreed.rho < AGREED:
            text = (
                f"{name.capitalize()} is too rough a control: from one half of a class to the other its correlation is "
                f"{agreed.rho:.2f}, so that a part of what it explains stays."
            )
            yield Remark("rough-control", text, "Analyse with more --pairs --kinds within.")


def _few_paths(paths: np.ndarray) -> Iterator[Remark]:
    paths = paths[paths > 0]
    if len(paths) and (middle := float(np.median(paths))) < RANKED_FROM:
        text = (
            f"Half of the classes have {middle:g} path{'s' * (middle != 1)} or fewer in half of their images: chance in figures and measures "
            "draws all correlations towards zero."
        )
        yield Remark("few-paths", text, "Analyse with more --pairs --kinds within.")


def _undefined(halves: tuple[Columns, Columns]) -> Iterator[Remark]:
    known = np.array([values for half in halves for values in half.figures.values()])
    if left := int((~np.isfinite(known)).any(0).sum()):
        text = (
            f"{left} of {known.shape[1]} classes have a figure that is undefined in a half of their images: left out."
        )
        yield Remark("undefined", text)


def _fewest(relations: list[Relation]) -> int:
    return min(one.correlation.classes for one in relations)


def _counted(relations: list[Relation], word: str) -> str:
    return f"{len(relations)} {word} correlation{'s' * (len(relations) > 1)}"
