"""What a run is asked to do: frozen dataclasses that `configuration` fills.

`Inputs` says what is read, `Plan` which pairs, `Measurement` what is computed on each path, `Execution` where it
runs and `Presentation` what becomes of the result. `Plan`, `Measurement` and the preprocessing decide the figures;
`Execution` decides no more than their rounding. Field names are unique over the groups, so that one flat TOML table
(`[tool.onnxspec]` in pyproject.toml, or onnxspec.toml) and one set of flags name them all.
"""

import math
import os
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any

from onnxspec.errors import UsageError
from onnxspec.values import choices, integer, nearest, number, require_between, size, unfit

KINDS = ("within", "between")
SIGNALS = ("prob", "logit", "label", "distance")
ESTIMATORS = ("sine", "cosine", "hann", "rfft", "mool")
PATH_GRAPH = ("auto", "on", "off")
LINEAR = "linear"
FAMILIES = (LINEAR, "ellipse", "amplitude", "phase", "random", "augment", "fourier")

# Number of pairs or points that the run itself settles, before its first path.
AUTO = 0
PAIRS, PAIRS_TO_PRECISION = 400, 20_000
USUAL_POINTS = 65
"""What AUTO comes to on most images (measured: Fashion-MNIST and CIFAR-10)."""
FEWEST_PAIRS, FEWEST_POINTS, FEWEST_LABEL_POINTS = 2, 9, 129

# What a run can hold in memory: it keeps a row for every pair, and the outputs at every point of a path at once.
MAX_PAIRS = 1_000_000
MAX_POINTS = 2**14 + 1
MAX_BATCH = 2**14
MAX_THREADS = 1024
MAX_COUNT = 2**31
MAX_BYTES = 2**60
MAX_SECONDS = 10**7
"""Four months; a system's timer ends at some 9e9, and the model is tried for many times as long."""
CUTOFFS = (1e-100, 1e100)
"""Cycles per unit RMS distance: what numbers beside it can be multiplied with."""


@dataclass(frozen=True)
class Inputs:
    """What is read: `data` (path) with its labels and classes, and which tensors of the model are used."""

    data: str | None = None
    labels: str | None = None
    classes: str | None = None
    images_key: str | None = None
    labels_key: str | None = None
    skip_bad: int = 0
    restrict_outputs: bool = False
    preprocess: str | Mapping[str, Any] | None = None
    preprocess_origin: str = "argument"
    input: str | None = None
    output: str | None = None

    def __post_init__(self) -> None:
        _check_types(self)
        require_between("skip_bad", self.skip_bad, 0, MAX_COUNT)


@dataclass(frozen=True)
class Plan:
    """Which pairs of images are joined by paths: `pairs` of each kind, in the order that `seed` fixes.

    With `precision`, a relative half-width of the headline hff such as 0.05, as many of each kind as that takes, and
    `pairs` at most. `pairs` AUTO is 400, or with a precision 20,000.
    """

    pairs: int = AUTO
    seed: int = 0
    kinds: tuple[str, ...] = KINDS
    precision: float | None = None

    def __post_init__(self) -> None:
        _check_types(self)
        if self.pairs != AUTO:
            require_between("pairs", self.pairs, FEWEST_PAIRS, MAX_PAIRS)
        require_between("seed", self.seed, 0, 2**63 - 1)
        if self.precision is not None and not 0 < self.precision < 1:
            raise UsageError(
                f"--precision is {self.precision:g}; it must be between 0 and 1.",
                "0.05 asks for an interval that reaches 5 % of the figure to both sides.",
            )
        object.__setattr__(self, "kinds", choices("kinds", self.kinds, KINDS))

    @property
    def most(self) -> int:
        """How many pairs of each kind at most."""
        if self.pairs != AUTO:
            return self.pairs
        return PAIRS if self.precision is None else PAIRS_TO_PRECISION


