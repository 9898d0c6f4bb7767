"""The pictures of models/STUDIES.md: small SVG files, the same bytes from the same tables."""

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from onnxspec.report.figures import style
from onnxspec.report.figures.style import COLOURS, INKS, styled
from onnxspec.report.headline import KINDS
from studies.effects import Effect
from studies.heatmaps import Ring
from studies.noise import Fit

PANELS = (("within", "hff"), ("between", "hff"), ("within", "slope"), ("between", "slope"))
SEEDS = ("o", "s", "^", "D")


def name(effect: Effect | Fit) -> str:
    """What a row is called: a checkpoint by how much of its training it has."""
    return effect.network if effect.fraction == 1 else f"{effect.network} at {effect.fraction:.0%}"


@styled
def factors(effects: Sequence[Effect]) -> Figure:
    """Factors over the reference, within and between: filled over pairs right under both, hollow over all pairs."""
    asked = [one for one in effects if one.verdict != "reference" and one.signal == "prob"]
    names = list(dict.fromkeys(name(one) for one in asked))
    seeds = sorted({one.seed for one in asked})
    figure = Figure((560 / 72, (110 + 44 * len(names)) / 72), layout="constrained")
    grid = figure.subplots(2, 2, sharey=True, sharex="row")
    for axes, (kind, metric) in zip(grid.flat, PANELS, strict=True):
        for seed in seeds:
            some = [one for one in asked if (one.kind, one.metric, one.seed) == (kind, metric, seed)]
            shift = 0.3 * (0.5 * (len(seeds) - 1) - seeds.index(seed))
            at = [len(names) - 1 - names.index(name(one)) + shift for one in some]
            mark, colour = SEEDS[seeds.index(seed) % len(SEEDS)], COLOURS[kind]
            common = [(one.factor, one.factor_low, one.factor_high) for one in some]
            every = [(one.every, one.every_low, one.every_high) for one in some]
            _whiskers(axes, common, at, mark, colour, colour)
            _whiskers(axes, every, [place - 0.12 for place in at], mark, colour, "white")
        axes.axvline(1, color=COLOURS["ink"], linewidth=0.8)
        axes.set_title(f"{metric} {KINDS[kind]}", fontsize=10)
        axes.set_yticks(range(len(names)), names[::-1])
        axes.set_ylim(-0.6, len(names) - 0.4)
        axes.set_xscale("log")
    for row, metric in zip(grid, ("hff", "slope"), strict=True):
        _octaves(row[0], [one for one in asked if one.metric == metric])
    grid[1, 0].set_xlabel("factor over the reference")
    grid[1, 1].set_xlabel("filled: right under both; hollow: all pairs")
    return figure


@styled
def scatter(effects: Sequence[Effect]) -> Figure:
    """Every network: its figure over its accuracy, filled over pairs that it gets right, hollow over all."""
    figure = Figure((560 / 72, 440 / 72), layout="constrained")
    grid = figure.subplots(2, 2, sharex=True, sharey="row")
    for axes, (kind, metric) in zip(grid.flat, PANELS, strict=True):
        some = [one for one in effects if (one.kind, one.metric, one.signal) == (kind, metric, "prob")]
        for reading, face in (("every_value", "white"), ("value", COLOURS[kind])):
            x, y = [one.accuracy for one in some], [getattr(one, reading) for one in some]
            axes.plot(x, y, "o", markersize=4, color=COLOURS[kind], markerfacecolor=face, markeredgewidth=0.8)
        axes.set_title(f"{metric} {KINDS[kind]}", fontsize=10)
        axes.set_yscale("log")
        axes.set_xlabel("accuracy")
    for row in grid:
        style.decades_axis(row[0])
    return figure


@styled
def followed(fits: Sequence[Fit]) -> Figure:
    """How far each network follows the noise that it was trained on, over its training."""
    figure, axes = style.panel(460, 280)
    frequencies = sorted({one.trained for one in fits})
    for seed in sorted({one.seed for one in fits}):
        for frequency, ink in zip(frequencies, INKS, strict=False):
            own = [one for one in fits if one.trained == one.frequency == frequency and one.seed == seed]
            x, y = [one.fraction for one in own], [one.followed for one in own]
            reach = [
                [one.followed - one.followed_low for one in own],
                [one.followed_high - one.followed for one in own],
            ]
            label = f"f = {frequency:g}" if seed == 0 else None
            dashes = "-" if seed == 0 else "--"
            axes.errorbar(x, y, reach, fmt=SEEDS[seed % 4] + dashes, markersize=4, color=COLOURS[ink], label=label)
    axes.axhline(0, color=COLOURS["ink"], linewidth=0.8)
    axes.set(xlabel="share of the training", ylabel="share of a perfect fit")
    axes.legend(loc="best")
    return figure


@styled
def rings(found: Sequence[Ring]) -> Figure:
    """How much waves of every octave change the outputs of the two networks."""
    figure, axes = style.panel(460, 280)
    for seed in sorted({one.seed for one in found}):
        own = [one for one in found if one.seed == seed and one.low > 0]
        x = [(one.low * one.high) ** 0.5 for one in own]
        for field, network, ink in (("reference_change", "reference", INKS[0]), ("change", "network", INKS[1])):
            label = getattr(own[0], network) if seed == 0 else None
            dashes = "-" if seed == 0 else "--"
            y = [getattr(one, field) for one in own]
            axes.plot(x, y, SEEDS[seed % 4] + dashes, markersize=4, color=COLOURS[ink], label=label)
    style.octaves_axis(axes)
    axes.set_ylim(bottom=0)
    axes.set(xlabel="frequency of the wave, cycles per image", ylabel="change of the probabilities")
    axes.legend(loc="best")
    return figure


def save(figure: Figure, path: Path) -> None:
    """Writes an SVG whose letters are text, as small as it can be without looking otherwise."""
    with rc_context({"svg.fonttype": "none"}):
        style.save(figure, str(path), "svg")
    path.write_text(smaller(path.read_text(encoding="utf-8")), encoding="utf-8")


def smaller(svg: str) -> str:
    """The same drawing: numbers of two decimals, styles that recur as classes, no comments and no metadata."""
    svg = re.sub(r"<!--.*?-->|<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r"\d+\.\d{3,}", lambda found: f"{float(found[0]):.2f}", svg)
    often = [one for one, times in Counter(re.findall(r' style="([^"]*)"', svg)).items() if times > 2]
    for i, one in enumerate(often):
        svg = svg.replace(f' style="{one}"', f' class="s{i}"')
    rules = "".join(f".s{i}{{{one}}}" for i, one in enumerate(often))
    svg = svg.replace('<style type="text/css">', f'<style type="text/css">{rules}', 1)
    return re.sub(r"\s*\n\s*", "\n", svg)


def _whiskers(
    axes: Axes, figures: Sequence[tuple[float, float, float]], at: Sequence[float], mark: str, colour: str, face: str
) -> None:
    """Figures (value, low, high) on lines of their own."""
    if figures:
        values, low, high = zip(*figures, strict=True)
        axes.hlines(at, low, high, color=colour, linewidth=1)
        axes.plot(values, at, mark, color=colour, markerfacecolor=face, markersize=4, markeredgewidth=0.9)


def _octaves(axes: Axes, effects: Sequence[Effect]) -> None:
    """Bounds by the values, not by whiskers without end."""
    values = [v for one in effects for v in (one.factor, one.every) if v > 0]
    low, high = min([*values, 1]) / 1.5, max([*values, 1]) * 1.5
    style.octaves_axis(axes)
    axes.set_xlim(low, high)
