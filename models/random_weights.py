"""Well-known classifiers with random weights, for benchmarks: real cost, meaningless answers.

    python models/random_weights.py resnet50 resnet50.onnx

They are built from ONNX nodes with numpy alone, as an exporter would leave them: float32, NCHW in,
logits out, dynamic batch, batch normalisation folded into the convolutions. Weights are drawn as
He et al. 2015 do, residual branches scaled down, so that activations keep their size throughout.
"""

import argparse
import json
from collections.abc import Callable
from dataclasses import dataclass
from math import sqrt
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

OPSET = 17
IR_VERSION = 8
PREPROCESS = {"scale": 1 / 255, "mean": [0.5] * 3, "std": [0.25] * 3, "order": "RGB"}


class Layers:
    """Nodes and weights of a graph. Every method appends a layer and returns its output's name."""

    def __init__(self, seed: int):
        self.random = np.random.default_rng(seed)
        self.nodes: list[onnx.NodeProto] = []
        self.tensors: list[onnx.TensorProto] = []

    def node(self, op: str, *inputs: str, outputs: int = 1, **attributes: object) -> list[str]:
        """Append any node; the names of its outputs."""
        names = [f"{op.lower()}_{len(self.nodes)}_{i}" for i in range(outputs)]
        self.nodes.append(helper.make_node(op, inputs, names, **attributes))
        return names

    def constant(self, value: np.ndarray) -> str:
        name = f"weight_{len(self.tensors)}"
        self.tensors.append(numpy_helper.from_array(value, name))
        return name

    def normal(self, shape: tuple[int, ...], deviation: float) -> str:
        values = self.random.standard_normal(shape, dtype=np.float32)
        return self.constant(values * np.float32(deviation))

    def zeros(self, size: int) -> str:
        return self.constant(np.zeros(size, np.float32))

    def scalar(self, value: float) -> str:
        return self.constant(np.float32(value))

    def integers(self, values: int | list[int]) -> str:
        return self.constant(np.asarray(values, np.int64))

    def conv(
        self,
        x: str,
        inputs: int,
        outputs: int,
        kernel: int,
        stride: int = 1,
        groups: int = 1,
        padding: int | None = None,
        gain: float = sqrt(2),
    ) -> str:
        """Convolution; by default it keeps the size and expects a ReLU after it."""
        fan_in = inputs // groups * kernel**2
        weight = self.normal((outputs, inputs // groups, kernel, kernel), gain / sqrt(fan_in))
        pads = [kernel // 2 if padding is None else padding] * 4
        attributes = {"kernel_shape": [kernel] * 2, "strides": [stride] * 2, "pads": pads}
        return self.node("Conv", x, weight, self.zeros(outputs), group=groups, **attributes)[0]

    def relu(self, x: str) -> str:
        return self.node("Relu", x)[0]

    def relu6(self, x: str) -> str:
        return self.node("Clip", x, self.scalar(0), self.scalar(6))[0]

    def add(self, x: str, y: str) -> str:
        return self.node("Add", x, y)[0]

    def multiply(self, x: str, y: str) -> str:
        return self.node("Mul", x, y)[0]

    def matmul(self, x: str, y: str) -> str:
        return self.node("MatMul", x, y)[0]

    def transpose(self, x: str, *axes: int) -> str:
        return self.node("Transpose", x, perm=axes)[0]

    def reshape(self, x: str, *sizes: int) -> str:
        return self.node("Reshape", x, self.integers(list(sizes)))[0]

    def max_pool(self, x: str) -> str:
        return self.node("MaxPool", x, kernel_shape=[3, 3], strides=[2, 2], pads=[1] * 4)[0]

    def linear(self, x: str, inputs: int, outputs: int, gain: float = 1.0) -> str:
        """Dense layer over the last axis of a tensor of any rank."""
        weight = self.normal((inputs, outputs), gain / sqrt(inputs))
        return self.add(self.matmul(x, weight), self.zeros(outputs))

    def layer_norm(self, x: str, width: int) -> str:
        scale = self.constant(np.ones(width, np.float32))
        return self.node("LayerNormalization", x, scale, self.zeros(width), axis=-1)[0]

    def gelu(self, x: str) -> str:
        """x * (1 + erf(x / sqrt 2)) / 2, written out: the operator came with opset 20."""
        erf = self.node("Erf", self.multiply(x, self.scalar(sqrt(0.5))))[0]
        return self.multiply(self.multiply(x, self.scalar(0.5)), self.add(erf, self.scalar(1)))

    def classify(self, x: str, width: int, classes: int) -> str:
        """Logits from feature vectors (batch, width)."""
        weight = self.normal((classes, width), 1 / sqrt(width))
        return self.node("Gemm", x, weight, self.zeros(classes), transB=1)[0]

    def pool_and_classify(self, x: str, width: int, classes: int) -> str:
        pooled = self.node("GlobalAveragePool", x)[0]
        return self.classify(self.node("Flatten", pooled)[0], width, classes)


def shortcut(layers: Layers, x: str, inputs: int, outputs: int, stride: int) -> str:
    """What is added to a residual branch: x itself, or projected where the shape changes."""
    if inputs == outputs and stride == 1:
        return x
    return layers.conv(x, inputs, outputs, 1, stride, gain=1.0)


def basic_block(layers: Layers, x: str, inputs: int, outputs: int, stride: int, scale: float) -> str:
    """Two 3x3 convolutions around a shortcut."""
    y = layers.relu(layers.conv(x, inputs, outputs, 3, stride))
    y = layers.conv(y, outputs, outputs, 3, gain=scale)
    return layers.relu(layers.add(y, shortcut(layers, x, inputs, outputs, stride)))


def bottleneck_block(layers: Layers, x: str, inputs: int, outputs: int, stride: int, scale: float) -> str:
    """1x1, 3x3 and 1x1 convolutions, the inner ones four times narrower, around a shortcut."""
    narrow = outputs // 4
    y = layers.relu(layers.conv(x, inputs, narrow, 1))
    y = layers.relu(layers.conv(y, narrow, narrow, 3, stride))
    y = layers.conv(y, narrow, outputs, 1, gain=scale)
    return layers.relu(layers.add(y, shortcut(layers, x, inputs, outputs, stride)))


def residual_stages(
    layers: Layers,
    x: str,
    inputs: int,
    widths: tuple[int, ...],
    depths: tuple[int, ...],
    block: Callable[..., str],
) -> str:
    """Stages of `depths` blocks; from the second stage on, the first block halves the size."""
    scale = 1 / sqrt(sum(depths))
    for stage, (width, depth) in enumerate(zip(widths, depths, strict=True)):
        for position in range(depth):
            stride = 2 if stage > 0 and position == 0 else 1
            x = block(layers, x, inputs, width, stride, scale)
            inputs = width
    return x


def resnet20(layers: Layers, x: str, classes: int) -> str:
    """He et al. 2016, the CIFAR form: three stages of three basic blocks."""
    x = layers.relu(layers.conv(x, 3, 16, 3))
    x = residual_stages(layers, x, 16, (16, 32, 64), (3, 3, 3), basic_block)
    return layers.pool_and_classify(x, 64, classes)


def resnet18(layers: Layers, x: str, classes: int) -> str:
    """ResNet-18 as it is used on CIFAR: a 3x3 stem at full size and no pooling."""
    x = layers.relu(layers.conv(x, 3, 64, 3))
    x = residual_stages(layers, x, 64, (64, 128, 256, 512), (2, 2, 2, 2), basic_block)
    return layers.pool_and_classify(x, 512, classes)


def resnet50(layers: Layers, x: str, classes: int) -> str:
    """He et al. 2016, with the stride in the 3x3 convolutions as every library has it today."""
    x = layers.max_pool(layers.relu(layers.conv(x, 3, 64, 7, stride=2)))
    x = residual_stages(layers, x, 64, (256, 512, 1024, 2048), (3, 4, 6, 3), bottleneck_block)
    return layers.pool_and_classify(x, 2048, classes)


# Sandler et al. 2018, table 2: expansion, width, blocks, stride of the first block.
MOBILENET_STAGES = (
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
)


def inverted_residual(layers: Layers, x: str, inputs: int, outputs: int, stride: int, expansion: int) -> str:
    """Widen by 1x1, filter each channel by 3x3, narrow by 1x1 with no activation after it."""
    hidden = inputs * expansion
    residual = inputs == outputs and stride == 1
    y = layers.relu6(layers.conv(x, inputs, hidden, 1)) if expansion > 1 else x
    y = layers.relu6(layers.conv(y, hidden, hidden, 3, stride, groups=hidden))
    y = layers.conv(y, hidden, outputs, 1, gain=0.3 if residual else 1.0)
    return layers.add(x, y) if residual else y


def mobilenet_v2(layers: Layers, x: str, classes: int) -> str:
    x, inputs = layers.relu6(layers.conv(x, 3, 32, 3, stride=2)), 32
    for expansion, width, blocks, first_stride in MOBILENET_STAGES:
        for stride in (first_stride, *[1] * (blocks - 1)):
            x = inverted_residual(layers, x, inputs, width, stride, expansion)
            inputs = width
    x = layers.relu6(layers.conv(x, inputs, 1280, 1))
    return layers.pool_and_classify(x, 1280, classes)


# ViT-Tiny/16 on 224 pixels.
PATCH = 16
PATCHES = (224 // PATCH) ** 2
TOKENS = PATCHES + 1
WIDTH = 192
HEADS = 3
DEPTH = 12
BRANCH = 1 / sqrt(2 * DEPTH)  # gain at the end of each residual branch


def embed(layers: Layers, x: str) -> str:
    """Patches in a row behind a class token, which is nothing but its position embedding."""
    x = layers.conv(x, 3, WIDTH, PATCH, stride=PATCH, padding=0, gain=1.0)
    x = layers.transpose(layers.reshape(x, 0, WIDTH, PATCHES), 0, 2, 1)
    x = layers.node("Pad", x, layers.integers([0, 1, 0, 0, 0, 0]))[0]
    return layers.add(x, layers.normal((1, TOKENS, WIDTH), 0.5))


def attention(layers: Layers, x: str) -> str:
    x = layers.linear(x, WIDTH, 3 * WIDTH)
    x = layers.transpose(layers.reshape(x, 0, TOKENS, 3 * HEADS, WIDTH // HEADS), 0, 2, 1, 3)
    query, key, value = layers.node("Split", x, outputs=3, axis=1)
    scores = layers.matmul(query, layers.transpose(key, 0, 1, 3, 2))
    scores = layers.multiply(scores, layers.scalar(1 / sqrt(WIDTH // HEADS)))
    mixed = layers.matmul(layers.node("Softmax", scores, axis=-1)[0], value)
    joined = layers.reshape(layers.transpose(mixed, 0, 2, 1, 3), 0, TOKENS, WIDTH)
    return layers.linear(joined, WIDTH, WIDTH, gain=BRANCH)


def feed_forward(layers: Layers, x: str) -> str:
    hidden = layers.gelu(layers.linear(x, WIDTH, 4 * WIDTH, gain=sqrt(2)))
    return layers.linear(hidden, 4 * WIDTH, WIDTH, gain=BRANCH)


def vit_tiny(layers: Layers, x: str, classes: int) -> str:
    """Dosovitskiy et al. 2021, at the size of Touvron et al. 2021."""
    x = embed(layers, x)
    for _ in range(DEPTH):
        x = layers.add(x, attention(layers, layers.layer_norm(x, WIDTH)))
        x = layers.add(x, feed_forward(layers, layers.layer_norm(x, WIDTH)))
    class_token = layers.node("Gather", x, layers.integers(0), axis=1)[0]
    return layers.classify(layers.layer_norm(class_token, WIDTH), WIDTH, classes)


def mlp(layers: Layers, x: str, classes: int) -> str:
    """Two hidden layers: as cheap as a network can be, so that everything around it shows."""
    x = layers.relu(layers.linear(layers.node("Flatten", x)[0], 3 * 32**2, 256, gain=sqrt(2)))
    x = layers.relu(layers.linear(x, 256, 256, gain=sqrt(2)))
    return layers.classify(x, 256, classes)


@dataclass(frozen=True)
class Architecture:
    pixels: int
    classes: int
    body: Callable[[Layers, str, int], str]


ARCHITECTURES = {
    "cifar-resnet20": Architecture(32, 10, resnet20),
    "cifar-resnet18": Architecture(32, 10, resnet18),
    "mobilenetv2": Architecture(224, 1000, mobilenet_v2),
    "resnet50": Architecture(224, 1000, resnet50),
    "vit-tiny": Architecture(224, 1000, vit_tiny),
    "mlp": Architecture(32, 10, mlp),
    "mlp-1000": Architecture(32, 1000, mlp),
}


def build(name: str, seed: int = 0) -> onnx.ModelProto:
    """The architecture of that name as an ONNX model: images (batch, 3, H, W) to logits."""
    architecture = ARCHITECTURES[name]
    layers = Layers(seed)
    architecture.body(layers, "images", architecture.classes)
    layers.nodes[-1].output[:] = ["logits"]
    size = ["batch", 3, architecture.pixels, architecture.pixels]
    graph = helper.make_graph(
        layers.nodes,
        name,
        [helper.make_tensor_value_info("images", TensorProto.FLOAT, size)],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", architecture.classes])],
        layers.tensors,
    )
    opset = helper.make_opsetid("", OPSET)
    model = helper.make_model(graph, opset_imports=[opset], ir_version=IR_VERSION, producer_name=Path(__file__).name)
    helper.set_model_props(model, {"onnxspec.preprocess": json.dumps(PREPROCESS)})
    return model


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("name", choices=ARCHITECTURES)
    parser.add_argument("output", type=Path)
    options = parser.parse_args()
    onnx.save(build(options.name), options.output)


if __name__ == "__main__":
    main()
