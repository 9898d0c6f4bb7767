"""The blocks of a page of documentation, and a folder in which its command lines are run as a reader would."""

import glob
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
from PIL import Image

from conftest import FASHION, QUICKEST, ROOT
from onnxspec import cli
from onnxspec.model import plugins

BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PER_CLASS = 40


def read(page: str) -> list[tuple[str, str]]:
    """Language and text of every block of a page, in order."""
    return BLOCK.findall((ROOT / page).read_text(encoding="utf-8"))


def lines(blocks: list[tuple[str, str]]) -> list[str]:
    """The command lines of the shell blocks."""
    return [line for kind, text in blocks if kind == "sh" for line in text.splitlines()]


def furnish(place: Path, cache: str, pairs: int, model: Path = QUICKEST) -> Path:
    """model.onnx, other.onnx, epoch-*.onnx and images/, the bundled ones, as files, and models/ as it is.

    Settings there name a cache: many lines measure the same.
    """
    shutil.copy(model, place / "model.onnx")
    shutil.copy(FASHION / "keras.onnx", place / "other.onnx")
    for epoch in FASHION.glob("epoch-*.onnx"):
        shutil.copy(epoch, place)
    data = np.load(FASHION / "test.npz")
    for c, name in enumerate(data["class_names"]):
        own = place / "images" / str(name).replace("/", "-")
        own.mkdir(parents=True)
        for i, image in enumerate(data["images"][data["labels"] == c][:PER_CLASS]):
            Image.fromarray(image).save(own / f"{i:03}.png")
    (place / "onnxspec.toml").write_text(f"pairs = {pairs}\ncache = '{cache}'\n")
    (place / "models").symlink_to(ROOT / "models")
    return place


def run(line: str) -> None:
    """Runs a command line in the current folder; it must succeed."""
    program, *arguments = shlex.split(line)
    if program == "make":
        subprocess.run(["make", "--dry-run", *arguments], cwd=ROOT, check=True, capture_output=True)
    elif program == "pip":
        # What this project installs is tested by test_packaging.
        assert arguments[0] == "install" and set(arguments[1:]) <= {".", *plugins.PACKAGES.values()}
        subprocess.run([sys.executable, "-m", "pip", *arguments, "--help"], check=True, capture_output=True)
    else:
        assert program == "onnxspec"
        assert cli.main([each for argument in arguments for each in sorted(glob.glob(argument)) or [argument]]) == 0


def masked(text: str) -> list[str]:
    """Lines of an output without what may differ from machine to machine: numbers, bars, trailing blanks."""
    found = (re.sub(r"[\d.,+e-]*\d|\s+", " ", line) for line in text.splitlines())
    return [" ".join(line.split()) for line in found if "│" not in line and "device" not in line]
