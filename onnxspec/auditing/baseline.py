"""A baseline: the small JSON file that is committed beside a model, so that later runs pair with it.

format, version    what it is
digest             SHA-256 of everything else: a baseline that was edited or cut is refused
model, data        names and digests; data.pairs: digest of which pairs of images there are, in whatever order
settings           what decides the rows, which a later run must share; cutoff (f_c) among it as a number
classes, floor     display names; noise power per signal
paths              name to the base64 of a little-endian column, see `samples`
"""

import base64
import hashlib
import json
import math
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np

from onnxspec.auditing.content import MOST_BYTES, checked, dtype, parsed
from onnxspec.auditing.samples import Sample, identical
from onnxspec.errors import ReportError
from onnxspec.report.report import Report
from onnxspec.results import Remark
from onnxspec.saving import save_text
from onnxspec.settings import AUTO, Settings

FORMAT, VERSION = "onnxspec baseline", 1
_ROUNDING = 1e-6  # of the cut-off, which machines may add up in different order
_SAME_DATA = ("digest", "content_digest", "labelling", "pairs")
_ALLOW = "Make a new one with --write-baseline, or compare all the same with --allow-mismatch."


@dataclass(frozen=True)
class Baseline:
    """What an earlier run left.

    model : name, digest, preprocess (its values by name); data : name, digest, content_digest, labelling, pairs; settings : plan and measurement by
    name, with the cut-off that was used; path : of the file that was read
    """

    model: dict[str, Any]
    data: dict[str, str]
    settings: dict[str, Any]
    sample: Sample
    path: Path | None = None

    @classmethod
    def of(cls, report: Report) -> "Baseline":
        """The baseline that a report makes.

        Raises
        ------
        ReportError
            It is of a run to a precision, which no later run is sure to pair with.
        """
        a, sample = report.attributes, Sample.of(report)
        if report.ended:
            raise ReportError(
                f"{report.path} has as many pairs as its precision took; a baseline has a fixed number of them.",
                "Analyse again with --pairs, and without --precision.",
            )
        return cls(
            {"name": a["model"], "digest": a["model_digest"], "preprocess": _values(a["preprocess"])},
            {
                "name": Path(a["data"]).name,
                "digest": a["data_digest"],
                "content_digest": a["content_digest"],
                "labelling": a["labelling"],
                "pairs": _pairs_digest(sample),
            },
            json.loads(a["settings"]) | {"cutoff": a["cutoff"]},
            sample,
        )

    @classmethod
    def read(cls, path: str | os.PathLike[str]) -> "Baseline":
        """The baseline in a file.

        Raises
        ------
        ReportError
            There is none, or it was changed, is not whole, or another version wrote it.
        """
        content = _content(Path(path))
        sample = checked(content, Path(path))
        data = content["data"] | {"pairs": _pairs_digest(sample)}  # of a baseline of old it went by their order
        return cls(content["model"], data, content["settings"], sample, Path(path))

    def write(self, path: str | os.PathLike[str]) -> None:
        """Writes the file, whole or not at all.

        Raises
        ------
        ReportError
            It would be too large to be read again.
        """
        from onnxspec import __version__

        sample = self.sample
        dtypes = {name: dtype(name) for name in sample.columns}
        content = {
            "format": FORMAT,
            "version": VERSION,
            "tool_version": __version__,
            "model": self.model,
            "data": self.data,
            "settings": self.settings,
            "classes": list(sample.class_names),
            "floor": dict(sample.floor),
            "paths": {name: _packed(sample[name].astype(dtype)) for name, dtype in dtypes.items()},
        }
        text = json.dumps(content | {"digest": _digest(content)}, indent=1) + "\n"
        if len(text) > MOST_BYTES:
            raise ReportError(f"The baseline would have {len(text):,} bytes, more than are read.", "Use fewer --pairs.")
        save_text(path, text)

    def restored(self) -> Settings:
        """Settings that measure what the baseline measured, its cut-off included, for a run that has none itself."""
        return Settings.of(**self.settings)

    def completed(self, settings: Settings) -> Settings:
        """The settings of a run, with the baseline's pairs, points and cut-off, alone, where these are left open."""
        left = {name: value for name, value in self.settings.items() if settings.flat().get(name) == AUTO}
        taken: dict[str, Any] = {name: left[name] for name in ("pairs", "points") if name in left}
        if settings.measurement.cutoff is None:
            taken["cutoff"] = self.settings["cutoff"]
        return settings.updated(**taken)

    def require_settings(self, settings: Mapping[str, Any]) -> None:
        """Refuses a run whose plan or measurement, by name, is not the baseline's.

        Raises
        ------
        ReportError
            They differ; the message names what does.
        """
        if other := self._other_settings(settings, "(baseline {})"):
            raise ReportError(f"The run has other settings than the baseline: {', '.join(other)}.", _ALLOW)

    def _other_settings(self, settings: Mapping[str, Any], mine: str) -> list[str]:
        """Those that are not this baseline's, with both values; the cut-off, which is found anew, is none of them."""
        return [
            f"{name} {_said(_plain(settings[name]))} {mine.format(_said(_plain(value)))}"
            for name, value in self.settings.items()
            if name in settings and name != "cutoff" and _plain(settings[name]) != _plain(value)
        ]

    def require_data(self, data: Mapping[str, str]) -> None:
        """Refuses a run on other images, or on other pairs of them.

        data : as this class has it; before paths are walked without content_digest and pairs, which are not known yet

        Raises
        ------
        ReportError
            They differ; the message names what does.
        """
        if different := [name for name in _SAME_DATA if name in data and data[name] != self.data[name]]:
            names = ", ".join(name.replace("_", " ") for name in different)
            text = f"The run is on other data ({data['name']}) than the baseline ({self.data['name']})"
            raise ReportError(f"{text}: other {names}.", _ALLOW)

    def require_comparable(self, theirs: Mapping[str, Any]) -> None:
        """Refuses settings, by name, of which no comparison could make sense: another cut-off or estimator.

        Raises
        ------
        ReportError
            They differ.
        """
        mine = self.settings
        alike = {
            "cutoff": math.isclose(mine["cutoff"], theirs["cutoff"], rel_tol=_ROUNDING),
            "estimator": mine["estimator"] == theirs["estimator"],
        }
        for name in (name for name, same in alike.items() if not same):
            raise ReportError(
                f"The run has {name} {theirs[name]}, the baseline {mine[name]}: their hff cannot be compared.",
                f"Measure with the baseline's: --{name} {mine[name]}",
            )

    def remarks(self, other: "Baseline") -> Iterator[Remark]:
        """What may differ, and is to be known when figures do: the preprocessing."""
        mine, theirs = self.model["preprocess"], other.model["preprocess"]
        changed = sorted(name for name in mine.keys() | theirs.keys() if mine.get(name) != theirs.get(name))
        if changed:
            pairs = (f"{name} {_said(theirs.get(name))} (baseline {_said(mine.get(name))})" for name in changed)
            text = f"The preprocessing is not the baseline's: {', '.join(pairs)}."
            yield Remark("preprocess-changed", text, "Give the same with --preprocess, unless the model asks for it.")

    def same_network(self, other: "Baseline") -> bool:
        """Whether both are of one network: of one file, or with the same outputs on all pairs that both have."""
        digests = self.model["digest"], other.model["digest"]
        return (bool(digests[0]) and digests[0] == digests[1]) or identical(self.sample, other.sample)

    def same_data(self, other: "Baseline") -> bool:
        """Whether image numbers mean the same images in both."""
        return all(self.data[name] == other.data[name] for name in ("digest", "labelling"))


