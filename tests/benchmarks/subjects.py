"""What is measured: the bundled network on its images, and well-known shapes with random weights on random images."""

import importlib.util
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType

import numpy as np
import onnx

from onnxspec.images.cache import LIMIT_BYTES

MODELS = Path(__file__).parents[2] / "models"
BUNDLED = "fashion-cnn"
SHAPES = ("cifar-resnet20", "cifar-resnet18", "mobilenetv2", "vit-tiny", "resnet50", "mlp")
NAMES = (BUNDLED, *SHAPES)
MANY_CLASSES = "mlp-1000"
CLASSES, MOST_CLASSES = 10, 1000
IMAGES = {32: 2000, 224: 400}
FEWEST_A_CLASS = 11
"""With 1,000 classes that is enough for 50,000 pairs within one."""


@dataclass(frozen=True)
class Subject:
    """A model file, a file of labelled images, and a few of those as the model takes them, (n, ...) float32.

    count : of all images; image_bytes : what one takes in the image cache
    """

    name: str
    model: Path
    data: Path
    inputs: np.ndarray
    count: int
    image_bytes: int

    def cached_bytes(self, paths: int) -> int:
        """What the image cache holds at most after so many paths."""
        return min(LIMIT_BYTES, min(2 * paths, self.count) * self.image_bytes)


def make(name: str, folder: Path) -> Subject:
    """A subject; what has to be made for it goes to `folder`."""
    if name == BUNDLED:
        data = MODELS / "fashion-mnist" / "test.npz"
        images = np.load(data)["images"]
        few = _scaled(images[:64].reshape(64, 28, 28, 1))
        return Subject(name, MODELS / "fashion-mnist" / "pytorch.onnx", data, few, len(images), 28 * 28)
    model = folder / f"{name}.onnx"
    onnx.save(_recipes().build(name), model)
    side = _recipes().ARCHITECTURES[name].pixels
    classes = MOST_CLASSES if name == MANY_CLASSES else CLASSES
    data = folder / f"images-{side}-{classes}.npz"
    count = max(IMAGES[side], FEWEST_A_CLASS * classes)
    if not data.exists():
        np.savez(data, images=noise(count, side), labels=np.arange(count) % classes)
    return Subject(name, model, data, _scaled(noise(16, side)), count, side**2 * 3)


def noise(count: int, side: int) -> np.ndarray:
    """Seeded random pixels (count, side, side, 3) uint8: what they show does not matter to the time."""
    return np.random.default_rng(0).integers(0, 256, (count, side, side, 3), np.uint8)


def _scaled(images: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(np.moveaxis((images.astype(np.float32) / 255 - 0.5) / 0.25, -1, 1))


@cache
def _recipes() -> ModuleType:
    """models/random_weights.py, which is a script beside the package and not a part of it."""
    spec = importlib.util.spec_from_file_location("random_weights", MODELS / "random_weights.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    # Dataclasses look their module up by name.
    import sys

    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module
