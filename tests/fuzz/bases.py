"""The undamaged files that every case starts from: small, and equal each time they are built on one machine."""

import io
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np
from onnx import TensorProto

from onnxspec.report import tables
from tests.model import build

from . import image_damage

ROOT = Path(__file__).parents[2]
FASHION = ROOT / "models" / "fashion-mnist"
CLASSES = {1: "Trouser", 5: "Sandal"}
OF_EACH = 4
# So few points reach no higher than this cut-off.
FEW = (
    *("--pairs", "2", "--points", "9", "--cutoff", "4", "--threads", "1", "--batch", "16"),
    *("--device", "cpu", "--timeout", "10"),
)


@dataclass(frozen=True)
class Bases:
    """models : name to bytes; `weights` is the file beside `external`; images (n, 28, 28) uint8, labels (n,) into `names`."""

    models: dict[str, bytes]
    weights: bytes
    images: np.ndarray
    labels: np.ndarray
    names: tuple[str, ...]
    report: bytes
    baseline: bytes

    def files(self, extension: str = "png", wrapped: str = "") -> dict[str, bytes]:
        """The images as files in class folders."""
        return {
            f"{wrapped}{self.names[label]}/{i}.{extension}": image_damage.encoded(image, extension)
            for i, (image, label) in enumerate(zip(self.images, self.labels, strict=True))
        }

    def npz(self, **changed: bytes) -> bytes:
        """The images as an .npz file; `changed` arrays as the bytes of a .npy file."""
        from .archive_damage import zipped

        arrays = {"images": self.images, "labels": self.labels, "class_names": np.array(self.names)}
        return zipped({f"{name}.npy": changed.get(name) or npy(values) for name, values in arrays.items()})

    def hdf5(self) -> bytes:
        """The images as an HDF5 file."""
        buffer = io.BytesIO()
        with h5py.File(buffer, "w") as file:
            file["images"], file["labels"] = self.images, self.labels
            file["class_names"] = np.array(self.names, object)
        return buffer.getvalue()


def npy(values: np.ndarray) -> bytes:
    """The bytes of a .npy file."""
    buffer = io.BytesIO()
    np.save(buffer, values)
    return buffer.getvalue()


def build_bases(folder: Path) -> Bases:
    """Builds everything; `folder` takes the files that are made on the way."""
    models = {path.stem: path.read_bytes() for path in sorted(FASHION.glob("*.onnx"))}
    models |= {name: proto.SerializeToString() for name, proto in _small_models().items()}
    models["external"] = build.save_external(_small_models()["small"], folder / "external.onnx").read_bytes()
    images, labels = _images()
    names = tuple(CLASSES.values())
    made = Bases(models, (folder / "model.weights").read_bytes(), images, labels, names, b"", b"")
    report, baseline = _measured(made, folder)
    return Bases(models, made.weights, images, labels, names, report, baseline)


def _small_models() -> dict[str, object]:
    shape = {"channels": 1, "side": 28, "classes": 2}
    return {
        "small": build.convnet(**shape),
        "small-nhwc": build.convnet("NHWC", **shape),
        "small-softmax": build.convnet(head="Softmax", **shape),
        "small-double": build.mlp(784, 2, TensorProto.DOUBLE),
        "small-half": build.convnet(dtype=TensorProto.FLOAT16, **shape),
        "small-bytes": build.convnet(uint8=True, **shape),
        "small-batch": build.convnet(batch=4, squeezed=False, **shape),
        "small-one": build.convnet(head="Sigmoid", **shape | {"classes": 1}),
        "small-flat": build.mlp(784, 2, declared=False),
    }


def _images() -> tuple[np.ndarray, np.ndarray]:
    with np.load(FASHION / "test.npz") as file:
        images, labels = file["images"], file["labels"]
    chosen = [np.flatnonzero(labels == label)[:OF_EACH] for label in CLASSES]
    return images[np.concatenate(chosen)], np.repeat(np.arange(len(CLASSES)), OF_EACH)


def _measured(made: Bases, folder: Path) -> tuple[bytes, bytes]:
    """A report and a baseline; what differs between equal runs is levelled, so that byte offsets stay."""
    (folder / "sklearn.onnx").write_bytes(made.models["sklearn"])
    (folder / "data.npz").write_bytes(made.npz())
    command = [sys.executable, "-m", "onnxspec", "audit", "sklearn.onnx", "--data", "data.npz", *FEW]
    command += ["-o", "report.h5", "--write-baseline", "baseline.json"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True, env=environment())
    with h5py.File(folder / "report.h5", "r+") as file:
        for name, value in dict(file["run"].attrs).items():
            file["run"].attrs[name] = "x" if isinstance(value, str) else type(value)(1)
        assert file.attrs["digest"] == tables.digest(file)
    return (folder / "report.h5").read_bytes(), (folder / "baseline.json").read_bytes()


def environment() -> dict[str, str]:
    """The environment of a command that finds this package from any folder, and prints plainly."""
    import os

    kept = {name: value for name, value in os.environ.items() if not name.startswith(("ONNXSPEC_", "GITHUB_"))}
    return kept | {"PYTHONPATH": str(ROOT), "COLUMNS": "80", "NO_COLOR": "1"}