@dataclass(frozen=True)
class Measurement:
    """What is computed on each path.

    Straight paths are always walked, `paths` names families to be walked beside them. `points` is 2^m + 1 >= 9, or
    AUTO for as many as the lengths of the paths and the pilot ask for (method.md section 7); `cutoff` is in cycles per
    unit RMS distance (None: 4 / d_ref, method.md section 4).
    """

    paths: tuple[str, ...] = (LINEAR,)
    points: int = AUTO
    signals: tuple[str, ...] = ("prob", "logit")
    estimator: str = "sine"
    cutoff: float | None = None

    def __post_init__(self) -> None:
        _check_types(self)
        named = choices("paths", self.paths, FAMILIES)
        object.__setattr__(self, "paths", choices("paths", (LINEAR, *named), FAMILIES))
        object.__setattr__(self, "signals", choices("signals", self.signals, SIGNALS))
        choices("estimator", (self.estimator,), ESTIMATORS)
        if self.points != AUTO:
            _check_points(self.points)
        if "label" in self.signals and AUTO < self.points < FEWEST_LABEL_POINTS:
            raise UsageError(
                f"The signal label needs at least {FEWEST_LABEL_POINTS} points, and {self.points} were asked for.",
                f"Add --points {FEWEST_LABEL_POINTS}, or leave label out of --signals.",
            )
        if self.cutoff is not None and not CUTOFFS[0] <= self.cutoff <= CUTOFFS[1]:
            raise UsageError(
                f"--cutoff is {self.cutoff}; it must be a number above 0 (cycles per unit RMS distance)"
                f"{f', at least {CUTOFFS[0]:g} and at most {CUTOFFS[1]:g}' * (0 < self.cutoff < math.inf)}."
            )


_CLUSTER = re.compile(r"local:[1-9]\d{0,3}|[a-z]+://\S+")


@dataclass(frozen=True)
class Execution:
    """Where and how fast: decides nothing but rounding.

    `path_graph` forms paths inside the model's graph (auto: on anything but a CPU), else on the host, which changes
    rounding at the most; `batch` in images; `threads` workers that share one single-threaded session (None:
    measured); `max_memory` is in bytes, or a text like "4GB" (None: what
    the machine offers); `timeout` in seconds, for one batch (0: for ever); `resume` None goes on with what an
    interrupted run of the same kind has kept, True refuses what another run has kept, and False starts anew; `cache`
    is a folder in which runs find what others have evaluated; `cluster` is the address of a Dask scheduler, or
    local:N for N workers on this machine.
    """

    device: str = "auto"
    path_graph: str = "auto"
    batch: int | None = None
    threads: int | None = None
    tf32: bool = False
    max_memory: int | None = None
    timeout: float = 600.0
    resume: bool | None = None
    cache: str | None = None
    cluster: str | None = None

    def __post_init__(self) -> None:
        _check_types(self)
        choices("path-graph", (self.path_graph,), PATH_GRAPH)
        if self.cluster is not None and not _CLUSTER.fullmatch(self.cluster):
            raise UsageError(
                f"--cluster is {self.cluster!r}.",
                "Known: local:N for N workers here, tcp://HOST:PORT, tls://HOST:PORT.",
            )
        if not 0 <= self.timeout <= MAX_SECONDS:
            raise UsageError(
                f"--timeout is {self.timeout}; it must be a number of seconds up to {MAX_SECONDS:,}, 0 for no limit."
            )
        for name, most in (("batch", MAX_BATCH), ("threads", MAX_THREADS), ("max_memory", MAX_BYTES)):
            if getattr(self, name) is not None:
                require_between(name, getattr(self, name), 1, most)


@dataclass(frozen=True)
class Presentation:
    """What becomes of the result: `thumbnails` False leaves pixels out of the report, for confidential images."""

    thumbnails: bool = True

    def __post_init__(self) -> None:
        _check_types(self)


@dataclass(frozen=True)
class Settings:
    """All settings of a run. `Settings.of(pairs=200, device="cpu")` takes any field of any group by its name."""

    inputs: Inputs = field(default_factory=Inputs)
    plan: Plan = field(default_factory=Plan)
    measurement: Measurement = field(default_factory=Measurement)
    execution: Execution = field(default_factory=Execution)
    presentation: Presentation = field(default_factory=Presentation)

    @classmethod
    def of(cls, **values: Any) -> "Settings":
        """Settings with the named fields set.

        Raises
        ------
        UsageError
            A name that is no setting (the nearest are listed), or a value out of range.
        """
        return cls().updated(**values)

    @classmethod
    def given(cls, settings: "Given", **overrides: Any) -> "Settings":
        """What a caller has given: settings, a table of them by name, or None for the defaults; `overrides` come last.

        Raises
        ------
        UsageError
            It is neither, or as `of`.
        """
        if isinstance(settings, Mapping):
            if odd := [name for name in settings if not isinstance(name, str)]:
                raise UsageError(f"A setting is called {odd[0]!r}; names of settings are texts.")
            settings = cls.of(**settings)
        if not isinstance(settings, cls | None):
            raise unfit("settings", settings, "Settings or a table of them by name")
        return (settings or cls()).updated(**overrides)

    def updated(self, **values: Any) -> "Settings":
        """A copy with the named fields changed; raises as `of` does."""
        groups: dict[str, dict[str, Any]] = {}
        for name, value in values.items():
            if name not in GROUP_OF:
                raise UsageError(f"There is no setting {name!r}.", nearest(name, GROUP_OF))
            groups.setdefault(GROUP_OF[name], {})[name] = _coerced(name, value)
        changed = {group: replace(getattr(self, group), **named) for group, named in groups.items()}
        return replace(self, **changed)

    @property
    def planned_images(self) -> int:
        """About how many images the paths take at most, before the pilot has settled their points."""
        points = self.measurement.points if self.measurement.points != AUTO else USUAL_POINTS
        return self.plan.most * len(self.plan.kinds) * len(self.measurement.paths) * points

    def flat(self) -> dict[str, Any]:
        """Every field of every group by its name, JSON-ready."""
        return {name: value for group in asdict(self).values() for name, value in group.items()}


