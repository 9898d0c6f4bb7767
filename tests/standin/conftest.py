"""The libraries, built once, and a network and images that are small and need only what the stand-in computes."""

from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
from onnx import TensorProto, helper

from model import build
from standin import libraries
from standin.machine import Done, Machine
from standin.running import analyze

SIDE, HIDDEN = 4, 37
"""Of images, and in the first layer: a number of neurons that no batch has of images."""


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of libraries that stand for CUDA's."""
    if (reason := libraries.obstacle()) is not None:
        pytest.skip(reason)
    folder = tmp_path_factory.mktemp("cuda")
    libraries.build(folder)
    return folder


@pytest.fixture(scope="session")
def subject(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with model.onnx, two fully connected layers, and images.npz, whose labels are mostly what it says."""
    folder = tmp_path_factory.mktemp("subject")
    rng = np.random.default_rng(0)
    weights = {"first": rng.normal(size=(SIDE * SIDE, HIDDEN)) / 2, "second": rng.normal(size=(HIDDEN, 3))}
    nodes = [
        helper.make_node("MatMul", ["x", "first"], ["hidden"]),
        helper.make_node("Relu", ["hidden"], ["active"]),
        helper.make_node("MatMul", ["active", "second"], ["y"]),
    ]
    ports = [build.tensor(name, TensorProto.FLOAT, ["n", size]) for name, size in (("x", SIDE * SIDE), ("y", 3))]
    proto = build.model(nodes, ports[:1], ports[1:], {name: w.astype(np.float32) for name, w in weights.items()})
    path = build.save(proto, folder / "model.onnx")
    images = rng.integers(0, 256, (200, SIDE, SIDE), np.uint8)
    inputs = images.reshape(len(images), -1).astype(np.float32) / 255
    (scores,) = onnxruntime.InferenceSession(path).run(None, {"x": inputs})
    np.savez(folder / "images.npz", images=images, labels=(scores - scores.mean(axis=0)).argmax(axis=1))
    return folder


@pytest.fixture
def machine(built: Path, subject: Path, tmp_path: Path) -> Machine:
    """A machine with one GPU, and the network and images in its working folder."""
    return _furnished(Machine(built, tmp_path), subject)


@pytest.fixture(scope="session")
def usual(built: Path, subject: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Done]:
    """A run with some options where there is memory enough, for others to be compared with: each once."""

    @cache
    def run(*options: object) -> Done:
        return analyze(_furnished(Machine(built, tmp_path_factory.mktemp("usual")), subject), *options)

    return run


def _furnished(machine: Machine, subject: Path) -> Machine:
    for file in subject.iterdir():
        (machine.place / file.name).symlink_to(file)
    return machine
