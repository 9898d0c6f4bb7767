"""What is built installs and runs where nothing else is, and asks for no more than it says."""

import ast
import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator, Mapping
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
import yaml

from conftest import FASHION, ROOT
from onnxspec import __version__
from onnxspec.cli import COMMANDS

PACKAGE = ROOT / "onnxspec"
KINDS = {"wheel": "*.whl", "sdist": "*.tar.gz"}
NOT_SOURCE = shutil.ignore_patterns(".*", "__pycache__", "*.egg-info", "*.h5", "build", "dist")


def distribution(name: str) -> str:
    """A distribution's name without version, extras and marker, spelled one way."""
    return re.sub(r"[-_.]+", "-", re.match(r"[\w.-]+", name).group()).lower()


def declared() -> tuple[set[str], set[str]]:
    """The distributions that pyproject.toml asks for always, and those of its extras."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = [name for names in project["optional-dependencies"].values() for name in names]
    return {distribution(name) for name in project["dependencies"]}, {distribution(name) for name in extras}


def imports(node: ast.AST, lazily: bool = False) -> Iterator[tuple[str, bool]]:
    """Every top-level package that code imports, and whether only once a function runs."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            yield from ((alias.name.split(".")[0], lazily) for alias in child.names)
        elif isinstance(child, ast.ImportFrom) and not child.level:
            yield child.module.split(".")[0], lazily
        else:
            yield from imports(child, lazily or isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef))


@pytest.fixture(scope="module")
def providers() -> Mapping[str, list[str]]:
    """The distributions that bring each importable package. Finding them reads all that is installed."""
    return packages_distributions()


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_are_declared_dependencies(path, providers):
    needed, optional = declared()
    for package, lazily in imports(ast.parse(path.read_text())):
        if package == "onnxspec" or package in sys.stdlib_module_names:
            continue
        names = {distribution(name) for name in providers.get(package, [package])}
        assert names & (needed | optional if lazily else needed), f"{package} is not declared in pyproject.toml"


def run(*line: object, cwd: Path, **options) -> str:
    """A command's standard output; fails with all that it printed."""
    apart = {"PYTHONPATH", "VIRTUAL_ENV", "COLUMNS"}
    environment = {name: value for name, value in os.environ.items() if name not in apart}
    done = subprocess.run(
        [str(word) for word in line], cwd=cwd, env=environment, capture_output=True, text=True, check=False, **options
    )
    assert done.returncode == 0, f"{' '.join(map(str, line))}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> Path:
    """A folder with the wheel, which is built from the sdist, and the sdist."""
    folder = tmp_path_factory.mktemp("build")
    shutil.copytree(ROOT, folder / "source", ignore=NOT_SOURCE)
    run(sys.executable, "-m", "build", "--outdir", folder / "dist", folder / "source", cwd=folder)
    return folder / "dist"


@pytest.fixture(scope="module", params=KINDS)
def installed(request, built, tmp_path_factory) -> Path:
    """The scripts of an environment that holds onnxspec and what it asks for."""
    folder = tmp_path_factory.mktemp(f"from-{request.param}")
    run(sys.executable, "-m", "venv", folder / "environment", cwd=folder)
    scripts = folder / "environment" / ("Scripts" if os.name == "nt" else "bin")
    (package,) = built.glob(KINDS[request.param])
    run(scripts / "python", "-m", "pip", "install", "--quiet", package, cwd=folder)
    return scripts


@pytest.mark.slow
def test_the_wheel_holds_the_package_and_its_licence(built):
    (wheel,) = built.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    dist_info = f"onnxspec-{__version__}.dist-info"
    assert {name.split("/")[0] for name in names} == {"onnxspec", dist_info}
    assert {"onnxspec/py.typed", f"{dist_info}/licenses/LICENSE"} <= set(names)
    source = built.parent / "source"
    files = {path.relative_to(source).as_posix() for path in (source / "onnxspec").rglob("*") if path.is_file()}
    assert {name for name in names if name.startswith("onnxspec/")} == files


@pytest.mark.slow
def test_an_empty_environment_is_enough(installed, tmp_path):
    command = installed / "onnxspec"
    assert run(command, "--version", cwd=tmp_path) == f"onnxspec {__version__}\n"
    assert run(installed / "python", "-m", "onnxspec", "--version", cwd=tmp_path) == f"onnxspec {__version__}\n"
    assert "onnxruntime" in run(command, "doctor", cwd=tmp_path)
    model, data = FASHION / "pytorch.onnx", FASHION / "test.npz"
    summary = run(command, "analyze", model, "--data", data, "--pairs", 40, cwd=tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["pytorch.h5"]
    assert run(command, "show", "pytorch.h5", cwd=tmp_path) == summary


@pytest.mark.slow
def test_every_command_has_help_there(installed, tmp_path):
    for name in COMMANDS:
        assert run(installed / "onnxspec", name, "--help", cwd=tmp_path).startswith(f"Usage: onnxspec {name}")


@pytest.mark.skipif(not (ROOT / ".git").exists() or shutil.which("git") is None, reason="not a checkout")
def test_scripts_are_checked_out_as_a_shell_reads_them_where_git_writes_carriage_returns(tmp_path):
    """As git for Windows does by default; bash then finds no option called `pipefail\\r`."""
    scripts = ("models/make.sh", ".ci/run", "Makefile")
    for name in (*scripts, ".gitattributes"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes((ROOT / name).read_bytes() if (ROOT / name).exists() else b"")
    git = ["git", "-C", tmp_path, "-c", "core.autocrlf=true"]
    for command in (["init", "--quiet"], ["add", "--all"], ["checkout-index", "--all", "--prefix=out/"]):
        subprocess.run([*git, *command], check=True)
    assert [name for name in scripts if b"\r" in (tmp_path / "out" / name).read_bytes()] == []


def test_the_citation_names_this_software():
    """A file that is no YAML, or of another licence, is shown by no reference manager."""
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert {"cff-version", "message", "title", "authors"} <= set(cited)
    assert [cited[name] for name in ("title", "license", "keywords")] == [
        project[n] for n in ("name", "license", "keywords")
    ]
    assert cited["references"][0]["title"] in " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
