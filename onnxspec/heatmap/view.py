"""A heat map on a terminal of 80 columns: what was measured, two planes in characters, octaves and filters in numbers."""

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.table import Table
from rich.text import Text

from onnxspec.heatmap.filters import LOW
from onnxspec.heatmap.intervals import Estimates
from onnxspec.heatmap.plane import Panel, draw
from onnxspec.heatmap.result import HeatMap
from onnxspec.report.findings import preprocessing
from onnxspec.report.headline import PERCENT, grid
from onnxspec.report.page import Page, interval_text, number
from onnxspec.statistics import Interval


@dataclass(frozen=True)
class View:
    """A heat map as rich prints it, fitted to the width and the encoding of the console."""

    found: HeatMap

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        page, found = Page.of(options), self.found
        yield page.rows(_facts(found))
        yield Text()
        yield from _planes(found, page)
        yield Text()
        yield page.text(f"One wave added: {_wrong(found)} by |frequency|, cycles per image; 95 % intervals", "bold")
        yield _rings(found)
        if said := answer(found):
            yield page.text(said, "bold")
        yield Text()
        yield page.text(f"Filtered images: {_right(found)} (%) by cut-off, cycles per image; mean kept", "bold")
        yield _filters(found)
        yield page.remarks((one.text, one.hint) for one in found.remarks)


def answer(found: HeatMap) -> str:
    """The octave that hurts most and the one that hurts least, in a line; empty where there are fewer than two."""
    rings = found.rings
    at = np.flatnonzero(rings.high > 0)
    if len(at) < 2:
        return ""
    most, least = (int(at[pick(rings.increase.estimate[at])]) for pick in (np.argmax, np.argmin))
    if rings.increase.low[most] <= rings.increase.high[least]:
        return "Which octave hurts most is undecided with so few images."
    points = {ring: float(rings.increase.estimate[ring] * PERCENT) for ring in (most, least)}
    said = [
        f"{octave(found, ring)} ({'+' * (by > 0)}{number(by)} points{_beside(found, ring, at)})"
        for ring, by in points.items()
    ]
    return f"Most sensitive to {said[0]}, least to {said[1]}."


def _beside(found: HeatMap, ring: int, at: np.ndarray) -> str:
    """The octaves whose increase has an interval that meets a ring's, in words."""
    increase = found.rings.increase
    meet = (increase.low[at] <= increase.high[ring]) & (increase.high[at] >= increase.low[ring]) & (at != ring)
    others = [octave(found, int(other)) for other in at[meet]]
    return f"; not told apart: {', '.join(others)}" if others else ""


def octave(found: HeatMap, ring: int) -> str:
    """A ring's frequencies in words: 0, 1-1.41, 2-3.61."""
    low, high = found.rings.low[ring], found.rings.high[ring]
    if high == 0:
        return "0"
    last = found.waves.radius[(found.waves.radius >= low) & (found.waves.radius < high)].max()
    return f"{low:g}-{last:.3g}" if last > low else f"{low:g}"


def _facts(found: HeatMap) -> Iterator[tuple[str, str]]:
    a = found.attributes
    labels = "labelled" if found.labelled else "not labelled"
    yield "model", f"{a['model']}, {a['outputs']} outputs ({a['output_kind']})"
    yield "data", f"{a['data']}: {len(found.images):,} of {a['data_images']:,} images, {labels}"
    if "device" in found.run:
        yield "device", str(found.run["device"]) + (", TF32 allowed" if a["tf32"] else "")
    if found.labelled:
        yield "accuracy", f"{interval_text(found.accuracy, PERCENT)} % on the images as they are"
    yield "pixels", preprocessing(json.loads(a["preprocess"]))
    shape = f"{a['height']}x{a['width']}"
    yield "waves", f"{len(found.waves):,} frequencies of {shape} pixels, each with a random sign per channel"
    yield "size", f"eps {a['eps']:.3g}: L2 norm per channel, an RMS of {a['rms']:.3g}; {_clipping(found)}"


def _clipping(found: HeatMap) -> str:
    return "not clipped" if all(remark.code != "clipped" for remark in found.remarks) else "rounded and clipped"


def _planes(found: HeatMap, page: Page) -> Iterator[RenderableType]:
    panels = [
        Panel(f"{_wrong(found)}, %", found.waves.plane(found.error.estimate * PERCENT)),
        Panel("change of logit (L2), nats", found.waves.plane(found.mean_change["logit"].estimate)),
    ]
    yield draw(panels, found.waves.axes, page.width, page.ascii_only)


def _wrong(found: HeatMap) -> str:
    return "error" if found.labelled else "changed answers"


def _right(found: HeatMap) -> str:
    return "accuracy" if found.labelled else "same answer"


def _rings(found: HeatMap) -> Table:
    rings = found.rings
    table = grid(
        ["", f"{'error' if found.labelled else 'changed'} (%)", "increase (points)", "prob change", "logit change"]
    )
    for ring in range(len(rings.low)):
        table.add_row(
            octave(found, ring),
            number(rings.error[ring] * PERCENT),
            _text(rings.increase, ring, PERCENT),
            *(_text(rings.change[signal], ring) for signal in ("prob", "logit")),
        )
    return table


def _filters(found: HeatMap) -> Table:
    at = [one.cutoff for one in found.filters if one.kind == LOW]
    every = [_text(found.filtered_accuracy, i, PERCENT) for i in range(len(found.filters))]
    table = grid(["cut-off", "low-pass (up to it)", "high-pass (above it)"])
    for cutoff, low, high in zip(at, every[: len(at)], every[len(at) :], strict=True):
        table.add_row(f"{cutoff:g}", low, high)
    return table


def _text(figures: Estimates, at: int, factor: float = 1.0) -> str:
    estimate, low, high = (float(values[at]) for values in (figures.estimate, figures.low, figures.high))
    return interval_text(Interval(estimate, low, high, 0, math.nan), factor)
