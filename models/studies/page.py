"""Writes models/STUDIES.md and its pictures from the tables in models/studies/results.

PYTHONPATH=models python -m studies.page [--quick] [--results FOLDER]

Tables elsewhere make a page two folders above them, as models/STUDIES.md lies above models/studies/results.
"""

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from studies import (
    correlations,
    diversity,
    figures,
    frameworks,
    heatmaps,
    noise,
    recipes,
    retraining,
    settings,
    verdicts,
)
from studies import tables as kept
from studies.effects import Effect
from studies.results import FOLDER, Trained
from studies.text import Table, interval, number, share

PAGE = FOLDER.parents[1] / "STUDIES.md"
FIGURES = (("between", "hff"), ("within", "hff"), ("between", "slope"), ("within", "slope"))


def page(tables: dict[str, Any], folder: Path) -> str:
    """The whole page in Markdown."""
    trained = kept.read(Trained, folder / "networks.csv")
    found = {name: kept.read(Effect, folder / f"{name}.csv") for name in tables["studies"]}
    fits = kept.read(noise.Fit, folder / "noise.csv")
    rings = kept.read(heatmaps.Ring, folder / "image-frequency.csv")
    parts = [
        tables["page"]["opening"],
        "## Verdicts",
        summary(tables, found),
        other_verdicts(tables, folder),
        tables["page"]["verdicts"],
    ]
    for name, study in tables["studies"].items():
        parts += frequency_study(name, study, found[name])
    parts += seeds_study(tables["seeds"], kept.read(Effect, folder / "seeds.csv"))
    parts += retraining_study(tables["retraining"], *_trainings(folder))
    parts += recipes_table(tables["retraining"], kept.read(recipes.Held, folder / "retraining-recipes.csv"))
    parts += noise_study(tables, fits)
    parts += image_study(tables, rings)
    parts += diversity_study(tables, kept.read(diversity.Related, folder / "class-diversity.csv"))
    parts += frameworks_study(tables, *_twins(folder))
    parts += across([one for effects in found.values() for one in effects], tables)
    parts += ["## Networks", networks(trained), tables["page"]["networks"]]
    return "\n\n".join(part.strip() for part in parts if part.strip()) + "\n"


def summary(tables: dict[str, Any], found: dict[str, list[Effect]]) -> str:
    """Verdicts on the arrow: over pairs right under both, and in brackets over all pairs."""
    table = Table("study", *(f"{metric} {kind}" for kind, metric in FIGURES))
    for name, study in tables["studies"].items():
        both = [verdicts.of_figure(found[name], kind, "prob", metric) for kind, metric in FIGURES]
        table.row(study["title"], *(f"{right.answer} ({every.answer})" for right, every in both))
    return str(table)


def other_verdicts(tables: dict[str, Any], folder: Path) -> str:
    """Verdicts on the studies that have an hypothesis of their own."""
    table = Table("study", "verdict", "why")
    for title, told in _others(tables, folder):
        table.row(title, *told)
    return str(table)


def frequency_study(name: str, study: dict[str, Any], effects: Sequence[Effect]) -> list[str]:
    """A study of hff and slope: hypothesis, verdicts, effects, picture."""
    parts = [f"## {study['title']}", f"Hypothesis: {study['hypothesis']}"]
    if not any(one.verdict != "reference" for one in effects):
        return [*parts, "Not run: its trainings were not finished."]
    answers = Table("figure", "pairs right under both", "", "all pairs", "")
    for kind, metric in FIGURES:
        right, every = verdicts.of_figure(effects, kind, "prob", metric)
        answers.row(f"{metric} {kind}", f"**{right.answer}**", right.why, every.answer, every.why)
    picture = f"![Factors of {study['title'].lower()}](studies/results/{name}.svg)"
    tables = [effects_table(effects, metric) for metric in ("hff", "slope")]
    return [*parts, study.get("reading", ""), str(answers), picture, *tables]


