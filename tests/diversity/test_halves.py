"""Halves share no image, lose no path that is alone, and what is known of them is what their rows say."""

import numpy as np
import pytest

from onnxspec.diversity.columns import columns, mean_length, share_right
from onnxspec.diversity.found import Quantity
from onnxspec.diversity.halves import Half, halved
from onnxspec.report.headline import figure
from onnxspec.report.repooled import repooled, scalars
from onnxspec.results import Rows

RNG = np.random.default_rng(0)


def drawn(classes, each, paths):
    """Paths within and between classes of `each` images in some order, images and pairs more than once."""
    a, b = RNG.integers(0, classes * each, (2, paths))
    b = np.where(RNG.random(paths) < 0.8, a // each * each + b % each, b)
    names = {"class_a": a // each, "class_b": b // each, "image_a": a, "image_b": b}
    return {"kind": (a // each != b // each).astype(np.int8), **names}


def walked(paths):
    """The half of every image and path within a class, path by path."""
    turns, of_image, of_path = {}, {}, {}
    for i, kind in enumerate(paths["kind"]):
        if kind == 0:
            c, ends = paths["class_a"][i], (paths["image_a"][i], paths["image_b"][i])
            for end in ends:
                of_image.setdefault(end, turns.get(c, 0) % 2)
            turns[c] = turns.get(c, 0) + 1
            of_path[i] = of_image[ends[0]] if of_image[ends[0]] == of_image[ends[1]] else None
    return of_image, of_path


@pytest.mark.parametrize("paths", [3, 40, 400])
def test_halves_are_those_of_a_walk(paths):
    rows = drawn(5, 12, paths)
    of_image, of_path = walked(rows)
    for number, half in enumerate(halved(rows)):
        assert half.images.tolist() == sorted(image for image, own in of_image.items() if own == number)
        assert half.paths.tolist() == [path for path, own in of_path.items() if own == number]
        assert np.isin([rows[name][half.paths] for name in ("image_a", "image_b")], half.images).all()


def test_halves_share_no_image_and_lose_no_path_whose_images_are_its_own():
    rows = drawn(5, 12, 400)
    first, second = halved(rows)
    assert not np.intersect1d(first.images, second.images).size
    alone = {name: np.arange(40) // 10 for name in ("class_a", "class_b")} | {"kind": np.zeros(40, np.int8)}
    halves = halved({**alone, "image_a": np.arange(40), "image_b": 40 + np.arange(40)})
    assert [half.paths.tolist() for half in halves] == [list(range(0, 40, 2)), list(range(1, 40, 2))]


def test_figures_of_all_paths_are_the_report_s(bundled_report):
    rows = Rows(scalars(bundled_report))
    names = tuple(map(str, bundled_report.classes["name"]))
    pooling = repooled(bundled_report, rows, float(bundled_report.attributes["cutoff"]), names)
    every = Half(np.unique(rows["image_a"]), np.flatnonzero(rows["kind"] == 0))
    found = columns(pooling, every, {})
    for quantity in (Quantity(signal, metric) for signal in ("prob", "logit") for metric in ("hff", "slope")):
        known = [figure(bundled_report, "within", quantity.metric, quantity.signal, name) for name in names]
        assert found.figures[quantity] == pytest.approx([one.estimate for one in known])
        assert found.paths.tolist() == [one.paths for one in known]


def test_measures_of_halves_are_of_their_own_paths_and_images(bundled_report):
    rows, outputs = Rows(scalars(bundled_report)), bundled_report.classes["output"]
    for half in halved(rows.columns):
        lengths, right = mean_length(rows, half.paths, 10), share_right(rows, half.images, outputs)
        for c in range(10):
            own = half.paths[rows["class_a"][half.paths] == c]
            assert lengths[c] == pytest.approx(rows["distance"][own].mean())
            assert right[c] == pytest.approx(np.mean(_right(rows, half.images, c, outputs[c])))


def _right(rows, images, c, output):
    """Whether each image of the class among them is right, image by image."""
    seen = {}
    for end in ("a", "b"):
        for image, of, predicted in zip(
            *(rows[f"{name}_{end}"] for name in ("image", "class", "predicted")), strict=True
        ):
            if of == c and image in images:
                seen[image] = predicted == output
    return list(seen.values())


def test_shares_of_all_images_are_the_report_s(bundled_report):
    rows, classes = Rows(scalars(bundled_report)), bundled_report.classes
    images = np.concatenate([rows["image_a"], rows["image_b"]])
    assert share_right(rows, images, classes["output"]) == pytest.approx(classes["right"] / classes["used"])
    assert np.isnan(share_right(rows, images[:1], classes["output"])).sum() == 9
