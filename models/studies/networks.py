"""The networks: a ConvNet and a ResNet with few channels at full size, where a CPU is slowest."""

from itertools import pairwise

from torch import Tensor, nn
from torch.nn import functional as F

from studies.settings import Recipe

CLASSES = 10


class Block(nn.Module):
    """Two 3x3 convolutions around which the input is carried; the first one halves the size."""

    def __init__(self, inputs: int, outputs: int):
        super().__init__()
        self.body = nn.Sequential(
            *layer(inputs, outputs, 2),
            nn.Conv2d(outputs, outputs, 3, padding=1, bias=False),
            nn.BatchNorm2d(outputs),
        )
        self.skip = nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride=2, bias=False), nn.BatchNorm2d(outputs))

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.body(x) + self.skip(x))


def layer(inputs: int, outputs: int, stride: int) -> list[nn.Module]:
    """A 3x3 convolution, normalised and rectified."""
    return [nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU()]


def build(recipe: Recipe) -> nn.Sequential:
    """The recipe's network, (n, 3, 32, 32) float32 to logits (n, 10); weights from torch's global seed."""
    steps = pairwise(recipe.widths)
    if recipe.kind == "resnet":
        stages = [Block(a, b) for a, b in steps]
    elif recipe.kind == "convnet":
        stages = [module for a, b in steps for module in layer(a, b, 2)]
    else:
        raise ValueError(f"A network's kind is resnet or convnet, not {recipe.kind!r}.")
    head = [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(recipe.widths[-1], CLASSES)]
    return nn.Sequential(*layer(3, recipe.widths[0], 1), *stages, *head)
