"""CUDA graphs are captured, left alone meanwhile, and replayed; and each path costs the bytes that are counted."""

from dataclasses import replace

import pytest

from standin.running import GRAPH, analyze, summary

pytestmark = pytest.mark.slow

CAPTURES = ("--device", "cuda:enable_cuda_graph=1", *GRAPH)
# The bytes that were counted for some paths, between two lines in the log of what happened.
SENT = """
import os
from engine.test_graphs import A, B, engine
from model import build
import numpy as np
from onnxspec.paths import families

images = np.random.default_rng(0).integers(0, 256, (12, 4, 4, 1), np.uint8)
one = engine("model.onnx", images, device="DEVICE", mean=0.0, std=1.0)
assert one.form_in_graph("on", [0, 1]) == ""
one.tile, one.workers = 22, 2

def walk(at):
    return one.outputs(A[at : at + 2], B[at : at + 2], families.line(33))

def mark(what):
    with open(os.environ["STANDIN_LOG"], "a") as log:
        print(what, file=log)

list(one.map(walk, [0, 2]))
mark("begin")
before = one.graph.model.bytes_sent
list(one.map(walk, [0, 2]))
mark("end")
print(one.graph.model.bytes_sent - before)
"""


def test_graphs_are_captured_and_replayed_and_no_thread_interferes(machine):
    done = analyze(machine, *CAPTURES, "--threads", 4, pairs=100)
    assert summary(done)["run_threads"] == 4
    assert done.count("violation") == 0
    assert done.count("captured") == done.count("capture on") >= 2
    assert done.count("replayed") > 2 * done.count("captured")


@pytest.mark.parametrize("device", ["cuda", "cuda:enable_cuda_graph=1"])
def test_the_bytes_that_are_counted_are_those_that_are_sent(machine, device):
    done = machine.python(SENT.replace("DEVICE", device))
    assert done.code == 0, done.err
    begin, end = done.events.index("begin"), done.events.index("end")
    sent = [int(event.split()[1]) for event in done.events[begin:end] if event.startswith("sent")]
    assert int(done.out) == sum(sent) > 0


@pytest.mark.parametrize("room", [100_000, 1_000_000])
def test_where_memory_runs_out_the_batch_is_halved_before_anything_is_captured(machine, usual, room):
    ample = usual(*CAPTURES)
    scarce = analyze(replace(machine, memory=room), *CAPTURES)
    assert scarce.count("refused") > 0
    assert scarce.count("violation") == 0
    assert summary(scarce)["run_batch"] < summary(ample)["run_batch"]
    assert summary(scarce)["digest"] == summary(ample)["digest"]
