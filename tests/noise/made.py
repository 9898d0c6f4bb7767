"""An ONNX network whose probabilities are noisy targets: the right class, smoothed as the noise says, or less exactly."""

import numpy as np
from onnx import TensorProto, helper

from model import build
from onnxspec.noise import phi

SIDE, CHANNELS = 6, 3
SHAPE = (CHANNELS, SIDE, SIDE)


def images(count, seed=0):
    """Images (count, 6, 6, 3) uint8 whose class is their strongest channel, with norms spread evenly; and labels."""
    rng = np.random.default_rng(seed)
    labels = np.arange(count) % CHANNELS
    moved = rng.choice([-1, 1], (count, SIDE, SIDE, CHANNELS)) * rng.uniform(10, 55, (count, SIDE, SIDE, CHANNELS))
    moved[np.arange(count), :, :, labels] += 70
    scale = (0.2 + 0.8 * rng.permutation(count) / count)[:, None, None, None]
    return (127.5 + scale * moved).astype(np.uint8), labels


def fitted(path, frequency, amplitude, follows=1.0, sharp=1.0, layout="NCHW"):
    """Writes a network: log of y (1 - s) + s / 3 with s = A (1 + follows sin(2 pi f (||x|| - phi))), times `sharp`.

    follows 0 is uniform smoothing, 1 a perfect fit; sharp 0 knows no class.
    """
    axes = [1, 2, 3]
    shape = ["n", *SHAPE] if layout == "NCHW" else ["n", SIDE, SIDE, CHANNELS]
    node = helper.make_node
    nodes = [
        node("ReduceL2", ["x"], ["norm"], axes=axes, keepdims=0),
        node("Sub", ["norm", "phi"], ["position"]),
        node("Mul", ["position", "turn"], ["phase"]),
        node("Sin", ["phase"], ["wave"]),
        node("Mul", ["wave", "follow"], ["part"]),
        node("Add", ["part", "a"], ["s"]),
        node("Unsqueeze", ["s", "one"], ["column"]),
        node("ReduceMean", ["x"], ["means"], axes=[2, 3] if layout == "NCHW" else [1, 2], keepdims=0),
        node("ArgMax", ["means"], ["best"], axis=1, keepdims=0),
        node("OneHot", ["best", "depth", "values"], ["y"]),
        node("Mul", ["column", "y"], ["taken"]),
        node("Sub", ["y", "taken"], ["kept"]),
        node("Div", ["column", "three"], ["share"]),
        node("Add", ["kept", "share"], ["p"]),
        node("Max", ["p", "least"], ["floored"]),
        node("Log", ["floored"], ["log"]),
        node("Mul", ["log", "sharp"], ["scaled"]),
        # Below zero, so that what knows nothing is still logits.
        node("Sub", ["scaled", "lift"], ["z"]),
    ]
    constants = {
        "phi": np.float32(phi(int(np.prod(SHAPE)))),
        "turn": np.float32(2 * np.pi * frequency),
        "follow": np.float32(amplitude * follows),
        "a": np.float32(amplitude),
        "one": np.array([1]),
        "depth": np.array(CHANNELS),
        "values": np.array([0, 1], np.float32),
        "three": np.float32(CHANNELS),
        "least": np.float32(1e-12),
        "sharp": np.float32(sharp),
        "lift": np.float32(1),
    }
    inputs = [build.tensor("x", TensorProto.FLOAT, shape)]
    outputs = [build.tensor("z", TensorProto.FLOAT, ["n", CHANNELS])]
    return build.save(build.model(nodes, inputs, outputs, {k: np.asarray(v) for k, v in constants.items()}), path)