Given = Settings | Mapping[str, Any] | None
"""What a caller may pass for settings, see `Settings.given`."""
GROUP_OF = {f.name: group.name for group in fields(Settings) for f in fields(group.default_factory)}  # type: ignore[arg-type]
_OPTIONAL = {f.name for group in fields(Settings) for f in fields(group.default_factory) if f.default is None}  # type: ignore[arg-type]
_TUPLES = {"kinds", "paths", "signals"}
_NUMBERS = {"seed", "skip_bad", "batch", "threads"}
_SETTLED = {"pairs": FEWEST_PAIRS, "points": FEWEST_POINTS}
_SWITCHES = {"tf32", "restrict_outputs", "thumbnails", "resume"}
_TABLES = {"preprocess"}
_TEXTS = {"estimator", "device", "path_graph", "preprocess_origin"}
_OPTIONAL_TEXTS = {"data", "labels", "classes", "images_key", "labels_key", "input", "output", "cache", "cluster"}
_SPOKEN = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}


def _coerced(name: str, value: Any) -> Any:
    if value is None and name in _OPTIONAL:
        return None
    if name in _TUPLES and isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    if name in _TUPLES and isinstance(value, list | tuple):
        return tuple(value)
    if name in _SETTLED:
        if isinstance(value, str) and value.strip().lower() == "auto":
            return AUTO
        return _asked_for(name, integer(name, value, "a whole number or auto"))
    if name in _NUMBERS:
        return integer(name, value)
    if name in ("cutoff", "timeout", "precision"):
        return number(name, value)
    if name == "max_memory":
        return size(name, value)
    if name in _SWITCHES and isinstance(value, str):
        return _SPOKEN.get(value.strip().lower(), value)
    return value


def _asked_for(name: str, value: int) -> int:
    """The number, where it is not AUTO in disguise: that is this module's own word, and whoever writes 0 means none."""
    if value == AUTO:
        raise UsageError(
            f"--{name} is 0; it must be at least {_SETTLED[name]}.", "Leave it out, and the run takes as many as usual."
        )
    return value


def _check_types(group: Any) -> None:
    """Settings come from files and programs of all kinds: a text, a switch or a list must be one."""
    for name, value in ((f.name, getattr(group, f.name)) for f in fields(group)):
        if name in _SWITCHES and not isinstance(value, bool) and not (name == "resume" and value is None):
            raise unfit(name, value, "true or false")
        if name in _TUPLES and not (isinstance(value, tuple) and all(isinstance(one, str) for one in value)):
            raise unfit(name, value, "a list of words")
        if name in _TABLES and not (value is None or isinstance(value, str | Mapping) or hasattr(value, "origin")):
            raise unfit(name, value, "a text or a table")
        if name in _TEXTS and not isinstance(value, str):
            raise unfit(name, value, "a text")
        if name in _OPTIONAL_TEXTS and not isinstance(value, str | os.PathLike | None):
            raise unfit(name, value, "a text")
        if name in _OPTIONAL_TEXTS and value == "":
            raise unfit(name, value, "a name")


def _check_points(points: int) -> None:
    require_between("points", points, -MAX_COUNT, MAX_POINTS)
    if points >= FEWEST_POINTS and (points - 1).bit_count() == 1:
        return
    lower = 2 ** max(3, (max(points, FEWEST_POINTS) - 1).bit_length() - 1) + 1
    upper = 2 * lower - 1
    raise UsageError(
        f"--points is {points}; it must be 2^m + 1 and at least {FEWEST_POINTS}.",
        f"The nearest are {lower} and {upper}.",
    )
