"""What the four Fashion-MNIST recipes share: the images, the network's shape, and the checks.

Run as a script, it writes test.npz, the bundled part of the test images.
"""

import gzip
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from stamping import accuracy, count_parameters, stamp

HERE = Path(__file__).resolve().parent
SOURCE = Path("/usr/share/datasets/fashion-mnist")  # Debian package dataset-fashion-mnist
CLASSES = [
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
]
BUNDLED_PER_CLASS = 200

# The small CNN: unpadded 3x3 convolutions with ReLU, the mean over what is left of the image,
# one dense layer. Every framework means the same by that; by padding and pooling they do not.
CONVOLUTIONS = ((1, 24, 1), (24, 48, 2), (48, 64, 2), (64, 96, 1))  # channels in, out, stride
FEATURES = CONVOLUTIONS[-1][1]
BATCH = 128
EPOCHS = 10
LEARNING_RATE = 2e-3  # Adam, falling to zero along a cosine


@dataclass(frozen=True)
class Convention:
    """How a model wants its input: x = (pixels * scale - mean) / std, in the given layout."""

    layout: str  # NCHW, NHWC or flat
    scale: float
    mean: float = 0.0
    std: float = 1.0

    def apply(self, images: np.ndarray) -> np.ndarray:
        """uint8 (n, 28, 28) to the model's float32 input."""
        shape = {"NCHW": (1, 28, 28), "NHWC": (28, 28, 1), "flat": (784,)}[self.layout]
        x = (images.astype(np.float32) * np.float32(self.scale) - self.mean) / self.std
        return x.astype(np.float32).reshape(-1, *shape)

    def metadata(self) -> dict:
        size = {"resize": [28, 28], "interpolation": "bilinear"}
        return {**size, "scale": self.scale, "mean": [self.mean], "std": [self.std]}


PYTORCH = Convention("NCHW", 1 / 255, 0.2860, 0.3530)
TWIN = Convention("NHWC", 1 / 255, 0.2860, 0.3530)
KERAS = Convention("NHWC", 1 / 255)
FLAX = Convention("NHWC", 1 / 255, 0.5, 0.5)
SKLEARN = Convention("flat", 1.0)


def load(part: str) -> tuple[np.ndarray, np.ndarray]:
    """Images (n, 28, 28) uint8 and labels (n,) int64 of `part`, "train" or "t10k"."""
    images = gzip.decompress((SOURCE / f"{part}-images-idx3-ubyte.gz").read_bytes())
    labels = gzip.decompress((SOURCE / f"{part}-labels-idx1-ubyte.gz").read_bytes())
    pixels = np.frombuffer(images, np.uint8, offset=16).reshape(-1, 28, 28)
    return pixels, np.frombuffer(labels, np.uint8, offset=8).astype(np.int64)


def finish(name: str, convention: Convention, start: float) -> None:
    """Stamp the exported file and print its row of models/README.md."""
    path = HERE / name
    stamp(path, convention.metadata(), CLASSES)
    images, labels = load("t10k")
    correct = accuracy(path, convention.apply(images), labels)
    seconds = time.perf_counter() - start
    size = path.stat().st_size / 1000
    print(
        f"{name}: {count_parameters(path):,} parameters, {correct:.4f} on the 10,000 test images, "
        f"{size:.0f} kB, {seconds:.0f} s",
        flush=True,
    )


def write_test_images(seed: int = 0) -> None:
    """Bundle the same number of test images of every class, in their original order."""
    images, labels = load("t10k")
    random = np.random.default_rng(seed)
    members = [np.flatnonzero(labels == c) for c in range(len(CLASSES))]
    chosen = [random.choice(m, BUNDLED_PER_CLASS, replace=False) for m in members]
    keep = np.sort(np.concatenate(chosen))
    np.savez_compressed(HERE / "test.npz", images=images[keep], labels=labels[keep], class_names=CLASSES)


if __name__ == "__main__":
    write_test_images()
