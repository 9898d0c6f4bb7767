"""What is compared, as a person names it: models with settings of their own, and reports, under distinct names."""

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from onnxspec.errors import UsageError
from onnxspec.report.destination import REPORT_ENDINGS
from onnxspec.report.report import Report

OWN_SETTINGS = ("preprocess", "classes", "input", "output", "restrict_outputs")
_ANOTHER = "Its report is named after it: use another name."
_NOT_ON_WINDOWS = '<>:"|?*'
_STRANGE = re.compile(r",\s*([A-Za-z][\w-]*)=(.*)")


@dataclass(frozen=True)
class Candidate:
    """A model or a report with its name.

    source : path of an ONNX file or of a report, a `Report`, or a callable from a batch to scores
    settings : the model's own, by name, out of `OWN_SETTINGS`
    origin : where its own preprocessing comes from
    """

    name: str
    source: Any
    settings: Mapping[str, Any] = field(default_factory=dict)
    origin: str = "argument"

    def __post_init__(self) -> None:
        if not isinstance(self.name, str):
            raise UsageError(f"A model is called {self.name!r}; names of models are texts.")
        if unknown := [name for name in self.settings if name not in OWN_SETTINGS]:
            raise UsageError(f"The model {self.name} has no setting {unknown[0]!r}.", f"Known: {_known()}.")
        if set(self.name) & set("/\\\0"):
            raise UsageError(f"The name {self.name} holds a slash.", _ANOTHER)
        if os.name == "nt" and (odd := sorted(set(self.name) & set(_NOT_ON_WINDOWS))):
            raise UsageError(f"The name {self.name} holds {odd[0]}, which no name of a file has here.", _ANOTHER)

    @property
    def is_report(self) -> bool:
        """Whether it was measured already."""
        return isinstance(self.source, Report) or (
            isinstance(self.source, str | os.PathLike) and Path(self.source).suffix.lower() in REPORT_ENDINGS
        )


def candidates(
    sources: Sequence[Any] | Mapping[str, Any], own: Mapping[str, Mapping[str, Any]] | None = None
) -> list[Candidate]:
    """Candidates of a list of sources, named after their files, or of a mapping from name to source.

    Parameters
    ----------
    own : name of a candidate to its own settings

    Raises
    ------
    UsageError
        Fewer than two candidates, two of one name, or settings of a candidate that is not there.
    """
    if isinstance(sources, str | os.PathLike):
        raise UsageError(f"One model, {os.fspath(sources)}, to compare; at least two are needed.", "Give a list.")
    if not isinstance(sources, Iterable):
        raise UsageError(
            f"The models to compare are of type {type(sources).__name__}.", "Give a list, or a dict by name."
        )
    if isinstance(sources, Mapping):
        found = [one if isinstance(one, Candidate) else Candidate(name, one) for name, one in sources.items()]
    else:
        found = [one if isinstance(one, Candidate) else Candidate("", one) for one in sources]
    found = _named(found)
    if len(found) < 2:
        counted = "1 model" if found else "No models"
        raise UsageError(f"{counted} to compare; at least two are needed.", "onnxspec compare a.onnx b.onnx")
    names = [one.name for one in found]
    if twice := [name for name in names if names.count(name) > 1]:
        raise UsageError(f"Two of the models are called {twice[0]}.", "Name them: --model NAME=PATH")
    own = own or {}
    if strange := [name for name in own if name not in names]:
        raise UsageError(f"There are settings for {strange[0]}, and no such model.", f"Compared: {', '.join(names)}.")
    return [replace(one, settings={**own.get(one.name, {}), **one.settings}) for one in found]


def from_flag(text: str) -> Candidate:
    """A candidate of `--model name=path,preprocess=...,classes=...`; a comma before no known key belongs to a value.

    Raises
    ------
    UsageError
        There is no name, no path, or a key that is not known behind the path.
    """
    parts = re.split(rf",(?=(?:{'|'.join(OWN_SETTINGS)})=)", text.replace("restrict-outputs=", "restrict_outputs="))
    name, _, path = parts[0].partition("=")
    if not (name and path):
        raise UsageError(f"--model {text!r} has no name and path.", f"Expected: NAME=PATH, then any of {_known()}.")
    own = dict(part.split("=", 1) for part in parts[1:])
    if (strange := _STRANGE.search(path)) and not os.path.exists(path):
        own[strange[1]] = strange[2]  # which the candidate refuses by its name
    return Candidate(name, path, own, "flag")


def from_tables(tables: Mapping[str, Mapping[str, Any]]) -> list[Candidate]:
    """Candidates of the tables [models.NAME] that have a path."""
    return [
        Candidate(name, table["path"], _without_path(table), "configuration")
        for name, table in tables.items()
        if "path" in table
    ]


def with_tables(found: Sequence[Candidate], tables: Mapping[str, Mapping[str, Any]]) -> list[Candidate]:
    """Candidates with what the tables of their names say, where they say nothing themselves."""
    return [
        replace(
            one,
            settings=_without_path(tables.get(one.name, {})) | dict(one.settings),
            origin=one.origin if "preprocess" in one.settings else "configuration",
        )
        for one in found
    ]


def chosen(found: Sequence[Candidate], name: str | None) -> Candidate:
    """The reference: the first, or the one of this name or path.

    Raises
    ------
    UsageError
        There is no such candidate.
    """
    if name is None:
        return found[0]
    for one in found:
        if name in (one.name, str(one.source)):
            return one
    raise UsageError(f"The reference {name} is not compared.", f"Compared: {', '.join(one.name for one in found)}.")


def require_measuring(found: Sequence[Candidate], asked: Sequence[str]) -> None:
    """Refuses what says how to measure where nothing is measured, since it would be ignored in silence.

    Parameters
    ----------
    asked : names of what was asked for

    Raises
    ------
    UsageError
        There is something, and all candidates are reports.
    """
    if asked and found and all(one.is_report for one in found):
        raise UsageError(
            f"All that is compared are reports, which {', '.join(asked)} cannot change.",
            "Leave that out, or give the models instead.",
        )


def _named(found: Iterable[Candidate]) -> list[Candidate]:
    """Names from files; where two files are called alike, their folders tell them apart."""
    given = list(found)
    short = [one.name or _stem(one.source) for one in given]
    return [
        replace(one, name=_with_folder(one.source) if not one.name and short.count(name) > 1 else name)
        for one, name in zip(given, short, strict=True)
    ]


def _stem(source: Any) -> str:
    if isinstance(source, Report):
        return source.path.stem
    if isinstance(source, str | os.PathLike):
        return Path(source).stem
    return str(getattr(source, "name", None) or getattr(source, "__name__", type(source).__name__)).strip("<>")


def _with_folder(source: Any) -> str:
    path = source.path if isinstance(source, Report) else source
    if not isinstance(path, str | os.PathLike):
        return _stem(source)
    # The whole path, since a file in the current folder names no other; symbolic links keep the names that were given.
    return f"{Path(os.path.abspath(path)).parent.name}-{_stem(source)}".removeprefix("-")


def _without_path(table: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in table.items() if key != "path"}


def _known() -> str:
    return ", ".join(OWN_SETTINGS)
