"""A figure as part of a page: SVG without styles of its own, in the page's colours and type.

A page with a strict content security policy allows no `style` attributes, so they become presentation attributes; the
palette's colours become variables of the page, which is how one figure is right by day and by night.
"""

import io
import re

from matplotlib import rc_context
from matplotlib.figure import Figure

from onnxspec.report.figures.style import COLOURS, styled

_STYLE = re.compile(r' style="([^"]*)"')
_ID = re.compile(r' id="([^"]*)"')
_REFERENCE = re.compile(r'(url\(#|href="#)([^")]*)')
_TAG = re.compile(r"<[^>]*>")
_NUMBER = re.compile(r"(\d+\.\d{2})\d+")
_DROPPED = ("font-family",)
_METADATA = dict.fromkeys(("Date", "Creator", "Format", "Type"))


@styled
def inline_svg(figure: Figure, name: str) -> str:
    """The figure as an <svg> element for a page.

    Parameters
    ----------
    name : unique in the page; ids become `name-id`, and only those that are referred to or named by `gid` remain
    """
    out = io.StringIO()
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": name}):
        figure.savefig(out, format="svg", metadata=_METADATA, transparent=True, dpi=144)
    text = out.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<style.*?</style>", "", text, flags=re.DOTALL)
    used = {reference for tag in _TAG.findall(text) for _, reference in _REFERENCE.findall(tag)}
    # Between the tags stands what the figure says, which may look like anything.
    text = _TAG.sub(lambda found: _of_page(found[0], name, used), text)
    text = re.sub(
        r"<svg[^>]*?(viewBox=\"[^\"]*\")[^>]*>", r'<svg \1 aria-hidden="true" focusable="false">', text, count=1
    )
    return re.sub(r"\s*\n\s*", " ", text)


def _as_attributes(match: re.Match[str]) -> str:
    pairs = (part.split(":", 1) for part in match[1].replace("&quot;", "'").split(";") if ":" in part)
    return "".join(f' {key.strip()}="{value.strip()}"' for key, value in pairs if key.strip() not in _DROPPED)


def _of_page(tag: str, name: str, used: set[str]) -> str:
    """A tag without styles, in the page's colours, with ids that are the figure's own."""
    tag = _STYLE.sub(_as_attributes, tag)
    tag = _ID.sub(lambda m: f' id="{name}-{m[1]}"' if m[1] in used or m[1].startswith("on-demand") else "", tag)
    tag = _REFERENCE.sub(lambda m: f"{m[1]}{name}-{m[2]}", tag)
    for role, colour in COLOURS.items():
        tag = tag.replace(f'"{colour}"', f'"var(--{role})"')
    return _NUMBER.sub(r"\1", tag)
