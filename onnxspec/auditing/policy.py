"""A policy: the TOML tables [audit.limits] and [audit.regressions] become rules."""

import math
import sys
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, dataclass, fields
from typing import Any

import numpy as np

from onnxspec.auditing.names import ACCURACY, SPECTRAL, Metric, nearest, parse, spectral
from onnxspec.errors import UsageError

SEVERITIES = ("fail", "warn")
USUAL_FACTOR = 1.10


@dataclass(frozen=True)
class Limit:
    """A figure must lie in [min, max], in its own unit; `strict` looks at the point instead of the interval."""

    metric: Metric
    min: float = -math.inf
    max: float = math.inf
    severity: str = "fail"
    strict: bool = False

    def __post_init__(self) -> None:
        if math.isinf(self.min) and math.isinf(self.max):
            raise UsageError(f"The limit on {self.metric} has neither min nor max.", "Give one: { max = 0.08 }.")
        if self.min > self.max:
            raise UsageError(f"The limit on {self.metric} has min {self.min:g} above max {self.max:g}.")
        for name, bound in (("min", self.min), ("max", self.max)):
            if self.metric.is_share and math.isfinite(bound) and not 0 <= bound <= 1:
                raise UsageError(
                    f"The limit on {self.metric} has {name} {bound:g}, which no share reaches: they go from 0 to 1.",
                    f"{bound / 100:g} is {bound:g} %." if 1 < bound <= 100 else "0.08 is 8 %.",
                )
        _check_severity(self.metric, self.severity)

    def __str__(self) -> str:
        bounds = [f">= {self.min:g}"] * math.isfinite(self.min) + [f"<= {self.max:g}"] * math.isfinite(self.max)
        return f"{self.metric} {' and '.join(bounds)}"


@dataclass(frozen=True)
class Regression:
    """A figure must not go beyond `factor` times the baseline's (below 1: not under it); accuracy not fall by `drop`.

    factor : ratio, of hff and slope; drop : difference of shares, of accuracy
    """

    metric: Metric
    factor: float = math.nan
    drop: float = 0.0
    severity: str = "fail"

    def __post_init__(self) -> None:
        of_accuracy = self.metric.figure == ACCURACY
        if not of_accuracy and self.metric.figure not in SPECTRAL:
            hint = "Regressions look at accuracy, hff and slope; set a limit instead."
            raise UsageError(f"A baseline holds no {self.metric.figure}, which {self.metric} asks for.", hint)
        if of_accuracy and not (math.isnan(self.factor) and 0 <= self.drop < 1):
            raise UsageError(
                f"The regression of {self.metric} takes drop, from 0 to 1.", "For example { drop = 0.01 }."
            )
        if not of_accuracy and not (self.drop == 0 and 0 < self.factor < math.inf and self.factor != 1):
            hint = "For example { factor = 1.10 }, or { factor = 0.9 } against a fall."
            raise UsageError(f"The regression of {self.metric} takes a factor above 0 that is not 1.", hint)
        _check_severity(self.metric, self.severity)

    def __str__(self) -> str:
        if self.metric.figure == ACCURACY:
            return f"{self.metric} not lower than the baseline" + (f" by {self.drop:g}" if self.drop else "")
        return f"{self.metric} at {'most' if self.factor > 1 else 'least'} {self.factor:g} of the baseline"


@dataclass(frozen=True)
class Policy:
    """The rules of an audit, in the order in which they were written."""

    limits: tuple[Limit, ...] = ()
    regressions: tuple[Regression, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.limits or self.regressions)

    @classmethod
    def of(cls, table: Mapping[str, Any]) -> "Policy":
        """The policy in an `audit` table: {"limits": {metric: {...}}, "regressions": {metric: {...}}}.

        Raises
        ------
        UsageError
            A metric, key or value that does not exist; the nearest names are listed.
        """
        if not isinstance(table, Mapping):
            raise UsageError(f"[audit] is {table!r}; a table was expected.")
        _known("audit", table, ("limits", "regressions"))
        return cls(
            tuple(_rule(Limit, name, keys) for name, keys in _rules(table, "limits")),
            tuple(_rule(Regression, name, keys) for name, keys in _rules(table, "regressions")),
        )


def usual(kinds: tuple[str, ...], signal: str, labelled: bool) -> tuple[Regression, ...]:
    """What a baseline is held against when no rule says: accuracy, where there are labels, and hff of every kind."""
    accuracy = (Regression(parse(ACCURACY)),) if labelled else ()
    return (*accuracy, *(Regression(spectral(kind, signal, "hff"), USUAL_FACTOR) for kind in kinds))


def _rules(table: Mapping[str, Any], name: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    rules = table.get(name, {})
    if not isinstance(rules, Mapping):
        raise UsageError(f"[audit.{name}] is {rules!r}; a table of rules was expected.")
    return _flat(rules, "")


def _flat(rules: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Metric and keys of every rule; TOML makes nested tables of an unquoted within.hff, which means the same."""
    for name, keys in rules.items():
        if not isinstance(keys, Mapping):
            raise UsageError(
                f"The rule {prefix}{name} is {keys!r}; a table was expected.", "For example { max = 0.08 }."
            )
        if keys and all(isinstance(inner, Mapping) for inner in keys.values()):
            yield from _flat(keys, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", keys


def _rule(kind: type, name: str, keys: Mapping[str, Any]) -> Any:
    """A `Limit` or `Regression` from its TOML keys."""
    known = {f.name: f.default for f in fields(kind) if f.default is not MISSING}
    _known(name, keys, known)
    keys = {key: given.item() if isinstance(given, np.generic) else given for key, given in keys.items()}
    for key, given in keys.items():
        wanted = type(known[key])
        if wanted is float and isinstance(given, int) and not isinstance(given, bool) and abs(given) <= _MOST:
            continue
        if not isinstance(given, wanted) or given != given:
            raise UsageError(f"{key} of {name} is {given!r}; {_WORDS[wanted]} was expected.")
    return kind(parse(name), **keys)


_MOST = sys.float_info.max
_WORDS = {float: "a number", str: "a text", bool: "true or false"}


def _known(where: str, keys: Mapping[str, Any], known: Any) -> None:
    for key in keys:
        if key not in known:
            raise UsageError(f"{where} has a key {key!r} that does not exist.", nearest(key, known))


def _check_severity(metric: Metric, severity: str) -> None:
    if severity not in SEVERITIES:
        raise UsageError(f"severity of {metric} is {severity!r}.", f"Known: {', '.join(SEVERITIES)}.")
