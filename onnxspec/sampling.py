"""How many pairs a precision takes: the rows so far give the next round, or say why there is none.

A run to a precision walks a kind's pairs in rounds, in the order of its plan, so that wherever it stops it has walked
what a run of so many pairs walks. It looks at complete rounds only, for the first time at 200 paths that count: an interval of
fewer is too often too narrow by luck, and a rule that waits for narrow ones picks those (method.md section 6). So is
one that few effective paths carry. Where the pairs are used up there was nothing to wait for, and any may be precise
that is narrow; one that few paths carry must be ten times as narrow as was asked, as the factor between two exports of
one network is. Before the end not even that is enough: of models that are far apart on three paths of a thousand, those
runs would stop that have met none of the three. The kinds go on for themselves.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from onnxspec.statistics import Interval

FIRST_CHECK = 200
ROUND = 100
OF_FEW = 0.1
"""Share of the width asked for that an interval may have whose width itself few paths carry."""
REACHED, USED_UP, UNDEFINED = "precision", "pairs", "undefined"
ENDINGS = {
    REACHED: "reached",
    USED_UP: "not reached: the pairs allowed are used up",
    UNDEFINED: "not reached: the figure is undefined",
}


@dataclass(frozen=True)
class Standing:
    """How far a kind has come.

    walked, held : pairs walked, and pairs that the plan has
    figures : all that must get precise
    """

    walked: int
    held: int
    figures: Sequence[Interval]


def next_round(standings: Mapping[str, Standing], precision: float) -> dict[str, slice]:
    """The pairs of each kind that are walked next, by their places in the kind; kinds that have ended are left out."""
    return {
        kind: slice(one.walked, min(max(FIRST_CHECK, one.walked + ROUND), one.held))
        for kind, one in standings.items()
        if not ending(one, precision)
    }


def ending(standing: Standing, precision: float) -> str:
    """Why a kind ends: a key of `ENDINGS`, or "" where it goes on.

    Parameters
    ----------
    precision : relative half-width
    """
    used_up = standing.walked == standing.held
    left = [figure for figure in standing.figures if not _precise(figure, precision, used_up)]
    if not left and standing.figures:
        return REACHED
    if used_up:
        return USED_UP
    if left and all(figure.reason and figure.paths >= FIRST_CHECK for figure in left):
        return UNDEFINED
    return ""


def said(precision: float, ended: Mapping[str, str]) -> str:
    """What precision was asked for, and how that ended for each kind."""
    return f"hff to {percent(precision)}: " + ", ".join(f"{kind} {ENDINGS[why]}" for kind, why in ended.items())


def percent(precision: float) -> str:
    """A precision as a person writes it: 5%, 2.5%."""
    return f"{100 * precision:.4g}%"


def _precise(figure: Interval, precision: float, used_up: bool) -> bool:
    width, asked = figure.high - figure.low, 2 * precision * abs(figure.estimate)  # NaN where the figure is undefined
    if used_up:
        return width <= (OF_FEW * asked if figure.carried_by_few else asked)
    return figure.paths >= FIRST_CHECK and not figure.carried_by_few and width <= asked
