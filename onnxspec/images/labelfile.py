"""`--labels FILE`: lines that give the class of every file of a flat folder, such as ImageNet's validation set."""

import csv
import io
import unicodedata
from collections.abc import Sequence

from onnxspec.errors import DataError
from onnxspec.files import read_lines
from onnxspec.images.decode import EXTENSIONS
from onnxspec.images.names import storable

_FORM = "Write a line for every image: cat/1.jpg,cat"


def read_labels(path: str, names: Sequence[str]) -> dict[str, str]:
    """The label of every named image that the file has a line for.

    Parameters
    ----------
    path : lines of file,label (comma, tab or blanks between); a header is skipped; files by their path in the data,
        or by their last part where that is unique
    names : of the images there are

    Returns
    -------
    image name -> label, in the order of `names`

    Raises
    ------
    DataError
        A line that is not a file and a label, a file that is not among the images or that has two labels.
    """
    by_last_part: dict[str, str | None] = {}
    for name in names:
        last = name.rpartition("/")[2]
        by_last_part[last] = None if last in by_last_part else name
    known = set(names)
    labels: dict[str, str] = {}
    missing: list[str] = []
    for number, file, label in _lines(path):
        file, label = (unicodedata.normalize("NFC", text) for text in (file, label))
        file = storable(file)  # as the images' names are
        if file not in known:
            file = file.replace("\\", "/")  # as a program on Windows writes paths
        found = file if file in known else by_last_part.get(file.rpartition("/")[2])
        if found is None:
            missing.append(file)
        elif labels.setdefault(found, label) != label:
            raise DataError(
                f"{path} gives {file} two labels, {labels[found]} and {label} (line {number}).",
                "Leave one of the lines out.",
            )
    if missing:
        raise DataError(
            f"{path} names {len(missing)} files that are not among the {len(names)} images, the first {missing[0]!r}.",
            "Pass the folder that holds them as --data.",
        )
    return {name: labels[name] for name in names if name in labels}


def _lines(path: str) -> list[tuple[int, str, str]]:
    rows = []
    for number, line in enumerate(read_lines(path, "label file"), 1):
        if not line.strip() or line.startswith("#"):
            continue
        try:
            row = _fields(line)
        except csv.Error:  # a field of more than 128 kB
            row = []
        if len(row) < 2 or not row[0] or not row[1]:
            raise DataError(f"Line {number} of {path} is {line[:60]!r}; a file and its label were expected.", _FORM)
        rows.append((number, row[0], row[1]))
    if rows and not rows[0][1].lower().endswith(EXTENSIONS):
        # A header: it names columns, not a file.
        rows.pop(0)
    if not rows:
        raise DataError(f"The label file {path} has no lines of a file and its label.", _FORM)
    return rows


def _fields(line: str) -> list[str]:
    if "\t" in line:
        return [part.strip() for part in line.split("\t")]
    if "," in line:
        return [part.strip() for part in next(csv.reader(io.StringIO(line)), [])]
    # File names may have blanks, labels here do not.
    return line.strip().rsplit(None, 1)
