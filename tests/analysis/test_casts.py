"""Which casts of a graph are done, and what half precision is held against."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto
from onnxruntime.transformers.float16 import convert_float_to_float16

import onnxspec
from conftest import FASHION
from model import build
from model.test_narrowing import cast_first
from onnxspec import spectra
from onnxspec.analysis import casts, checks
from onnxspec.analysis.subject import open_subject
from onnxspec.errors import ModelError
from onnxspec.paths.families import line
from onnxspec.settings import Settings

IMAGES = np.random.default_rng(0).integers(0, 256, (40, 8, 8, 3), np.uint8)
DATA = (IMAGES, np.arange(40) % build.CLASSES)
OPTIONS = {"preprocess": "0..1", "pairs": 20, "points": 33, "threads": 1, "batch": 8}


def subject(proto, tmp_path):
    return open_subject(build.save(proto, tmp_path / "m.onnx"), DATA, Settings.given(OPTIONS))


@pytest.mark.parametrize(
    "kept", [cast_first(TensorProto.FLOAT16), convert_float_to_float16(build.convnet(), keep_io_types=True)]
)
def test_a_cast_counts_where_it_is_done(tmp_path, kept):
    """Whatever ONNX Runtime does with it on this machine: the scores of the network without any tell."""
    one = subject(kept, tmp_path)
    engine, images = one.engine, list(range(8))
    assert one.model.spec.inside == "float16"
    given, wanted = (each.raw(images) for each in (engine, casts.wide(engine)))
    rounds = np.sqrt(np.square(given - wanted).mean() / np.square(wanted).mean()) > casts.ALIKE
    assert engine.spec.coarsest == ("float16" if rounds else "float32")


def test_what_overflows_in_half_precision_is_rounded_to_it(tmp_path, recwarn):
    engine, images = subject(cast_first(TensorProto.FLOAT16), tmp_path).engine, [0, 1]
    casts.forget_undone_casts(engine, images, np.full((2, build.CLASSES), np.inf, np.float32))
    assert engine.spec.coarsest == "float16" and not recwarn.list


def test_where_no_reference_can_be_had_the_graph_is_believed(tmp_path, monkeypatch):
    def refuse(model):
        raise ModelError("No room.")

    monkeypatch.setattr(casts, "widened", refuse)
    assert (
        subject(convert_float_to_float16(build.convnet(), keep_io_types=True), tmp_path).engine.spec.coarsest
        == "float16"
    )
    report = onnxspec.analyze(tmp_path / "m.onnx", DATA, **OPTIONS)
    assert report.attributes["noise_floor_source"] == "input dither of up to a third of a unit of float16"
    assert "reduced-precision" in {remark.code for remark in report.remarks}


def test_the_floor_of_half_precision_is_the_power_of_what_its_rounding_does(tmp_path):
    """Against the same network without a cast, which is run here as it is."""
    report = onnxspec.analyze(build.save(cast_first(TensorProto.FLOAT16), tmp_path / "m.onnx"), DATA, **OPTIONS)
    assert report.attributes["noise_floor_source"] == checks.COARSER
    settings = Settings.given(OPTIONS)
    plain = open_subject(build.save(build.convnet(), tmp_path / "plain.onnx"), DATA, settings).engine
    half = open_subject(tmp_path / "m.onnx", DATA, settings).engine
    kind = report.paths["kind"]
    rows = np.concatenate([np.flatnonzero(kind == one)[: checks.DITHERED_PATHS // 2] for one in (0, 1)])
    ends = report.paths["image_a"][rows], report.paths["image_b"][rows]
    logits = [engine.outputs(*ends, line(33)).astype(np.float64) for engine in (half, plain)]
    error = np.subtract(*(one - one.mean(-1, keepdims=True) for one in logits))
    signals = str(report.attributes["signals"]).split()
    found = report.checks["noise_floor"][signals.index("logit")]
    np.testing.assert_allclose(found, spectra.sine(error).power.mean(0), rtol=1e-6)


def test_half_precision_that_rounds_nothing_has_the_figures_and_the_floor_of_float32(tmp_path):
    """As converters with keep_io_types leave it and a CPU runs it; its weights are rounded, which is the network's own."""
    path = tmp_path / "half.onnx"
    onnx.save(convert_float_to_float16(onnx.load(FASHION / "pytorch.onnx"), keep_io_types=True), path)
    options = {"pairs": 20, "points": 33, "threads": 1, "batch": 32}
    half, plain = (onnxspec.analyze(one, FASHION / "test.npz", **options) for one in (path, FASHION / "pytorch.onnx"))
    if half.attributes["noise_floor_source"] == checks.COARSER:
        pytest.skip("ONNX Runtime computes in half precision here")
    assert half.attributes["noise_floor_source"] == plain.attributes["noise_floor_source"]
    assert "reduced-precision" not in {remark.code for remark in half.remarks}
    for kind in half.kinds:
        found, expected = (one.figure(kind, "slope", "prob").estimate for one in (half, plain))
        assert found == pytest.approx(expected, rel=5e-3)
