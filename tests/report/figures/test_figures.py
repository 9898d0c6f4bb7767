"""Every figure draws what the report says."""

import math
import shutil
import warnings

import numpy as np
import pytest

import onnxspec
from onnxspec.errors import UsageError
from onnxspec.report.figures import classes, convergence, curves, distributions, matrix, series, spectra, style
from onnxspec.statistics import Interval
from report.altered import altered, with_classes


def lines(figure, axes=0):
    return {line.get_label(): line for line in figure.axes[axes].lines}


def test_spectra_are_the_reports_without_the_bin_at_zero(bundled_report):
    drawn = lines(spectra.spectrum(bundled_report, "prob"))
    found = bundled_report.spectrum("within")
    assert np.array_equal(drawn["within a class"].get_xdata(), found.cycles[1:])
    assert np.array_equal(drawn["within a class"].get_ydata(), found.power[1:])


def test_a_class_stands_beside_all(bundled_report):
    figure = spectra.spectrum(bundled_report, "logit", "Sandal")
    ydata = [line.get_ydata() for line in figure.axes[0].lines]
    for name in ("", "Sandal"):
        expected = bundled_report.spectrum("between", name, signal="logit").power[1:]
        assert any(np.array_equal(one, expected) for one in ydata)


def test_outlines_lie_where_the_axes_put_them(bundled_report):
    figure, outlines = spectra.on_demand(bundled_report, "prob")
    axes = figure.axes[0]
    low, middle, high = (np.array(part) for part in outlines.of["between"][3])
    assert len(outlines.x) == len(middle) <= spectra.MOST_BINS
    assert (high <= middle).all() and (middle <= low).all()
    found = bundled_report.spectrum("between", str(bundled_report.classes["name"][3]))
    first = axes.transData.transform((found.cycles[1], found.power[1]))
    assert abs(outlines.x[0] - first[0]) <= 1
    assert abs(middle[0] - (figure.get_figheight() * 72 - first[1])) <= 1
    assert set(outlines.of["within"]) == set(range(10))


def test_the_matrix_has_a_square_for_every_pair_both_ways(bundled_report):
    first, second, percent = matrix.pair_figures(bundled_report, "prob")
    assert len(first) == 45
    names = bundled_report.classes["name"]
    assert percent[7] == pytest.approx(
        100 * bundled_report.figure("between", "hff", "prob", names[first[7]], names[second[7]]).estimate
    )
    squares = matrix.matrix(bundled_report, "prob").axes[0].collections[0]
    assert len(squares.get_offsets()) == 2 * (percent > 0).sum()


def test_the_scale_of_the_matrix_goes_on_where_values_lie_beyond(bundled_report):
    percent = matrix.pair_figures(bundled_report, "prob")[2]
    low, high = matrix.matrix(bundled_report, "prob").axes[0].collections[0].get_clim()
    assert percent[percent > 0].min() < low and percent.max() > high
    assert matrix._beyond(percent[percent > 0], low, high) == "both"
    assert matrix._beyond(percent, 0.0, 100.0) == "neither" and matrix._beyond(percent, 0.0, high) == "max"


def test_a_zero_in_the_matrix_has_the_colour_of_ink(bundled_report, tmp_path):
    still = altered(bundled_report, tmp_path / "r.h5", paths__hf_prob=0.0)
    written = matrix.matrix(still, "prob").axes[0].texts
    assert {(one.get_text(), one.get_color()) for one in written} == {("0", style.COLOURS["ink"])}


@pytest.mark.parametrize("scale", [1, 1e-2, 1e-4])
def test_numbers_of_the_matrix_stay_in_their_squares(bundled_report, tmp_path, scale):
    """What stands out of a square is white on white: 0.00061 was read as 0.0006."""
    calm = altered(bundled_report, tmp_path / "r.h5", paths__hf_prob=bundled_report.paths["hf_prob"] * scale)
    figure = matrix.matrix(calm, "prob")
    side = figure.axes[0].collections[0].get_sizes()[0] ** 0.5 * figure.dpi / 72
    assert max(text.get_window_extent().width for text in figure.axes[0].texts) <= side


def test_histograms_are_of_right_ended_paths_and_sum_to_all(bundled_report):
    for figure in (distributions.slopes(bundled_report, "prob"), distributions.distances(bundled_report)):
        assert figure.axes[0].get_ylabel() == "% of paths"
    bars = distributions.flips(bundled_report).axes[0].containers
    assert [round(sum(bar.get_height() for bar in kind), 6) for kind in bars] == [100, 100]


