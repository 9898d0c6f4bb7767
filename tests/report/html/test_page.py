"""The page of a report: whole, alone, in its policy, with every name as text."""

import base64
import hashlib
import html
import re
import shlex
from html.parser import HTMLParser

import numpy as np
import pytest

import onnxspec
from onnxspec.report.figures.style import COLOURS
from onnxspec.report.html.page import page, write_page
from onnxspec.report.html.parts import value
from onnxspec.report.html.strips import strips_section
from onnxspec.statistics import Interval
from report.altered import altered, with_classes

VOID = {"meta", "img", "input", "br"}
LIMIT = 3_000_000
HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(2)>\"'&\x1b]8;;http://evil\x07"


class Elements(HTMLParser):
    """Elements with attributes, the texts of style and script, and whether all tags are closed in order."""

    def __init__(self, text):
        super().__init__()
        self.found, self.inner, self._open = [], {}, []
        self.feed(text)
        assert not self._open

    def handle_starttag(self, tag, attributes):
        self.found.append((tag, dict(attributes)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.found.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        assert self._open.pop() == tag

    def handle_data(self, data):
        if self._open and self._open[-1] in ("style", "script"):
            self.inner.setdefault(self._open[-1], []).append(data)

    def all(self, tag):
        return [attributes for name, attributes in self.found if name == tag]


@pytest.fixture(scope="module")
def elements(bundled_page):
    return Elements(bundled_page)


def policy(elements):
    return next(one["content"] for one in elements.all("meta") if one.get("http-equiv") == "Content-Security-Policy")


@pytest.mark.usefixtures("undrawn")
def test_an_undefined_headline_is_said_in_words(bundled_report, tmp_path):
    reason = np.array(["the outputs do not change"] * len(bundled_report.figures["reason"]), object)
    report = altered(bundled_report, tmp_path / "r.h5", figures__estimate=np.nan, figures__reason=reason)
    text = re.sub(r"<[^>]+>", "", page(report))
    assert "fast wiggling makes up an undefined share (the outputs do not change) of all that" in text
    assert "- %" not in text


@pytest.mark.usefixtures("undrawn")
@pytest.mark.parametrize("labelling", ["true", "predicted"])
def test_ends_are_right_only_where_there_are_labels(bundled_report, tmp_path, labelling):
    report = altered(bundled_report, tmp_path / "r.h5", attributes={"labelling": labelling})
    text = re.sub(r"<[^>]+>", "", page(report))
    taken, every = (bundled_report.figure("within", "slope", selection=s).paths for s in ("right", "all"))
    assert ("both ends right" in text) is (f"{taken} of {every}" in text) is (labelling == "true")


@pytest.mark.parametrize(("n_eff", "marked"), [(9.9, True), (10.0, False)])
def test_an_interval_of_few_paths_is_marked(n_eff, marked):
    shown = str(value(Interval(0.02, 0.01, 0.03, 40, n_eff), "hff"))
    assert ("] ~<" in shown) is ('title="carried by few of its 40 paths' in shown) is marked


def test_it_is_one_file_that_loads_nothing(bundled_page, elements):
    assert not {"link", "iframe", "object", "embed", "base", "form", "audio", "video"} & {
        tag for tag, _ in elements.found
    }
    for tag, attributes in elements.found:
        for name in ("src", "href", "xlink:href", "srcset", "action"):
            value = attributes.get(name) or "#"
            assert value.startswith(("#", "data:image/")) or (tag == "a" and value.startswith("https://arxiv.org/")), (
                value
            )
    assert not re.search(r"url\((?!#)|@import", "".join(elements.inner["style"]))
    assert len(bundled_page.encode()) < 1_000_000


def test_the_policy_allows_its_own_style_and_script_alone(elements):
    allowed = policy(elements)
    assert allowed.startswith("default-src 'none'; ") and "unsafe" not in allowed
    code = [text for text in elements.inner["script"] if not text.startswith("{")]
    for text in [*elements.inner["style"], *code]:
        assert f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'" in allowed
    assert len(elements.inner["style"]) == len(code) == 1


def test_nothing_acts_but_the_script(elements):
    for tag, attributes in elements.found:
        assert "style" not in attributes, tag
        assert not [name for name in attributes if name.startswith("on")], tag


def test_ids_are_unique_and_links_lead_to_them(elements):
    ids = [attributes["id"] for _, attributes in elements.found if "id" in attributes]
    assert len(set(ids)) == len(ids)
    targets = {one["href"][1:] for one in elements.all("a") if one["href"].startswith("#")}
    assert len(targets) == 8 and targets <= set(ids)


def test_every_colour_of_a_figure_has_its_day_and_its_night(elements):
    style = "".join(elements.inner["style"])
    day, night = style.split("@media screen and (prefers-color-scheme: dark)", 1)
    for role, colour in COLOURS.items():
        assert f"--{role}: {colour};" in day
        assert f"--{role}: " in night.split("* {", 1)[0]


def test_it_says_what_the_report_says(bundled_report, bundled_page):
    text = re.sub(r"<[^>]*>", " ", bundled_page)
    for name in bundled_report.classes["name"]:
        assert str(name) in text
    for expected in ("Is the number about the network?", "carried by few paths", bundled_report.attributes["digest"]):
        assert expected in text


def test_hostile_names_are_text_everywhere(bundled_report, tmp_path):
    attributes = {"model": HOSTILE, "data": HOSTILE}
    names = {"Sandal": HOSTILE, "Bag": "=cmd|' /C calc'!A0", "Coat": "{{7*7}}${7*7}"}
    run = {"command": f"onnxspec analyze {HOSTILE}", "host": HOSTILE}
    made = page(altered(bundled_report, tmp_path / "r.h5", names=names, attributes=attributes, run=run))
    found = Elements(made)
    assert len(found.all("script")) == 2
    assert not [one for one in found.all("img") if not one["src"].startswith("data:")]
    assert not [name for _, attributes in found.found for name in attributes if name.startswith("on")]
    assert "\x1b" not in made and "\x07" not in made


def test_pixels_stay_out_on_request(bundled_report, elements):
    assert len(elements.all("img")) == 32
    without = strips_section(bundled_report, pixels=False)
    assert not Elements(without).all("img") and without.count('class="strip"') == 32


def test_a_thousand_classes_stay_under_three_megabytes(bundled_report, tmp_path):
    names = [f"a class with a name of common length {i}" for i in range(1000)]
    made = page(with_classes(bundled_report, tmp_path / "many.h5", names))
    assert len(made.encode()) < LIMIT
    assert made.count('class="pick"') == 1000


def network(batch):
    return np.tanh(batch.mean(axis=(2, 3)) * 9 - 4)


@pytest.mark.parametrize(
    ("labels", "settings"),
    [
        ("true", {"kinds": "within", "signals": "logit"}),
        ("predicted", {"kinds": "between", "pairs": 4}),
    ],
)
def test_reports_of_every_shape_make_a_page(labels, settings):
    images = np.random.default_rng(0).integers(0, 256, (60, 8, 8, 3), np.uint8)
    data = (images, np.arange(60) % 3) if labels == "true" else images
    report = onnxspec.analyze(network, data, preprocess="0..1", **({"pairs": 12, "points": 9} | settings))
    made = Elements(page(report))
    assert len(made.all("section")) >= 6


def test_a_page_of_images_that_are_nearly_all_alike():
    """One path that is a hundred times longer than the usual leaves next to nothing of the common frequencies."""
    images = np.random.default_rng(0).integers(0, 3, (80, 16, 16, 3), np.uint8)
    images[::9] = 255
    report = onnxspec.analyze(network, (images, np.arange(80) % 2), preprocess="0..1", pairs=30, points=65)
    assert len(report.cycles) == 2
    assert "<svg" in page(report)


def test_it_is_written_whole_or_not_at_all(bundled_report, monkeypatch, tmp_path):
    monkeypatch.setattr("onnxspec.report.html.page.page", lambda report, pixels: f"{report.kinds} {pixels} ↕")
    for _ in range(2):
        write_page(bundled_report, tmp_path / "r.html")
    assert (tmp_path / "r.html").read_text(encoding="utf-8") == "('within', 'between') True ↕"
    with pytest.raises(onnxspec.OnnxspecError, match="cannot be written"):
        write_page(bundled_report, tmp_path / "none" / "r.html")
    assert [path.name for path in tmp_path.iterdir()] == ["r.html"]


def command(made):
    return re.search(r"<pre[^>]*><code>(.*?)</code>", made, re.DOTALL)[1]


@pytest.mark.usefixtures("undrawn")
def test_the_command_to_reproduce_can_be_pasted(bundled_report, tmp_path, monkeypatch):
    line = ["/opt/my tools/onnxspec", "analyze", "my model.onnx", "--preprocess", "mean=.3;std=.4"]
    monkeypatch.setattr("sys.argv", line)
    images = np.random.default_rng(0).integers(0, 256, (60, 8, 8, 3), np.uint8)
    report = onnxspec.analyze(network, (images, np.arange(60) % 3), pairs=12, points=9, preprocess="mean=.3;std=.4")
    assert shlex.split(html.unescape(command(page(report)))) == ["onnxspec", *line[1:]]


@pytest.mark.usefixtures("undrawn")
def test_a_program_s_call_to_reproduce_is_python_and_makes_the_same_report(monkeypatch):
    monkeypatch.setattr("sys.argv", ["study.py"])
    data = np.random.default_rng(0).integers(0, 256, (60, 8, 8, 3), np.uint8), np.arange(60) % 3
    report = onnxspec.analyze(network, data, pairs=12, points=9, preprocess="mean=.3;std=.4")
    again = eval(html.unescape(command(page(report))), {"onnxspec": onnxspec, "model": network, "images": data})
    assert again.attributes["digest"] == report.attributes["digest"]