def effects_table(effects: Sequence[Effect], metric: str) -> str:
    """Each network and seed: its figures, and the factors over its reference."""
    unit = "prob hff, %" if metric == "hff" else "prob slope"
    head = [f"{kind} {what}" for kind in ("within", "between") for what in ("", "factor", "factor, all", "verdict")]
    table = Table(unit, "seed", "accuracy", *head)
    for row in _rows(effects, metric):
        cells = [figures.name(row[0]), str(row[0].seed), share(row[0].accuracy)]
        for one in row:
            scale = 100 if metric == "hff" else 1
            cells.append(interval(one.value * scale, one.value_low * scale, one.value_high * scale))
            if one.verdict == "reference":
                cells += ["", "", "reference"]
            else:
                cells.append(interval(one.factor, one.factor_low, one.factor_high))
                cells += [interval(one.every, one.every_low, one.every_high), one.verdict]
        table.row(*cells)
    return str(table)


def seeds_study(study: dict[str, Any], effects: Sequence[Effect]) -> list[str]:
    """What another seed alone does: the yardstick of all effects."""
    if not effects:
        return []
    return [f"## {study['title']}", study["reading"], *(effects_table(effects, metric) for metric in ("hff", "slope"))]


def retraining_study(
    study: dict[str, Any], audits: list[retraining.Audited], trainings: list[retraining.Figure]
) -> list[str]:
    """What training again does to an audit, rule by rule, and how far each figure differs."""
    parts = [*_opening(study, retraining.verdict(audits))]
    if not audits:
        return parts
    rules = Table("pairs a kind", "rule", "audits", "failed", "inconclusive", "one change in forty is beyond")
    for one in retraining.rules(audits):
        head = (f"{one.pairs:,}", one.name, str(one.audits), share(one.failed), share(one.inconclusive))
        rules.row(*head, share(one.reach) if one.name == "accuracy" else f"{number(one.reach)} times")
    spread = Table("pairs a kind", "prob", "least", "most", "spread of trainings", "half of an interval")
    for two in retraining.spreads(trainings):
        scale = 100 if two.metric == "hff" else 1
        ends = (number(value * scale) for value in (two.least, two.most))
        spread.row(f"{two.pairs:,}", f"{two.metric} {two.kind}", *ends, share(two.trainings), share(two.interval))
    return [*parts, study.get("reading", ""), str(rules), str(spread)]


def recipes_table(study: dict[str, Any], held: list[recipes.Held]) -> list[str]:
    """The same trainings, and others' recipes, against several trainings at once."""
    if not held:
        return []
    counts = study["trainings"]
    table = Table("pairs a kind", "recipe", "accuracy", *(f"against {count}" for count in counts))
    found = {(one.pairs, one.network, one.trainings): one for one in recipes.recipes(held)}
    for pairs, name in dict.fromkeys((pairs, name) for pairs, name, _ in found):
        row = [found[pairs, name, count] for count in counts]
        table.row(f"{pairs:,}", name, share(row[0].accuracy), *(f"{one.failed:.0%} ({one.open:.0%})" for one in row))
    return [study.get("recipes", ""), str(table)]


def noise_study(tables: dict[str, Any], fits: list[noise.Fit]) -> list[str]:
    """Noise fitting: when each network follows the noise that it was trained on."""
    study = tables["noise"]
    parts = [*_opening(study, noise.verdict(fits, tables["training"]["seeds"]))]
    if not fits:
        return parts
    own = [one for one in fits if one.trained == one.frequency]
    fractions = sorted({one.fraction for one in own})
    table = Table("noise", "seed", "accuracy", *(f"{fraction:.0%}" for fraction in fractions))
    for network, seed in dict.fromkeys((one.network, one.seed) for one in own):
        some = {one.fraction: one for one in own if (one.network, one.seed) == (network, seed)}
        cells = [interval(one.followed * 100, one.followed_low * 100, one.followed_high * 100) for one in some.values()]
        last = max(some.values(), key=lambda one: one.fraction)
        table.row(f"f = {last.trained:g}", str(seed), share(last.accuracy), *cells)
    picture = "![Share of the noise that is followed](studies/results/noise.svg)"
    return [*parts, study.get("reading", ""), picture, str(table)]


