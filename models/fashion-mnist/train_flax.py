"""Train the small CNN with Flax NNX on JAX and export it with jax2onnx: NHWC in, logits out."""

import time

import jax
import jax.numpy as jnp
import numpy as np
import optax
from fashion import (
    BATCH,
    CONVOLUTIONS,
    EPOCHS,
    FEATURES,
    FLAX,
    HERE,
    LEARNING_RATE,
    finish,
    load,
)
from flax import nnx
from jax2onnx import to_onnx


class SmallCNN(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.convolutions = nnx.List(
            nnx.Conv(a, b, (3, 3), strides=s, padding="VALID", rngs=rngs) for a, b, s in CONVOLUTIONS
        )
        self.head = nnx.Linear(FEATURES, 10, rngs=rngs)

    def __call__(self, x: jax.Array) -> jax.Array:
        for convolution in self.convolutions:
            x = nnx.relu(convolution(x))
        return self.head(x.mean(axis=(1, 2)))


@nnx.jit
def step(network: SmallCNN, optimiser: nnx.Optimizer, x: jax.Array, y: jax.Array) -> None:
    def loss(network: SmallCNN) -> jax.Array:
        return optax.softmax_cross_entropy_with_integer_labels(network(x), y).mean()

    optimiser.update(network, nnx.grad(loss)(network))


def train() -> SmallCNN:
    images, labels = load("train")
    x, y = jnp.asarray(FLAX.apply(images)), jnp.asarray(labels)
    steps = len(x) // BATCH
    network = SmallCNN(nnx.Rngs(0))
    schedule = optax.cosine_decay_schedule(LEARNING_RATE, EPOCHS * steps)
    optimiser = nnx.Optimizer(network, optax.adam(schedule), wrt=nnx.Param)
    random = np.random.default_rng(0)
    for _ in range(EPOCHS):
        for batch in random.permutation(len(x))[: steps * BATCH].reshape(steps, BATCH):
            step(network, optimiser, x[batch], y[batch])
    return network


def main() -> None:
    start = time.perf_counter()
    network = train()
    to_onnx(
        network,
        inputs=[("batch", 28, 28, 1)],
        input_names=["images"],
        output_names=["logits"],
        return_mode="file",
        output_path=str(HERE / "flax.onnx"),
    )
    finish("flax.onnx", FLAX, start)


if __name__ == "__main__":
    main()
