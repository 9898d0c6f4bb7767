"""What the headline comes to in a line, and only where the intervals bear it out."""

import math
from types import SimpleNamespace

import numpy as np
import pytest

from onnxspec.errors import ReportError
from onnxspec.report.headline import Cells, answer, rows_of, spectra
from onnxspec.report.page import Page
from onnxspec.statistics import Interval

BEGINS = "Between classes against within: "


def report(steep, fast, within=100, between=100):
    """One whose ratios of slopes and of hff have these intervals, over so many paths of each kind."""
    figures = {
        ("between/within", "slope"): Interval(*steep, 50, 50.0),
        ("between/within", "hff"): Interval(*fast, 50, 50.0),
        ("within", "hff"): Interval(0.1, 0.1, 0.1, within, 50.0),
        ("between", "hff"): Interval(0.1, 0.1, 0.1, between, 50.0),
    }

    def figure(kind, metric, signal, class_a=""):
        if signal != "logit" or (kind, metric) not in figures:
            raise ReportError("There is no such figure.")
        return figures[kind, metric]

    return SimpleNamespace(attributes={"signals": "logit prob"}, figure=figure)


@pytest.mark.parametrize(
    ("steep", "fast", "said"),
    [
        ((2.5, 1.5, 3), (0.25, 0.2, 0.5), "2.5 times as steep, 0.25 times the fast wiggling."),
        ((0.5, 0.4, 0.9), (1.5, 1, 2), "0.50 times as steep; fast wiggling undecided."),
        ((0.8, 0.6, 1), (1.5, 1.1, 2), "steepness undecided, 1.5 times the fast wiggling."),
        ((1.1, 0.9, 1.3), (0.9, 0.5, 1.2), "steepness undecided; fast wiggling undecided."),
    ],
)
def test_a_ratio_is_told_where_its_interval_leaves_one_out(steep, fast, said):
    assert answer(report(steep, fast)) == BEGINS + said


def test_fewer_than_ten_paths_of_a_kind_decide_nothing():
    sure = (2.5, 2, 3), (2.5, 2, 3)
    undecided = f"{BEGINS}steepness undecided; fast wiggling undecided."
    assert answer(report(*sure, within=10, between=10)) != undecided
    assert answer(report(*sure, within=9)) == answer(report(*sure, between=9)) == undecided


@pytest.mark.parametrize("lacking", [(math.nan,) * 3, (0.0, 0.0, 0.5), (math.inf,) * 3])
def test_nothing_is_told_where_a_ratio_is_no_number_of_times(lacking):
    sure = (2.5, 2, 3)
    assert answer(report(lacking, sure)) == answer(report(sure, lacking)) == ""


def test_nothing_is_told_of_one_kind():
    found = report((2.5, 2, 3), (2.5, 2, 3))
    found.attributes["signals"] = "prob"
    assert answer(found) == ""


def test_rows_are_two_of_every_signal_and_the_variation_of_probabilities():
    rows = [("logit", "hff"), ("logit", "slope"), ("prob", "hff"), ("prob", "slope"), ("prob", "excess_tv")]
    assert [*rows_of(["logit", "prob"])] == rows


def test_spectra_are_marked_at_the_cut_off_in_cycles_per_reference(monkeypatch):
    """Of the kinds that there are."""
    drawn = []
    monkeypatch.setattr("onnxspec.report.headline.drawing.draw", lambda *given: drawn.append(given) or "drawing")

    def spectrum(kind, class_a, signal):
        if kind == "within":
            raise ReportError("There are no such paths.")
        return SimpleNamespace(power=np.ones(3), cycles=np.arange(3))

    attributes = {"signals": "logit prob", "cutoff": 10.0, "d_ref": 0.25}
    some = SimpleNamespace(attributes=attributes, kinds=("within", "between"), spectrum=spectrum)
    assert [*spectra(some, Page(72, "utf-8"))] == ["drawing"]
    panels, cycles, cutoff, width, _ = drawn[0]
    assert [panel.title for panel in panels] == ["logit spectrum between"]
    assert (cycles.tolist(), cutoff, width) == ([0, 1, 2], 2.5, 72)
    some.kinds = ("within",)
    assert [*spectra(some, Page(72, "utf-8"))] == []


def test_cells_are_percent_of_shares_in_two_lines_where_one_is_too_long_and_say_why_they_are_undefined():
    share = Interval(0.25, 0.2, 0.3, 50, 50.0)
    wide, narrow = Cells(12), Cells(11)
    assert wide.of(share, "hff") == "25 [20, 30]" and Cells(10).of(share, "hff") == "25\n[20, 30]"
    assert narrow.of(share, "hff") == "25 [20, 30]" and wide.of(share, "slope").startswith("0.25")
    reasons = ["noise", "no paths", "noise"]
    shown = [wide.of(Interval(math.nan, math.nan, math.nan, 0, math.nan, reason), "hff") for reason in reasons]
    assert shown == ["undefined (1)", "undefined (2)", "undefined (1)"]
    assert wide.notes == {"noise": "(1)", "no paths": "(2)"}
