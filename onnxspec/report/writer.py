"""Writes a report: rows as they come, everything else at the end, under its name only when it is whole."""

import errno
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import h5py
import numpy as np

from onnxspec import interruption
from onnxspec.errors import OnnxspecError, ResourceError
from onnxspec.report import schema, tables
from onnxspec.report.destination import require_writable
from onnxspec.report.guarded import GuardedFile
from onnxspec.results import Rows
from onnxspec.saving import share

CHUNK, READ = 4096, 1024
HELD_COLUMNS, HELD_VALUES = 16, 1 << 20
"""Columns in memory: more than the figures of one stratum take, of which there may be half a million; all where a
few megabytes hold them."""


class _Columns(Mapping[str, np.ndarray]):
    """The scalar columns of a group of rows, read when they are asked for."""

    def __init__(self, paths: h5py.Group):
        self._paths = paths
        self._names = [name for name in paths if paths[name].ndim == 1 and name != "bin"]
        rows = paths[self._names[0]].shape[0] if self._names else 0
        self._held = lru_cache(max(HELD_COLUMNS, HELD_VALUES // max(rows, 1)))(self._read)

    def _read(self, name: str) -> np.ndarray:
        with interruption.shield():
            return self._paths[name][()]

    def __getitem__(self, name: str) -> np.ndarray:
        if name not in self._names:
            raise KeyError(name)
        return self._held(name)

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


class ReportWriter:
    """A report in the making, at `temporary` until `finish` gives it the name `destination` on the same file system.

    Raises
    ------
    UsageError
        The destination's folder does not exist or cannot be written to.
    ResourceError
        The disk is full.
    """

    def __init__(self, destination: Path, temporary: Path, bins: np.ndarray):
        self.destination, self._temporary = destination, temporary
        require_writable(self.destination)
        self._count = 0
        self._waiting: list[Rows] = []
        self._scalars: Rows | None = None
        with interruption.shield():
            self._disk = GuardedFile(self._temporary)
            self._file = h5py.File(self._disk, "w", libver=("earliest", "v110"))
            paths = self._file.create_group("paths")
            tables.scale(paths, "bin", bins, schema.PATH_FREQUENCY_UNIT, "frequency of a bin")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with interruption.shield():
            self._file.close()
            self._disk.close()
            self._temporary.unlink(missing_ok=True)
        told = isinstance(error, OnnxspecError | KeyboardInterrupt)  # what met the disk later is not the reason
        error = error if told else self._disk.failure or error
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise ResourceError(
                f"The disk is full: {self.destination} was not written.", "Free some space, or write elsewhere with -o."
            ) from None

    def append(self, rows: Rows) -> None:
        """Adds rows (in order) to /paths; to the file in blocks, since HDF5 takes a millisecond for every column."""
        self._waiting.append(Rows(rows.columns))  # without the curves, which take more than the rows
        if sum(map(len, self._waiting)) >= CHUNK:
            self._flush()

    def _flush(self) -> None:
        if not self._waiting:
            return
        rows, self._waiting, self._scalars = Rows.concatenated(self._waiting), [], None
        start, self._count = self._count, self._count + len(rows)
        with interruption.shield(), self._told():
            for name, values in rows.columns.items():
                dataset = self._path_column(name, values)
                dataset.resize(self._count, axis=0)
                dataset[start:] = values

    @contextmanager
    def _told(self) -> Iterator[None]:
        """A write that failed makes HDF5 stumble over what is missing; the reason is the one to tell."""
        try:
            yield
        finally:
            self._disk.check()

    def _path_column(self, name: str, values: np.ndarray) -> h5py.Dataset:
        paths = self._file["paths"]
        if name not in paths:
            wide = values.shape[1:]
            chunk = (max(32, CHUNK // max(1, int(np.prod(wide)))), *wide)
            limits = {"shape": (0, *wide), "maxshape": (None, *wide), "chunks": chunk}
            paths.create_dataset(name, dtype=values.dtype, compression="gzip", shuffle=True, **limits)
        return paths[name]

    def rows(self) -> Rows:
        """All scalar columns so far, until the report is finished; they stay on disk, of what is used a copy in memory."""
        self._flush()
        if self._scalars is None:
            with interruption.shield():
                self._scalars = Rows(_Columns(self._file["paths"]))
        return self._scalars

    def power(self, signal: str) -> Iterator[tuple[slice, np.ndarray]]:
        """The power of a signal of all rows in chunks: (span, (paths, bins) float32)."""
        self._flush()
        for start in range(0, self._count, READ):
            span = slice(start, min(start + READ, self._count))
            with interruption.shield():
                power = self._file["paths"][f"power_{signal}"][span]
            yield span, power

    def group(self, name: str) -> h5py.Group:
        """A new group of the report."""
        return self._file.create_group(name)

    def finish(self, attributes: Mapping[str, Any], run: Mapping[str, Any]) -> None:
        """Describes the rows, writes the attributes and the digest, and gives the file its name."""
        self._flush()
        self._describe_paths(attributes["estimator"])
        tables.set_attributes(self._file, attributes)
        self._file.attrs["schema_version"] = schema.SCHEMA_VERSION
        tables.set_attributes(self._file.create_group("run"), run)
        tables.seal(self._file)
        self._file.close()
        self._disk.sync()
        self._disk.close()
        share(self._temporary)
        try:
            self._temporary.replace(self.destination)
        except PermissionError as error:
            raise ResourceError(
                f"{self.destination} cannot be replaced: {error.strerror}.",
                "On Windows nobody may have the old one open: close it there, or write elsewhere with -o.",
            ) from None

    def _describe_paths(self, estimator: str) -> None:
        paths = self._file["paths"]
        tables.scale(paths, "path", np.arange(self._count, dtype=np.int32), "1", "number of the path in the plan")
        for name in paths:
            if name not in ("path", "bin"):
                dims = [paths["path"], paths["bin"]][: paths[name].ndim]
                tables.described(paths[name], *schema.describe_path_column(name, estimator), dims)
