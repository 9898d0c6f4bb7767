"""Noise fitting drawn: over the checkpoints, a line a frequency, a column an amplitude, theory dashed."""

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from onnxspec.noise.found import NoiseFit, NoiseOf
from onnxspec.report.figures.style import COLOURS, INKS, styled
from onnxspec.series import over

_ROWS = {"noise_fitting": "noise fitting, nats", "following": "following the noise, nats"}


@styled
def picture(found: NoiseFit) -> Figure:
    """Noise fitting above, and the part of it that follows the noise below."""
    amplitudes = list(dict.fromkeys(one.amplitude for one in found.noises))
    figure = Figure(((60 + 340 * len(amplitudes)) / 72, 440 / 72), layout="constrained")
    panels = figure.subplots(2, len(amplitudes), sharex=True, squeeze=False)
    along = over([one.name for one in found.checkpoints], [one.place for one in found.checkpoints])
    for column, amplitude in enumerate(amplitudes):
        noises = [one for one in found.noises if one.amplitude == amplitude]
        for row, quantity in enumerate(_ROWS):
            _panel(panels[row, column], found, noises, quantity)
        forms = noises[0].forms
        _theory(panels[0, column], forms.perfect, forms.uniform)
        _theory(panels[1, column], forms.following, 0.0)
        panels[0, column].set_title(f"amplitude {amplitude:g}", fontsize=10.0)
        panels[1, column].set_xlabel(along)
    for row, label in enumerate(_ROWS.values()):
        panels[row, 0].set_ylabel(label)
    _legend(panels[0, -1])
    return figure


def _panel(axes: Axes, found: NoiseFit, noises: Sequence[NoiseOf], quantity: str) -> None:
    for i, noise in enumerate(noises):
        some = found.of(noise)
        x = [one.place for one in some]
        middle, low, high = (
            [getattr(one.figures[quantity], end) for one in some] for end in ("estimate", "low", "high")
        )
        colour = COLOURS[INKS[i % len(INKS)]]
        axes.fill_between(x, low, high, color=colour, alpha=0.16, linewidth=0)
        axes.plot(x, middle, "o-", color=colour, markersize=4, label=f"f = {noise.frequency:g}")


def _theory(axes: Axes, perfect: float, uniform: float) -> None:
    axes.axhline(perfect, color=COLOURS["muted"], linewidth=1.2, linestyle="--")
    axes.axhline(uniform, color=COLOURS["muted"], linewidth=1.2, linestyle=":")


def _legend(axes: Axes) -> None:
    lines, _ = axes.get_legend_handles_labels()
    marks = [
        Line2D([], [], color=COLOURS["muted"], linestyle="--", label="perfect fit"),
        Line2D([], [], color=COLOURS["muted"], linestyle=":", label="uniform smoothing"),
    ]
    axes.legend(handles=[*lines, *marks], loc="best")
