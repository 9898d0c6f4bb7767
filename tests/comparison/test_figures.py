"""Figures of a comparison draw what it says."""

from dataclasses import replace

import numpy as np
import pytest

from onnxspec.comparison import figures
from onnxspec.comparison.comparing import compare
from onnxspec.errors import ReportError
from onnxspec.report.figures.style import COLOURS


@pytest.fixture(scope="module")
def pair(reports):
    return compare(reports, in_series=[30, 10])


def test_spectra_are_those_of_the_models_without_the_bin_at_zero(pair):
    drawn = figures.spectra(pair, "logit")
    d_ref = pair.attributes["d_ref"]
    for kind, axes in zip(("within", "between"), drawn.axes, strict=True):
        lines = {line.get_label(): line for line in axes.lines}
        for model in pair.models:
            found = [b for b in pair.spectra if (b.model, b.kind, b.signal) == (model.name, kind, "logit")][1:]
            assert np.array_equal(lines[model.name].get_xdata(), np.array([b.frequency for b in found]) * d_ref)
            assert np.array_equal(lines[model.name].get_ydata(), [b.power for b in found])
    assert [axes.get_title() for axes in drawn.axes] == ["within a class", "between classes"]
    assert drawn.axes[0].get_legend() and not drawn.axes[1].get_legend()


def test_a_kind_alone_stands_on_the_axes_that_both_have(pair):
    both = figures.spectra(pair, "prob")
    for kind, axes in zip(("within", "between"), both.axes, strict=True):
        alone = figures.spectra(pair, "prob", [kind]).axes
        assert len(alone) == 1 and alone[0].get_legend()
        assert alone[0].get_ylim() == axes.get_ylim()


def test_reports_are_drawn_as_their_comparison_is(pair, reports):
    names = [model.name for model in pair.models]
    drawn = [figures.spectra(pair, "prob"), figures.spectra_of([reports[one] for one in names], names, "prob")]
    first, second = ([list(line.get_ydata()) for axes in one.axes for line in axes.lines] for one in drawn)
    assert first == second


def many(comparison, count):
    """The comparison with its second model as often as that."""
    names = [f"net-{i}" for i in range(count)]
    of_second = [one for one in comparison.spectra if one.model == comparison.models[1].name]
    return replace(
        comparison,
        models=tuple(replace(comparison.models[1], name=name) for name in names),
        spectra=tuple(replace(one, model=name) for name in names for one in of_second),
    )


@pytest.mark.parametrize(("count", "labels"), [(5, 5), (8, 8), (30, 5)])
def test_many_models_have_a_colour_each_and_a_legend_that_has_room(pair, count, labels):
    axes = figures.spectra(many(pair, count), "prob").axes[0]
    shown = [text.get_text() for text in axes.get_legend().get_texts()]
    assert len(shown) == labels and (shown[0], shown[-1]) == ("net-0", f"net-{count - 1}")
    colours = {line.get_color() for line in axes.lines} - {COLOURS["muted"]}
    assert len(colours) == count


def test_a_comparison_is_a_series_by_its_places(pair):
    line = figures.series(pair, "prob").axes[0].lines[0]
    assert list(line.get_xdata()) == [10, 30]
    estimates = [pair.figure(model.name, "within").estimate for model in sorted(pair.models, key=lambda m: m.position)]
    np.testing.assert_allclose(line.get_ydata(), 100 * np.array(estimates))


def test_what_cannot_be_drawn_is_said(pair):
    with pytest.raises(ReportError, match=r"no spectra of label\. It has prob, logit"):
        figures.spectra(pair, "label")
    with pytest.raises(ReportError, match=r"no spectra of prob\. Compare again"):
        figures.spectra(replace(pair, spectra=()), "prob")
    with pytest.raises(ReportError, match="no series of label"):
        figures.series(pair, "label")
    nowhere = tuple(replace(model, position=float("nan")) for model in pair.models)
    with pytest.raises(ReportError, match="no series of prob"):
        figures.series(replace(pair, models=nowhere), "prob")
