"""A comparison as an HTML page: models, how they differ, in which order they stand, by class, how alike they are."""

import math
import os
from contextlib import suppress

from onnxspec.comparison import figures
from onnxspec.comparison.agreement_table import agreement_section
from onnxspec.comparison.class_table import classes_section, label_of
from onnxspec.comparison.comparison import Comparison, ModelOf
from onnxspec.comparison.contrasts import DEPENDS, Contrast
from onnxspec.comparison.ranking import TOLD_APART, Rank
from onnxspec.errors import ReportError
from onnxspec.report.headline import KINDS
from onnxspec.report.html.markup import Child, Markup, tag
from onnxspec.report.html.page import document
from onnxspec.report.html.parts import definitions, factor_of, figure, section, table, value
from onnxspec.report.page import number
from onnxspec.results import advised
from onnxspec.sampling import said
from onnxspec.saving import save_text

_WORDS = {
    "models": "Models",
    "series": "Series",
    "differences": "Differences",
    "spectra": "Spectra",
    "ranking": "In order",
    "classes": "Classes",
    "agreement": "Agreement",
}


def page(comparison: Comparison) -> str:
    """A comparison as a self-contained HTML page, under the policy of a report's."""
    sections = [
        _models(comparison),
        _series(comparison),
        _differences(comparison),
        _spectra(comparison),
        _ranking(comparison),
        classes_section(comparison),
        agreement_section(comparison),
    ]
    return document(f"{comparison.reference}: comparison", _header(comparison), sections, _WORDS)


def write_page(comparison: Comparison, path: str | os.PathLike[str]) -> None:
    """Writes the page of a comparison, whole or not at all; raises as a report's."""
    save_text(path, page(comparison))


def _header(comparison: Comparison) -> Markup:
    a = comparison.attributes
    told = [tag("li", text, tag("span", f" {hint}")) for text, hint in advised(comparison.remarks)]
    others = ", ".join(one.name for one in comparison.models if one.name != comparison.reference)
    return tag(
        "header",
        tag("p", "onnxspec comparison", class_="kicker"),
        tag("h1", comparison.reference),
        tag("p", "and ", tag("b", others), ", on ", tag("b", str(a["data"])), class_="on"),
        tag("ul", told, class_="warnings") if told else None,
    )


def _models(comparison: Comparison) -> Markup:
    a, paths = comparison.attributes, min(model.paths for model in comparison.models)
    facts: dict[str, Child] = {
        "data": f"{a['data']}: {a['data_images']:,} images",
        "paths": f"{a['points']} points on the same {paths:,} lines between images, seed {a['seed']}",
        **({"precision": f"factors of {said(a['precision'], comparison.ended)}"} if comparison.ended else {}),
        "scale": f"f_c {a['cutoff']:.3g} cycles per unit RMS distance (d_ref {a['d_ref']:.3g}), for all models the same",
        "digest": tag("code", comparison.digest),
    }
    labels = "" if a["labelling"] == "true" else " The labels are the reference's own, so that accuracy has no meaning."
    place = ["place"] if comparison.series else []
    return section(
        "models",
        "The models",
        f"All were measured on the same pairs of images; the others are compared to {comparison.reference}.{labels}",
        table(["model", *place, "accuracy, %", "outputs", "paths", "file"], (_model(comparison, m) for m in comparison.models)),
        definitions(facts.items()),
    )  # fmt: skip


def _model(comparison: Comparison, model: ModelOf) -> list[Child]:
    name = model.name + (" (reference)" if model.name == comparison.reference else "")
    place = [f"{model.position:g}"] if comparison.series else []
    paths = f"{model.paths:,}" + (f", {model.left_out:,} left out" if model.left_out else "")
    return [name, *place, value(model.share_right, "accuracy"), f"{model.outputs:,}", paths, model.source]


def _series(comparison: Comparison) -> Markup | None:
    """Figures over the places of the models, where they are a series."""
    if not comparison.series:
        return None
    drawn = []
    for signal in _signals(comparison):
        with suppress(ReportError):
            drawn.append(figure(figures.series(comparison, signal), f"series-{signal}", f"{signal} over the series"))
    lead = "Every model over the pairs that it gets right itself, with 95 % intervals."
    return section("series", "Over the series", lead, tag("div", drawn, class_="wall"))


