"""Train the small CNN with Keras on TensorFlow and export it by Keras: NHWC, probabilities out.

twin.onnx is pytorch.onnx once more: the same weights in a Keras model that stops at the logits.
"""

import time

import keras
import numpy as np
import onnx
from fashion import (
    BATCH,
    CONVOLUTIONS,
    EPOCHS,
    HERE,
    KERAS,
    LEARNING_RATE,
    PYTORCH,
    TWIN,
    finish,
    load,
)
from stamping import run


def small_cnn(activation: str | None) -> keras.Model:
    """`activation` of the last layer: "softmax" for probabilities, None for logits."""
    layers = [keras.layers.Conv2D(width, 3, strides=stride, activation="relu") for _, width, stride in CONVOLUTIONS]
    pooled = keras.layers.GlobalAveragePooling2D()
    head = keras.layers.Dense(10, activation=activation)
    return keras.Sequential([keras.Input((28, 28, 1), name="images"), *layers, pooled, head])


def export(network: keras.Model, name: str) -> None:
    network(np.zeros((1, 28, 28, 1)))  # Keras exports no model that was never called
    network.export(HERE / name, format="onnx", verbose=False)


def train() -> None:
    start = time.perf_counter()
    keras.utils.set_random_seed(0)
    images, labels = load("train")
    network = small_cnn("softmax")
    steps = EPOCHS * -(-len(images) // BATCH)
    schedule = keras.optimizers.schedules.CosineDecay(LEARNING_RATE, steps)
    optimiser = keras.optimizers.Adam(schedule)
    network.compile(optimiser, loss="sparse_categorical_crossentropy")
    network.fit(KERAS.apply(images), labels, batch_size=BATCH, epochs=EPOCHS, verbose=2)
    export(network, "keras.onnx")
    finish("keras.onnx", KERAS, start)


def pytorch_weights() -> list[np.ndarray]:
    """Kernels and biases of pytorch.onnx in Keras's order and layout."""
    tensors = onnx.load(HERE / "pytorch.onnx").graph.initializer
    arrays = {t.name: onnx.numpy_helper.to_array(t) for t in tensors}
    layers = [f"convolutions.{i}" for i in range(len(CONVOLUTIONS))] + ["head"]
    weights = []
    for layer in layers:
        kernel = arrays[f"{layer}.weight"]  # (out, in, rows, columns) or (out, in)
        weights.append(kernel.transpose(2, 3, 1, 0) if kernel.ndim == 4 else kernel.T)
        weights.append(arrays[f"{layer}.bias"])
    return weights


def transplant() -> None:
    start = time.perf_counter()
    network = small_cnn(None)
    network.set_weights(pytorch_weights())
    export(network, "twin.onnx")
    finish("twin.onnx", TWIN, start)

    images, _ = load("t10k")
    logits = run(HERE / "pytorch.onnx", PYTORCH.apply(images))
    difference = np.abs(run(HERE / "twin.onnx", TWIN.apply(images)) - logits).max()
    print(f"twin.onnx: logits differ from pytorch.onnx by at most {difference:.1e}", flush=True)


if __name__ == "__main__":
    transplant()
    train()
