"""Where rows come from: with a cache nothing is evaluated twice, and the report is the same in every byte."""

import os

import numpy as np
import pytest
from PIL import Image

import onnxspec
from analysis.test_resuming import content
from conftest import FASHION, QUICKEST
from model import build
from onnxspec.analysis import checks, strips
from onnxspec.engine.local import LocalEngine
from onnxspec.listening import Silence

MODEL, OTHER = QUICKEST, FASHION / "epoch-10.onnx"


@pytest.fixture(scope="module")
def data():
    with np.load(FASHION / "test.npz") as found:
        kept = np.concatenate([np.flatnonzero(found["labels"] == c)[:12] for c in range(5)])
        return found["images"][kept], found["labels"][kept]


@pytest.fixture
def walked(monkeypatch):
    """How many points of paths were evaluated since the plan was made, in a list: batches are tuned before."""
    images = [0]
    untold = LocalEngine.__dataclass_fields__["on_images"].default
    plain = LocalEngine.walk

    def counted(self, walk, dither=None):
        images[0] += len(walk) * walk.points if walk.points > 1 and self.on_images is not untold else 0
        return plain(self, walk, dither)

    monkeypatch.setattr(LocalEngine, "walk", counted)
    return images


def analyzed(data, place, cache=None, model=MODEL, **how):
    how = {"pairs": 48, "points": 17, "batch": 32} | how
    return onnxspec.analyze(model, data, output=place, cache=cache and str(cache), **how)


def test_a_repeated_analysis_walks_no_path_to_the_same_report(data, tmp_path, walked):
    analyzed(data, tmp_path / "plain.h5")
    needed = walked[0]
    first = analyzed(data, tmp_path / "first.h5", tmp_path / "cache")
    assert walked[0] == 2 * needed
    assert first.attributes["run_cached_paths"] == 0
    again = analyzed(data, tmp_path / "again.h5", tmp_path / "cache", batch=7, threads=1)
    assert walked[0] == 2 * needed
    assert again.attributes["run_cached_paths"] == len(again.paths["kind"])
    assert content(tmp_path / "plain.h5") == content(tmp_path / "first.h5") == content(tmp_path / "again.h5")


def test_a_listener_is_told_of_what_is_walked_and_of_what_need_not_be(data, tmp_path, walked):
    class Told(Silence):
        def __init__(self):
            self.planned = self.done = self.had = 0

        def plan(self, ahead):
            self.planned = ahead.images

        def images(self, count):
            self.done += count

        def spared(self, count):
            self.had += count

    first, again = Told(), Told()
    analyzed(data, tmp_path / "first.h5", tmp_path / "cache", listener=first)
    assert (first.done, first.had) == (first.planned, 0)
    before = walked[0]
    analyzed(data, tmp_path / "again.h5", tmp_path / "cache", listener=again)
    assert again.had >= again.planned and again.done == walked[0] - before == 0


def test_a_listener_that_knows_of_no_cache_hears_of_all_as_walked(data, tmp_path):
    class Old:
        planned = done = 0

        def stage(self, name): ...

        def plan(self, ahead):
            self.planned = ahead.images

        def images(self, count):
            self.done += count

    for _ in range(2):
        listener = Old()
        analyzed(data, tmp_path / "r.h5", tmp_path / "cache", listener=listener)
        assert listener.done >= listener.planned > 0


def test_the_pilot_s_paths_are_not_walked_again_and_the_report_is_the_same(data, tmp_path, walked, monkeypatch):
    analyzed(data, tmp_path / "once.h5")
    once = walked[0]
    monkeypatch.setattr(checks.Walked, "take", lambda self, span: None)
    analyzed(data, tmp_path / "twice.h5")
    assert walked[0] - once == once + 2 * checks.PILOT_PAIRS * 17
    assert content(tmp_path / "once.h5") == content(tmp_path / "twice.h5")


def test_no_path_is_walked_again_to_be_shown_and_the_report_is_the_same(data, tmp_path, walked, monkeypatch):
    shown = analyzed(data, tmp_path / "once.h5").strips["path"]
    once = walked[0]
    monkeypatch.setattr(strips.Candidates, "curves", lambda self, path: None)
    analyzed(data, tmp_path / "twice.h5")
    assert walked[0] - once == once + len(shown) * 17
    assert content(tmp_path / "once.h5") == content(tmp_path / "twice.h5")


