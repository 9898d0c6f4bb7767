"""docs/method.md: its block is run, and what it says of names and numbers is what the code has."""

import re

import numpy as np
import pytest

import documents
from conftest import ROOT
from onnxspec import metrics, results
from onnxspec.analysis import checks, reference
from onnxspec.report import pooling
from onnxspec.settings import ESTIMATORS, SIGNALS
from onnxspec.statistics import FEW_PATHS

TEXT = " ".join((ROOT / "docs" / "method.md").read_text(encoding="utf-8").split())
BLOCKS = documents.read("docs/method.md")


@pytest.fixture(scope="module")
def folder(tmp_path_factory, evaluated):
    return documents.furnish(tmp_path_factory.mktemp("method"), evaluated, 40)


def test_its_block_gives_the_figure_of_the_report(folder, monkeypatch, capsys):
    assert [kind for kind, _ in BLOCKS] == ["python"]
    monkeypatch.chdir(folder)
    exec(compile(BLOCKS[0][1], "method.md", "exec"), {})
    by_hand, of_report = map(float, capsys.readouterr().out.split())
    assert by_hand == pytest.approx(of_report, rel=1e-4)


def test_every_figure_signal_and_estimator_is_defined(bundled_report):
    for name in {*bundled_report.figures["metric"].tolist(), *SIGNALS, *ESTIMATORS} - {"sine"}:
        assert re.search(rf"[`*]{name}[`*]", TEXT), name
    assert {"signals", "spectra", "metrics", "statistics"} <= set(re.findall(r"\(\.\./onnxspec/(\w+)(?:\.py)?\)", TEXT))


def test_its_numbers_are_those_of_the_code():
    assert f"f_c = {metrics.CYCLES_PER_REFERENCE:g} / d_ref" in TEXT
    assert f"{reference.PAIRS:,} random pairs" in TEXT
    assert (
        f"up to {metrics.CENTROID_LIMIT:g} cycles" in TEXT
        and f"{100 * metrics.ROLLOFF_SHARE:g} % of the wiggle" in TEXT
    )
    assert f"A pilot of {checks.PILOT_PAIRS} pairs a kind" in TEXT
    limits = (100 * results.TOLERANCE[name] for name in ("hff", "slope", "excess_tv"))
    assert "{:g}, {:g} and {:g} % at most".format(*limits) in TEXT
    assert "under a tenth of hf" in TEXT and results.UNRESOLVED_SHARE == 1 / 10
    assert "fewer than ten pairs decide nothing" in TEXT and FEW_PATHS == 10
    assert "eight of the paths" in TEXT and checks.DITHERED_PATHS == 8
    assert "paths with a hundred times the noise" in TEXT and pooling.TELLING == 100


def test_the_bins_of_mool_are_those_it_says():
    """From number K / 10, rounded up, to the last but one, over all."""
    for bins in (9, 17, 33):
        magnitude = np.random.default_rng(bins).random((4, bins))
        said = magnitude[:, int(np.ceil(bins / 10)) : -1].sum(1)
        assert np.allclose(metrics.mool_high_power(magnitude), said)
    assert "those from number K / 10 (rounded up) to the last but one, over all, the constant included" in TEXT
