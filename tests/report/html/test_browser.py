"""The page in a real browser: nothing on the console, tables that sort, classes on demand, both colour schemes.

`ONNXSPEC_SCREENSHOTS=FOLDER` keeps the screenshots to be looked at.
"""

import os
from pathlib import Path

import pytest

from onnxspec import cli
from report.altered import altered
from report.html.browser import DESKTOP, PHONE, browser, installed

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not installed(), reason="there is no chromium with chromedriver"),
]
FIRST = "return [...document.querySelectorAll('#class-table tbody tr:not([hidden]) th')].map(cell => cell.textContent)"
HOSTILE = "</script><script>document.title='taken'</script><img src=x onerror=\"document.title='taken'\">"


@pytest.fixture(scope="module")
def window(tmp_path_factory):
    with browser(tmp_path_factory.mktemp("profile")) as opened:
        yield opened


@pytest.fixture(scope="module")
def file(bundled_page, tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("page") / "report.html"
    path.write_text(bundled_page, encoding="utf-8")
    return path


@pytest.mark.parametrize(("width", "dark"), [(DESKTOP, False), (DESKTOP, True), (PHONE, False), (PHONE, True)])
def test_it_opens_in_silence_and_fits_the_window(window, file, width, dark, tmp_path):
    window.open(file, width, dark)
    assert window.console() == []
    assert window.run("return document.documentElement.scrollWidth") == width
    light = int(window.run("return getComputedStyle(document.body).backgroundColor.match(/\\d+/)[0]"))
    assert (light < 60) == dark
    ink = window.run("return getComputedStyle(document.querySelector('#spectra svg text')).fill")
    assert ink == window.run("return getComputedStyle(document.querySelector('.lead')).color")
    folder = Path(os.environ.get("ONNXSPEC_SCREENSHOTS", tmp_path))
    shot = window.screenshot(folder / f"report-{width}-{'dark' if dark else 'light'}.png")
    assert shot.stat().st_size > 50_000


def test_the_table_sorts_both_ways_by_name_and_by_number(window, file, bundled_report):
    window.open(file)
    names = window.run(FIRST)
    assert names == bundled_report.classes["name"].tolist()
    sort = "document.querySelectorAll('#class-table thead button')[{}].click()"
    window.run(sort.format(0))
    assert window.run(FIRST) == sorted(names)
    window.run(sort.format(0))
    assert window.run(FIRST) == sorted(names, reverse=True)
    window.run(sort.format(3))
    hff = {name: bundled_report.figure("within", class_a=name).estimate for name in names}
    assert window.run(FIRST) == sorted(names, key=lambda name: -hff[name])
    assert window.run("return document.querySelectorAll('th[aria-sort=descending]').length") == 1


def test_the_search_finds(window, file):
    window.open(file)
    window.run(
        "const box = document.getElementById('class-search'); box.value = 'BO'; box.dispatchEvent(new Event('input'))"
    )
    assert window.run(FIRST) == ["Ankle boot"]
    assert window.run("return document.getElementById('class-count').textContent") == "1 of 10 classes"


def test_a_class_shows_its_spectrum_on_demand(window, file):
    shape = "return document.querySelector('#spectrum-prob-on-demand-within-line path').getAttribute('d')"
    window.open(file)
    before = window.run(shape)
    window.run("document.querySelectorAll('.pick')[5].click()")
    assert window.run("return document.getElementById('class-menu').value") == "5"
    drawn = window.run(shape)
    assert drawn != before and drawn.startswith("M")
    box = "const b = document.querySelector('#spectrum-prob-on-demand-{}-band path').getBBox(); return [b.width, b.height]"
    assert min(window.run(box.format("within"))) > 10
    window.run(
        "const menu = document.getElementById('class-menu'); menu.value = ''; menu.dispatchEvent(new Event('change'))"
    )
    assert window.run(shape) == ""


def test_one_signal_can_be_chosen_for_all_figures(window, file):
    shown = "return [...document.querySelectorAll('[data-signal]')].filter(one => !one.hidden).map(one => one.dataset.signal)"
    window.open(file)
    assert set(window.run(shown)) == {"prob", "logit"}
    window.run("document.querySelector('[data-choose=logit]').click()")
    assert set(window.run(shown)) == {"logit"}
    window.run("document.querySelector('[data-choose=\"\"]').click()")
    assert set(window.run(shown)) == {"prob", "logit"}


def test_the_policy_holds(window, file):
    window.open(file)
    window.run(
        "const s = document.createElement('script'); s.textContent = 'document.title = 1'; document.body.append(s)"
    )
    window.run("document.body.setAttribute('style', 'color: red')")
    assert window.run("return document.title") == "pytorch: frequency report"
    assert "Content Security Policy" in " ".join(window.console())


def test_hostile_names_do_nothing(window, bundled_report, tmp_path):
    from onnxspec.report.html.page import write_page

    report = altered(bundled_report, tmp_path / "r.h5", names={"Sandal": HOSTILE}, attributes={"model": HOSTILE})
    write_page(report, tmp_path / "r.html")
    window.open(tmp_path / "r.html")
    assert window.console() == []
    assert window.run("return document.title") == f"{HOSTILE}: frequency report"
    assert HOSTILE in window.run(FIRST)


def test_a_comparison_and_an_audit_open_in_silence(window, bundled_report, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    report = altered(bundled_report, tmp_path / "r.h5", names={"Sandal": HOSTILE}, attributes={"model": HOSTILE})
    (tmp_path / "onnxspec.toml").write_text('[audit.limits]\n"within.hff" = { max = 0.9 }\n')
    assert cli.main(["audit", str(report.path), "--html", "a.html"]) == 0
    assert cli.main(["compare", "r.h5", "--model", "<b onclick>=r.h5", "--html", "c.html"]) == 0
    for name in ("a.html", "c.html"):
        window.open(tmp_path / name)
        assert window.console() == []
        assert "taken" not in window.run("return document.title").replace(HOSTILE, "")
        assert HOSTILE in window.run("return document.body.textContent")


def test_long_names_of_models_leave_the_verdicts_in_view(window, bundled_report, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = [f"resnet20_cifar10_augmented_cosine_schedule_epoch_{epoch:03}" for epoch in (1, 10)]
    line = ["compare", *(part for one in names for part in ("--model", f"{one}={bundled_report.path}"))]
    assert cli.main([*line, "--html", "c.html"]) == 0
    window.open(tmp_path / "c.html")
    beyond = "return [...document.querySelectorAll('.wide:not(.tall)')].map(one => one.scrollWidth - one.clientWidth)"
    assert set(window.run(beyond)) == {0}


def test_it_prints(window, file):
    window.open(file)
    assert window.printed().startswith(b"%PDF")
