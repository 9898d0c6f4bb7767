"""Every block of docs/paper.md is run, in order, in a folder that has a model and images; its outputs are real."""

from pathlib import Path

import pytest

import documents
from conftest import FASHION

BLOCKS = documents.read("docs/paper.md")
# The command line whose output each text block shows.
SHOWN = [line for line in documents.lines(BLOCKS) if "noise targets" not in line]


@pytest.fixture(scope="module")
def folder(tmp_path_factory, evaluated) -> Path:
    return documents.furnish(tmp_path_factory.mktemp("paper"), evaluated, 45, FASHION / "pytorch.onnx")


@pytest.fixture(scope="module")
def printed() -> dict[str, str]:
    return {}


def test_every_block_is_of_a_kind_that_is_tested():
    assert {kind for kind, _ in BLOCKS} == {"sh", "text", "python"}
    assert len(SHOWN) == len([text for kind, text in BLOCKS if kind == "text"]) + 1  # analyze's is in the README


@pytest.mark.parametrize("line", documents.lines(BLOCKS))
def test_command_lines(line, folder, monkeypatch, capsys, printed):
    monkeypatch.chdir(folder)
    documents.run(line)
    printed[line] = capsys.readouterr().out
    assert printed[line]


@pytest.mark.parametrize("number", range(len(SHOWN) - 1))
def test_outputs_shown_are_those_of_the_command_lines(number, printed):
    shown = documents.masked([text for kind, text in BLOCKS if kind == "text"][number])
    given = documents.masked(printed[SHOWN[number + 1]])
    missing = [line for line in shown if line and line != "..." and line not in given]
    assert len(missing) <= 0.2 * len(shown), missing


def test_python_blocks(folder, monkeypatch, capsys):
    monkeypatch.chdir(folder)
    for kind, block in BLOCKS:
        if kind == "python":
            exec(compile(block, "paper.md", "exec"), {})
    assert capsys.readouterr().out
