"""Which output of the model stands for which class of the data.

A wrong map makes a good model look like chance, so how it was found is kept in `origin`, and anything short of a
full match is an error with both numbers.
"""

import os
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from onnxspec.errors import DataError, OnnxspecError
from onnxspec.files import published_in, read_json_object, read_lines
from onnxspec.images.names import MAX_CLASSES, class_names

_BACKGROUND = (
    "With one output more than classes, output 0 is often a background class: "
    "write a --classes file whose first line is background."
)
_WRITE_FILE = (
    "Write a --classes file with a line for each output: the folder's name, then perhaps a tab and a name to show."
)
_UNNAMED = re.compile(r"LABEL_\d+")
"""What transformers calls the outputs of a model whose classes nobody has named."""


@dataclass(frozen=True, eq=False)
class ClassMap:
    """Data classes to model outputs.

    output_of : (data classes,) int64, the model output of each
    names : a name to show for each model output; its digits where nothing is known
    restricted : (k,) int64, the outputs that a restricted softmax is taken over; None for all
    origin : how the map was found
    """

    output_of: NDArray[np.int64]
    names: tuple[str, ...]
    restricted: NDArray[np.int64] | None
    origin: str


def map_classes(
    class_names: Sequence[str],
    outputs: int,
    classes_file: str | os.PathLike[str] | None = None,
    model_names: Sequence[str] | None = None,
    restrict: bool = False,
) -> ClassMap:
    """The model output of each class of the data.

    Parameters
    ----------
    class_names : of the data; empty for unlabelled images
    outputs : the width of the model's output; one column is read as two classes
    classes_file : line i is output i: a class name, or class name, tab, name to show; or a config.json with id2label
        (Hugging Face) or label_names (timm)
    model_names : a name per output from the model's metadata, or published beside it
    restrict : take only the outputs that the data cover

    Without a file, the model's names decide where the data's are among them; else digits are indices; else classes
    in their order are the outputs in theirs.

    Raises
    ------
    DataError
        The two do not fit, with both numbers and the names that have no output.
    UsageError
        The class file cannot be read.
    """
    width, outputs = _width(outputs), max(outputs, 2)
    shown: Sequence[str] | None = model_names if model_names and len(model_names) == outputs else None
    if classes_file is not None:
        lines = read_classes(classes_file)
        shown = [name for _, name in lines]
        output_of, origin = _by_file(class_names, lines, outputs, width, os.path.basename(classes_file))
    elif shown and (found := _matched(class_names, [(name,) for name in shown])) != [None] * len(class_names):
        output_of, origin = _all_matched(class_names, found, "the model's own class names"), "names in the model"
    elif class_names and all(name.isascii() and name.isdigit() for name in class_names):
        output_of, origin = _as_digits(class_names, outputs, width), "digits as indices"
    else:
        output_of, origin = _in_order(class_names, outputs, width, shown), "sorted order"
    if len(np.unique(output_of)) < len(output_of):
        raise DataError(f"Two classes of the data have the same output under {origin}.", _WRITE_FILE)
    names = list(shown) if shown else [str(i) for i in range(outputs)]
    if not shown:
        for name, output in zip(class_names, output_of, strict=True):
            names[output] = name
    return ClassMap(output_of, tuple(names), _restricted(output_of, outputs) if restrict else None, origin)


def read_classes(path: str | os.PathLike[str]) -> list[tuple[str, str]]:
    """(class name, name to show) for each output, from any of the files that `map_classes` takes."""
    pairs = _from_config(path) if os.fspath(path).endswith(".json") else _from_lines(path)
    source = os.fspath(path)
    keys = class_names((key for key, _ in pairs), source)
    return list(zip(keys, class_names((shown for _, shown in pairs), source), strict=True))


def beside(model: str | os.PathLike[str]) -> tuple[str, ...] | None:
    """Names of the outputs from a config.json beside the model, see `published_in`; None where it has none.

    A config.json is there for much else: what is no list of names was not meant as one.
    """
    for path in (folder / "config.json" for folder in published_in(model)):
        try:
            names = tuple(key for key, _ in read_classes(path)) if path.is_file() else ()
        except OnnxspecError:
            continue
        if not all(map(_UNNAMED.fullmatch, names)):
            return names
    return None


def _from_lines(path: str | os.PathLike[str]) -> list[tuple[str, str]]:
    lines = read_lines(path, "class file")
    while lines and not lines[-1].strip():
        lines.pop()
    if len(lines) > MAX_CLASSES:
        raise DataError(
            f"{os.fspath(path)} has {len(lines):,} lines; at most {MAX_CLASSES:,} were expected.", _WRITE_FILE
        )
    pairs = [line.partition("\t") for line in lines]
    return [(key.strip(), shown.strip() or key.strip()) for key, _, shown in pairs]


