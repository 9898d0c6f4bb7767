"""What a run keeps of a finished shard and of its pilot, as bytes with their digest, in files. Never unpickled.

The digest covers a `key`, too: bytes that were kept under another are not what was packed.
"""

import hashlib
import io
import json
import threading
from dataclasses import asdict, dataclass

import numpy as np
from numpy.lib import format as npy

from onnxspec.results import Convergence, Pilot, Rows

_DIGEST_BYTES = hashlib.sha256().digest_size
_PARSER = threading.Lock()
"""Python 3.11 counts how deep its parser is for all threads together: two headers that are read at once end in a
SystemError where a garbage collection in between runs Python code, as Dask has it do."""


@dataclass(frozen=True)
class Part:
    """The rows of a shard, and the digest of the bytes of its images (empty where the data set's covers them)."""

    rows: Rows
    content: str


def packed(part: Part, key: str) -> bytes:
    """A part as bytes: a line, and its rows as one table, since a file of an array a column would be mostly headers."""
    columns = part.rows.columns
    table = np.empty(len(part.rows), [(name, values.dtype, values.shape[1:]) for name, values in columns.items()])
    for name, values in columns.items():
        table[name] = values
    buffer = io.BytesIO()
    buffer.write(part.content.encode() + b"\n")
    npy.write_array(buffer, table, allow_pickle=False)
    return _sealed(buffer.getvalue(), key)


def part_of(content: bytes, key: str) -> Part | None:
    """The part in some bytes; None where they are not what was packed."""
    payload = _opened(content, key)
    if payload is None:
        return None
    images, _, rows = payload.partition(b"\n")
    try:
        with _PARSER:
            table = npy.read_array(io.BytesIO(rows), allow_pickle=False)
        columns = {name: np.ascontiguousarray(table[name]) for name in table.dtype.names or ()}
        return Part(Rows(columns), images.decode()) if columns else None
    except ValueError:
        return None


def packed_pilot(pilot: Pilot, key: str) -> bytes:
    """A pilot as bytes; numbers come back bit for bit."""
    floor = {signal: power.tolist() for signal, power in pilot.floor.items()}
    return _sealed(json.dumps(asdict(pilot) | {"floor": floor}).encode(), key)


def pilot_of(content: bytes, key: str) -> Pilot | None:
    """The pilot in some bytes; None where they are not what was packed."""
    payload = _opened(content, key)
    if payload is None:
        return None
    try:
        fields = json.loads(payload)
        found = [
            Convergence(**one | {"figures": {metric: tuple(values) for metric, values in one["figures"].items()}})
            for one in fields["convergence"]
        ]
        floor = {signal: np.array(power) for signal, power in fields["floor"].items()}
        return Pilot(**fields | {"floor": floor, "convergence": tuple(found)})
    except (ValueError, TypeError, KeyError, AttributeError):
        return None


def _sealed(payload: bytes, key: str) -> bytes:
    return _digest(payload, key) + payload


def _opened(content: bytes, key: str) -> bytes | None:
    digest, payload = content[:_DIGEST_BYTES], content[_DIGEST_BYTES:]
    return payload if _digest(payload, key) == digest else None


def _digest(payload: bytes, key: str) -> bytes:
    return hashlib.sha256(key.encode() + payload).digest()
