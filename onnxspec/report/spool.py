"""The folder beside a report in which a run keeps what it has finished, until the report has its name.

    REPORT.parts/
        lock                held while a run is at work
        run.json            what run this is; the parts of another are never mixed in
        pilot.part          what the pilot found
        report.h5           the report in the making
        000000-000032.part  the rows of a finished shard, with their digest
        ellipse-000000-000032.part      the same of a family beside the straight lines

Every part is written to a temporary file, synced and renamed, so that a process may be killed at any moment. A part
whose digest is wrong counts as missing.
"""

import json
import os
import re
import weakref
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from onnxspec import interruption
from onnxspec.errors import ModelError, OnnxspecError, ReportError, ResourceError, UsageError
from onnxspec.report import locking, parts
from onnxspec.report.destination import require_writable
from onnxspec.report.parts import Part
from onnxspec.results import Pilot
from onnxspec.saving import put

FORMAT = "onnxspec parts 2"
_PART = re.compile(r"(?:([a-z]\w*)-)?(\d{6,})-(\d{6,})\.part")
_OWN = ("lock", "run.json", "pilot.part", "report.h5")


class Spool:
    """What a run keeps beside `destination`; used in a `with` block around the whole run.

    Parameters
    ----------
    resume : as in `settings.Execution`; where it leaves that open and the parts are not of this run, `dropped` says so
    keeps : whether there is anybody to go on: not where the destination itself is temporary

    Raises
    ------
    UsageError
        The report cannot be written there, or another run is at work on it.
    """

    def __init__(self, destination: str | os.PathLike[str], resume: bool | None = None, keeps: bool = True):
        linked = os.path.islink(destination)  # which stays one
        self.destination = Path(os.path.realpath(destination) if linked else destination)
        require_writable(self.destination)
        self.folder = self.destination.with_name(f"{self.destination.name}.parts")
        self.report = self.folder / "report.h5"
        self._resume, self._keeps = resume, keeps
        self._identity: dict[str, str] | None = None
        self._kept: dict[str, int] = {}
        self._total = 0
        self.dropped = ""
        self._finished = False
        with interruption.shield():
            try:
                lock = locking.acquire(self.folder / "lock")
            except OSError as error:
                raise UsageError(
                    f"The folder {self.folder} cannot be made: {error.strerror}.", "Choose another place with -o."
                ) from None
            if lock is None:
                raise UsageError(
                    f"Another run is at work on {self.destination}.", "Wait for it, or write elsewhere with -o."
                )
            # However this ends, between any two instructions: what is worth nothing goes.
            self._close = weakref.finalize(self, _leave, self.folder, lock)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # A library that is interrupted at a bad moment may tell of another error.
        stopped = isinstance(error, KeyboardInterrupt) or (error is not None and interruption.requested())
        with interruption.shield():
            if error is None or (isinstance(error, ModelError) and not stopped):  # a model that fails will fail again
                self._drop()
            self._close()
        left, nothing = self._left(), "the report is written." if self._finished else "nothing was written."
        kept = f"{left:,} of {self._total:,} paths are kept in {self.folder}: the same command with --resume goes on."
        if stopped:
            raise interruption.Interrupted(kept if left else nothing) from None
        if isinstance(error, OnnxspecError) and left and not isinstance(error, ReportError | UsageError):
            error.hint = f"{error.hint} {kept}".lstrip()

    def begin(self, identity: Mapping[str, str], total: int) -> int:
        """Says what run this is, of how many paths, and gives the number of paths that are kept from before.

        Parameters
        ----------
        identity : everything that decides the rows, by name; an empty model digest keeps nothing

        Raises
        ------
        ReportError
            `resume` is True and the parts are of another run; the message names what differs, or says that nothing
            tells whose they are.
        """
        earlier = self._earlier()
        if self._resume and not earlier and self._found():
            raise ReportError(
                f"Nothing in {self.folder} says what run its parts are of.",
                "Start anew with --no-resume, or write elsewhere with -o.",
            )
        different = [name for name in identity if earlier.get(name) != identity[name]]
        if earlier and different and self._resume:
            raise ReportError(
                f"{self.folder} is of another run, which differs in {' and '.join(different)}.",
                "Start anew with --no-resume, or write elsewhere with -o.",
            )
        if different and self._resume is None and (lost := sum(self._found().values())):
            other = f"another run, which differs in {' and '.join(different)}"
            self.dropped = f"{lost:,} of {other if earlier else 'which nothing says what run they are of'}"
        if different or self._resume is False:
            self._drop()
        self._total = total
        if identity.get("model") and self._keeps:
            self._identity = dict(identity)
            self._write("run.json", json.dumps({"format": FORMAT, "identity": self._identity}, indent=1).encode())
            self._kept = self._found()
        return self._left()

    def count(self, family: str = "") -> int:
        """How many paths of a family are kept; "" stands for straight lines."""
        return sum(paths for name, paths in self._kept.items() if name.rpartition("-")[0].rpartition("-")[0] == family)

    def pilot(self) -> Pilot | None:
        """What the pilot of this run found before, if it was kept whole."""
        content = self._read("pilot.part")
        return parts.pilot_of(content, self._key("pilot.part")) if content else None

    def keep_pilot(self, pilot: Pilot) -> None:
        """Keeps what the pilot found."""
        if self._identity:
            self._write("pilot.part", parts.packed_pilot(pilot, self._key("pilot.part")))

    def kept(self, span: slice, family: str = "") -> Part | None:
        """The part of paths span.start .. span.stop-1 of a family, if it was kept whole; from any thread."""
        if (name := _name(span, family)) not in self._kept:
            return None
        content = self._read(name)
        return parts.part_of(content, self._key(name)) if content else None

    def keep(self, span: slice, part: Part, family: str = "") -> None:
        """Keeps a finished part of a family.

        Raises
        ------
        ResourceError
            The disk is full.
        """
        if self._identity:
            name = _name(span, family)
            self._write(name, parts.packed(part, self._key(name)))
            self._kept[name] = len(part.rows)

    def finish(self) -> None:
        """Drops the parts of a run whose report has its name; to be called under the shield that gave it."""
        self._drop()
        self._finished = True

    def _key(self, name: str) -> str:
        """What goes into the digest of a part: one of another run, or under another name, counts as damaged."""
        return json.dumps([self._identity, name])

    def _left(self) -> int:
        return sum(self._kept.values())

    def _earlier(self) -> dict[str, str]:
        """The identity of the run that left parts here; empty where none did."""
        try:
            content = json.loads(self._read("run.json") or b"{}")
            return dict(content["identity"]) if content.get("format") == FORMAT and self._found() else {}
        except (ValueError, TypeError, AttributeError, KeyError, RecursionError):
            return {}

    def _found(self) -> dict[str, int]:
        """The parts by their names, and how many paths each holds."""
        matches = (_PART.fullmatch(path.name) for path in self.folder.iterdir())
        return {match[0]: int(match[3]) - int(match[2]) for match in matches if match}

    def _drop(self) -> None:
        """Deletes all parts."""
        for name in self._found():
            (self.folder / name).unlink(missing_ok=True)
        (self.folder / "pilot.part").unlink(missing_ok=True)
        self._kept = {}

    def _read(self, name: str) -> bytes | None:
        with suppress(OSError):
            return (self.folder / name).read_bytes()
        return None

    def _write(self, name: str, content: bytes) -> None:
        try:
            put(content, self.folder / name, self.folder / f"{name}.new", synced=True)
        except OSError as error:
            raise ResourceError(
                f"{self.folder / name} cannot be written: {error.strerror}.",
                "Free some space, or write elsewhere with -o.",
            ) from None


def _name(span: slice, family: str) -> str:
    return f"{family}{'-' * bool(family)}{span.start:06d}-{span.stop:06d}.part"


def _leave(folder: Path, lock: Any) -> None:
    """Ends the use of a folder: without parts in it, it goes; with some, only what is half done does."""
    with suppress(OSError):
        names = os.listdir(folder)
        done = any(_PART.fullmatch(name) for name in names)
        for name in names:
            if name.endswith(".new") or name == "report.h5" or (not done and name in _OWN and name != "lock"):
                (folder / name).unlink()
        if not done:
            if os.name == "nt":  # where an open file cannot be deleted
                lock.close()
            (folder / "lock").unlink()
            folder.rmdir()
    lock.close()
