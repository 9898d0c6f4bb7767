"""The path inside the graph on a GPU: the CPU's scores, captured graphs or not."""

import numpy as np
import pytest

from engine.test_graphs import IMAGENET, IMAGES, MODELS, A, B, engine
from model import build
from onnxspec import spectra
from onnxspec.model import providers
from onnxspec.paths import families


def on_cuda():
    if providers.obstacle(providers.cuda_choice()) is not None:
        pytest.skip("no CUDA device here")


@pytest.mark.gpu
@pytest.mark.parametrize("kind", [kind for kind in MODELS if kind != "another input"])
def test_on_cuda_the_graph_gives_the_cpu_s_scores(kind, tmp_path):
    on_cuda()
    proto, images, preprocess = MODELS[kind]
    path = build.save(proto, tmp_path / "m.onnx")
    expected = engine(path, images, **preprocess).outputs(A, B, families.line(33))
    cuda = engine(path, images, device="cuda", **preprocess)
    assert cuda.form_in_graph("auto", [0, 1]) == ""
    assert (cuda.model.provider, cuda.path_form) == (providers.CUDA, "graph")
    cuda.tile, cuda.workers = 22, 2
    blocks = [slice(0, 2), slice(2, 4)]
    walked = np.concatenate(list(cuda.map(lambda at: cuda.outputs(A[at], B[at], families.line(33)), blocks)))
    tolerance = 5e-3 if kind == "float16" else 1e-4
    np.testing.assert_allclose(walked, expected, rtol=tolerance, atol=tolerance * np.abs(expected).max())


@pytest.mark.gpu
@pytest.mark.parametrize("kind", ["NCHW", "uint8", "flat"])
def test_on_cuda_a_captured_graph_gives_the_same(kind, tmp_path):
    on_cuda()
    proto, images, preprocess = MODELS[kind]
    path = build.save(proto, tmp_path / "m.onnx")
    walked = []
    for device in ("cuda", "cuda:enable_cuda_graph=1"):
        one = engine(path, images, device=device, **preprocess)
        assert one.form_in_graph("auto", [0, 1]) == ""
        one.tile, one.workers = 22, 4
        walked.append(
            list(
                one.map(lambda at, one=one: one.outputs(A[at : at + 2], B[at : at + 2], families.line(33)), [0, 2] * 4)
            )
        )
    # A session may take other kernels for the same shape; a graph that is replayed on old buffers is far off.
    np.testing.assert_allclose(*walked, rtol=1e-4, atol=1e-4 * np.abs(walked[0]).max())


@pytest.mark.gpu
@pytest.mark.parametrize("tf32", [False, True])
def test_tf32_moves_power_only_where_it_is_allowed(tmp_path, tf32):
    on_cuda()
    path = build.save(build.convnet(classes=16), tmp_path / "m.onnx")
    line = families.line(129)
    expected = spectra.sine(engine(path, IMAGES, **IMAGENET).outputs(A, B, line)).power
    cuda = engine(path, IMAGES, device="cuda", tf32=tf32, **IMAGENET)
    assert cuda.form_in_graph("auto", [0, 1]) == ""
    error = np.abs(spectra.sine(cuda.outputs(A, B, line)).power - expected).sum() / expected.sum()
    assert error < (1e-2 if tf32 else 1e-4)
