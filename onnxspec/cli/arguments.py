"""What the words of a command line mean, told before any work is done."""

from onnxspec.errors import UsageError


def require_one_form(as_json: bool, table: str | None) -> None:
    """Refuses JSON and CSV at once (UsageError): there is one standard output."""
    if as_json and table is not None:
        raise UsageError("--json and --csv exclude each other.", "Give one of them.")


def numbers(flag: str, text: str, example: str) -> list[float]:
    """The numbers of a list with commas between (UsageError where they are none)."""
    try:
        return [float(part) for part in text.split(",")]
    except ValueError:
        raise UsageError(
            f"{flag} is {text!r}; numbers with commas between were expected.", f"Example: {flag} {example}"
        ) from None
