"""The page of an audit: the verdicts first, then the audited report, every name as text."""

import re
from dataclasses import replace

import pytest

from auditing.test_outputs import EVERY, HOSTILE, NASTY
from onnxspec.auditing.page import page, verdicts_section
from onnxspec.auditing.verdicts import State
from onnxspec.cli import main
from onnxspec.results import Remark
from report.html.test_page import Elements, policy


def test_every_state_has_its_row_and_advice_the_worst_first(bundled_report):
    made = verdicts_section(EVERY, bundled_report)
    rows = made.split("<tbody>")[1].split("</tr>")[:-1]
    assert [re.findall(r"<td><span[^>]*>(.*?)<", row)[0] for row in rows] == list(map(str, State))
    for row in rows:
        assert "hff &lt;= 0.01" in row and "found in " in row
    assert len({row.rsplit("<td>", 1)[1] for row in rows}) == len(State)
    assert "Few." in made and "Audit not passed (exit 1)" in made


def test_hostile_names_are_text(bundled_report):
    audit = replace(NASTY, remarks=(*NASTY.remarks, Remark("y", "[bold]<script>alert(1)</script>")))
    made = Elements(section := verdicts_section(audit, bundled_report))
    assert not {"script", "img", "a"} & {tag for tag, _ in made.found}
    assert not [name for _, attributes in made.found for name in attributes if name.startswith("on")]
    assert "\x1b" not in section and "[bold]&lt;script&gt;" in section
    assert section.count("&lt;= 0.01") == len(HOSTILE)


def test_warnings_of_the_report_are_not_said_twice(bundled_report):
    audit = replace(EVERY, remarks=bundled_report.remarks)
    assert "<li" not in verdicts_section(audit, bundled_report)


@pytest.mark.usefixtures("undrawn")
@pytest.mark.parametrize(("most", "code"), [("0.9", 0), ("0.0001", 1)])
def test_on_the_command_line(bundled_report, tmp_path, monkeypatch, capsys, most, code):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    monkeypatch.setattr("onnxspec.report.html.page.page", _short) if code == 0 else None
    (tmp_path / "onnxspec.toml").write_text(f'[audit.limits]\n"within.hff" = {{ max = {most} }}\n')
    assert main(["audit", str(bundled_report.path), "--html", "a.html"]) == code
    made = (tmp_path / "a.html").read_text(encoding="utf-8")
    assert f"within.hff &lt;= {most}" in made
    if code:
        elements = Elements(made)
        assert [one["id"] for one in elements.all("section")][:2] == ["audit", "figures"]
        assert policy(elements).startswith("default-src 'none'; ")
        assert next(one["href"] for one in elements.all("a")) == "#audit"
        external = [one["href"] for one in elements.all("a") if not one["href"].startswith("#")]
        assert all(link.startswith("https://arxiv.org/") for link in external)
        assert all(one["src"].startswith("data:image/") for one in elements.all("img"))


def _short(report, first):
    return first


def test_the_page_is_the_reports_with_the_verdicts(bundled_report, monkeypatch):
    monkeypatch.setattr("onnxspec.report.html.page.page", _short)
    assert page(EVERY, bundled_report).startswith('<section id="audit">')
