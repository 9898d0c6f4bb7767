"""Names that would act if they could, through every command and every format, each read back by its own parser."""

import csv
import io
import json
import re
import shutil
import sys
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

from conftest import FASHION, QUICKEST
from onnxspec.cli import main
from onnxspec.errors import inert
from report.html.test_page import Elements

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows refuses such names itself")

SHOWN = [
    "[bold red]markup[/] [link=https://evil.example]x[/link] :dragon:",
    "\x1b[31mred\x1b]0;title\x07\x1b]8;;http://evil.example\x1b\\link",
    "</script><script>document.title='taken'</script><img src=x onerror=\"document.title='taken'\">",
    "=cmd|' /C calc'!A0",
    "@SUM(A1)\n-1+1\r\n+2\t3",
    "| a | b |\n|---|---|\n[x](javascript:alert(1)) ![i](http://evil.example/i) `c` **b** <b>y</b> @everyone #1",
    "]]>&lt;&#x1b;<!-- --><?xml?>\x08\ufffe",
    "$x^$ $\\frac{1}{0$ \\input{/etc/passwd}",
    "\u202eesrever\u2066 zero\u200bwidth\ufeff\u2028line",
    "%s {0} {{7*7}} ${jndi:ldap://evil.example} nul\x00 '; DROP TABLE --",
]
MODEL = "[bold]\x1b]0;m\x07<img src=x>@all|`$x^$\u202e"
STYLES = re.compile(r"\x1b\[[0-9;]*m")
FORMULAS = ("=", "+", "-", "@", "\t", "\r")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Images in folders that are called like their classes, as far as a folder can be, and two models."""
    root = tmp_path_factory.mktemp("hostile")
    data = np.load(FASHION / "test.npz")
    folders = [name.replace("/", "_").replace("\0", "") for name in SHOWN]
    for label, name in enumerate(folders):
        (root / "data" / name).mkdir(parents=True)
        for i in np.flatnonzero(data["labels"] == label)[:8]:
            Image.fromarray(data["images"][i].squeeze()).save(root / "data" / name / f"=1+1\x1b[31m\u202e{i}<b>.png")
    classes = {"label_names": folders, "label_descriptions": dict(zip(folders, SHOWN, strict=True))}
    (root / "classes.json").write_text(json.dumps(classes))
    rules = [f"{json.dumps(f'class.{name}.hff')} = {{ max = 0.00001 }}" for name in _stored(SHOWN)]
    (root / "onnxspec.toml").write_text("\n".join(["[audit.limits]", *rules]), encoding="utf-8")
    for name in (MODEL, "other"):
        shutil.copy(QUICKEST, root / f"{name}.onnx")
    return root


def _stored(names):
    """What a report keeps: HDF5 has no text with a zero in it."""
    return [name.replace("\0", "\\x00") for name in names]


@pytest.fixture
def run(folder, monkeypatch, capfd):
    """Runs a command in the folder; what it says must be plain lines, and is given back."""
    monkeypatch.chdir(folder)
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)

    def call(*line, codes=(0,)):
        assert main(list(line)) in codes
        out, err = capfd.readouterr()
        assert "Traceback" not in err
        for text in (out, err):
            assert all(c == "\n" or c.isprintable() for c in STYLES.sub("", text) if text)
        return out, err

    return call


@pytest.fixture
def report(run, folder):
    """The report of all that, made once, by the command line."""
    if not (folder / "r.h5").exists():
        line = ["--data", "data", "--classes", "classes.json", "--pairs", "30", "--points", "9", "-o", "r.h5"]
        out, _ = run("analyze", f"{MODEL}.onnx", *line)
        assert inert(MODEL) in out
    return "r.h5"


def words(text):
    return " ".join(text.split())


def test_the_terminal(run, report, monkeypatch):
    assert inert(MODEL) in words(run("show", report)[0])
    monkeypatch.setenv("FORCE_COLOR", "1")
    out, _ = run("show", report)
    assert "\x1b[" in out and inert(MODEL) in words(STYLES.sub("", out))
    monkeypatch.delenv("FORCE_COLOR")
    for name in _stored(SHOWN)[::3]:
        out, _ = run("show", report, "--class", name)
        assert words(inert(name)) in words(out)
    _, err = run("show", report, "--class", "\x1b[31m[bold]", codes=(2,))
    assert r"\x1b[31m[bold]" in err
    _, err = run("show", "\x1b[31mnone.h5", codes=(3,))
    assert r"\x1b[31mnone.h5" in err
    assert inert(MODEL) in words(run("inspect", f"{MODEL}.onnx")[0])


def test_json_and_csv(run, report):
    whole = json.loads(run("show", report, "--json")[0])
    assert {one["name"] for one in whole["classes"]} == set(_stored(SHOWN))
    for table in ("figures", "classes", "spectra"):
        out, _ = run("show", report, "--csv", table)
        rows = list(csv.DictReader(io.StringIO(out)))
        assert len(out.splitlines()) == len(rows) + 1
        texts = [row[name] for row in rows for name in ("name", "folder", "class_a", "class_b") if name in row]
        assert not [text for text in texts if text.startswith(FORMULAS)]
        assert {inert(name) for name in _stored(SHOWN)} <= {text.removeprefix("'") for text in texts}


@pytest.mark.parametrize("what", ["spectrum", "classes", "matrix"])
def test_figures(run, report, folder, what, monkeypatch):
    monkeypatch.setattr("onnxspec.report.ranking.RANKED_FROM", 1)
    monkeypatch.setattr("onnxspec.cli.plot._require_pairs", lambda *_: None)  # no path of so few counts: names alone
    chosen = ["--class", SHOWN[7]] if what == "spectrum" else []
    run("plot", report, "--what", what, *chosen, "-o", "f.svg")
    tags = {one.tag.rpartition("}")[2] for one in ElementTree.parse(folder / "f.svg").iter()}
    assert "svg" in tags and not tags & {"script", "image", "foreignObject", "a"} - (
        {"image"} if what == "matrix" else set()
    )


def test_an_audit(run, report, folder):
    files = {"--junit": "j.xml", "--sarif": "s.sarif", "--summary": "s.md", "--html": "a.html"}
    out, _ = run("audit", report, *(part for pair in files.items() for part in pair), codes=(1, 3, 5))
    names = [inert(name) for name in _stored(SHOWN)]
    assert all(name in out for name in names)
    cases = [one.get("name") for one in ElementTree.parse(folder / "j.xml").iter("testcase")]
    assert [any(name in case for case in cases) for name in names] == [True] * len(names)
    sarif = json.loads((folder / "s.sarif").read_text())["runs"][0]
    for rule in sarif["tool"]["driver"]["rules"]:
        assert rule["id"].isprintable() and not re.search(r"(?<!\\)\[", rule["shortDescription"]["text"])
    _require_markdown((folder / "s.md").read_text(encoding="utf-8"), len(names))
    _require_page((folder / "a.html").read_text(encoding="utf-8"), names, scripts=2)


def _require_markdown(text, rows):
    lines = [line for line in text.splitlines() if line.startswith("| ")]
    assert len(lines) == rows + 1 and all(line.count("|") == 4 for line in lines[1:])
    bare = re.sub(r"<code>&#(35|64);</code>", "", text)
    assert not set(re.sub(r"&#\d+;", "", bare).replace("**Warnings of the report**", "")) & set("<>`[]()*@\\")
    assert "://" not in text and "www." not in text


def _require_page(made, names, scripts):
    page = Elements(made)
    assert len(page.all("script")) == scripts and not [t for t, _ in page.found if t in ("iframe", "object", "base")]
    for tag, attributes in page.found:
        assert not [name for name in attributes if name.startswith("on") or name == "style"]
        assert tag != "img" or attributes["src"].startswith("data:image/")
        assert tag != "a" or attributes["href"].startswith(("#", "https://arxiv.org/"))
    assert all(c == "\n" or c.isprintable() for c in made)
    text = _texts(made)
    assert all(words(name) in words(text) for name in names)


def _texts(made):
    from html.parser import HTMLParser

    found = []
    reader = HTMLParser()
    reader.handle_data = found.append
    reader.feed(made)
    return "".join(found)


def test_a_comparison(run, report, folder):
    other = "[blink]\x1b[5m"
    out, _ = run("compare", report, "--model", f"{other}={report}", "--html", "c.html", "-o", "c.h5")
    assert inert(other) in out
    assert run("show", "c.h5")[0] == out
    run("report", "c.h5", "-o", "again.html")
    assert (folder / "again.html").read_bytes() == (folder / "c.html").read_bytes()
    _require_page((folder / "c.html").read_text(encoding="utf-8"), [inert(n) for n in [other, *_stored(SHOWN)]], 1)
    for table in ("models", "figures", "contrasts", "ranking"):
        out, _ = run("compare", report, "--model", f"{other}={report}", "--csv", table)
        rows = list(csv.reader(io.StringIO(out)))
        assert len(out.splitlines()) == len(rows)
        assert not [cell for row in rows for cell in row if cell.startswith(("=", "@", "\t", "\r"))]
    found = json.loads(run("compare", report, "--model", f"{other}={report}", "--json")[0])
    assert [model["name"] for model in found["models"]] == ["r", other]


def test_progress_shows_names_as_text(monkeypatch):
    from rich.console import Console

    from onnxspec.cli.progress import TerminalProgress
    from onnxspec.listening import Ahead

    monkeypatch.setattr("onnxspec.cli.progress.Console", lambda **_: Console(file=io.StringIO(), force_terminal=True))
    with TerminalProgress() as progress:
        progress.stage("[/]\x1b]0;x\x07: opening")
        progress.plan(Ahead(1, 1, 1.0))
        progress.images(1)
        progress._bar.refresh()
    shown = progress.console.file.getvalue()
    assert r"[/]\x1b]0;x\x07: opening" in shown and "\x1b]0" not in shown
