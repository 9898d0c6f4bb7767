"""What the words of a command line mean, told before any work is done."""

import click

from onnxspec.errors import UsageError


class Command(click.Command):
    """A command none of whose words may be empty: `--junit "$FILE"` without FILE would write none, and pass."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        # Before click converts them: a path that is empty becomes the folder in which we are.
        given = {} if ctx.resilient_parsing else self.make_parser(ctx).parse_args(list(args))[0]
        for parameter in self.params:
            value = given.get(parameter.name)
            if "" in (value if isinstance(value, tuple | list) else (value,)):
                name = parameter.opts[0] if isinstance(parameter, click.Option) else parameter.make_metavar(ctx)
                raise UsageError(f"{name} is empty.", "Give a value: a variable of the shell that is not set has none.")
        return super().parse_args(ctx, args)


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
