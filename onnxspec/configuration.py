"""Where settings come from: TOML files, the environment and flags, the last to speak wins."""

import difflib
import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from onnxspec.errors import UsageError
from onnxspec.files import read_text
from onnxspec.settings import GROUP_OF, Settings

PROJECT_FILES = ("onnxspec.toml", "pyproject.toml")
RESERVED_TABLES = ("audit", "models")
ENVIRONMENT_PREFIX = "ONNXSPEC_"
MAX_CONFIGURATION_BYTES = 2**20
MAX_DOTS = 500
_PATHS = ("data", "labels", "classes", "cache")
_MISSPELT = 0.8


def load(config: str | os.PathLike[str] | None = None, base: Settings | None = None, **flags: Any) -> Settings:
    """Settings from defaults, then the project file, then the environment (ONNXSPEC_PAIRS=...), then flags.

    Parameters
    ----------
    config : path of a TOML file; None takes those of this folder, as `project_table` does
    base : what takes the place of the defaults
    flags : settings by name; None means "not given"

    Raises
    ------
    UsageError
        The file is missing or not TOML, or names a setting that does not exist; or a variable nearly names one.
    """
    environment = {name: os.environ.get(ENVIRONMENT_PREFIX + name.upper()) for name in GROUP_OF}
    _refuse_misspelt(os.environ)
    merged: dict[str, Any] = {}
    for origin, values in (
        ("configuration", _without_reserved(project_table(config))),
        ("environment", environment),
        ("flag", flags),
    ):
        given = {name: value for name, value in values.items() if value is not None}
        if origin != "flag":
            _refuse(given, "the environment" if origin == "environment" else config or "the configuration")
        if "preprocess" in given:
            given["preprocess_origin"] = origin
        merged |= given
    return (base or Settings()).updated(**merged)


def _refuse(given: Mapping[str, Any], where: str | os.PathLike[str]) -> None:
    """Refuses values that no settings could have, and says where they are: errors of a setting are in words of flags."""
    for name, value in given.items():
        try:
            Settings.of(**{name: value})
        except UsageError as error:
            raise UsageError(f"In {where}: {error.message}", error.hint) from None


def _refuse_misspelt(environment: Mapping[str, str]) -> None:
    """Refuses ONNXSPEC_PAIR. What is like no setting is left alone: scripts may have variables of their own."""
    for variable in environment:
        name = variable.removeprefix(ENVIRONMENT_PREFIX).lower()
        if not variable.startswith(ENVIRONMENT_PREFIX) or name in GROUP_OF:
            continue
        if close := difflib.get_close_matches(name, GROUP_OF, n=1, cutoff=_MISSPELT):
            raise UsageError(
                f"The environment variable {variable} is no setting.",
                f"Did you mean {ENVIRONMENT_PREFIX}{close[0].upper()}?",
            )


def project_table(config: str | os.PathLike[str] | None = None) -> dict[str, Any]:
    """The raw onnxspec table of a file, or where `config` is None of `PROJECT_FILES` in this folder, of which the first wins,
    key by key.

    Raises
    ------
    UsageError
        A file cannot be read, is not TOML, or holds something else where a table was expected.
    """
    if config is not None:
        return _table(Path(config))
    merged: dict[str, Any] = {}
    for name in reversed(PROJECT_FILES):
        if Path(name).is_file():
            merged |= _table(Path(name))
    return merged


def _table(path: Path) -> dict[str, Any]:
    text = read_text(path, "configuration", MAX_CONFIGURATION_BYTES)
    _refuse_long_keys(text, path)
    try:
        content = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"The configuration {path} is not TOML: {error}.") from None
    table = content
    for name in ("tool", "onnxspec") if path.name == "pyproject.toml" else ():
        table = table.get(name, {})
        if not isinstance(table, dict):
            raise UsageError(f"{name} in {path} is not a table.", "Write [tool.onnxspec].")
    return _beside(table, path.parent) | _models_beside(table, path.parent)


def _refuse_long_keys(text: str, path: Path) -> None:
    """tomllib takes minutes for a key of ten thousand dotted parts, and no honest line has so many dots."""
    for at, line in enumerate(text.splitlines(), 1):
        if (dots := line.count(".")) > MAX_DOTS:
            raise UsageError(f"Line {at} of the configuration {path} has {dots:,} dots; it is not read.")


def _models_beside(table: dict[str, Any], folder: Path) -> dict[str, Any]:
    """The tables [models.NAME], settings of single models, with their paths relative to the configuration too."""
    models = table.get("models", {})
    if not isinstance(models, dict) or not all(isinstance(own, dict) for own in models.values()):
        raise UsageError("[models] of the configuration must hold a table for every model.", "Write [models.NAME].")
    return {"models": {name: _beside(own, folder) for name, own in models.items()}} if models else {}


def _beside(table: dict[str, Any], folder: Path) -> dict[str, Any]:
    paths = {name: _from(folder, table[name]) for name in (*_PATHS, "path") if _is_path(name, table.get(name))}
    if isinstance(spoken := table.get("preprocess"), str) and os.path.isfile(place := _from(folder, spoken)):
        paths["preprocess"] = place
    return table | paths


def _from(folder: Path, path: str) -> str:
    return str(folder / os.path.expanduser(path))  # no shell has seen it


def _is_path(name: str, value: Any) -> bool:
    """Whether a setting names a file, which then lies relative to the configuration and not to the caller."""
    return isinstance(value, str) and (name, value) != ("labels", "predicted")


def _without_reserved(table: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in table.items() if name not in RESERVED_TABLES}