def test_the_ranking_names_few_classes_and_not_many(bundled_report, tmp_path):
    named = classes.classes(bundled_report, "prob")
    assert "Sandal" in [label.get_text() for label in named.axes[0].get_yticklabels()]
    many = with_classes(bundled_report, tmp_path / "many.h5", [f"class {i}" for i in range(100)])
    assert classes.classes(many, "prob").axes[0].get_ylabel() == "rank"


def test_convergence_ends_at_no_change(bundled_report):
    points = bundled_report.attributes["points"]
    drawn = lines(convergence.convergence(bundled_report))
    assert drawn["prob within a class"].get_xdata().tolist() == [(points + 1) // 2, points, 2 * points - 1]
    assert all(line.get_ydata()[-1] == 0 for line in drawn.values())


def test_noise_lies_below_the_spectra(bundled_report):
    drawn = lines(spectra.noise(bundled_report, "prob"))
    assert drawn["rounding noise"].get_ydata().max() < drawn["within a class"].get_ydata().min()


def test_curves_are_probabilities_from_edge_to_edge():
    figure = curves.curves(np.array([[0.9, 0.5, 0.1], [0.1, 0.5, 0.9]]))
    assert figure.axes[0].get_position().bounds == (0, 0, 1, 1)


@pytest.fixture
def checkpoints(bundled_report, tmp_path):
    paths = [tmp_path / f"net-v2-epoch{number}.h5" for number in (10, 9, 1)]
    for path in paths:
        shutil.copy(bundled_report.path, path)
    return [onnxspec.Report(path) for path in paths]


def test_a_series_goes_by_the_last_number_in_the_names(checkpoints):
    figure = series.series(series.of_reports(checkpoints, "prob"), "prob")
    assert list(figure.axes[0].lines[0].get_xdata()) == [1, 9, 10]
    assert figure.axes[2].get_ylabel() == "accuracy, %"
    assert figure.axes[2].get_xlabel() == "checkpoint, by the number in its name"


def stations(*estimates, high=1.0):
    """A station for each estimate, of hff and slope within."""
    found = [Interval(one, 0.5 * one, high if one == one else one, 20, 9.0) for one in estimates]
    figures = [{("within", metric): one for metric in series.METRICS} for one in found]
    accuracy = Interval(0.9, 0.8, 1.0, 20, math.nan)
    return [series.Station(f"net-{place}", place, of, accuracy) for place, of in enumerate(figures)]


def test_a_series_of_which_a_network_has_no_figure_is_still_as_high_as_its_figures():
    figure = series.series(stations(math.nan, 0.01, 0.02), "prob")
    assert [axes.get_ylim()[1] for axes in figure.axes[:2]] == pytest.approx([5, 0.05])


def test_a_series_of_networks_that_do_not_move(recwarn):
    series.series(stations(0.0, 0.0, high=0.0), "prob")
    assert not recwarn


def test_an_interval_without_end_is_a_band_beyond_the_axes(bundled_report, tmp_path):
    across = series.series(stations(1.0, 2.0, high=math.inf), "prob").axes[1]
    endless = altered(bundled_report, tmp_path / "r.h5", spectra__power_prob_high=np.inf)
    for axes in (across, spectra.spectrum(endless, "prob").axes[0]):
        outlines = np.concatenate([path.vertices for path in axes.collections[0].get_paths()])
        assert np.isfinite(outlines).all() and outlines[:, 1].max() > axes.get_ylim()[1]
        assert np.array_equal(np.unique(outlines[:, 0]), axes.lines[0].get_xdata())


def test_what_is_no_series_is_said(checkpoints, tmp_path):
    def of(*reports):
        return series.of_reports(reports, "prob")

    with pytest.raises(UsageError, match="two reports or more"):
        of(checkpoints[0])
    with pytest.raises(UsageError, match="all stand at"):
        of(checkpoints[0], checkpoints[0])
    nameless = tmp_path / "last.h5"
    shutil.copy(checkpoints[0].path, nameless)
    with pytest.raises(UsageError, match="no number in the name last"):
        of(*checkpoints, onnxspec.Report(nameless))


def test_names_of_every_sort_can_be_drawn(bundled_report, tmp_path):
    names = {"Sandal": "$\\frac{1$ <b>", "Bag": "\x1b[31mred", "Coat": "靴👢", "Dress": "a" * 60}
    report = altered(bundled_report, tmp_path / "r.h5", names=names)
    for figure in (matrix.matrix(report, "prob"), classes.classes(report, "prob")):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            style.save(figure, str(tmp_path / "figure.svg"), "svg")
        assert "\x1b" not in (tmp_path / "figure.svg").read_text(encoding="utf-8")
