"""The picture shows the planes and curves of the heat map."""

import numpy as np

from onnxspec.heatmap import heat_map
from onnxspec.heatmap.figure import picture
from onnxspec.report.figures import style


def test_planes_and_curves(bundled_map):
    left, right, below, beside = picture(bundled_map).axes[:4]
    plane = bundled_map.waves.plane(100 * bundled_map.error.estimate)
    assert np.array_equal(left.images[0].get_array(), plane)
    assert plane.shape == (13, 13) and np.array_equal(plane, plane[::-1, ::-1])
    assert left.images[0].get_extent() == [-6.5, 6.5, 6.5, -6.5]
    change = bundled_map.waves.plane(bundled_map.mean_change["logit"].estimate)
    assert np.array_equal(right.images[0].get_array(), change)
    curve = next(line for line in below.lines if len(line.get_xdata()) > 2)
    assert np.allclose(curve.get_ydata(), 100 * bundled_map.rings.increase.estimate[1:])
    low = next(line for line in beside.lines if line.get_label() == "low-pass")
    assert np.allclose(low.get_ydata(), 100 * bundled_map.filtered_accuracy.estimate[: len(low.get_ydata())])


def test_the_same_map_gives_the_same_bytes(bundled_map, tmp_path):
    for name in ("a", "b"):
        style.save(picture(bundled_map), str(tmp_path / name), "svg")
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_images_of_one_pixel_have_a_picture():
    def network(batch):
        return np.stack([batch.mean((1, 2, 3)), -batch.mean((1, 2, 3))], 1)

    images = np.arange(0, 250, 25, np.uint8).reshape(10, 1, 1, 1)
    found = heat_map(network, (images, np.arange(10) % 2), preprocess="0..1")
    assert len(found.waves) == 1 and not found.filters
    assert len(picture(found).axes) == 6
