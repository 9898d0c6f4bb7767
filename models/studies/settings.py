"""studies.toml, read: what each network is trained with, and in which order."""

import tomllib
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

FILE = Path(__file__).with_name("studies.toml")


@dataclass(frozen=True)
class Recipe:
    """How one network is trained; every field can stand in [training] and in its own table.

    images : size of the training set; seen : images passed in all; crop, cutout : pixels, 0 for none
    checkpoints : fractions of the training after which the network is exported too
    teacher : network whose outputs are the targets; noise : frequency and amplitude of radial targets
    low_pass : radius in cycles per image of the frequencies that are kept of training images, 0 for all
    sample : the seed that draws the training set, where it is not the network's own
    """

    images: int
    seen: int
    batch: int
    rate: float
    decay: float
    kind: str
    widths: tuple[int, ...]
    crop: int
    flip: bool
    bfloat16: bool
    checkpoints: tuple[float, ...] = ()
    cutout: int = 0
    mixup: float = 0.0
    teacher: str = ""
    temperature: float = 1.0
    noise: dict[str, float] | None = None
    low_pass: float = 0.0
    sample: int | None = None

    @property
    def epochs(self) -> int:
        """Passes over the training set; at least one."""
        return max(self.seen // self.images, 1)

    @property
    def exported(self) -> dict[int, float]:
        """Epochs after which the network is exported to their fraction of the training, the last one included."""
        found = {max(round(fraction * self.epochs), 1): fraction for fraction in self.checkpoints}
        return dict(sorted({**found, self.epochs: 1.0}.items()))


@dataclass(frozen=True)
class Job:
    """One network under one seed; `teacher` is the one whose outputs it is to give."""

    name: str
    seed: int
    recipe: Recipe
    teacher: "Job | None" = None

    @property
    def label(self) -> str:
        """The stem of its files."""
        return f"{self.name}-s{self.seed}"


def load(quick: bool = False, path: Path = FILE) -> dict[str, Any]:
    """The tables of studies.toml; `quick` puts those of [quick] over them."""
    tables = tomllib.loads(path.read_text())
    changes = tables.pop("quick")
    return _laid_over(tables, changes) if quick else tables


def _laid_over(tables: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    deep = {name: _laid_over(tables[name], new) for name, new in changes.items() if isinstance(new, dict)}
    return tables | changes | deep


def recipe(tables: dict[str, Any], name: str) -> Recipe:
    """How network `name` is trained: [training], then its own table."""
    if name not in tables["networks"]:
        raise ValueError(f"studies.toml has no network {name!r}; it has {', '.join(tables['networks'])}.")
    values = {k: v for k, v in tables["training"].items() if k not in ("seeds", "workers")}
    values |= {k: v for k, v in tables["networks"][name].items() if k != "seeds"}
    if unknown := set(values) - {field.name for field in fields(Recipe)}:
        raise ValueError(f"Network {name!r} of studies.toml has a setting that is none: {', '.join(sorted(unknown))}.")
    for sequence in ("widths", "checkpoints"):
        values[sequence] = tuple(values[sequence])
    return Recipe(**values)


def job(tables: dict[str, Any], name: str, seed: int) -> Job:
    """The training of network `name` under a seed; raises as `recipe` does."""
    found = recipe(tables, name)
    return Job(name, seed, found, job(tables, found.teacher, seed) if found.teacher else None)


def seeds(tables: dict[str, Any], name: str) -> list[int]:
    """The seeds that network `name` is trained under: its own, or those of [training]."""
    return tables["networks"][name].get("seeds", tables["training"]["seeds"])


def queue(tables: dict[str, Any]) -> list[Job]:
    """All trainings, the most valuable first: every network under the first seed, then under the next."""
    found = [(seed, name) for name in tables["networks"] for seed in seeds(tables, name)]
    return [job(tables, name, seed) for seed, name in sorted(found, key=lambda one: one[0])]
