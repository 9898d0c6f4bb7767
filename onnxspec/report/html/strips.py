"""Paths as a person sees them: images from end to end, and under them what the network takes them for."""

import base64
import io
from collections.abc import Iterator

import numpy as np
from PIL import Image

from onnxspec.report.figures.curves import curves
from onnxspec.report.figures.inline import inline_svg
from onnxspec.report.figures.style import INKS
from onnxspec.report.headline import KINDS, signals_of
from onnxspec.report.html.markup import Markup, tag
from onnxspec.report.html.parts import section
from onnxspec.report.page import number
from onnxspec.report.report import Report
from onnxspec.settings import KINDS as KIND_CODES

FRAMES = 9
OPEN = 3
_SEEN = 0.02
_PIXELATED = 40
_WORDS = {1: "wildest", 0: "calmest"}


def strips_section(report: Report, pixels: bool) -> Markup | None:
    """The wildest and the calmest paths of every kind; `pixels` False leaves the images out."""
    if not report.strips:
        return None
    kind_of = report.paths["kind"][report.strips["path"]]
    shown = []
    for kind in report.kinds:
        for wild, word in _WORDS.items():
            here = np.flatnonzero((kind_of == KIND_CODES.index(kind)) & (report.strips["wild"] == wild))
            strips = [_strip(report, int(at), pixels) for at in here]
            more = (
                tag("details", tag("summary", f"{len(strips) - OPEN} more"), strips[OPEN:]) if strips[OPEN:] else None
            )
            title = tag("h3", f"The {word} {KINDS[kind]}", class_=kind)
            shown.append(tag("div", title, strips[:OPEN], more, class_="strips"))
    return section(
        "paths-seen",
        "Paths, seen",
        "Every strip is one straight line between two images; the curves below it are the class probabilities on the way, "
        f"from 0 to 1. Chosen by {signals_of(report)[0]} hff among paths that count whose outputs move enough to be seen. "
        "A calm path bends once from one answer to the next, or hardly at all. A wild one goes to and fro, or turns "
        "sharply; where even those look smooth, the network is.",
        tag("div", shown, class_="pairs"),
    )


def _strip(report: Report, at: int, pixels: bool) -> Markup:
    strips = report.strips
    name = f"strip-{at}"
    prob = strips["prob"][at]
    seen = [i for i in range(len(prob)) if prob[i].max() >= _SEEN or i == 0]
    legend = (tag("span", str(strips["name"][at][i]), class_=INKS[i]) for i in seen)
    return tag(
        "figure",
        _images(strips["thumbnail"][at]) if pixels and "thumbnail" in strips else None,
        tag(
            "div",
            Markup(inline_svg(curves(prob[seen]), name)),
            class_="drawing",
            role="img",
            aria_label="probabilities",
        ),
        tag("p", legend, class_="legend"),
        tag("p", tag("b", _ends(report, at)), " · " + " · ".join(_facts(report, at)), class_="facts"),
        class_="strip",
    )


def _ends(report: Report, at: int) -> str:
    """The class, or from which class to which."""
    row, names = int(report.strips["path"][at]), report.classes["name"]
    first, second = (str(names[report.paths[end][row]]) for end in ("class_a", "class_b"))
    return first if first == second else f"{first} → {second}"


def _facts(report: Report, at: int) -> Iterator[str]:
    paths, row = report.paths, int(report.strips["path"][at])
    flips = int(paths["flips"][row])
    yield f"hff {number(100 * float(report.strips['hff'][at]))} %"
    yield f"{flips} class change{'' if flips == 1 else 's'}"
    yield f"length {number(float(paths['distance'][row] / report.attributes['d_ref']))} d_ref"


def _images(ends: np.ndarray) -> Markup:
    """The path as images side by side: since it is straight, its points are blends of its ends."""
    t = np.linspace(0, 1, FRAMES)[:, None, None, None]
    frames = np.rint((1 - t) * ends[0] + t * ends[1]).astype(np.uint8)
    strip = np.concatenate(list(frames), axis=1)
    grey = strip.shape[2] == 1
    picture = Image.fromarray(strip[..., 0] if grey else strip)
    out = io.BytesIO()
    if grey:
        picture.save(out, "PNG", optimize=True)
    else:
        picture.save(out, "JPEG", quality=80, subsampling=0, optimize=True)
    source = f"data:image/{'png' if grey else 'jpeg'};base64,{base64.b64encode(out.getvalue()).decode()}"
    look = {"class_": "pixelated" if picture.height <= _PIXELATED else None}
    alt = f"{FRAMES} images from one end of the path to the other"
    return tag("img", src=source, alt=alt, width=picture.width, height=picture.height, **look)
