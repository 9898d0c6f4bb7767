"""Checkpoints in order: by the number in their names, or by values that are given."""

import math
import re
from collections.abc import Sequence
from contextlib import suppress

from onnxspec.errors import UsageError

_NAMELESS = "Rename them; compare and noise fit also take their places: --at 1,3,10."
_NUMBER = re.compile(r"\d+(?:\.\d+)?")


def positions(names: Sequence[str], values: Sequence[float] | None = None) -> list[float]:
    """Where each model stands in the series.

    Parameters
    ----------
    values : one for each name in its order; None takes the last number in every name that is not the same in all

    Raises
    ------
    UsageError
        A name without a number, two at one place, a place that is not finite, or too few or too many values.
    """
    if values is not None and len(values) != len(names):
        raise UsageError(f"{len(values)} values stand for {len(names)} models.", "Give one for each, in their order.")
    found = [float(value) for value in values] if values is not None else _numbers(names)
    if odd := [place for place in found if not math.isfinite(place)]:
        raise UsageError(f"A place of the series is {odd[0]:g}; a finite number was expected.", "Give it with --at.")
    for place in found:
        if found.count(place) > 1:
            same = ", ".join(name for name, at in zip(names, found, strict=True) if at == place)
            raise UsageError(
                f"{same} all stand at {place:g} of the series.",
                "Give each a place of its own." if values is not None else _NAMELESS,
            )
    return found


def over(names: Sequence[str], places: Sequence[float]) -> str:
    """What a series of models at these places is over, for an axis."""
    if len(names) == 1:
        return "checkpoint"
    with suppress(UsageError):
        if positions(names) == list(places):
            return "checkpoint, by the number in its name"
    return "checkpoint, by the number given for it"


def _numbers(names: Sequence[str]) -> list[float]:
    listed = [_NUMBER.findall(name) for name in names]
    for name, numbers in zip(names, listed, strict=True):
        if not numbers:
            raise UsageError(
                f"There is no number in the name {name}.",
                _NAMELESS,
            )
    # Of resnet20-epoch3-v2 and resnet20-epoch9-v2 it is the number that moves: compared from the end of the names.
    for back in range(1, 1 + min(map(len, listed))):
        column = [float(numbers[-back]) for numbers in listed]
        if len(set(column)) == len(column):
            return column
    return [float(numbers[-1]) for numbers in listed]
