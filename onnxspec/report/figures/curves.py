"""Class probabilities along one path, as wide as the strip of images that they stand under."""

import numpy as np
from matplotlib.figure import Figure

from onnxspec.report.figures.style import COLOURS, INKS, styled

WIDTH = 576
HEIGHT = 108


@styled
def curves(prob: np.ndarray) -> Figure:
    """Curves (classes, points) of probabilities, the likeliest class first, without axes: bottom 0, top 1."""
    figure = Figure((WIDTH / 72, HEIGHT / 72))
    axes = figure.add_axes((0, 0, 1, 1))
    t = np.linspace(0, 1, prob.shape[1])
    for ink, values in reversed(list(zip(INKS, prob, strict=False))):
        axes.fill_between(t, values, color=COLOURS[ink], alpha=0.14, linewidth=0)
        axes.plot(t, values, color=COLOURS[ink], linewidth=2.2)
    axes.axhline(0.5, color=COLOURS["muted"], linewidth=0.6, linestyle=(0, (2, 4)))
    axes.set(xlim=(0, 1), ylim=(-0.02, 1.03))
    axes.set_axis_off()
    return figure