def image_study(tables: dict[str, Any], rings: list[heatmaps.Ring]) -> list[str]:
    """Image frequency: what waves of every octave do to two networks."""
    study = tables["image-frequency"]
    parts = [*_opening(study, heatmaps.verdict(rings, _radius(tables)))]
    if not rings:
        return parts
    head = ("error raised", f"{study['reference']}", "difference", "change of prob", f"{study['reference']}")
    table = Table("cycles per image", "seed", *head, "difference")
    for one in rings:
        octave = f"{one.low:g} to {one.high:g}" if one.high else "0"
        table.row(
            octave, str(one.seed), share(one.error), share(one.reference_error),
            interval(one.more * 100, one.more_low * 100, one.more_high * 100),
            f"{one.change:.3f}", f"{one.reference_change:.3f}",
            interval(one.change_more, one.change_more_low, one.change_more_high),
        )  # fmt: skip
    picture = "![Change of the outputs by octave](studies/results/image-frequency.svg)"
    return [*parts, study.get("reading", ""), picture, str(table)]


def diversity_study(tables: dict[str, Any], rows: list[diversity.Related]) -> list[str]:
    """Class diversity: rank correlations over classes."""
    study = tables["class-diversity"]
    parts = [*_opening(study)]
    for measure, words in diversity.MEASURES.items():
        parts.append(_told(diversity.verdict(rows, measure), f"By {words}: "))
    if not rows:
        return parts
    table = Table("figure within a class", "against", "beyond", "classes", "rho", "p (Holm)", "verdict")
    for one in rows:
        rho = interval(one.rho, one.low, one.high)
        cells = (one.measure, one.controls, str(one.classes), rho, number(one.p_holm), one.verdict)
        table.row(f"{one.signal} {one.metric}", *cells)
    return [*parts, study.get("reading", ""), str(table)]


def frameworks_study(
    tables: dict[str, Any], rows: list[frameworks.Twin], alike: list[frameworks.Agreement]
) -> list[str]:
    """Across frameworks: files with the same weights."""
    study = tables["frameworks"]
    parts = [*_opening(study, frameworks.verdict(rows, alike))]
    figure = Table("files", "figure", "pairs", "first", "second", "difference", "verdict")
    for one in rows:
        values = (str(one.pairs), f"{one.first:.4g}", f"{one.second:.4g}", f"{one.larger:.0e}", one.verdict)
        figure.row(_files(one), f"{one.signal} {one.metric} {one.kind}", *values)
    function = Table("files", "paths", "RMS difference of logits", "rounding", "same predictions", "as functions")
    for one in alike:
        apart = (f"{value:.1e}" for value in (one.logit_difference, one.noise))
        function.row(_files(one), str(one.paths), *apart, share(one.same_points), one.verdict)
    return [*parts, study.get("reading", ""), str(function), str(figure)] if rows else parts


def across(effects: list[Effect], tables: dict[str, Any]) -> list[str]:
    """Over all networks: rank correlations with accuracy."""
    if not effects:
        return []
    table = Table("figure", "pairs", "all networks and checkpoints", "ends of training alone")
    both = zip(correlations.related(effects, False), correlations.related(effects, True), strict=True)
    for every, end in both:
        pairs = "both ends right" if every.reading == "value" else "all"
        cells = [
            f"{interval(one.correlation.rho, one.correlation.low, one.correlation.high)} ({one.correlation.classes})"
            for one in (every, end)
        ]
        table.row(f"{every.metric} {every.kind}", pairs, *cells)
    picture = "![Every network: figures over accuracy](studies/results/all-networks.svg)"
    return ["## Over all networks", tables["page"]["across"], picture, str(table)]


def networks(trained: Sequence[Trained]) -> str:
    """What was trained, and for how long."""
    table = Table("network", "images", "epochs", "parameters", "accuracy by seed", "core-seconds by seed")
    for name in dict.fromkeys(one.network for one in trained):
        some = [one for one in trained if one.network == name]
        table.row(
            name, f"{some[0].images:,}", str(some[0].epochs), f"{some[0].parameters:,}",
            ", ".join(share(one.accuracy) for one in some), ", ".join(f"{one.core_seconds:.0f}" for one in some),
        )  # fmt: skip
    hours = sum(one.core_seconds for one in trained) / 3600
    return f"{table}\n\n{len(trained)} trainings took {hours:.2f} hours of one core in all."


