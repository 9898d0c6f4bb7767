"""Standard streams that whoever called this program has closed: nothing reads them, and the work is done all the same."""

import os
import sys


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
