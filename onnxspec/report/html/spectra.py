"""Spectra of the kinds, and of any class on demand."""

from onnxspec.report.figures import spectra
from onnxspec.report.headline import signals_of
from onnxspec.report.html.markup import Markup, data_block, tag
from onnxspec.report.html.parts import figure, section, signal_switch
from onnxspec.report.report import Report


def spectra_section(report: Report) -> Markup:
    """A figure per signal, a menu of classes, and the outlines of every class for the script to draw."""
    drawn, outlines = [], {}
    for signal in signals_of(report):
        picture, found = spectra.on_demand(report, signal)
        outlines[signal] = {"x": found.x, "of": found.of}
        drawn.append(figure(picture, f"spectrum-{signal}", f"Spectrum of {signal}", data_signal=signal))
    return section(
        "spectra",
        "Spectra",
        "How much of the movement along a path goes on at which speed, from slow bends on the left to fine wiggling on the "
        "right; the line is the mean over paths, the band its 95 % interval. What lies right of the cut-off counts as fast. "
        "One cycle per d_ref is one swing on the way between two typical images.",
        tag("div", signal_switch(signals_of(report)), _menu(report), class_="controls"),
        tag("div", drawn, class_="wall"),
        data_block("outlines", outlines),
    )


def _menu(report: Report) -> Markup:
    names = enumerate(report.classes["name"])
    options = (tag("option", str(name), value=number) for number, name in names)
    menu = tag("select", tag("option", "none", value=""), options, id="class-menu")
    return tag("label", "one class beside all (dashed) ", menu, class_="needs-script")
