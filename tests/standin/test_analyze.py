"""`analyze` on CUDA: the CPU's figures, in float32 unless TF32 is asked for, on every GPU, and with what memory there is."""

from dataclasses import replace

import numpy as np
import pytest

from standin.conftest import HIDDEN, SIDE
from standin.machine import Done
from standin.running import GRAPH, HOST, analyze, summary

pytestmark = pytest.mark.slow


def estimates(found: dict) -> np.ndarray:
    """Every figure, NaN where it is undefined."""
    return np.array([one["estimate"] for one in found["figures"]], float)


@pytest.mark.parametrize(("form", "device"), [(HOST, "cuda"), (GRAPH, "cuda"), (GRAPH, "cuda:enable_cuda_graph=1")])
def test_the_figures_are_the_cpu_s(usual, form, device):
    cpu = usual("--device", "cpu", *form)
    cuda = usual("--device", device, *form)
    assert cpu.events == []
    assert sum(cuda.products().values()) > 100
    expected, found = summary(cpu), summary(cuda)
    assert (found["path_form"], found["provider"]) == (expected["path_form"], "CUDAExecutionProvider")
    np.testing.assert_allclose(estimates(found), estimates(expected), rtol=1e-3, atol=1e-9)


@pytest.mark.parametrize("form", [HOST, GRAPH])
def test_two_gpus_share_the_work_and_change_nothing(machine, form):
    two = analyze(replace(machine, gpus=2), "--device", "cuda:0,1", *form, pairs=200)
    one = analyze(machine, "--device", "cuda", *form, pairs=200)
    assert {device for _, device in two.products()} == {0, 1}
    assert {device for _, device in one.products()} == {0}
    assert summary(two)["digest"] == summary(one)["digest"]


@pytest.mark.parametrize(("options", "mode"), [([], "TF32 off, override 0"), (["--tf32"], "TF32 on, override unset")])
def test_products_are_in_tf32_only_where_it_is_asked_for(machine, options, mode):
    done = analyze(machine, "--device", "cuda", *options)
    summary(done)
    products = [event for event in done.events if event.startswith("product")]
    assert products
    assert all(event.endswith(mode) for event in products)


def sessions(done: Done) -> int:
    """How many were made: each is sent the weights of the first layer, which are as large as nothing else."""
    return done.count(f"sent {4 * SIDE**2 * HIDDEN}$")


@pytest.mark.parametrize(("form", "room"), [(HOST, 5_000), (HOST, 10_000), (GRAPH, 100_000), (GRAPH, 1_000_000)])
def test_where_memory_runs_out_the_batch_is_halved_in_new_sessions(machine, usual, form, room):
    ample = usual("--device", "cuda", *form)
    scarce = analyze(replace(machine, memory=room), "--device", "cuda", *form)
    assert ample.count("refused") == 0
    assert scarce.count("refused") > 0
    halvings = round(np.log2(summary(ample)["run_batch"] / summary(scarce)["run_batch"]))
    # As many more as there are halvings, but for those that memory refuses, or another halving overtakes, before they
    # have their weights.
    assert halvings and sessions(scarce) > sessions(ample)
    assert summary(scarce)["digest"] == summary(ample)["digest"]


@pytest.mark.parametrize("form", [HOST, GRAPH])
def test_a_gpu_without_room_for_one_image_is_told_in_a_sentence(machine, form):
    done = analyze(replace(machine, memory=3500), "--device", "cuda", *form)
    assert (done.code, done.out) == (6, "")
    (said,) = done.err.splitlines()
    assert said.startswith("onnxspec: Memory ran out on one image. ")
