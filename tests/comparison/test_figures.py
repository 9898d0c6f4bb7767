"""Figures of a comparison draw what it says."""

import math
from dataclasses import replace

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from onnxspec.comparison import figures
from onnxspec.comparison.alignment import align, in_common
from onnxspec.comparison.comparing import compare
from onnxspec.comparison.page import page
from onnxspec.errors import ReportError
from onnxspec.report.figures.style import COLOURS


@pytest.fixture(scope="module")
def pair(reports):
    return compare(reports, in_series=[30, 10])


def test_spectra_are_those_of_the_models_without_the_bin_at_zero(pair):
    drawn = figures.spectra(pair, "logit")
    for kind, axes in zip(("within", "between"), drawn.axes, strict=True):
        lines = {line.get_label(): line for line in axes.lines}
        for model in pair.models:
            found = [b for b in pair.spectra if (b.model, b.kind, b.signal) == (model.name, kind, "logit")][1:]
            assert np.array_equal(lines[model.name].get_xdata(), [b.frequency_per_reference for b in found])
            assert np.array_equal(lines[model.name].get_ydata(), [b.power for b in found])
    assert [axes.get_title() for axes in drawn.axes] == ["within a class", "between classes"]
    assert {text.get_text() for text in drawn.legends[0].get_texts()} == {model.name for model in pair.models}


def test_a_kind_alone_stands_on_the_axes_that_both_have(pair):
    both = figures.spectra(pair, "prob")
    for kind, axes in zip(("within", "between"), both.axes, strict=True):
        alone = figures.spectra(pair, "prob", [kind]).axes
        assert len(alone) == 1 and not alone[0].get_title()
        assert alone[0].get_ylim() == axes.get_ylim()


def test_reports_are_drawn_as_their_comparison_is(pair, reports):
    names = [model.name for model in pair.models]
    members = in_common([align(name, reports[name], reports[names[0]]) for name in names])
    drawn = [figures.spectra(pair, "prob"), figures.spectra_of(members, "prob")]
    first, second = ([list(line.get_ydata()) for axes in one.axes for line in axes.lines] for one in drawn)
    assert first == second


def many(comparison, count, name="net"):
    """The comparison with its second model as often as that."""
    names = [f"{name}-{i}" for i in range(count)]
    of_second = [one for one in comparison.spectra if one.model == comparison.models[1].name]
    return replace(
        comparison,
        models=tuple(replace(comparison.models[1], name=name) for name in names),
        spectra=tuple(replace(one, model=name) for name in names for one in of_second),
    )


@pytest.mark.parametrize(("count", "labels", "bands"), [(5, 5, True), (10, 10, True), (20, 20, False), (30, 6, False)])
def test_many_models_have_a_colour_each_and_a_legend_that_has_room(pair, count, labels, bands):
    drawn = figures.spectra(many(pair, count), "prob")
    shown = [text.get_text() for text in drawn.legends[0].get_texts()]
    assert len(shown) == labels and (shown[0], shown[-1]) == ("net-0", f"net-{count - 1}")
    axes = drawn.axes[0]
    colours = {line.get_color() for line in axes.lines} - {COLOURS["muted"]}
    assert len(colours) == count
    bins = len(axes.lines[0].get_xdata())
    outlines = [one.get_paths()[0].vertices for one in axes.collections]
    wide = [len({tuple(point) for point in outline.tolist()}) > bins + 2 for outline in outlines]
    assert any(wide) == bands


@pytest.mark.parametrize("kinds", [["between"], []])
@pytest.mark.parametrize("name", ["n", "network-of-twenty-odd-letters", "W" * 60])
@pytest.mark.parametrize("count", [2, 5, 12])
def test_a_legend_lies_within_its_figure(pair, count, name, kinds):
    drawn = figures.spectra(many(pair, count, name), "prob", kinds)
    FigureCanvasAgg(drawn).draw()
    box, room = drawn.legends[0].get_window_extent(), drawn.bbox
    assert box.x0 >= 0 and box.x1 <= room.x1 and box.y0 >= 0
    assert min(axes.get_window_extent().height for axes in drawn.axes) > 150


def dots(axes):
    """Where dots are, and whether they are filled."""
    found = [line for line in axes.lines if line.get_marker() == "o" and len(line.get_xdata())]
    return {float(line.get_xdata()[0]): line.get_markerfacecolor() == line.get_color() for line in found}


def test_factors_are_those_of_the_contrasts_and_filled_where_they_tell_apart(four):
    drawn = figures.factors(four)
    for kind, axes in zip(("within", "between"), drawn.axes, strict=True):
        of_kind = [one for one in four.contrasts if (one.stratum.kind, one.stratum.class_a) == (kind, "")]
        shown = [one for one in of_kind if one.quantity in four.main_quantities]
        assert len(shown) == 15
        assert dots(axes) == {one.common.estimate: one.verdict in ("higher", "lower") for one in shown}
        left, right = axes.get_xlim()
        assert left < 1 < right and all(left < one.common.estimate < right for one in shown)
    assert {True, False} == set(dots(drawn.axes[0]).values())
    assert [text.get_text() for text in drawn.legends[0].get_texts()] == ["twin", "perturbed", "sklearn"]


def test_a_model_has_one_colour_in_all_figures(four):
    drawn = figures.factors(four).legends[0], figures.spectra(four, "prob").legends[0]
    colours = [
        {t.get_text(): h.get_color() for t, h in zip(one.get_texts(), one.legend_handles, strict=True)} for one in drawn
    ]
    assert colours[0].items() < colours[1].items()


def test_the_axis_of_factors_names_the_reference_among_more_models_than_a_legend_has(pair):
    made = many(pair, 31)
    of_one = [one for one in pair.contrasts if not one.stratum.class_a]
    contrasts = tuple(replace(one, model=model.name) for model in made.models[:-1] for one in of_one)
    drawn = figures.factors(replace(made, reference="net-1", contrasts=contrasts))
    assert drawn.axes[0].get_xlabel() == "factor to net-1; filled: told apart"


def test_an_interval_without_end_does_not_flatten_the_others(four):
    endless = [replace(one, common=replace(one.common, low=0.0, high=math.inf)) for one in four.contrasts]
    left, right = figures.factors(replace(four, contrasts=tuple(endless))).axes[0].get_xlim()
    assert right / left < 1000


def test_a_comparison_without_factors_has_none_to_draw(four):
    for undefined in ({"scale": "difference"}, {"common": replace(four.contrasts[0].common, estimate=math.nan)}):
        without = replace(four, spectra=(), contrasts=tuple(replace(one, **undefined) for one in four.contrasts))
        with pytest.raises(ReportError, match="no factor of a figure of pytorch"):
            figures.factors(without)
    assert "factors-" not in page(without)


def test_a_comparison_is_a_series_by_its_places(pair):
    drawn = figures.series(pair, "prob")
    assert drawn.axes[-1].get_xlabel() == "checkpoint, by the number given for it"
    line = drawn.axes[0].lines[0]
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
