"""What is read off open and closed paths of other families, against closed forms; what is kept is not walked again."""

from dataclasses import replace

import numpy as np
import pytest

from conftest import FASHION
from onnxspec import metrics, spectra
from onnxspec.analysis.families import bands, measuring
from onnxspec.analysis.families.choosing import choose
from onnxspec.analysis.families.measuring import read, spread_floor
from onnxspec.analysis.families.pooling import band_name, beyond_reach, pooled
from onnxspec.analysis.planning import freeze, prepare
from onnxspec.analysis.subject import open_subject
from onnxspec.errors import UsageError
from onnxspec.listening import Silence
from onnxspec.report.spool import Spool
from onnxspec.results import Reading
from onnxspec.settings import FAMILIES, Measurement, Settings

READING = Reading(Measurement(), 4.0, False, np.arange(2))
LENGTH = np.array([1.0, 2.0])


def logits(cycles, points, closed):
    """z = cos 2 pi F t of one class against the other, the same on two paths."""
    t = np.arange(points) / (points if closed else points - 1)
    z = np.cos(2 * np.pi * cycles * t)
    return np.repeat(np.stack([z, -z], -1)[None], 2, 0).astype(np.float32)


def test_a_closed_wave_has_all_its_power_in_one_bin_and_its_slope():
    found = read(logits(6, 32, True), LENGTH, READING, True)
    assert np.argmax(found["power_logit"], axis=1).tolist() == [5, 5]
    np.testing.assert_allclose(found["total_logit"], 1.0, rtol=1e-6)
    # 6 cycles per turn are 6 and 3 per unit of length, on both sides of the cut-off of 4
    np.testing.assert_allclose(found["hf_logit"], [1.0, 0.0], atol=1e-6)
    np.testing.assert_allclose(found["slope_logit"], 2 * np.pi * 6 / LENGTH, rtol=1e-6)
    assert found["flips"].tolist() == [12, 12]


def test_a_closed_path_closes_its_variation():
    """Probability that goes up once and down once between two points makes the whole way, the last step included."""
    step = np.array([[5.0, -5.0]] * 3 + [[-5.0, 5.0]], np.float32)[None]
    found = read(step, np.ones(1), READING, True)
    assert found["flips"][0] == 2
    assert found["excess_tv"][0] == pytest.approx(2 * (1 - 2 / (1 + np.exp(10))), rel=1e-6)


def test_an_open_path_is_read_as_a_line_is():
    outputs = logits(2.5, 33, False)
    found, signal = read(outputs, LENGTH, READING, False), READING.signal("logit", outputs)
    spectrum = spectra.sine(signal)
    np.testing.assert_array_equal(found["total_logit"], spectrum.total)
    np.testing.assert_array_equal(found["hf_logit"], metrics.high_power(spectrum, LENGTH, 4.0))
    np.testing.assert_array_equal(found["excess_tv"], metrics.excess_tv(READING.signal("prob", outputs)))


def test_the_floor_of_a_closed_path_sums_to_that_of_a_line():
    assert spread_floor(np.full(31, 2.0), 16).sum() == pytest.approx(62.0)
    reading = replace(READING, floor={name: np.full(31, 1e-3) for name in ("prob", "logit")})
    plain, less = (read(logits(6, 32, True), LENGTH, one, True) for one in (READING, reading))
    np.testing.assert_allclose(plain["total_logit"] - less["total_logit"], 31e-3)


def test_the_floor_of_a_path_of_more_points_sums_to_that_of_a_line():
    """Phase paths have twice the points."""
    reading = replace(READING, floor={name: np.full(31, 1e-3) for name in ("prob", "logit")})
    plain, less = (read(logits(2.5, 65, False), LENGTH, one, False) for one in (READING, reading))
    np.testing.assert_allclose(plain["total_logit"] - less["total_logit"], 31e-3)


def test_bands_are_named_by_their_range():
    assert [band_name(band) for band in range(4)] == ["0", "1-2", "2-4", "4-8"]


@pytest.fixture(scope="module")
def frozen(pictures):
    settings = Settings.of(pairs=12, points=9, paths=FAMILIES, threads=1)
    return freeze(open_subject(FASHION / "pytorch.onnx", pictures, settings), settings, Silence())


def test_an_ellipse_takes_images_of_the_pairs_each_once(frozen):
    ellipse = next(one for one in choose(frozen) if one.name == "ellipse")
    assert len(np.unique(ellipse.image)) == ellipse.image.size
    alone = replace(frozen, pairs=frozen.pairs[frozen.pairs.kind == 1])
    without = next(one for one in choose(alone) if one.name == "ellipse")
    labels = frozen.subject.labels
    assert len(without) == 12 and (labels[without.image] == without.class_a[:, None]).all()


def test_waves_are_as_long_as_two_typical_images_are_apart(frozen):
    plan = bands.plan(frozen, frozen.subject.engine.space, np.unique(frozen.pairs.image_a))
    np.testing.assert_allclose(plan.length(slice(0, 3)), frozen.reference, rtol=1e-12)
    # Natural images vary mostly along low frequencies.
    low, high = (plan.spread[plan.crossings.band == band].mean() for band in (1, 5))
    assert low > 10 * high
    assert np.isnan(bands.plan(frozen, frozen.subject.engine.space, frozen.pairs.image_a[:1]).spread).all()


def test_what_is_kept_is_taken_from_there_bit_for_bit(frozen, tmp_path, monkeypatch):
    chosen = choose(frozen)
    with pytest.raises(UsageError), Spool(tmp_path / "r.h5") as spool:
        prepared, _ = prepare(frozen, Silence(), spool, lambda _: chosen)
        first = measuring.evaluate(prepared, chosen, spool)
        raise UsageError("stopped")
    names = [path.name for path in (tmp_path / "r.h5.parts").iterdir()]
    assert any(name.startswith("ellipse-000000-") for name in names)

    def again(*_):
        raise AssertionError("walked again")

    monkeypatch.setattr(measuring, "_rows", again)
    with Spool(tmp_path / "r.h5") as spool:
        prepared, _ = prepare(frozen, Silence(), spool, lambda _: chosen)
        assert all(spool.count(one.name) == len(one) for one in chosen) and spool.count() == 0
        second = measuring.evaluate(prepared, chosen, spool)
    for one, other in zip(first, second, strict=True):
        for name, values in one.rows.columns.items():
            np.testing.assert_array_equal(values, other.rows[name])
    tables = [pooled(one, prepared) for one in first]
    assert all(table.figures for table in tables)
    # Nine points do not resolve the cut-off: said, and not counted.
    assert {remark.code for remark in beyond_reach(first)} == {"out-of-reach"}
