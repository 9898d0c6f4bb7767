"""Failures that are known and not mended yet: empty it as the fixes land.

Each entry is the kind of case ("" for any), a part of the first line of the failure, and why it still stands.
"""

from .worker import Outcome

KNOWN: tuple[tuple[str, str, str], ...] = ()


def reason(outcome: Outcome) -> str:
    """Why this failure is known; "" where it is not, or where nothing failed."""
    first = outcome.failure.partition("\n")[0]
    return next((why for kind, part, why in KNOWN if first and kind in ("", outcome.kind) and part in first), "")
