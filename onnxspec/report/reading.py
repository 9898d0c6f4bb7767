"""The columns of a report, read from its file when they are asked for."""

import difflib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import h5py
import numpy as np

from onnxspec.report import tables
from onnxspec.report.storage import Flaw, opened, stamp


class Table(Mapping[str, np.ndarray]):
    """The columns of one group of a report file, read when they are asked for.

    Raises
    ------
    ReportError
        The file is no longer the one that was verified.
    """

    def __init__(self, path: Path, group: str, known: tuple[int, ...] | None = None):
        self._path, self._group, self._known = path, group, known

    def __getitem__(self, name: str) -> np.ndarray:
        with self._opened() as group:
            values = tables.read_column(group[name]) if name in group else None
        if values is None:
            near = difflib.get_close_matches(name, list(self), cutoff=0.4)
            raise KeyError(f"{name}: there is no such column; {', '.join(near or self)}")
        return values

    def read(self) -> dict[str, np.ndarray]:
        """All columns at once."""
        with self._opened() as group:
            columns = {name: tables.read_column(group[name]) for name in group}
        for values in columns.values():
            values.flags.writeable = False  # they are kept, and what a figure says must not change
        return columns

    def __iter__(self) -> Iterator[str]:
        with self._opened() as group:
            return iter(list(group))

    def __len__(self) -> int:
        return len(list(iter(self)))

    def __repr__(self) -> str:
        return f"<{self._group} of {self._path.name}: {', '.join(self)}>"

    def _ipython_key_completions_(self) -> list[str]:
        return list(self)

    @contextmanager
    def _opened(self) -> Iterator[h5py.Group]:
        with opened(self._path) as file:
            if self._known is not None and stamp(self._path) != self._known:
                raise Flaw("was written again while it was read")
            yield file[self._group]
