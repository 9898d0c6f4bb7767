"""Figures inside a page: no styles, no strange colours, no names that act, and numbers as they were."""

import re
import xml.etree.ElementTree as ET

import pytest

from onnxspec.report.figures import style
from onnxspec.report.figures.inline import inline_svg
from onnxspec.report.figures.style import COLOURS

HOSTILE = "<script>alert(1)</script> & $x^2$ \" ' \\frac 0.123456789"


@style.styled
def draw():
    figure, axes = style.panel()
    axes.plot([1, 2, 3], [1, 10, 100], color=COLOURS["within"], label=HOSTILE)
    axes.fill_between([1, 2, 3], [1, 2, 3], [2, 3, 4], color=COLOURS["between"], alpha=0.2, gid="on-demand-x")
    axes.set_title(HOSTILE)
    axes.legend()
    return figure


@pytest.fixture(scope="module")
def drawn():
    return draw()


def test_it_has_no_styles_and_stays_well_formed(drawn):
    svg = inline_svg(drawn, "one")
    assert "style" not in svg and "<metadata" not in svg
    ET.fromstring(svg.replace("<svg ", '<svg xmlns:xlink="http://www.w3.org/1999/xlink" ', 1))


def test_text_is_text_whatever_it_says(drawn):
    svg = inline_svg(drawn, "one")
    assert "<script" not in svg
    root = ET.fromstring(svg.replace("<svg ", '<svg xmlns:xlink="http://www.w3.org/1999/xlink" ', 1))
    assert HOSTILE in {element.text for element in root.iter() if element.tag.endswith("text")}


def test_the_palette_becomes_the_pages(drawn):
    svg = inline_svg(drawn, "one")
    assert "var(--within)" in svg and "var(--between)" in svg and "var(--muted)" in svg
    assert not set(re.findall(r"#[0-9a-f]{6}", svg)) & set(COLOURS.values())


def test_ids_are_the_figures_own_and_point_somewhere(drawn):
    first, second = (inline_svg(drawn, name) for name in ("one", "two"))
    ids = {name: set(re.findall(r' id="([^"]*)"', svg)) for name, svg in (("one", first), ("two", second))}
    assert ids["one"] and all(one.startswith("one-") for one in ids["one"])
    assert "one-on-demand-x" in ids["one"]
    assert not ids["one"] & ids["two"]
    assert set(re.findall(r'(?:url\(|href=")#([^")]*)', first)) <= ids["one"]


def test_the_same_figure_gives_the_same_bytes(tmp_path):
    assert inline_svg(draw(), "one") == inline_svg(draw(), "one")
    for form in ("svg", "pdf", "png"):
        written = []
        for name in ("a", "b"):
            style.save(draw(), str(tmp_path / name), form)
            written.append((tmp_path / name).read_bytes())
        assert written[0] == written[1]


@pytest.mark.parametrize(
    ("value", "text"), [(1, "1"), (0.01, "0.01"), (1e-4, "10⁻⁴"), (2e-5, "2·10⁻⁵"), (1e12, "10¹²"), (1000, "1,000")]
)
def test_powers_of_ten_need_no_mathematics(value, text):
    assert style.plain_power(value) == text
