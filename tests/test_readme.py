"""Every block of the README is run, in order, in a folder that has a model and images."""

import re
from pathlib import Path

import numpy as np
import pytest

import documents
from conftest import FASHION, ROOT
from onnxspec import cli, configuration

BLOCKS = documents.read("README.md")
COMPARED = next(line for line in documents.lines(BLOCKS) if "epoch-01" in line)
"""The line whose output is shown; it is run where nothing but what it names is set."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory, evaluated) -> Path:
    return documents.furnish(tmp_path_factory.mktemp("readme"), evaluated, pairs=20)


@pytest.fixture
def beside_models(tmp_path, monkeypatch, evaluated) -> None:
    """A folder to be in, where models/ is as in the repository, and no figure is set."""
    (tmp_path / "models").symlink_to(ROOT / "models")
    (tmp_path / "onnxspec.toml").write_text(f"cache = '{evaluated}'\n")
    monkeypatch.chdir(tmp_path)


def blocks(language: str) -> list[str]:
    return [text for kind, text in BLOCKS if kind == language]


def test_every_block_is_of_a_kind_that_is_tested():
    assert {kind for kind, _ in BLOCKS} == {"sh", "text", "toml", "python", "yaml"}


@pytest.mark.parametrize("line", [line for line in documents.lines(BLOCKS) if line != COMPARED])
def test_command_lines(line, folder, monkeypatch, capsys):
    monkeypatch.chdir(folder)
    documents.run(line)
    assert any(capsys.readouterr()) or not line.startswith("onnxspec")


def test_ci_blocks_are_those_whose_command_lines_are_run():
    """tests/test_ci_docs.py runs every block of docs/ci.md."""
    tested = (ROOT / "docs" / "ci.md").read_text(encoding="utf-8")
    assert len(blocks("yaml")) == 3
    assert all(block in tested for block in blocks("yaml"))


def test_python_blocks(folder, monkeypatch, capsys):
    monkeypatch.chdir(folder)
    for block in blocks("python"):
        exec(compile(block, "README.md", "exec"), {})
    assert capsys.readouterr().out


def test_the_settings_block_sets_what_it_says(folder, tmp_path):
    (tmp_path / "onnxspec.toml").write_text(blocks("toml")[0])
    loaded = configuration.load(tmp_path / "onnxspec.toml")
    assert loaded.inputs.data == str(tmp_path / "images")
    assert loaded.inputs.preprocess == {"mean": [0.286], "std": [0.353]}


@pytest.mark.usefixtures("beside_models")
def test_the_output_shown_is_the_output_of_the_demo(capsys, tmp_path):
    data = "models/fashion-mnist/test.npz"
    options = ["--data", data, "-o", str(tmp_path / "demo.h5")]
    code = cli.main(["analyze", "models/fashion-mnist/pytorch.onnx", *options])
    assert code == 0
    shown, printed = documents.masked(blocks("text")[0]), documents.masked(capsys.readouterr().out)
    headline = [line for line in shown if line.startswith(("prob ", "logit ", "model", "data", "accuracy"))]
    assert len(headline) >= 8
    missing = [line for line in shown if line and line not in printed]
    # Which classes are the most wiggly may be another on another machine.
    names = tuple(np.load(FASHION / "test.npz")["class_names"].tolist())
    assert [line for line in missing if not line.startswith(names)] == []


def test_exit_codes_and_commands_are_those_of_the_program():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    for name in cli.COMMANDS:
        assert f"`onnxspec {name} " in text or f"`onnxspec {name}`" in text
    for code in cli.ExitCode:
        assert re.search(rf"\b{int(code)}\s", text.split("### Exit codes")[1])


@pytest.mark.usefixtures("beside_models")
def test_the_comparison_shown_is_the_one_that_the_command_prints(capsys):
    documents.run(COMPARED)
    shown, printed = documents.masked(blocks("text")[1]), documents.masked(capsys.readouterr().out)
    missing = [line for line in shown if line and line != "..." and line not in printed]
    assert not missing
