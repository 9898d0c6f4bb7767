"""The page of a comparison: what the terminal says and more, in one file that loads nothing, every name as text."""

import re
from dataclasses import replace

import pytest

from conftest import FASHION
from onnxspec.cli import main
from onnxspec.comparison.page import page
from onnxspec.report.pooling import Stratum
from report.html.test_page import Elements, policy

SCRIPT, MARKUP = "<script>alert(1)</script>", "[bold]"


@pytest.fixture(scope="module")
def made(four):
    return page(four)


def words(made):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", re.sub(r"<(style|script).*?</\1>", "", made, flags=re.DOTALL)))


def renamed(comparison, names):
    """The comparison with other names of models and of one class, and of the data."""

    def new(one, *fields):
        return replace(one, **{field: names.get(getattr(one, field), getattr(one, field)) for field in fields})

    def stratum(one):
        return replace(one, stratum=Stratum(one.stratum.kind, names.get(one.stratum.class_a, one.stratum.class_a)))

    return replace(
        comparison,
        reference=names.get(comparison.reference, comparison.reference),
        attributes={**comparison.attributes, "data": SCRIPT},
        models=tuple(replace(new(one, "name"), source=SCRIPT) for one in comparison.models),
        figures=tuple(stratum(new(one, "model")) for one in comparison.figures),
        contrasts=tuple(stratum(new(one, "model", "reference")) for one in comparison.contrasts),
        ranking=tuple(new(one, "model") for one in comparison.ranking),
        spectra=tuple(new(one, "model") for one in comparison.spectra),
        agreement=tuple(new(one, "model", "reference") for one in comparison.agreement),
        remarks=tuple(replace(one, text=one.text + SCRIPT) for one in comparison.remarks),
    )


def test_it_says_what_the_comparison_says(four, made):
    text = words(made)
    for model in four.models:
        assert model.name in text
    for contrast in four.contrasts:
        assert contrast.stratum.class_a in text
        if not contrast.stratum.class_a and contrast.quantity.metric in ("hff", "slope"):
            assert f">{contrast.verdict}<" in made
    assert all(one.verdict in text for one in four.agreement)
    assert "pytorch (reference)" in text
    assert made.count('aria-label="Factors ') == made.count('aria-label="Spectra of prob ') == 2
    sections = [one["id"] for one in Elements(made).all("section")]
    assert sections == ["models", "differences", "spectra", "ranking", "classes", "agreement"]


def test_it_loads_nothing_and_is_held_to_its_policy(made):
    elements = Elements(made)
    assert policy(elements).startswith("default-src 'none'; ") and "unsafe" not in policy(elements)
    for tag, attributes in elements.found:
        assert "style" not in attributes and not [name for name in attributes if name.startswith("on")]
        for name in ("src", "href", "xlink:href"):
            value = attributes.get(name) or "#"
            assert value.startswith("#") or (tag == "a" and value.startswith("https://arxiv.org/"))
    assert len(elements.all("script")) == 1


def test_every_column_of_the_class_table_sorts(made):
    table = made[made.index('id="class-table"') :].split("</table>")[0]
    columns = table.count("data-sort=")
    for row in table.split("<tbody>")[1].split("</tr>")[:-1]:
        assert row.count("<th") + row.count("<td") == columns and row.count("data-v=") == columns - 1


def test_hostile_names_are_text(four):
    names = {"pytorch": SCRIPT, "sklearn": MARKUP}
    names |= {next(one.stratum.class_a for one in four.figures if one.stratum.class_a): SCRIPT + "\x1b[31m"}
    made = page(renamed(four, names))
    assert len(Elements(made).all("script")) == 1
    assert SCRIPT not in made and "\x1b" not in made
    assert "&lt;script&gt;alert(1)&lt;/script&gt; (reference)" in made and MARKUP in made


def test_on_the_command_line_with_a_series(reports, tmp_path, capsys):
    given = [str(report.path) for report in reports.values()]
    assert main(["compare", *given, "--at", "1,2", "--html", str(tmp_path / "c.html"), "--json"]) == 0
    made = (tmp_path / "c.html").read_text(encoding="utf-8")
    assert [one["id"] for one in Elements(made).all("section")][1] == "series"
    assert made.count("<svg") == 8 and "accuracy, %" in made  # series, spectra, factors


def test_a_place_that_cannot_be_written_is_refused_first(tmp_path, capsys):
    model = str(FASHION / "pytorch.onnx")
    assert main(["compare", model, model, "--html", str(tmp_path / "none" / "c.html")]) == 2
    assert "cannot be written" in capsys.readouterr().err
