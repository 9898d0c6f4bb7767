"""What the recipes here share: how pixels become EfficientNet-Lite's input, and inputs to check a file on."""

import io
import zipfile
from pathlib import Path

import numpy as np
from PIL import Image

ROOT = Path(__file__).resolve().parents[2]
OUT = ROOT / "build/models/efficientnet-lite0"
DATA = ROOT.parent / "shared/data"
IMAGES = "tiny-imagenet-val.zip"
PIXELS = 224


def preprocess(pixels: int) -> dict:
    """As `stamp` takes it, for images of `pixels` rows and columns."""
    return {
        "resize": pixels,
        "crop": [pixels, pixels],
        "interpolation": "bicubic",
        "scale": 1.0,
        "mean": [127.0] * 3,
        "std": [128.0] * 3,
        "order": "RGB",
    }


def folder(name: str) -> str:
    return name.split("/")[-2]


def sample(archive: Path, count: int, seed: int = 0) -> tuple[np.ndarray, list[str], set[str]]:
    """Inputs (count, 3, 224, 224) made of some of the zip's square images, their folders, and all its folders."""
    with zipfile.ZipFile(archive) as files:
        names = sorted(name for name in files.namelist() if name.endswith(".JPEG"))
        chosen = np.random.default_rng(seed).choice(names, count, replace=False)
        images = [Image.open(io.BytesIO(files.read(name))).convert("RGB") for name in chosen]
    resized = [image.resize((PIXELS, PIXELS), Image.Resampling.BICUBIC) for image in images]
    x = (np.stack(resized).astype(np.float32) - 127) / 128
    return x.transpose(0, 3, 1, 2), list(map(folder, chosen)), set(map(folder, names))
