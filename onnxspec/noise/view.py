"""Noise fitting on a terminal of 80 columns: a table of checkpoints for every noise, its dip, and theory beside it."""

from collections.abc import Iterator
from dataclasses import dataclass
from textwrap import wrap

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.text import Text

from onnxspec.noise.dips import DIP
from onnxspec.noise.found import CONCENTRATED, NoiseFit, NoiseOf
from onnxspec.report.headline import grid
from onnxspec.report.page import Page, interval_text, number

NAME = 10


@dataclass(frozen=True)
class View:
    """Noise fitting as rich prints it, fitted to the width and the encoding of the console."""

    found: NoiseFit

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        page = Page.of(options)
        yield page.rows(_facts(self.found))
        for noise in self.found.noises:
            yield Text()
            yield from _noise(self.found, noise, page)
        yield from _frequencies(self.found, page)
        yield Text()
        yield page.text(
            "uniform: smooths all labels alike; perfect: gives the targets; both by closed forms. noise fitting: clean "
            "less noisy loss, nats; a dip over training is a network that has learned the classes and then takes up the "
            "noise. following: the part of it that varies as the noise does. explained: 0 for uniform, 1 for perfect; "
            "over-confidence makes it negative.",
            "dim",
        )
        yield page.remarks((one.text, one.hint) for one in self.found.remarks)


def _facts(found: NoiseFit) -> list[tuple[str, str]]:
    a = found.attributes
    formula = "||x|| - phi" if a["noise"] == "radial" else "<x, u>"
    shape = " x ".join(str(a["shape"]).split())
    return [
        ("data", f"{a['data']}: {a['images']:,} images, {a['classes']} classes"),
        ("noise", f"{a['noise']}, s(x) = A (1 + sin 2 pi f ({formula})), x the normalised input"),
        (
            "input",
            f"{shape} (D {a['dimensions']:,}, phi {a['phi']:.4f}); {formula} of the images is "
            f"{a['position_mean']:.3g}, spread {a['position_std']:.3g}",
        ),
    ]


def _noise(found: NoiseFit, noise: NoiseOf, page: Page) -> Iterator[RenderableType]:
    forms = noise.forms
    yield page.text(f"Frequency {noise.frequency:g}, amplitude {noise.amplitude:g}", "bold")
    yield page.text(
        f"phase concentration {noise.concentration:.2f}, mean smoothing {noise.smoothing:.3f}, a perfect fit on these "
        f"images {noise.perfect_here:.4f}",
        "dim",
    )
    table = grid(["checkpoint", "acc.", "clean", "noisy", "noise fitting", "following", "explained"])
    accuracy = {one.name: one.accuracy.estimate for one in found.checkpoints}
    for one in found.of(noise):
        f = one.figures
        table.add_row(
            "\n".join(wrap(page.name(one.model, 3 * NAME), NAME)),
            f"{accuracy[one.model]:.3f}",
            f"{f['clean'].estimate:.3f}",
            f"{f['noisy'].estimate:.3f}",
            *(interval_text(f[quantity]).replace(" [", "\n[") for quantity in ("noise_fitting", "following")),
            number(f["explained"].estimate),
        )
    table.add_row("uniform", "", "", f"{forms.loss_uniform:.4f}", f"{forms.uniform:.4f}", "0", "0", style="dim")
    theory = (f"{forms.loss_perfect:.4f}", f"{forms.perfect:.4f}", f"{forms.following:.4f}", "1")
    table.add_row("perfect", "", "", *theory, style="dim")
    yield table
    yield page.text(_dip(found, noise, page))


def _dip(found: NoiseFit, noise: NoiseOf, page: Page) -> str:
    """What the lowest checkpoint says."""
    dip, name = noise.dip, page.name(noise.dip_model, 3 * NAME)
    if len(found.checkpoints) == 1:
        return "One checkpoint: a dip needs several."
    lowest = f"lowest at {name}, {interval_text(dip.minimum)}"
    if dip.verdict == DIP:
        return f"Dip: {lowest}; then up by {interval_text(dip.rise)}."
    return f"No dip ({dip.verdict}): {lowest}."


def _frequencies(found: NoiseFit, page: Page) -> Iterator[RenderableType]:
    """The minima of all frequencies side by side, where they can be."""
    comparable = [one for one in found.noises if one.concentration <= CONCENTRATED]
    for amplitude in dict.fromkeys(one.amplitude for one in comparable):
        some = [one for one in comparable if one.amplitude == amplitude and one.dip.verdict == DIP]
        if len(some) < 2:
            continue
        yield Text()
        yield page.text(f"Minima at amplitude {amplitude:g}: a higher one is a frequency fitted more readily", "bold")
        table = grid(["frequency", "minimum", "less that of the first frequency"])
        for one in some:
            # Older files have a zero for the first frequency, where it is undefined.
            against = interval_text(one.against_first) if abs(one.against_first.estimate) > 0 else ""
            table.add_row(f"{one.frequency:g}", interval_text(one.dip.minimum), against)
        yield table
