"""From effects to a verdict: does frequency go the way that the paper's arrow points?

The arrow: what raises accuracy raises the frequency between classes and lowers it within a class. So the sign that a
contrast should have follows from its kind and from the accuracy gained; without a decided gain there is no arrow.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from studies.effects import Effect

AGREES, OPPOSES, OPEN, SELECTION, NO_ARROW = "as in the paper", "opposite", "open", "depends on selection", "no gain"
FOUND, NOT_FOUND, UNDECIDABLE, NOT_RUN = "found", "not found", "not decidable with this budget", "not run"
TOWARDS = {"between": 1, "within": -1}


@dataclass(frozen=True)
class Verdict:
    """A study's answer for one kind and figure, with the count of its contrasts by how they came out."""

    answer: str
    why: str
    counts: Counter[str]


def arrow(effect: Effect) -> str:
    """How one contrast came out against the arrow, by pairs right under both."""
    if not effect.gain_decided:
        return NO_ARROW
    if effect.verdict == "depends on selection":
        return SELECTION
    if effect.verdict not in ("higher", "lower"):
        return OPEN
    return _towards(effect, effect.factor)


def arrow_unstratified(effect: Effect) -> str:
    """How one contrast came out over all pairs, right or wrong."""
    if not effect.gain_decided:
        return NO_ARROW
    if not (effect.every_low > 1 or effect.every_high < 1):
        return OPEN
    return _towards(effect, effect.every)


def judged(outcomes: Sequence[str]) -> Verdict:
    """Found, not found or not decidable, from how the contrasts of both seeds came out.

    Found: half of the contrasts that have an arrow or more agree, and none opposes. Not found: half or more are
    decided and some oppose. Otherwise the budget does not decide.
    """
    counts = Counter(outcomes)
    if not outcomes:
        return Verdict(NOT_RUN, "no network of it was finished", counts)
    asked = len(outcomes) - counts[NO_ARROW]
    said = ", ".join(f"{counts[name]} {name}" for name in (AGREES, OPPOSES, OPEN, SELECTION) if counts[name])
    if not asked:
        return Verdict(UNDECIDABLE, "accuracy did not change by more than chance", counts)
    decided = counts[AGREES] + counts[OPPOSES]
    why = f"of {asked} contrast{'s' * (asked != 1)} {said}"
    if 2 * decided < asked:
        return Verdict(UNDECIDABLE, why, counts)
    return Verdict(NOT_FOUND if counts[OPPOSES] else FOUND, why, counts)


def of_figure(effects: Sequence[Effect], kind: str, signal: str, metric: str) -> tuple[Verdict, Verdict]:
    """The verdict on one figure over pairs right under both, and the one over all pairs."""
    asked = [
        one
        for one in effects
        if (one.kind, one.signal, one.metric) == (kind, signal, metric)
        if one.verdict != "reference"
    ]
    return judged([arrow(one) for one in asked]), judged([arrow_unstratified(one) for one in asked])


def _towards(effect: Effect, factor: float) -> str:
    right = (factor > 1) == (TOWARDS[effect.kind] * effect.gain > 0)
    return AGREES if right else OPPOSES
