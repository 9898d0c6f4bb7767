"""Standard streams that whoever called this program has closed: nothing reads them, and the work is done all the same."""

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import click


def stand_in() -> None:
    """Puts the system's empty file in the place of every closed stream.

    The first file that is opened would take its number otherwise, and what a library prints would land in a report.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the lowest number that is free, which is this one
            os.set_inheritable(number, True)
    # Python has None for them, which click and rich cannot print to.
    sys.stdout = sys.stdout or os.fdopen(1, "w")
    sys.stderr = sys.stderr or os.fdopen(2, "w")


def reader_gone(error: BaseException) -> bool:
    """Whether an error that was met while printing says that nobody reads any more."""
    if os.name == "nt" and isinstance(error, OSError) and error.errno == errno.EINVAL:
        try:  # Windows calls a pipe that was closed an invalid argument; what was not written is tried again
            sys.stdout.flush()
        except OSError:
            return True
    return isinstance(error, BrokenPipeError | SystemExit)  # click and rich answer with an exit


def nobody_reads() -> None:
    """Lets what is still printed go nowhere: whoever read it has gone (`| head`), which is no reason to complain."""
    with suppress(OSError, ValueError), open(os.devnull, "w") as nothing:
        os.dup2(nothing.fileno(), sys.stdout.fileno())


@contextmanager
def unread() -> Iterator[None]:
    """A reader that goes while something is printed inside changes nothing about the exit code that follows."""
    try:
        yield
        sys.stdout.flush()
    except (OSError, SystemExit) as error:
        if not reader_gone(error):
            raise
        nobody_reads()


class StandardError:
    """Standard error, whatever it is just now, for a rich console: what cannot be written is not said.

    Rich ends the program otherwise, as if nobody were there to read its standard output.
    """

    def write(self, text: str) -> int:
        with suppress(OSError, ValueError):
            sys.stderr.write(text)
        return len(text)

    def flush(self) -> None:
        with suppress(OSError, ValueError):
            sys.stderr.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(sys.stderr, name)


def complain(text: str) -> None:
    """Prints to standard error if that can be: where it cannot, the exit code still says what happened."""
    with suppress(OSError, ValueError):
        click.echo(text, err=True)
