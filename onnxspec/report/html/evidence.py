"""Why to believe the figures: distributions, checks, estimators, settings, and how to get them again."""

import json
import shlex
from collections.abc import Iterator
from pathlib import PurePath

from onnxspec.images.preprocess import DEFAULT, FLOATING, METADATA, MODEL_SIZE, WHOLE_INPUTS
from onnxspec.images.python_data import SOURCE as PASSED_IN
from onnxspec.report.figures import convergence, distributions, spectra
from onnxspec.report.findings import verdicts
from onnxspec.report.headline import figure as figure_of
from onnxspec.report.headline import signals_of
from onnxspec.report.html.markup import Child, Markup, tag
from onnxspec.report.html.parts import definitions, figure, section, short, signal_switch, table
from onnxspec.report.report import Report
from onnxspec.settings import ESTIMATORS


def distributions_section(report: Report) -> Markup:
    """How the figures spread over single paths."""
    drawn: list[Markup] = []
    for signal in signals_of(report):
        shares, slopes = distributions.shares(report, signal), distributions.slopes(report, signal)
        drawn.append(figure(shares, f"shares-{signal}", f"{signal} hff", data_signal=signal))
        drawn.append(figure(slopes, f"slopes-{signal}", f"{signal} slope", data_signal=signal))
    drawn.append(figure(distributions.flips(report), "flips", "Changes of the predicted class"))
    drawn.append(figure(distributions.distances(report), "lengths", "Length"))
    return section(
        "distributions",
        "Path by path",
        "A pooled figure hides how unevenly it is carried. These are the single paths that count. "
        "Within a class, no change of the predicted class is what one hopes for.",
        tag("div", signal_switch(signals_of(report)), class_="controls"),
        tag("div", drawn, class_="wall"),
    )


def checks_section(report: Report) -> Markup:
    """The checks that every report carries, and the two that are worth a look."""
    signal = signals_of(report)[0]
    rows = (
        (one.name, tag("span", "yes" if one.passed else "NO", class_="pass" if one.passed else "fail"), one.text)
        for one in verdicts(report)
    )
    converged = figure(
        convergence.convergence(report), "convergence", "With half and with twice the points",
        f"A pilot of up to {report.checks['paths'].max()} pairs a kind. The band is what is allowed from the points used to twice as many; "
        "the error at half the points is shown, not judged.",
    )  # fmt: skip
    above = figure(
        spectra.noise(report, signal), "noise", f"{signal} above rounding noise",
        f"The floor is what rounding alone does to the spectrum ({report.attributes['noise_floor_source']}).",
    )  # fmt: skip
    return section(
        "checks",
        "Is the number about the network?",
        "Too few points, rounding or a machine that does not repeat itself could all look like wiggling. They were measured too.",
        table(["check", "passed", "what was found"], rows),
        tag("div", converged, above, class_="wall"),
        tag("h3", "The headline under every estimator"),
        tag(
            "p",
            "hff in percent. A result that only one way to take a spectrum shows is a result about that way.",
            class_="lead",
        ),
        _estimators(report),
    )


def settings_section(report: Report) -> Markup:
    """What was asked for, and how to get the same again."""
    a = report.attributes
    settings = {name: _text(value) for name, value in json.loads(a["settings"]).items()}
    pixels = {name: f"{_text(of['value'])} ({of['from']})" for name, of in json.loads(a["preprocess"]).items()}
    ran = {
        name.removeprefix("run_").replace("_", " "): _text(value)
        for name, value in a.items()
        if name.startswith("run_")
    }
    ran.pop("command", None)
    digests = {
        "model": a["model_digest"],
        "data": a["data_digest"],
        "images used": a["content_digest"],
        "report": a["digest"],
    }
    return section(
        "reproduce",
        "Settings, and how to reproduce",
        "The same files and settings give the same report digest, bit for bit on a CPU, whatever the batch size (2 and more) and the number of threads.",
        tag("pre", tag("code", _command(report)), tabindex="0"),
        tag(
            "div",
            _block("Settings", settings),
            _block("Pixels to input", pixels),
            _block("This run", ran),
            _block("SHA-256", {name: tag("code", value) for name, value in digests.items() if value}),
            class_="wall",
        ),
    )


def _estimators(report: Report) -> Markup:
    used = report.attributes["estimator"]
    rows: Iterator[list[Child]] = (
        [f"{signal} {kind}", *(short(figure_of(report, kind, "hff", signal, estimator=e), "hff") for e in ESTIMATORS)]
        for signal in signals_of(report)
        for kind in report.kinds
    )
    return table(["", *(f"{name} (used)" if name == used else name for name in ESTIMATORS)], rows)


def _block(title: str, rows: dict) -> Markup:
    return tag("div", tag("h3", title), definitions(rows.items()), class_="block")


_OF_ITSELF = (MODEL_SIZE, METADATA, FLOATING, *WHOLE_INPUTS.values())
"""Where preprocessing comes from that nobody has to say again."""


def _command(report: Report) -> str:
    """The command that was run, or what to call where it was a script's."""
    command = str(report.attributes.get("run_command", ""))
    try:
        program, *arguments = shlex.split(command) or [""]
    except ValueError:  # a quotation mark without its other half: not of a shell
        program, arguments = "", []
    if PurePath(program).name == "onnxspec":
        return shlex.join(["onnxspec", *arguments])
    settings = {name: value for name, value in json.loads(report.attributes["settings"]).items() if value is not None}
    pixels = json.loads(report.attributes["preprocess"])
    said = {name: of["value"] for name, of in pixels.items() if of["from"] not in (*_OF_ITSELF, DEFAULT)}
    data = str(report.attributes["data"])
    images = "images" if data == PASSED_IN else repr(data)
    return f"onnxspec.analyze(model, {images}, {settings | ({'preprocess': said} if said else {})})"


def _text(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(f"{one:.6g}" if isinstance(one, float) else str(one) for one in value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "none" if value is None else f"{value:.6g}" if isinstance(value, float) else str(value)
