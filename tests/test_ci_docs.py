"""Every block of docs/ci.md is run, in order, in a folder that has a model and images."""

import re
import shlex
import shutil
import subprocess
import sys
import tomllib

import pytest
import yaml

from conftest import FASHION, QUICKEST, ROOT
from onnxspec import cli
from onnxspec.auditing.policy import Policy

BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
BLOCKS = BLOCK.findall((ROOT / "docs" / "ci.md").read_text(encoding="utf-8"))


def blocks(language):
    return [text for kind, text in BLOCKS if kind == language]


def lines():
    """The command lines of all blocks in order: of a shell, a GitHub job, a GitLab job, a hook and a shell again."""
    first, *trainings = blocks("sh")
    yield from first.splitlines()
    github, gitlab, hook = map(yaml.safe_load, blocks("yaml"))
    yield from (step["run"] for step in github["jobs"]["audit"]["steps"] if "run" in step)
    yield from gitlab["audit"]["script"]
    yield hook["repos"][0]["hooks"][0]["entry"]
    for block in trainings:
        yield from block.splitlines()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("ci")
    for name, model in (("model", QUICKEST), ("seed-1", FASHION / "flax.onnx"), ("seed-2", FASHION / "keras.onnx")):
        shutil.copy(model, place / f"{name}.onnx")
    # A name without an ending is what a reader has: a folder. The archive holds the same and is quicker to copy.
    shutil.copy(FASHION / "test.npz", place / "images.npz")
    (place / "onnxspec.toml").write_text("pairs = 40\n")
    return place


def test_every_block_is_of_a_kind_that_is_tested():
    assert [kind for kind, _ in BLOCKS] == ["sh", "yaml", "yaml", "yaml", "toml", "sh", "sh"]


@pytest.mark.parametrize("line", list(lines()))
def test_command_lines(line, folder, monkeypatch, capsys):
    monkeypatch.chdir(folder)
    program, *arguments = shlex.split(line)
    if program == "pip":
        subprocess.run([sys.executable, "-m", "pip", *arguments, "--help"], check=True, capture_output=True)
        return
    if program == "mkdir":
        subprocess.run([program, *arguments], check=True)
        return
    arguments = ["images.npz" if argument == "images" else argument for argument in arguments]
    code = cli.main(arguments)
    captured = capsys.readouterr()
    if "trainings" in arguments:
        assert code == 5 and "so few trainings" in captured.out, captured
    else:
        assert code == 0, captured


def test_the_jobs_take_the_files_that_their_lines_write():
    github, gitlab, _ = map(yaml.safe_load, blocks("yaml"))
    assert "--sarif audit.sarif" in github["jobs"]["audit"]["steps"][2]["run"]
    assert github["jobs"]["audit"]["steps"][3]["with"]["sarif_file"] == "audit.sarif"
    assert f"--junit {gitlab['audit']['artifacts']['reports']['junit']}" in gitlab["audit"]["script"][1]


def test_the_rules_shown_are_rules():
    policy = Policy.of(tomllib.loads(blocks("toml")[0])["audit"])
    assert (len(policy.limits), len(policy.regressions)) == (3, 2)


def test_the_exit_codes_are_those_of_the_program():
    text = (ROOT / "docs" / "ci.md").read_text(encoding="utf-8")
    assert [int(code) for code in re.findall(r"^\| (\d) \|", text, re.MULTILINE)] == [
        int(code) for code in cli.ExitCode if code <= cli.ExitCode.EXHAUSTED
    ]