def test_as_many_points_are_walked_as_the_plan_says(data, tmp_path, walked):
    class Told(Silence):
        planned = 0

        def plan(self, ahead):
            self.planned = ahead.images

    told = Told()
    onnxspec.analyze(MODEL, data, pairs=48, points=17, output=tmp_path / "r.h5", listener=told)
    assert walked[0] == told.planned


def test_more_pairs_cost_what_is_new(data, tmp_path, walked):
    analyzed(data, tmp_path / "few.h5", tmp_path / "cache", pairs=32)
    before = walked[0]
    more = analyzed(data, tmp_path / "more.h5", tmp_path / "cache", pairs=64)
    assert more.attributes["run_cached_paths"] >= 64
    assert walked[0] - before < 64 * 17 + 32 * 17 * 2  # the new paths, and what is looked at of the old
    analyzed(data, tmp_path / "plain.h5", pairs=64)
    assert content(tmp_path / "more.h5") == content(tmp_path / "plain.h5")


def test_one_more_checkpoint_costs_one_model(data, tmp_path, walked):
    models = [MODEL, *(build.reweighted(MODEL, n, tmp_path / f"{n}.onnx") for n in (2, 3))]
    how = {"data": data, "pairs": 32, "points": 17, "cache": str(tmp_path / "cache")}
    onnxspec.compare(models[:2], **how)
    two = walked[0]
    onnxspec.compare(models, **how)
    assert walked[0] - two < 1.1 * two / 2  # the models do not show equally many paths


def test_families_come_from_the_cache_too(data, tmp_path, walked):
    paths = ("ellipse", "random", "augment", "fourier", "phase")
    analyzed(data, tmp_path / "first.h5", tmp_path / "cache", pairs=8, points=9, paths=paths)
    before = walked[0]
    analyzed(data, tmp_path / "again.h5", tmp_path / "cache", pairs=8, points=9, paths=paths)
    assert walked[0] == before
    assert content(tmp_path / "first.h5") == content(tmp_path / "again.h5")


@pytest.mark.parametrize(
    "other", [{"model": OTHER}, {"preprocess": "0..1"}, {"signals": ("logit",)}, {"cutoff": 3.0}, {"estimator": "hann"}]
)
def test_what_decides_the_rows_decides_the_entry(data, tmp_path, other):
    analyzed(data, tmp_path / "first.h5", tmp_path / "cache", pairs=4)
    found = analyzed(data, tmp_path / "other.h5", tmp_path / "cache", pairs=4, **other)
    assert found.attributes["run_cached_paths"] == 0


def test_damaged_entries_are_evaluated_again(data, tmp_path):
    analyzed(data, tmp_path / "first.h5", tmp_path / "cache", pairs=8)
    for place in (tmp_path / "cache").rglob("*.part"):
        place.write_bytes(place.read_bytes()[:-20])
    found = analyzed(data, tmp_path / "again.h5", tmp_path / "cache", pairs=8)
    assert found.attributes["run_cached_paths"] == 0
    assert content(tmp_path / "first.h5") == content(tmp_path / "again.h5")


def test_images_of_the_same_names_and_sizes_are_not_the_same(data, tmp_path):
    folder = tmp_path / "images"
    for i, (image, label) in enumerate(zip(*data, strict=True)):
        (folder / str(label)).mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(folder / str(label) / f"{i}.bmp")
    how = {"pairs": 8, "preprocess": "fashion-mnist"}
    analyzed(folder, tmp_path / "first.h5", tmp_path / "cache", **how)
    same = analyzed(folder, tmp_path / "same.h5", tmp_path / "cache", **how)
    assert same.attributes["run_cached_paths"] >= 16
    for path in folder.rglob("*.bmp"):
        when = path.stat().st_mtime_ns
        Image.fromarray(255 - np.asarray(Image.open(path))).save(path)
        os.utime(path, ns=(when, when))
    assert analyzed(folder, tmp_path / "other.h5", tmp_path / "cache", **how).attributes["run_cached_paths"] == 0


def test_a_function_without_a_digest_is_not_cached(data, tmp_path):
    def network(batch):
        return 40 * batch.reshape(len(batch), -1)[:, 300:305] - 9

    for name in "ab":
        found = analyzed(data, tmp_path / f"{name}.h5", tmp_path / "cache", network, preprocess="0..1", pairs=4)
    assert found.attributes["run_cached_paths"] == 0
    assert not (tmp_path / "cache").exists()
