"""The whole page, and the policy that a browser holds it to.

The policy allows one style sheet and one script by their hashes and pictures that are part of the page, so that
nothing that came from a file could act even if it were taken for markup.
"""

import base64
import hashlib
import os
from collections.abc import Iterable, Mapping
from importlib import resources

from onnxspec import __version__
from onnxspec.report.html.beside import beside_section
from onnxspec.report.html.classes import classes_section, matrix_section
from onnxspec.report.html.evidence import checks_section, distributions_section, settings_section
from onnxspec.report.html.markup import Markup, tag
from onnxspec.report.html.opening import header, headline
from onnxspec.report.html.spectra import spectra_section
from onnxspec.report.html.strips import strips_section
from onnxspec.report.report import Report
from onnxspec.saving import save_text

_PAPER = "https://arxiv.org/abs/2110.02424"
_LINKS = {
    "audit": "Audit",
    "figures": "Figures",
    "spectra": "Spectra",
    "beside": "Other paths",
    "paths-seen": "Paths, seen",
    "classes": "Classes",
    "matrix": "Matrix",
    "distributions": "Path by path",
    "checks": "Checks",
    "reproduce": "Settings",
}


def page(report: Report, pixels: bool = True, first: Markup | None = None) -> str:
    """A report as a self-contained HTML page.

    pixels : False leaves out the images that the report may keep; first : a section to stand before all others
    """
    sections = [
        first,
        headline(report),
        spectra_section(report),
        beside_section(report),
        strips_section(report, pixels),
        classes_section(report),
        matrix_section(report),
        distributions_section(report),
        checks_section(report),
        settings_section(report),
    ]
    return document(f"{report.attributes['model']}: frequency report", header(report), sections, _LINKS)


def document(title: str, opening: Markup, sections: Iterable[Markup | None], words: Mapping[str, str]) -> str:
    """A self-contained page under the policy.

    words : section id to its word in the navigation, in order; ids that no section has are left out
    """
    style, script = (_own(name) for name in ("style.css", "script.js"))
    here = [one for one in sections if one is not None]
    links = (tag("a", word, href=f"#{to}") for to, word in words.items() if any(f'id="{to}"' in one for one in here))
    head = [
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=_policy(style, script)),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("meta", name="generator", content=f"onnxspec {__version__}"),
        tag("title", title),
        tag("style", style),
    ]
    body = [opening, tag("nav", links, aria_label="sections"), tag("main", here), _footer(), tag("script", script)]
    return "<!DOCTYPE html>\n" + tag("html", tag("head", head), tag("body", body), lang="en") + "\n"


def write_page(report: Report, path: str | os.PathLike[str], pixels: bool = True) -> None:
    """Writes the page of a report, whole or not at all.

    Raises
    ------
    UsageError
        The place cannot be written to.
    ResourceError
        The disk is full.
    """
    save_text(path, page(report, pixels))


def _policy(style: str, script: str) -> str:
    def allowed(text: str) -> str:
        return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"

    return (
        f"default-src 'none'; style-src {allowed(style)}; script-src {allowed(script)}; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


def _own(name: str) -> Markup:
    return Markup(resources.files("onnxspec.report.html").joinpath(name).read_text(encoding="utf-8"))


def _footer() -> Markup:
    return tag(
        "footer",
        f"Made by onnxspec {__version__}. The measurement follows ",
        tag("a", "Spectral Bias in Practice", href=_PAPER, rel="noreferrer"),
        " (Fridovich-Keil, Gontijo-Lopes, Roelofs, NeurIPS 2022). This page loads nothing from anywhere.",
    )
