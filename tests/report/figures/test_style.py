"""Lines of one figure are told apart by everybody, on paper and on a page at night; letters are those of the names."""

import re
from importlib import resources
from itertools import combinations

import numpy as np
import pytest
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from matplotlib import font_manager

from onnxspec.report.figures import style
from onnxspec.report.figures.style import COLOURS, INKS

# Machado, Oliveira and Fernandes 2009, severity 1: what linear RGB looks like to those who lack a cone.
SEEN = {
    "all": np.eye(3),
    "protan": [[0.152, 1.053, -0.205], [0.115, 0.786, 0.099], [-0.004, -0.048, 1.052]],
    "deutan": [[0.367, 0.861, -0.228], [0.280, 0.673, 0.047], [-0.012, 0.043, 0.969]],
    "tritan": [[1.256, -0.077, -0.179], [-0.078, 0.931, 0.148], [0.005, 0.691, 0.304]],
}
XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])


def palettes():
    style = resources.files("onnxspec.report.html").joinpath("style.css").read_text(encoding="utf-8")
    night = style.split("prefers-color-scheme: dark", 1)[1].split("* {", 1)[0]
    return COLOURS, dict(re.findall(r"--(\w+): (#[0-9a-f]{6})", night))


def linear(colour):
    values = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def lab(rgb):
    x = XYZ @ np.clip(rgb, 0, 1) / XYZ.sum(1)
    f = np.where(x > 0.008856, np.cbrt(x), 7.787 * x + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@pytest.mark.parametrize("seen", SEEN)
@pytest.mark.parametrize("roles", [INKS, ("within", "between")])
def test_colours_are_told_apart_by_whoever_sees_them(roles, seen):
    for palette in palettes():
        at = [lab(SEEN[seen] @ linear(palette[role])) for role in roles]
        assert min(np.linalg.norm(a - b) for a, b in combinations(at, 2)) > 13


def test_lines_stand_out_from_paper():
    for palette in palettes():
        paper, *lines = (XYZ[1] @ linear(palette[role]) + 0.05 for role in ("paper", "within", "between", *INKS))
        assert min(max(paper, line) / min(paper, line) for line in lines) >= 3


@pytest.fixture
def boots(tmp_path, monkeypatch):
    """A font of the system that has one letter more than matplotlib's own."""
    pen = TTGlyphPen(None)
    pen.moveTo((0, 0))
    for corner in ((900, 0), (450, 777)):
        pen.lineTo(corner)
    pen.closePath()
    font = FontBuilder(1000, isTTF=True)
    font.setupGlyphOrder([".notdef", "boots"])
    font.setupCharacterMap({ord("靴"): "boots"})
    font.setupGlyf({".notdef": TTGlyphPen(None).glyph(), "boots": pen.glyph()})
    font.setupHorizontalMetrics({".notdef": (1000, 0), "boots": (1000, 0)})
    font.setupHorizontalHeader(ascent=800, descent=-200)
    font.setupNameTable({"familyName": "Boots", "styleName": "Regular"})
    font.setupOS2()
    font.setupPost()
    font.save(tmp_path / "boots.ttf")
    monkeypatch.setattr(font_manager.fontManager, "ttflist", list(font_manager.fontManager.ttflist))
    font_manager.fontManager.addfont(tmp_path / "boots.ttf")
    yield "Boots"
    font_manager._get_font.cache_clear()


@style.styled
def labelled(text):
    figure, axes = style.panel()
    axes.set_title(text)
    return figure


@pytest.mark.parametrize("form", ["svg", "pdf", "png"])
def test_letters_that_the_usual_font_lacks_are_taken_from_another(form, boots, tmp_path, monkeypatch):
    monkeypatch.setattr(style, "_FURTHER_FONTS", ("Nowhere To Be Found", boots))
    assert style.save(labelled("靴 and Ankle boot"), str(tmp_path / f"figure.{form}"), form) == ""


@pytest.mark.parametrize("form", ["svg", "pdf", "png"])
def test_letters_that_no_font_has_are_told(form, tmp_path, monkeypatch):
    monkeypatch.setattr(style, "_FURTHER_FONTS", ())
    assert style.save(labelled("靴 and Ankle boot 下靴"), str(tmp_path / f"figure.{form}"), form) == "下靴"