def _from_config(path: str | os.PathLike[str]) -> list[tuple[str, str]]:
    config = read_json_object(path, "class file")
    table = config.get("pretrained_cfg")
    nested: dict[str, Any] = table if isinstance(table, dict) else {}
    if isinstance(by_index := config.get("id2label"), dict):
        try:
            ordered = [str(by_index[str(i)]) for i in range(len(by_index))]
        except KeyError as error:
            raise DataError(
                f"id2label of {path} has {len(by_index)} entries and none for output {error}.",
                "Number the outputs from 0, without gaps.",
            ) from None
        return [(name, name) for name in ordered]
    if isinstance(listed := config.get("label_names", nested.get("label_names")), list):
        shown = config.get("label_descriptions", nested.get("label_descriptions"))
        descriptions = shown if isinstance(shown, dict) else {}
        return [(str(name), str(descriptions.get(str(name), name))) for name in listed]
    raise DataError(f"{path} has neither id2label nor label_names.", _WRITE_FILE)


def _by_file(
    class_names: Sequence[str], lines: Sequence[tuple[str, str]], outputs: int, width: str, file: str
) -> tuple[NDArray[np.int64], str]:
    if len(lines) != outputs:
        hint = _BACKGROUND if outputs == len(lines) + 1 else "Line i of the file names output i."
        raise DataError(f"{file} names {len(lines)} outputs and the model has {width}.", hint)
    return _all_matched(class_names, _matched(class_names, lines), file), f"class file {file}"


def _matched(class_names: Sequence[str], names: Iterable[tuple[str, ...]]) -> list[int | None]:
    """The output that each class is a name of: as it is spelled, else whatever its case, underscores and synonyms."""
    exact: dict[str, int | None] = {}
    loose: dict[str, int | None] = {}
    for output, spellings in enumerate(names):
        for table, keys in (
            (exact, set(spellings)),
            (loose, {_loose(word) for spelling in spellings for word in (spelling, *spelling.split(","))}),
        ):
            for key in keys:
                # A name of two outputs (ImageNet has two cranes) stands for neither.
                table[key] = None if key in table else output
    return [exact[name] if name in exact else loose.get(_loose(name)) for name in class_names]


def _all_matched(class_names: Sequence[str], found: Sequence[int | None], where: str) -> NDArray[np.int64]:
    unmatched = [name for name, output in zip(class_names, found, strict=True) if output is None]
    if unmatched:
        listed = ", ".join(unmatched[:5]) + (", ..." if len(unmatched) > 5 else "")
        raise DataError(
            f"{len(unmatched)} of {len(class_names)} classes of the data are not in {where}, or twice: {listed}.",
            _WRITE_FILE,
        )
    return np.array(found, np.int64)


def _as_digits(class_names: Sequence[str], outputs: int, width: str) -> NDArray[np.int64]:
    indices = [int(name[:20]) for name in class_names]
    if max(indices) >= outputs:
        raise DataError(
            f"Classes with numbers for names are output indices; {max(indices)} is none of a model with "
            f"{width} (0 to {outputs - 1}).",
            _BACKGROUND if outputs == len(indices) + 1 else _WRITE_FILE,
        )
    return np.array(indices, np.int64)


def _in_order(class_names: Sequence[str], outputs: int, width: str, shown: Sequence[str] | None) -> NDArray[np.int64]:
    if class_names and len(class_names) != outputs:
        hint = _BACKGROUND if outputs == len(class_names) + 1 else _WRITE_FILE
        if shown:
            hint = f"None is among the names in the model ({', '.join(shown[:3])}, ...). {_WRITE_FILE}"
        raise DataError(f"The data have {_classes(len(class_names))} and the model has {width}.", hint)
    return np.arange(len(class_names))


def _width(outputs: int) -> str:
    """What the model has, in words."""
    return "1 output, read as a binary classifier's" if outputs == 1 else f"{outputs} outputs"


def _classes(count: int) -> str:
    return "1 class" if count == 1 else f"{count} classes"


def _restricted(output_of: NDArray[np.int64], outputs: int) -> NDArray[np.int64]:
    if len(output_of) < 2:
        raise DataError(
            f"The data cover {len(output_of)} of {outputs} outputs; a restricted softmax needs two.",
            "Leave out --restrict-outputs.",
        )
    return np.sort(output_of)


def _loose(name: str) -> str:
    # A folder cannot be called T-shirt/top, so a slash is one of the marks that may differ.
    return " ".join(re.sub(r"[-_/]", " ", unicodedata.normalize("NFC", name).casefold()).split())
