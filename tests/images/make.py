"""Small image files and archives that the tests write."""

import io
import tarfile
import zipfile
from pathlib import Path

import numpy as np
from hypothesis import HealthCheck, settings
from PIL import Image

property_test = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])


def noise(shape: tuple[int, ...], seed: int = 0) -> np.ndarray:
    """uint8 noise, smooth enough that filters differ by less than everything."""
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def encoded(image: np.ndarray | Image.Image, format: str = "PNG", **options: object) -> bytes:
    """The bytes of an image file."""
    buffer = io.BytesIO()
    (image if isinstance(image, Image.Image) else Image.fromarray(image)).save(buffer, format, **options)
    return buffer.getvalue()


def pets() -> dict[str, bytes]:
    """Two classes of three images; ten comes after nine."""
    names = ["cat/9.png", "cat/10.png", "cat/1.png", "dog/a.png", "dog/b.png", "dog/c.png"]
    return {name: encoded(noise((6, 5, 3), seed)) for seed, name in enumerate(names)}


def write_folder(root: Path, files: dict[str, bytes]) -> str:
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return str(root)


def write_zip(path: Path, files: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> str:
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return str(path)


def write_tar(path: Path, files: dict[str, bytes], mode: str = "w") -> str:
    with tarfile.open(path, mode) as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return str(path)
