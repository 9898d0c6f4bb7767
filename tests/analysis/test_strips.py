"""Which paths are kept to be looked at, and what is kept of them."""

import numpy as np
import pytest

import onnxspec
from conftest import FASHION
from onnxspec.analysis import strips
from onnxspec.results import Rows

IMAGES = np.random.default_rng(0).integers(0, 256, (60, 8, 8, 3), np.uint8)
LABELS = np.arange(60) % 3


def network(batch: np.ndarray) -> np.ndarray:
    return np.tanh(batch.mean(axis=(2, 3)) * 9 - 4)


def rows(share: np.ndarray, total: np.ndarray | None = None, **columns: np.ndarray) -> Rows:
    count = len(share)
    total = np.ones(count) if total is None else total
    usual = {"kind": np.zeros(count, np.int8), "ends_right": np.full(count, 2), "within_reach": np.ones(count)}
    return Rows(usual | columns | {"total_prob": total, "hf_prob": share * total})


def test_the_wildest_and_the_calmest_of_each_kind_from_the_extreme_inwards():
    share = np.random.default_rng(1).permutation(60) / 60
    kind = np.repeat([0, 1], 30).astype(np.int8)
    paths, wild = strips.choose(rows(share, kind=kind), "prob", 0.0)
    assert len(paths) == strips.most(["within", "between"]) == 32
    for k in (0, 1):
        own = np.sort(share[kind == k])
        of = paths[kind[paths] == k]
        assert np.array_equal(share[of[wild[kind[paths] == k] == 1]], own[::-1][:8])
        assert np.array_equal(share[of[wild[kind[paths] == k] == 0]], own[:8])


def test_few_paths_are_shared_out_and_none_is_both():
    for count in range(1, 20):
        paths, wild = strips.choose(rows(np.arange(count) / 20), "prob", 0.0)
        assert len(set(paths.tolist())) == len(paths) == min(count, 16)
        assert wild.sum() == min((count + 1) // 2, 8)


def test_only_paths_that_count_and_move_are_shown():
    share, total = np.full(6, 0.5), np.ones(6)
    total[0] = 1e-3  # hardly moves
    ends, reach = np.full(6, 2), np.ones(6)
    ends[1], reach[2] = 1, 0
    paths, _ = strips.choose(rows(share, total, ends_right=ends, within_reach=reach), "prob", 0.0)
    assert set(paths.tolist()) == {3, 4, 5}


def with_curves(some: Rows, first: int) -> Rows:
    """Rows whose curves are their places in the report."""
    places = np.arange(first, first + len(some))
    return Rows(some.columns, Rows({"output": places[:, None], "prob": places[:, None, None] / 1e6}))


@pytest.mark.parametrize("falling", [0.0, 0.5], ids=["independent", "what moves little is wild"])
@pytest.mark.parametrize("spread", [0.5, 2.0])
@pytest.mark.parametrize("paths", [5, 100, 3000])
def test_the_curves_of_all_that_is_shown_are_at_hand(paths, spread, falling):
    for seed in range(20):
        rng = np.random.default_rng(seed)
        moved = rng.lognormal(0, spread, paths)
        found = rows(
            rng.beta(0.5, 3, paths) / (1 + moved) ** falling,
            moved,
            kind=np.sort(rng.integers(0, 2, paths)).astype(np.int8),
            ends_right=rng.integers(1, 3, paths),
        )
        candidates = strips.Candidates("prob", 0.0)
        for start in range(0, paths, 32):
            some = Rows({name: column[start : start + 32] for name, column in found.columns.items()})
            candidates.offer(with_curves(some, start))
        for path in strips.choose(found, "prob", 0.0)[0].tolist():
            assert candidates.curves(path)["output"].tolist() == [[path]]
        held = [path for path in range(paths) if candidates.curves(path) is not None]
        assert len(held) <= 30 * strips.EACH, "curves take memory"


def test_rows_whose_curves_are_gone_count_all_the_same():
    candidates = strips.Candidates("prob", 0.0)
    candidates.offer(rows(np.full(10, 0.5)))
    candidates.offer(with_curves(rows(np.arange(1, 11) / 20), 10))
    assert candidates.curves(3) is None
    assert candidates.curves(12)["output"].tolist() == [[12]]


def test_rounding_is_not_a_wild_path():
    assert len(strips.choose(rows(np.full(6, 0.5), np.full(6, 1e-12)), "prob", 1e-9)[0]) == 0


def test_a_network_that_does_not_move_has_no_strips():
    report = onnxspec.analyze(
        lambda b: np.zeros((len(b), 3), np.float32) + [1, 2, 3], (IMAGES, LABELS), preprocess="0..1", pairs=8
    )
    assert report.strips == {}


def test_the_curves_are_those_of_the_path(bundled_report):
    kept, paths = bundled_report.strips, bundled_report.paths
    assert kept["prob"].shape == (32, 5, bundled_report.attributes["points"])
    assert kept["thumbnail"].shape == (32, 2, 28, 28, 1)
    best = kept["output"][np.arange(32), kept["prob"][:, :, 0].argmax(1)]
    assert np.array_equal(best, paths["predicted_a"][kept["path"]])
    names = bundled_report.classes["name"]
    assert np.array_equal(kept["name"], names[kept["output"]])
    share = paths["hf_prob"][kept["path"]] / paths["total_prob"][kept["path"]]
    assert np.allclose(kept["hff"], share)


def test_the_images_are_those_at_the_ends(bundled_report):
    kept = bundled_report.strips
    images = np.load(FASHION / "test.npz")["images"]
    ends = bundled_report.paths["image_b"][kept["path"]]
    assert np.array_equal(kept["thumbnail"][:, 1, ..., 0], images[ends].reshape(-1, 28, 28))


def test_pixels_stay_out_on_request(tmp_path):
    settings = {"pairs": 20, "preprocess": "0..1", "thumbnails": False}
    report = onnxspec.analyze(network, (IMAGES, LABELS), output=tmp_path / "r.h5", **settings)
    assert len(report.strips["prob"])
    assert not {"thumbnail", "row", "column", "channel", "end"} & set(report.strips)


@pytest.mark.parametrize(
    ("shape", "dtype"),
    [((200, 100, 3), np.uint8), ((50, 100, 3), np.uint8), ((70, 70, 1), np.float32), ((4, 6, 7), "u1")],
)
def test_thumbnails_are_small_whatever_the_images_are(shape, dtype):
    rng = np.random.default_rng(0)
    images = (rng.random((12, *shape)) * (255 if dtype != np.float32 else 3)).astype(dtype)
    small = strips._thumbnails(_Engine(images), np.array([0, 1]))
    assert small.dtype == np.uint8 and max(small.shape[1:3]) <= strips.SIDE and small.shape[3] in (1, 3)
    assert small.max() > 150


def test_small_images_are_shown_as_they_are_and_numbers_from_the_least_to_the_greatest():
    images = np.random.default_rng(0).integers(60, 200, (2, 4, 6, 3), np.uint8)
    ends = np.array([0, 1])
    assert np.array_equal(strips._thumbnails(_Engine(images), ends), images)
    stretched = (images - float(images.min())) / np.ptp(images) * 255
    shown = strips._thumbnails(_Engine(images / 7.0 - 3), ends)
    assert np.abs(shown - stretched).max() <= 0.5 + 1e-9


class _Engine:
    """What thumbnails need of an engine."""

    def __init__(self, images):
        self.pixels = dict(enumerate(images))
