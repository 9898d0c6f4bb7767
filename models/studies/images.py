"""CIFAR-10 for training: decoded once, normalised, filtered, augmented."""

import io
import zipfile
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from studies.settings import Recipe

MEAN = (0.4914, 0.4822, 0.4465)
STD = (0.2470, 0.2435, 0.2616)
PREPROCESS = {"resize": [32, 32], "scale": 1 / 255, "mean": MEAN, "std": STD, "order": "RGB"}
CLASSES = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]


def decode(archive: Path, folder: Path, part: str) -> tuple[np.ndarray, np.ndarray]:
    """Images (n, 32, 32, 3) uint8 and labels (n,) int64 of a zip of class folders, kept in `folder` as npy."""
    kept = folder / f"{part}-images.npy", folder / f"{part}-labels.npy"
    if not kept[1].exists():
        with zipfile.ZipFile(archive) as files:
            names = sorted(name for name in files.namelist() if name.endswith(".jpg"))
            pixels = [np.asarray(Image.open(io.BytesIO(files.read(name)))) for name in names]
        np.save(kept[0], np.stack(pixels))
        np.save(kept[1], np.array([CLASSES.index(name.split("/")[-2]) for name in names]))
    return np.load(kept[0], mmap_mode="r"), np.load(kept[1])


def chosen(count: int, images: int, seed: int) -> np.ndarray:
    """Indices (images,) of a training set; a larger one of the same seed holds the smaller."""
    return np.random.default_rng(seed).permutation(count)[:images]


def normalised(pixels: np.ndarray, low_pass: float = 0.0) -> Tensor:
    """uint8 (n, 32, 32, 3) to the network's float32 (n, 3, 32, 32), channels last in memory."""
    x = torch.from_numpy(np.array(pixels)).permute(0, 3, 1, 2) / 255
    if low_pass:
        x = filtered(x, low_pass)
    x = (x - torch.tensor(MEAN)[:, None, None]) / torch.tensor(STD)[:, None, None]
    return x.contiguous(memory_format=torch.channels_last)


def filtered(x: Tensor, radius: float) -> Tensor:
    """Images (n, 3, H, W) without the frequencies beyond `radius` cycles per image; the mean stays."""
    rows = torch.fft.fftfreq(x.shape[2], 1 / x.shape[2])[:, None]
    columns = torch.fft.rfftfreq(x.shape[3], 1 / x.shape[3])
    return torch.fft.irfft2(torch.fft.rfft2(x) * (rows.square() + columns.square() <= radius**2), s=x.shape[2:])


def augmented(x: Tensor, recipe: Recipe, random: torch.Generator) -> Tensor:
    """A batch (n, 3, H, W) mirrored, shifted with zeros moving in, and cut, as the recipe says."""
    if recipe.flip:
        x = torch.where(torch.rand(len(x), 1, 1, 1, generator=random) < 0.5, x.flip(3), x)
    if recipe.crop:
        x = _shifted(x, recipe.crop, random)
    if recipe.cutout:
        x = x * _outside(x, recipe.cutout, random)
    return x


def _shifted(x: Tensor, most: int, random: torch.Generator) -> Tensor:
    padded = F.pad(x, [most] * 4).permute(0, 2, 3, 1)
    window = torch.arange(x.shape[2])
    rows = torch.randint(2 * most + 1, (len(x), 1), generator=random) + window
    columns = torch.randint(2 * most + 1, (len(x), 1), generator=random) + window
    image = torch.arange(len(x))[:, None, None]
    return padded[image, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)


def _outside(x: Tensor, side: int, random: torch.Generator) -> Tensor:
    """0 in a square of each image, (n, 1, H, W), 1 elsewhere; its middle lies anywhere in the image."""
    size = x.shape[2]
    middle = torch.randint(size, (2, len(x), 1), generator=random)
    near = (torch.arange(size) - middle + side / 2 - 0.5).abs() < side / 2
    return (~(near[0][:, :, None] & near[1][:, None, :]))[:, None].float()
