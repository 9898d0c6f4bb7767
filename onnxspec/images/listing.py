"""From the files of a folder or an archive to an `ImageSet`: which are images, which classes, in what order.

Folders and archives differ only in how files are listed and read; everything else happens here, so that the same
files give the same set however they are packed.
"""

import hashlib
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from onnxspec.errors import DataError
from onnxspec.images.dataset import PREDICTED, ImageSet
from onnxspec.images.decode import EXTENSIONS, content_digest, decode
from onnxspec.images.labelfile import read_labels
from onnxspec.images.names import class_names as bounded_names
from onnxspec.images.names import storable

SPLITS = {"train", "training", "val", "valid", "validation", "test", "testing", "dev", "eval"}
MAX_PATH = 4096
RUBBISH = {"__macosx", "thumbs.db", "desktop.ini", "$recycle.bin", "system volume information"}
"""In small letters, since Windows writes them in any. The folders are on every drive of its, the last one locked."""


@dataclass(frozen=True)
class Entry:
    """A file that was listed: its path inside the source ('/' between parts), its size, what the source reads it by."""

    path: str
    size: int
    key: Any


def is_rubbish(name: str) -> bool:
    """Whether a file or folder of this name is left by an operating system, not put there by a person."""
    return name.lower() in RUBBISH or name.startswith(".")


def image_set(
    entries: Sequence[Entry], read: Callable[[Any], bytes], source: str, labels: str | None = None
) -> ImageSet:
    """The labelled images among files.

    Parameters
    ----------
    entries : all files of the source
    read : thread-safe; `Entry.key` -> the file's bytes
    source : names the source in messages
    labels : path of a file with lines file,label; "predicted" to ignore class folders; None: class folders, if any

    Raises
    ------
    DataError
        No images, splits instead of classes, names that occur twice, labels that do not fit.
    """
    if any(len(e.path) > MAX_PATH for e in entries):
        raise DataError(f"{source} has file names of more than {MAX_PATH:,} characters.", "Give them shorter ones.")
    entries = [e for e in entries if not any(map(is_rubbish, e.path.split("/")))]
    images = [e for e in entries if e.path.lower().endswith(EXTENSIONS)]
    if not images:
        raise _no_images(entries, source)
    notes = _left_out(len(entries) - len(images), "no images by their extension")
    named = _unwrapped(_by_name(images, source))
    _refuse_splits(named, source)
    if labels is not None and labels != PREDICTED:
        classes = read_labels(labels, tuple(named))
        notes += _left_out(len(named) - len(classes), f"without a line in {labels}")
    elif labels is None and any("/" in name for name in named):
        classes = {name: _top(name) for name in named if "/" in name}
        notes += _left_out(len(named) - len(classes), "beside the class folders, not in one")
    else:
        return _assembled(named, None, read, source, notes)
    return _assembled({name: named[name] for name in classes}, classes, read, source, notes)


def natural_key(name: str) -> tuple[Any, ...]:
    """Sorts img2 before img10; parts of the path one by one, ties by the name itself."""
    return (*(_rank(part) for part in re.split(r"([0-9]+|/)", name) if part), (-1, 0, name))


def _rank(part: str) -> tuple[int, int, str]:
    if part == "/":
        return 0, 0, ""
    if part[0] in "0123456789":
        # As a number, but without making one: names can have thousands of digits.
        digits = part.lstrip("0")
        return 1, len(digits), digits
    return 2, 0, part


def _assembled(
    named: dict[str, Entry],
    classes: dict[str, str] | None,
    read: Callable[[Any], bytes],
    source: str,
    notes: tuple[str, ...],
) -> ImageSet:
    names = tuple(sorted(named, key=natural_key))
    entries = [named[name] for name in names]
    class_names: tuple[str, ...] = ()
    labels: NDArray[np.int64] | None = None
    if classes is not None:
        # Plain sorting, as torchvision and Keras number class folders.
        ordered = sorted(set(classes.values()))
        class_names = bounded_names(ordered, source)
        index = {name: i for i, name in enumerate(ordered)}
        labels = np.array([index[classes[name]] for name in names], np.int64)

    def reader(i: int) -> tuple[NDArray[Any], str | None]:
        content = read(entries[i].key)
        return decode(content, names[i]), content_digest(content)

    digest = _digest(class_names, zip(names, (e.size for e in entries), strict=True), labels)
    return ImageSet(names, labels, class_names, digest, reader, source, notes)


def _digest(class_names: Iterable[str], files: Iterable[tuple[str, int]], labels: NDArray[np.int64] | None) -> str:
    """sha256 over class names, (name, bytes) of every file and the labels, hexadecimal."""
    digest = hashlib.sha256()
    for name in class_names:
        digest.update(f"class\0{name}\n".encode("utf-8", "surrogateescape"))
    for name, size in files:
        digest.update(f"file\0{name}\0{size}\n".encode("utf-8", "surrogateescape"))
    if labels is not None:
        digest.update(np.ascontiguousarray(labels, "<i8").tobytes())
    return digest.hexdigest()


def _by_name(images: Sequence[Entry], source: str) -> dict[str, Entry]:
    named = {storable(unicodedata.normalize("NFC", entry.path)): entry for entry in images}
    if len(named) < len(images):
        raise DataError(
            f"{source} has {len(images) - len(named)} files whose names occur twice.",
            "Pack it again with each file once.",
        )
    return named


def _unwrapped(named: dict[str, Entry]) -> dict[str, Entry]:
    """Names without the one folder around all class folders that archives tend to have, and a lone split in it."""
    inner = _without_top(named)
    return _without_top(inner) if _top(next(iter(inner))).lower() in SPLITS else inner


def _without_top(named: dict[str, Entry]) -> dict[str, Entry]:
    around = f"{_top(next(iter(named)))}/"
    if not all(name.startswith(around) and name.count("/") >= 2 for name in named):
        return named
    return {name.removeprefix(around): entry for name, entry in named.items()}


def _top(name: str) -> str:
    return name.split("/", 1)[0]


def _refuse_splits(named: dict[str, Entry], source: str) -> None:
    tops = {_top(name): entry for name, entry in named.items() if "/" in name}
    splits = sorted(top for top in tops if top.lower() in SPLITS)
    # One folder called train among others is a class, the vehicle.
    if not splits or (len(splits) == 1 and len(tops) > 1):
        return
    wanted = next((s for s in splits if s.lower().startswith(("test", "val"))), splits[0])
    parts = tops[wanted].path.split("/")
    raise DataError(
        f"{source} holds the splits {', '.join(splits)}, not class folders.",
        f"Pass one of them: --data {'/'.join([source, *parts[: parts.index(wanted) + 1]])}",
    )


def _no_images(entries: Sequence[Entry], source: str) -> DataError:
    kinds = Counter(e.path.rpartition(".")[2].lower() for e in entries if "." in e.path.rpartition("/")[2])
    found = ", ".join(f"{n} .{kind}" for kind, n in kinds.most_common(5)) or f"{len(entries)} files"
    return DataError(
        f"{source} has no images (found: {found}).",
        f"Expected: class folders of images ({', '.join(e[1:] for e in EXTENSIONS)}).",
    )


def _left_out(count: int, why: str) -> tuple[str, ...]:
    return (f"{count} file{'s' if count > 1 else ''} left out: {why}",) if count else ()
