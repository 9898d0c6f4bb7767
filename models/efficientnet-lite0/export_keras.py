"""Build EfficientNet-Lite0 in Keras, give it the weights of export.py, and export it by Keras: NHWC, logits.

PyTorch's package pads as TensorFlow does ("same"), so that the two are the same function.
"""

import argparse
import json
from pathlib import Path

import keras
import numpy as np
import onnx
from keras import layers
from lite import DATA, IMAGES, OUT, PIXELS, preprocess, sample
from stamping import run, stamp

# Of each stage: blocks, side of the kernel, stride of the first block, factor of expansion, channels.
STAGES = (
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)
STEM, HEAD, OUTPUTS = 32, 1280, 1000
EPSILON = 1e-3
# Of a normalisation, in Keras's order.
PARTS = ("weight", "bias", "running_mean", "running_var")


def unit(x: keras.KerasTensor, convolution: layers.Layer, norm: str, active: bool = True) -> keras.KerasTensor:
    """A convolution, its normalisation, which is named `norm`, and ReLU6 where it is active."""
    x = layers.BatchNormalization(epsilon=EPSILON, name=norm)(convolution(x))
    return layers.ReLU(6.0)(x) if active else x


def convolution(width: int, name: str, kernel: int = 1, stride: int = 1) -> layers.Layer:
    return layers.Conv2D(width, kernel, strides=stride, padding="same", use_bias=False, name=name)


def block(x: keras.KerasTensor, name: str, kernel: int, stride: int, expand: int, width: int) -> keras.KerasTensor:
    """Expansion, depthwise convolution, projection, and the input added where the shape stays."""
    inputs, channels = x, x.shape[-1]
    if expand > 1:
        x = unit(x, convolution(channels * expand, f"{name}._expand_conv"), f"{name}._bn0")
    depthwise = layers.DepthwiseConv2D(
        kernel, strides=stride, padding="same", use_bias=False, name=f"{name}._depthwise_conv"
    )
    x = unit(x, depthwise, f"{name}._bn1")
    x = unit(x, convolution(width, f"{name}._project_conv"), f"{name}._bn2", active=False)
    return layers.Add()([x, inputs]) if (stride, channels) == (1, width) else x


def network() -> keras.Model:
    """Layers have PyTorch's names, but for the underscore at their start, which TensorFlow refuses."""
    images = keras.Input((PIXELS, PIXELS, 3), name="images")
    x = unit(images, convolution(STEM, "conv_stem", 3, 2), "bn0")
    number = 0
    for blocks, kernel, stride, expand, width in STAGES:
        for i in range(blocks):
            x = block(x, f"blocks.{number}", kernel, stride if i == 0 else 1, expand, width)
            number += 1
    x = unit(x, convolution(HEAD, "conv_head"), "bn1")
    logits = layers.Dense(OUTPUTS, name="fc")(layers.GlobalAveragePooling2D()(x))
    return keras.Model(images, logits)


def give(model: keras.Model, weights: dict[str, np.ndarray]) -> None:
    """Puts PyTorch's arrays into the layers of their name; every array has to have its place."""
    left = {name for name in weights if not name.endswith("num_batches_tracked")}
    for layer in model.layers:
        if not layer.weights:
            continue
        match layer:
            case layers.BatchNormalization():
                parts, axes = PARTS, None
            case layers.DepthwiseConv2D():  # (channels, 1, rows, columns) to (rows, columns, channels, 1)
                parts, axes = ("weight",), (2, 3, 0, 1)
            case layers.Conv2D():  # (out, in, rows, columns) to (rows, columns, in, out)
                parts, axes = ("weight",), (2, 3, 1, 0)
            case _:  # (out, in) to (in, out)
                parts, axes = ("weight", "bias"), (1, 0)
        names = [f"_{layer.name}.{part}" for part in parts]
        first, *others = (weights[name] for name in names)
        layer.set_weights([first.transpose(axes) if axes else first, *others])
        left -= set(names)
    if left:
        raise ValueError(f"Weights without a place in the Keras model: {', '.join(sorted(left))}.")


def check(path: Path, reference: Path, archive: Path, count: int) -> None:
    """Print how far the logits and predictions of the two files are apart."""
    inputs, _, _ = sample(archive, count)
    found = run(path, np.ascontiguousarray(inputs.transpose(0, 2, 3, 1)), batch=8)
    expected = run(reference, inputs, batch=8)
    same = int((found.argmax(axis=1) == expected.argmax(axis=1)).sum())
    apart, size = np.abs(found - expected).max(), np.sqrt(np.square(expected).mean())
    print(
        f"{path}: {same} of {count} predictions are those of {reference.name}; "
        f"logits, {size:.2f} in RMS, differ by at most {apart:.1e}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--out", type=Path, default=OUT, help="folder that export.py wrote to")
    parser.add_argument("--check", type=int, default=200, help="images to compare the two files on")
    options = parser.parse_args()
    reference, path = (options.out / f"efficientnet-lite0{which}.onnx" for which in ("", "-keras"))
    with np.load(options.out / "weights.npz") as weights:
        model = network()
        give(model, dict(weights))
    model(np.zeros((1, PIXELS, PIXELS, 3)))  # Keras exports no model that was never called
    model.export(path, format="onnx", verbose=False)
    properties = {one.key: one.value for one in onnx.load(reference).metadata_props}
    stamp(path, preprocess(PIXELS), json.loads(properties["onnxspec.classes"]))
    check(path, reference, options.data / IMAGES, options.check)


if __name__ == "__main__":
    main()