def _spectra(comparison: Comparison) -> Markup | None:
    """The spectra of all models; none where the file is from before they were kept."""
    if not comparison.spectra:
        return None
    drawn = [
        figure(
            figures.spectra(comparison, signal, [kind]),
            f"spectra-{signal}-{kind}",
            f"Spectra of {signal} {KINDS[kind]}",
        )
        for signal in _signals(comparison)
        for kind in comparison.kinds
    ]
    lead = (
        "How much of the movement along a path goes on at which speed, from slow bends on the left to fine wiggling on the "
        "right: the mean over the pairs that a model gets right itself, in its 95 % interval."
    )
    return section("spectra", "Spectra", lead, tag("div", drawn, class_="wall"))


def _signals(comparison: Comparison) -> list[str]:
    return list(dict.fromkeys(one.signal for one in comparison.main_quantities if one.metric == "hff"))


def _differences(comparison: Comparison) -> Markup:
    """Every main quantity of all models, and each against the reference."""
    parts = []
    for kind in comparison.kinds:
        rows: list[list[Child]] = []
        for quantity in comparison.main_quantities:
            for model in comparison.models:
                asked = model.name, kind, quantity.metric, quantity.signal
                own, reference = comparison.figure(*asked), model.name == comparison.reference
                cells = ["", "", "", "", "reference"] if reference else _contrast(comparison.contrast(*asked))
                rows.append([model.name, label_of(quantity), value(own, quantity.metric), *cells])
        headings = [
            "model",
            "figure",
            "own pairs",
            "factor, common pairs",
            "factor, own pairs",
            "common",
            "p",
            "verdict",
        ]
        parts += [tag("h3", KINDS[kind].capitalize(), class_=kind), table(headings, rows)]
    return section(
        "differences",
        "How they differ",
        f"The factor is to {comparison.reference}'s figure, over pairs that both get right, and beside it over those that "
        "each gets right itself; where the two disagree, what is found depends on the selection. Brackets are 95 % intervals, "
        "with ~ of figures that fewer than ten effective paths carry.",
        _factors(comparison),
        *parts,
    )  # fmt: skip


def _factors(comparison: Comparison) -> Markup | None:
    """The factors drawn; none of more models than fit, and where all are differences or undefined, as the tables say."""
    if len(comparison.models) > figures.MOST:
        return None
    caption = "Over common pairs; a dot is filled where the model is told apart from the reference."
    try:
        drawn = [
            figure(figures.factors(comparison, [kind]), f"factors-{kind}", f"Factors {KINDS[kind]}", caption)
            for kind in comparison.kinds
        ]
    except ReportError:
        return None
    return tag("div", drawn, class_="wall")


def _contrast(one: Contrast) -> list[Child]:
    look = {**dict.fromkeys(TOLD_APART, "star"), DEPENDS: "fail"}.get(one.verdict, "quiet")
    p = tag("span", "" if math.isnan(one.p) else f"{one.p:.2g}", class_="value")
    factors = [value(interval, "", doubted=False) for interval in (one.common, one.own)]
    return [*factors, f"{one.pairs:,}", p, tag("span", one.verdict, class_=look)]


def _ranking(comparison: Comparison) -> Markup:
    rows: list[list[Child]] = []
    for kind in comparison.kinds:
        for quantity in comparison.main_quantities:
            places = [one for one in comparison.ranking if (one.kind, one.quantity) == (kind, quantity)]
            rows.append([f"{label_of(quantity)} {KINDS[kind]}", [_place(one) for one in places]])
    lead = "Lowest first. Models that share a letter are not told apart by the data."
    return section("ranking", "In order", lead, table(["figure", "models, their figures and ties"], rows))


def _place(one: Rank) -> list[Child]:
    estimate = number(one.estimate * factor_of(one.quantity.metric))
    return [
        " · " if one.place > 1 else "",
        tag("span", one.model, class_="name"),
        " ",
        tag("b", estimate),
        tag("span", f" {one.letters}", class_="quiet"),
    ]