def draw(tables: dict[str, Any], folder: Path) -> None:
    """All pictures of the page."""
    found = {name: kept.read(Effect, folder / f"{name}.csv") for name in tables["studies"]}
    for name, effects in found.items():
        if any(one.verdict != "reference" for one in effects):
            figures.save(figures.factors(effects), folder / f"{name}.svg")
    every = correlations.unique([one for effects in found.values() for one in effects], False)
    if every:
        figures.save(figures.scatter(every), folder / "all-networks.svg")
    if fits := kept.read(noise.Fit, folder / "noise.csv"):
        figures.save(figures.followed(fits), folder / "noise.svg")
    if rings := kept.read(heatmaps.Ring, folder / "image-frequency.csv"):
        figures.save(figures.rings(rings), folder / "image-frequency.svg")


def _opening(study: dict[str, Any], *told: tuple[str, str]) -> list[str]:
    return [f"## {study['title']}", f"Hypothesis: {study['hypothesis']}", *map(_told, told)]


def _told(told: tuple[str, str], before: str = "") -> str:
    answer, why = told
    return f"{before}**{answer if before else answer[0].upper() + answer[1:]}**: {why}."


def _files(one: frameworks.Twin | frameworks.Agreement) -> str:
    return f"{one.reference}, {one.model}"


def _twins(folder: Path) -> tuple[list[frameworks.Twin], list[frameworks.Agreement]]:
    alike = kept.read(frameworks.Agreement, folder / "frameworks-agreement.csv")
    return kept.read(frameworks.Twin, folder / "frameworks.csv"), alike


def _trainings(folder: Path) -> tuple[list[retraining.Audited], list[retraining.Figure]]:
    audits = kept.read(retraining.Audited, folder / "retraining.csv")
    return audits, kept.read(retraining.Figure, folder / "retraining-figures.csv")


def _others(tables: dict[str, Any], folder: Path) -> Iterator[tuple[str, tuple[str, str]]]:
    """Title and verdict of each."""

    def title(name: str) -> str:
        return str(tables[name]["title"])

    fits, rings = (
        kept.read(kind, folder / f"{name}.csv")
        for kind, name in ((noise.Fit, "noise"), (heatmaps.Ring, "image-frequency"))
    )
    yield title("retraining"), retraining.verdict(_trainings(folder)[0])
    yield title("noise"), noise.verdict(fits, tables["training"]["seeds"])
    yield title("image-frequency"), heatmaps.verdict(rings, _radius(tables))
    related = kept.read(diversity.Related, folder / "class-diversity.csv")
    for measure, words in diversity.MEASURES.items():
        yield f"{title('class-diversity')}, {words}", diversity.verdict(related, measure)
    yield title("frameworks"), frameworks.verdict(*_twins(folder))


def _radius(tables: dict[str, Any]) -> float:
    return float(tables["networks"][tables["image-frequency"]["network"]]["low_pass"])


def _rows(effects: Sequence[Effect], metric: str) -> Iterator[tuple[Effect, Effect]]:
    """The figures within and between of every network and seed."""
    some = [one for one in effects if (one.signal, one.metric) == ("prob", metric)]
    order = {name: i for i, name in enumerate(dict.fromkeys(one.network for one in some))}
    within = [one for one in some if one.kind == "within"]
    between = {(one.network, one.seed, one.fraction): one for one in some if one.kind == "between"}
    for one in sorted(within, key=lambda one: (order[one.network], one.fraction, one.seed)):
        yield one, between[one.network, one.seed, one.fraction]


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--results", type=Path, default=FOLDER)
    options = parser.parse_args(arguments)
    tables, folder = settings.load(options.quick), options.results.resolve()
    draw(tables, folder)
    (folder.parents[1] / PAGE.name).write_text(page(tables, folder), encoding="utf-8")


if __name__ == "__main__":
    main()
