"""Where a row of a long table is, by the texts in some of its columns.

A report may have a quarter of a million figures, for which a dict of tuples took 41 MB; two numbers a row are enough.
"""

from collections.abc import Sequence

import numpy as np

# Numbers of combinations beyond it come round again, in a file that nobody measured; they still find some row.
_WRAP = 1 << 64


class Lookup:
    """Rows by texts.

    Parameters
    ----------
    columns : each (rows,) of str; few different ones in most of them
    """

    def __init__(self, columns: Sequence[np.ndarray]):
        rows = len(columns[0]) if columns else 0
        keys = np.zeros(rows, np.uint64)
        self._numbers: list[dict[str, int]] = []
        for column in columns:
            numbers = {text: number for number, text in enumerate(dict.fromkeys(column))}
            keys *= np.uint64(len(numbers))
            keys += np.fromiter(map(numbers.__getitem__, column), np.uint64, rows)
            self._numbers.append(numbers)
        self._order = np.argsort(keys, kind="stable")
        self._keys = keys[self._order]

    def get(self, texts: Sequence[str]) -> int | None:
        """The last row that has these texts, one a column; None where there is none."""
        key = 0
        for numbers, text in zip(self._numbers, texts, strict=False):
            if text not in numbers:
                return None
            key = (key * len(numbers) + numbers[text]) % _WRAP
        at = int(np.searchsorted(self._keys, np.uint64(key), side="right")) - 1
        return int(self._order[at]) if at >= 0 and self._keys[at] == key else None
