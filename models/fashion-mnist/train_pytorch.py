"""Train the small CNN with PyTorch and export it with torch.onnx: NCHW in, logits out.

Two runs: pytorch.onnx by the recipe that the other frameworks follow too, and a longer one that
leaves epoch-01.onnx, epoch-03.onnx, epoch-10.onnx and epoch-30.onnx behind.
"""

import time

import torch
from fashion import (
    BATCH,
    CONVOLUTIONS,
    EPOCHS,
    FEATURES,
    HERE,
    LEARNING_RATE,
    PYTORCH,
    finish,
    load,
)
from torch import nn
from torch.nn import functional as F

CHECKPOINTS = (1, 3, 10, 30)


class SmallCNN(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.convolutions = nn.ModuleList(nn.Conv2d(a, b, 3, stride=s) for a, b, s in CONVOLUTIONS)
        self.head = nn.Linear(FEATURES, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        for convolution in self.convolutions:
            x = F.relu(convolution(x))
        return self.head(x.mean(dim=(2, 3)))


def export(network: nn.Module, name: str) -> None:
    torch.onnx.export(
        network.eval(),
        (torch.zeros(2, 1, 28, 28),),
        HERE / name,
        input_names=["images"],
        output_names=["logits"],
        dynamic_shapes=({0: "batch"},),
        external_data=False,
        verbose=False,
    )


def train(files: dict[int, str], seed: int) -> None:
    """Train for max(files) epochs; after epoch e the network is exported to files[e]."""
    start = time.perf_counter()
    torch.manual_seed(seed)
    images, labels = load("train")
    x, y = torch.from_numpy(PYTORCH.apply(images)), torch.from_numpy(labels)
    network = SmallCNN().to(memory_format=torch.channels_last)
    optimiser = torch.optim.Adam(network.parameters(), lr=LEARNING_RATE)
    steps = max(files) * (len(x) // BATCH)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    for epoch in range(1, max(files) + 1):
        for batch in torch.randperm(len(x)).split(BATCH)[: len(x) // BATCH]:
            loss = F.cross_entropy(network(x[batch]), y[batch])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
        if epoch in files:
            export(network, files[epoch])
            finish(files[epoch], PYTORCH, start)


if __name__ == "__main__":
    train({EPOCHS: "pytorch.onnx"}, seed=0)
    train({epoch: f"epoch-{epoch:02d}.onnx" for epoch in CHECKPOINTS}, seed=1)
