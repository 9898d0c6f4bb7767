"""Trains the networks of studies.toml on CIFAR-10 and exports each to ONNX as it is finished.

    PYTHONPATH=models python -m studies.train [--quick] [--out build/studies] [NAME ...]

A training that was stopped goes on from its last epoch; a finished one is left alone.
"""

import argparse
import json
import os
import platform
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import torch
from stamping import stamp
from torch import Tensor, nn
from torch.nn import functional as F

from studies import images, settings
from studies.networks import build
from studies.settings import Job

ROOT = Path(__file__).resolve().parents[2]
# Mean of the norm of 3,072 independent standard normal numbers (the chi distribution's).
PHASE = 55.4211154768


class Training:
    """A network, its optimiser and schedule, and the epoch they have reached."""

    def __init__(self, job: Job, out: Path, data: Path):
        torch.manual_seed(job.seed)
        self.job, self.recipe, self.out = job, job.recipe, out
        pixels, labels = images.decode(data / "cifar10-train.zip", out, "train")
        drawn_by = job.seed if self.recipe.sample is None else self.recipe.sample
        picked = images.chosen(len(labels), self.recipe.images, drawn_by)
        self.x = images.normalised(pixels[picked], self.recipe.low_pass)
        self.labels = torch.from_numpy(labels[picked])
        self.epoch, self.seconds, self.losses = 0, 0.0, []
        self.network = build(self.recipe).to(memory_format=torch.channels_last)
        self.teacher = self._teacher(data)
        self.optimiser = torch.optim.SGD(
            self.network.parameters(), lr=0.1, momentum=0.9, nesterov=True, weight_decay=self.recipe.decay
        )
        self.schedule = torch.optim.lr_scheduler.OneCycleLR(
            self.optimiser,
            max_lr=self.recipe.rate,
            epochs=self.recipe.epochs,
            steps_per_epoch=len(self.x) // self.recipe.batch,
        )

    @property
    def parts(self) -> dict:
        return {name: getattr(self, name) for name in ("network", "optimiser", "schedule")}

    def run_epoch(self) -> None:
        """Train for one epoch, reproducibly wherever it is resumed."""
        start = time.process_time()
        random = torch.Generator().manual_seed(1000 * self.job.seed + self.epoch)
        order = torch.randperm(len(self.x), generator=random)
        batches = order.split(self.recipe.batch)[: len(order) // self.recipe.batch]
        self.network.train()
        self.losses.append(sum(self.step(batch, random) for batch in batches) / len(batches))
        self.epoch += 1
        self.seconds += time.process_time() - start

    def step(self, batch: Tensor, random: torch.Generator) -> float:
        x = images.augmented(self.x[batch], self.recipe, random).contiguous(memory_format=torch.channels_last)
        target = self.target(x, self.labels[batch])
        if self.recipe.mixup:
            x, target = mixed(x, target, self.recipe.mixup, random)
        with torch.autocast("cpu", torch.bfloat16, enabled=self.recipe.bfloat16):
            scores = self.network(x)
        loss = self.loss(scores.float(), target)
        self.optimiser.zero_grad()
        loss.backward()
        self.optimiser.step()
        self.schedule.step()
        return loss.item()

    def loss(self, scores: Tensor, target: Tensor) -> Tensor:
        if self.teacher is None:
            return F.cross_entropy(scores, target)
        heat = self.recipe.temperature
        return F.cross_entropy(scores / heat, target) * heat**2

    @torch.no_grad()
    def target(self, x: Tensor, labels: Tensor) -> Tensor:
        """Probabilities (n, classes) that the network is to give for a batch."""
        if self.teacher is not None:
            return F.softmax(self.teacher(x) / self.recipe.temperature, 1)
        sure = F.one_hot(labels, len(images.CLASSES)).float()
        if not self.recipe.noise:
            return sure
        away = smoothing(x, **self.recipe.noise)[:, None]
        return sure * (1 - away) + away / len(images.CLASSES)

    def save(self) -> None:
        path = self.out / f"{self.job.label}.pt"
        states = {name: part.state_dict() for name, part in self.parts.items()}
        kept = {name: getattr(self, name) for name in ("epoch", "seconds", "losses")}
        torch.save({**kept, **states}, path.with_suffix(".part"))
        path.with_suffix(".part").replace(path)

    def resume(self) -> None:
        path = self.out / f"{self.job.label}.pt"
        if not path.exists():
            return
        checkpoint = torch.load(path)
        self.epoch, self.seconds, self.losses = (checkpoint[name] for name in ("epoch", "seconds", "losses"))
        for name, part in self.parts.items():
            part.load_state_dict(checkpoint[name])

    def _teacher(self, data: Path) -> nn.Module | None:
        if self.job.teacher is None:
            return None
        run(self.job.teacher, self.out, data)
        network = build(self.job.teacher.recipe)
        network.load_state_dict(torch.load(self.out / f"{self.job.teacher.label}.pt")["network"])
        return network.eval().to(memory_format=torch.channels_last)


def smoothing(x: Tensor, frequency: float, amplitude: float) -> Tensor:
    """How far targets move towards uniform ones, (n,): a wave of the images' L2 norm (method.md, section 10)."""
    return amplitude * (1 + torch.sin(2 * torch.pi * frequency * (x.flatten(1).norm(dim=1) - PHASE)))


def mixed(x: Tensor, target: Tensor, alpha: float, random: torch.Generator) -> tuple[Tensor, Tensor]:
    """Every image and target with a share of another's."""
    draw = np.random.default_rng(int(torch.randint(2**31, (), generator=random)))
    share = torch.from_numpy(draw.beta(alpha, alpha, len(x))).float()
    other = torch.randperm(len(x), generator=random)
    weight = share[:, None, None, None]
    return x * weight + x[other] * (1 - weight), target * share[:, None] + target[other] * (1 - share[:, None])


@torch.inference_mode()
def accuracy(network: nn.Module, out: Path, data: Path) -> float:
    """Share of the test images that the network gets right."""
    pixels, labels = images.decode(data / "cifar10-test.zip", out, "test")
    network.eval()
    right = [network(images.normalised(pixels[i : i + 500])).argmax(1) for i in range(0, len(labels), 500)]
    return float((torch.cat(right).numpy() == labels).mean())


def export(network: nn.Module, path: Path) -> None:
    """Write the network, (batch, 3, 32, 32) float32 to logits, with preprocessing and classes in its metadata."""
    part = path.with_suffix(".part")
    network.eval()
    torch.onnx.export(
        network,
        (torch.zeros(2, 3, 32, 32),),
        part,
        input_names=["images"],
        output_names=["logits"],
        dynamic_axes={"images": {0: "batch"}, "logits": {0: "batch"}},
        dynamo=False,
    )
    stamp(part, images.PREPROCESS, images.CLASSES)
    part.replace(path)


def run(job: Job, out: Path, data: Path) -> str:
    """Train one network as far as it is not trained yet; a line about it."""
    record = out / f"{job.label}.json"
    if record.exists():
        return f"{job.label}: finished before"
    training = Training(job, out, data)
    training.resume()
    reached = {}
    while training.epoch < job.recipe.epochs:
        training.run_epoch()
        if training.epoch in job.recipe.exported:
            export(training.network, out / f"{job.label}-e{training.epoch:03d}.onnx")
        training.save()
    for epoch, fraction in job.recipe.exported.items():
        reached[f"{job.label}-e{epoch:03d}.onnx"] = fraction
    found = {
        "name": job.name,
        "seed": job.seed,
        "checkpoints": reached,
        "epochs": job.recipe.epochs,
        "parameters": sum(p.numel() for p in training.network.parameters()),
        "losses": [round(loss, 4) for loss in training.losses],
        "accuracy": accuracy(training.network, out, data),
        "core_seconds": round(training.seconds, 1),
        "made_with": f"torch {torch.__version__}, {platform.machine()}, {os.cpu_count()} cores",
    }
    record.write_text(json.dumps(found, indent=1))
    return f"{job.label}: accuracy {found['accuracy']:.4f}, loss {training.losses[-1]:.3f}, {training.seconds:.0f} s"


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", help="networks; all of studies.toml when none is named")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared/data")
    parser.add_argument("--out", type=Path, default=ROOT / "build/studies")
    options = parser.parse_args(arguments)
    options.out.mkdir(parents=True, exist_ok=True)
    for part in ("train", "test"):
        images.decode(options.data / f"cifar10-{part}.zip", options.out, part)

    tables = settings.load(options.quick)
    jobs = [job for job in settings.queue(tables) if not options.names or job.name in options.names]
    count = tables["training"]["workers"]
    workers = ProcessPoolExecutor(count, get_context("spawn"), torch.set_num_threads, (1,))
    with workers:
        for line in [workers.submit(run, job, options.out, options.data) for job in jobs]:
            print(line.result(), flush=True)


if __name__ == "__main__":
    main()
