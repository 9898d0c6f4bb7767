"""`analyze` where the stand-in is taken for CUDA, as most of these tests run it."""

import json

from standin.machine import Done, Machine

HOST, GRAPH = ("--path-graph", "off"), ("--path-graph", "on")


def analyze(machine: Machine, *options: object, pairs: int = 30) -> Done:
    """A run from its beginning: none goes on with what another has kept."""
    how = ("--preprocess", "mean=0;std=1", "--no-resume", "--pairs", pairs, "--json")
    return machine.onnxspec("analyze", "model.onnx", "--data", "images.npz", "-o", "report.h5", *how, *options)


def summary(done: Done) -> dict:
    """What a run that must succeed printed: JSON, and nothing beside it."""
    assert done.code == 0, done.err
    return json.loads(done.out)