def baseline_files(path: str | os.PathLike[str]) -> list[Path]:
    """The baseline at a path, or all those in a folder.

    Raises
    ------
    ReportError
        There are none in the folder.
    """
    path = Path(path)
    if not path.is_dir():
        return [path]
    if found := sorted(file for file in path.iterdir() if file.suffix.lower() == ".json"):
        return found
    raise ReportError(
        f"The folder {path} holds no baselines (.json).",
        f"Write some, of trainings of one recipe: onnxspec audit MODEL --write-baseline {path / 'first.json'}",
    )


def read_baselines(path: str | os.PathLike[str]) -> list[Baseline]:
    """The baseline at a path, or all those in a folder; raises as `baseline_files` and `Baseline.read`."""
    if not Path(path).is_dir():
        return [Baseline.read(path)]
    files = baseline_files(path)
    try:
        return [Baseline.read(file) for file in files]
    except ReportError as error:
        raise ReportError(
            error.message, f"Mend it or take it out of the folder {path}, all of whose .json are read."
        ) from None


def require_alike(baselines: Sequence[Baseline]) -> None:
    """Refuses baselines whose paths are not the same, or two of which are of the same network.

    Raises
    ------
    ReportError
        The message names both, and what differs.
    """
    for one, other in combinations(baselines, 2):
        names = " and ".join(str(baseline.path or baseline.model["name"]) for baseline in (one, other))
        # Other settings make other pairs, so these say it all where there are any.
        different = other._other_settings(one.settings, "and {}") or [
            f"other {name.replace('_', ' ')}" for name in _SAME_DATA if one.data[name] != other.data[name]
        ]
        cutoffs = one.settings["cutoff"], other.settings["cutoff"]
        if not math.isclose(*cutoffs, rel_tol=_ROUNDING):
            different.append(f"cutoff {cutoffs[0]:g} and {cutoffs[1]:g}")
        if different:
            hint = "Make all with the same data and settings; --points is chosen anew where it is not given."
            if one.data["labelling"] != "true":
                hint += " Without labels pairs go by what each network predicts: several need labelled images."
            raise ReportError(f"The baselines {names} were measured differently: {', '.join(different)}.", hint)
        if one.same_network(other):
            raise ReportError(
                f"The baselines {names} are of the same network, which says nothing of what trainings differ by.",
                "Take one of them out.",
            )


def _pairs_digest(sample: Sample) -> str:
    """SHA-256 over which pairs there are, in whatever order they were walked."""
    return hashlib.sha256(np.sort(sample.codes).astype("<i8").tobytes()).hexdigest()


def _content(path: Path) -> dict[str, Any]:
    content = parsed(path)
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise ReportError(f"{path} is not a baseline.", "Make one: onnxspec audit MODEL --write-baseline FILE")
    if content.get("version") != VERSION:
        raise ReportError(
            f"The baseline {path} has version {content.get('version')}; this onnxspec reads version {VERSION}.",
            "Make a new one: --write-baseline",
        )
    if not isinstance(stored := content.pop("digest", None), str) or stored != _digest(content):
        raise ReportError(
            f"The baseline {path} was changed since it was written.", "Take it from version control, or make a new one."
        )
    return content


def _packed(values: np.ndarray) -> str:
    return base64.b64encode(values.tobytes()).decode("ascii")


def _digest(content: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _values(preprocess: str) -> dict[str, Any]:
    """The values in a report's account of the preprocessing, without where each came from."""
    return {name: field["value"] for name, field in json.loads(preprocess).items()}


def _plain(value: Any) -> Any:
    return ",".join(value) if isinstance(value, list | tuple) else value


def _said(value: Any) -> Any:
    return "none" if value is None else value
