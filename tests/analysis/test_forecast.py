"""What a run will cost, said before it starts, against what it then takes."""

import numpy as np
import pytest

import onnxspec
from conftest import FASHION, QUICKEST
from onnxspec.analysis.forecast import forecast
from onnxspec.listening import Silence
from onnxspec.model import machine

MODEL, DATA = QUICKEST, FASHION / "test.npz"


class Counting(Silence):
    def __init__(self):
        self.planned, self.done = (), 0

    def plan(self, ahead):
        self.planned = ahead.paths, ahead.images

    def images(self, count):
        self.done += count


@pytest.mark.parametrize("options", [{"pairs": 30}, {"pairs": 12, "kinds": "within", "paths": "random", "points": 17}])
def test_paths_and_passes_are_those_of_the_run(options):
    counting = Counting()
    options = {"points": 33, **options}
    onnxspec.analyze(MODEL, DATA, listener=counting, **options)
    found = forecast(MODEL, DATA, **options)
    assert (found.paths, found.forward_passes) == counting.planned
    assert counting.done == found.forward_passes
    assert found.points == options["points"]


@pytest.mark.parametrize("pairs", [40, 1500])
def test_the_report_is_about_as_large_as_was_said(pairs, tmp_path):
    report = onnxspec.analyze(MODEL, DATA, pairs=pairs, points=17, output=tmp_path / "r.h5")
    said = forecast(MODEL, DATA, pairs=pairs, points=17).report_bytes
    assert 0.5 < report.path.stat().st_size / said < 1.5


def test_time_and_memory_grow_with_what_is_asked_for():
    few, many = (forecast(MODEL, DATA, pairs=pairs, points=33) for pairs in (20, 5000))
    for one in (few, many):
        assert 0 < one.seconds - one.forward_passes * one.seconds_per_image < 60
    assert 1e6 < many.memory_bytes - few.memory_bytes < 50e6
    assert few.memory_bytes > machine.peak_memory() / 2


def test_it_is_no_more_than_an_opening(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    counting = Counting()
    forecast(MODEL, DATA, listener=counting)
    assert (counting.planned, counting.done, list(tmp_path.iterdir())) == ((), 0, [])


def test_functions_and_arrays_are_forecast_too():
    images = np.random.default_rng(0).integers(0, 256, (40, 4, 4, 3), np.uint8)
    found = forecast(lambda b: b.mean((2, 3)) - 3, (images, np.arange(40) % 3), pairs=10, preprocess="0..1")
    assert found.threads == 1
    assert found.to_dict()["forward_passes"] > 0
