"""Measures and compares what is finished, study after study, and keeps the tables in models/studies/results.

PYTHONPATH=models python -m studies.results [--quick] [--out build/studies] [--results FOLDER] [STUDY ...]
"""

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from studies import diversity, effects, frameworks, heatmaps, noise, recipes, retraining, settings
from studies import tables as kept
from studies.measure import ROOT, finished, report, wanted

FOLDER = Path(__file__).with_name("results")


@dataclass(frozen=True)
class Trained:
    """A network that was trained: on how many images, how well, and for how long on one core."""

    network: str
    seed: int
    images: int
    epochs: int
    parameters: int
    accuracy: float
    core_seconds: float


def trained(tables: dict[str, Any], out: Path, known: list[Trained]) -> list[Trained]:
    """Every finished training of the queue: those in `out`, and of the others what is known of them."""
    found = []
    for job in settings.queue(tables):
        here = finished(out, job.name, job.seed)[-1:]
        if not here:
            found += [one for one in known if (one.network, one.seed) == (job.name, job.seed)]
        for one in here:
            record = one.record
            figures = (record[name] for name in ("epochs", "parameters", "accuracy", "core_seconds"))
            found.append(Trained(job.name, job.seed, job.recipe.images, *figures))
    return found


def noise_fits(tables: dict[str, Any], out: Path, data: Path, known: list[noise.Fit]) -> list[noise.Fit]:
    """Those of networks that are known already and of those that were finished since."""
    found = list(known)
    for seed in tables["training"]["seeds"]:
        for name in tables["noise"]["networks"]:
            if not any((one.network, one.seed) == (name, seed) for one in known):
                found += noise.of_network(name, seed, tables, out, data)
    return found


def rings(tables: dict[str, Any], out: Path, data: Path, known: list[heatmaps.Ring]) -> list[heatmaps.Ring]:
    """Those of seeds that are known already and of those that were finished since."""
    found = list(known)
    for seed in tables["training"]["seeds"]:
        if not any(one.seed == seed for one in known):
            found += heatmaps.of_networks(tables, out, data, seed)
    return found


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", help="studies; all of them when none is named")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared/data")
    parser.add_argument("--out", type=Path, default=ROOT / "build/studies")
    parser.add_argument("--results", type=Path, default=FOLDER)
    options = parser.parse_args(arguments)
    tables, data = settings.load(options.quick), options.data / "cifar10-test.zip"
    file = options.results / "networks.csv"
    kept.write(Trained, trained(tables, options.out, kept.read(Trained, file)), file)

    def asked(name: str) -> bool:
        return not options.names or name in options.names

    compared = [name for name in tables["studies"] if asked(name)]
    for network in wanted(options.out, tables, compared):
        report(network, data, tables["measurement"])
    for name in compared:
        kept.write(effects.Effect, effects.of_study(name, tables, options.out), options.results / f"{name}.csv")
    if asked("seeds"):
        found = effects.of_seeds(tables["seeds"]["network"], tables["training"]["seeds"], options.out)
        kept.write(effects.Effect, found, options.results / "seeds.csv")
    if asked("retraining"):
        audits, figures = retraining.of_trainings(tables, options.out, data)
        kept.write(retraining.Audited, audits, options.results / "retraining.csv")
        kept.write(retraining.Figure, figures, options.results / "retraining-figures.csv")
        held = list(recipes.of_recipes(tables, options.out, data))
        kept.write(recipes.Held, held, options.results / "retraining-recipes.csv")
    if asked("noise"):
        file = options.results / "noise.csv"
        kept.write(noise.Fit, noise_fits(tables, options.out, data, kept.read(noise.Fit, file)), file)
    if asked("image-frequency"):
        file = options.results / "image-frequency.csv"
        kept.write(heatmaps.Ring, rings(tables, options.out, data, kept.read(heatmaps.Ring, file)), file)
    if asked("frameworks"):
        twins, alike = frameworks.of_files(list(tables["frameworks"]["twins"].values()), options.out, options.data)
        kept.write(frameworks.Twin, twins, options.results / "frameworks.csv")
        kept.write(frameworks.Agreement, alike, options.results / "frameworks-agreement.csv")
    if asked("class-diversity"):
        folder, images = options.out / "efficientnet", options.data / "tiny-imagenet-val.zip"
        relations = diversity.of_model(tables["class-diversity"], folder, images)
        kept.write(diversity.Related, relations, options.results / "class-diversity.csv")


if __name__ == "__main__":
    main()
