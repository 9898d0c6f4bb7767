"""Train a small ResNet on CIFAR-10 and export it to ONNX (NCHW float32 in, logits out).

Runs in about 35 minutes on two free cores that have AMX (--bfloat16), in more than twice that without,
may be stopped at any time and goes on from its last epoch. Nothing it writes is committed:
`bash models/make.sh cifar10` makes it again.
"""

import argparse
import io
import time
import zipfile
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from stamping import accuracy, stamp
from torch import Tensor, nn
from torch.nn import functional as F

ROOT = Path(__file__).resolve().parents[2]
MEAN = (0.4914, 0.4822, 0.4465)
STD = (0.2470, 0.2435, 0.2616)
PREPROCESS = {"resize": [32, 32], "scale": 1 / 255, "mean": MEAN, "std": STD, "order": "RGB"}
BATCH = 256
PAD = 4  # random crops shift by up to this many pixels
HOLE = 8  # side of the square of every image that is left out


class Residual(nn.Module):
    """Two convolutions around which the input is carried."""

    def __init__(self, channels: int):
        super().__init__()
        self.body = nn.Sequential(convolution(channels, channels), convolution(channels, channels))

    def forward(self, x: Tensor) -> Tensor:
        return x + self.body(x)


def convolution(inputs: int, outputs: int) -> nn.Sequential:
    """3x3, padded, normalised over the batch."""
    return nn.Sequential(nn.Conv2d(inputs, outputs, 3, padding=1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU())


def small_resnet() -> nn.Sequential:
    """1.65 M parameters, nine layers. Few of them at full size, where a CPU is slowest."""
    return nn.Sequential(
        convolution(3, 32),
        convolution(32, 64),
        nn.MaxPool2d(2),
        Residual(64),
        convolution(64, 128),
        nn.MaxPool2d(2),
        convolution(128, 256),
        nn.MaxPool2d(2),
        Residual(256),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(256, 10),
    )


def load_images(archive: Path, cache: Path) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Images (n, 32, 32, 3) uint8, labels (n,) int64 and class names of a zip of class folders."""
    with zipfile.ZipFile(archive) as files:
        names = sorted(name for name in files.namelist() if name.endswith(".jpg"))
        folders = [name.split("/")[-2] for name in names]
        classes, labels = np.unique(folders, return_inverse=True)
        if not cache.exists():
            pixels = [np.asarray(Image.open(io.BytesIO(files.read(name)))) for name in names]
            np.save(cache, np.stack(pixels))
    return np.load(cache), labels.astype(np.int64), classes.tolist()


def normalise(images: np.ndarray) -> Tensor:
    """uint8 (n, 32, 32, 3) to the network's float32 (n, 3, 32, 32), channels last in memory."""
    x = (torch.from_numpy(images) / 255 - torch.tensor(MEAN)) / torch.tensor(STD)
    return x.permute(0, 3, 1, 2)


def augment(x: Tensor, random: torch.Generator) -> Tensor:
    """Mirror half of the batch, shift every image by up to PAD pixels, zeros moving in, and zero a square."""
    flipped = torch.rand(len(x), 1, 1, 1, generator=random) < 0.5
    padded = F.pad(torch.where(flipped, x.flip(3), x), [PAD] * 4)
    window = torch.arange(x.shape[2])
    rows = torch.randint(2 * PAD + 1, (len(x), 1), generator=random) + window
    columns = torch.randint(2 * PAD + 1, (len(x), 1), generator=random) + window
    image = torch.arange(len(x))[:, None, None]
    shifted = padded.permute(0, 2, 3, 1)[image, rows[:, :, None], columns[:, None, :]]
    starts = torch.randint(x.shape[2] - HOLE + 1, (2, len(x), 1), generator=random)
    inside = (window >= starts) & (window < starts + HOLE)
    hole = inside[0][:, :, None] & inside[1][:, None, :]
    return shifted.masked_fill(hole[..., None], 0).permute(0, 3, 1, 2)


class Training:
    """The network, its optimiser and schedule, and the epoch they have reached."""

    def __init__(self, images: np.ndarray, labels: np.ndarray, epochs: int, seed: int, bfloat16: bool):
        torch.manual_seed(seed)
        self.images, self.labels = images, torch.from_numpy(labels)
        self.epochs, self.seed, self.epoch, self.bfloat16 = epochs, seed, 0, bfloat16
        self.network = small_resnet().to(memory_format=torch.channels_last)
        self.optimiser = torch.optim.SGD(
            self.network.parameters(), lr=0.1, momentum=0.9, nesterov=True, weight_decay=5e-4
        )
        self.schedule = torch.optim.lr_scheduler.OneCycleLR(
            self.optimiser, max_lr=0.2, epochs=epochs, steps_per_epoch=len(images) // BATCH
        )

    @property
    def parts(self) -> dict:
        return {name: getattr(self, name) for name in ("network", "optimiser", "schedule")}

    def run_epoch(self) -> float:
        """Train for one epoch, reproducibly wherever it is resumed; the mean loss."""
        random = torch.Generator().manual_seed(self.seed + self.epoch)
        order = torch.randperm(len(self.images), generator=random)
        batches = order.split(BATCH)[: len(order) // BATCH]
        self.network.train()
        loss = sum(self.step(batch, random) for batch in batches) / len(batches)
        self.epoch += 1
        return loss

    def step(self, batch: Tensor, random: torch.Generator) -> float:
        x = augment(normalise(self.images[batch]), random)
        with torch.autocast("cpu", torch.bfloat16, enabled=self.bfloat16):
            logits = self.network(x)
        loss = F.cross_entropy(logits.float(), self.labels[batch])
        self.optimiser.zero_grad()
        loss.backward()
        self.optimiser.step()
        self.schedule.step()
        return loss.item()

    def save(self, path: Path) -> None:
        states = {name: part.state_dict() for name, part in self.parts.items()}
        torch.save({"epoch": self.epoch, **states}, path.with_suffix(".part"))
        path.with_suffix(".part").replace(path)

    def resume(self, path: Path) -> None:
        checkpoint = torch.load(path)
        self.epoch = checkpoint["epoch"]
        for name, part in self.parts.items():
            part.load_state_dict(checkpoint[name])


@torch.inference_mode()
def evaluate(network: nn.Module, x: Tensor, labels: np.ndarray) -> float:
    network.eval()
    predicted = torch.cat([network(part).argmax(1) for part in x.split(BATCH)])
    return float((predicted.numpy() == labels).mean())


def export(network: nn.Module, path: Path, classes: list[str]) -> None:
    torch.onnx.export(
        network.eval().to(memory_format=torch.contiguous_format),
        (torch.zeros(2, 3, 32, 32),),
        path,
        input_names=["images"],
        output_names=["logits"],
        dynamic_shapes=({0: "batch"},),
        external_data=False,
    )
    stamp(path, PREPROCESS, classes)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared/data")
    parser.add_argument("--out", type=Path, default=ROOT / "build/models/cifar10")
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--bfloat16", action="store_true", help="in bfloat16: half the time with AMX")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)

    train = load_images(options.data / "cifar10-train.zip", options.out / "train.npy")
    test = load_images(options.data / "cifar10-test.zip", options.out / "test.npy")
    test_inputs = normalise(test[0])
    training = Training(train[0], train[1], options.epochs, options.seed, options.bfloat16)
    checkpoint = options.out / "checkpoint.pt"
    if checkpoint.exists():
        training.resume(checkpoint)

    while training.epoch < options.epochs:
        start = time.perf_counter()
        loss = training.run_epoch()
        training.save(checkpoint)
        correct = evaluate(training.network, test_inputs, test[1])
        seconds = time.perf_counter() - start
        figures = f"loss {loss:.3f} test {correct:.4f} {seconds:.0f} s"
        print(f"epoch {training.epoch}: {figures}", flush=True)

    model = options.out / "resnet.onnx"
    export(training.network, model, train[2])
    print(f"{model}: {accuracy(model, test_inputs.numpy(), test[1]):.4f} on the test images")


if __name__ == "__main__":
    main()
