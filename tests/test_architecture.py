"""The package is one sentence in order: imports point one way, and what should start fast does."""

import ast
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from conftest import ROOT

PACKAGE = ROOT / "onnxspec"
# What stands further down may import what stands further up, and never the other way; lines are equals that may not
# import each other.
ORDER = [
    ["errors"],
    ["files", "interruption", "listening", "saving", "values"],
    ["settings"],
    ["configuration"],
    ["series", "signals", "spectra", "statistics"],
    ["metrics"],
    ["images"],
    ["paths"],
    ["results"],
    ["model"],
    ["sampling"],
    ["engine", "report"],
    ["analysis"],
    ["heatmap", "noise", "diversity", "parity"],
    ["comparison"],
    ["auditing"],
    ["cli"],
]
RANK = {name: rank for rank, names in enumerate(ORDER) for name in names}
NUMERICAL = (
    "signals",
    "spectra",
    "metrics",
    "statistics.intervals",
    "statistics.drawn",
    "statistics.dyadic",
    "statistics.permutation",
    "statistics.bootstrap",
    "noise.targets",
    "noise.losses",
    "diversity.correlation",
)


def modules() -> dict[str, Path]:
    return {
        ".".join(path.relative_to(PACKAGE).with_suffix("").parts): path
        for path in PACKAGE.rglob("*.py")
        if path.name not in ("__init__.py", "__main__.py") or path.parent != PACKAGE
    }


def imported(path: Path) -> set[str]:
    """Everything that a file imports, lazily or not."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return names


@pytest.mark.parametrize("name", sorted(modules()))
def test_imports_point_one_way(name):
    own = name.split(".")[0]
    assert own in RANK, f"{own} has no place in the order"
    for other in {i.split(".")[1] for i in imported(modules()[name]) if i.startswith("onnxspec.")}:
        if other not in (own, "__version__"):
            assert RANK[other] < RANK[own], f"{name} imports {other}"


def test_no_file_needs_itself():
    """Imports inside functions aside: a result draws itself with what draws results."""
    names = {f"onnxspec.{name}".removesuffix(".__init__") for name in modules()}
    graph: dict[str, set[str]] = {}
    for name, path in modules().items():
        above = [node for node in ast.parse(path.read_text()).body if isinstance(node, ast.ImportFrom) and node.module]
        found = [(node.module, f"{node.module}.{alias.name}") for node in above for alias in node.names]
        needed = {whole if whole in names else module for module, whole in found}
        graph[f"onnxspec.{name}".removesuffix(".__init__")] = needed & names
    assert {"onnxspec.spectra", "onnxspec.statistics"} <= graph["onnxspec.report.pooling"]
    TopologicalSorter(graph).prepare()


@pytest.mark.parametrize("name", NUMERICAL)
def test_the_numerical_core_needs_numpy_and_scipy_alone(name):
    outside = {i.split(".")[0] for i in imported(modules()[name])} - {"onnxspec"} - set(sys.stdlib_module_names)
    assert outside <= {"numpy", "scipy"}


@pytest.mark.parametrize("name", sorted(modules()))
def test_a_file_is_one_idea(name):
    assert len(modules()[name].read_text().splitlines()) <= 400


def loaded_by(code: str) -> set[str]:
    command = [sys.executable, "-c", f"import sys\n{code}\nprint(*sys.modules)"]
    output = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT).stdout
    return {name.split(".")[0] for name in output.splitlines()[-1].split()}


def test_help_loads_click_and_little_else():
    loaded = loaded_by("from onnxspec.cli import main\nmain(['--help'])")
    assert not loaded & {"numpy", "scipy", "onnx", "onnxruntime", "h5py", "rich"}


def test_show_loads_no_onnx_runtime(bundled_report):
    loaded = loaded_by(f"from onnxspec.cli import main\nmain(['show', {str(bundled_report.path)!r}])")
    assert "h5py" in loaded
    assert not loaded & {"onnx", "onnxruntime"}


def test_a_training_loop_that_makes_noise_loads_numpy_and_scipy_alone():
    loaded = loaded_by("from onnxspec.noise import Noise")
    assert "numpy" in loaded
    assert not loaded & {"onnx", "onnxruntime", "h5py", "rich", "click", "matplotlib"}


def test_the_public_names_are_there():
    import onnxspec

    for name in onnxspec.__all__:
        assert getattr(onnxspec, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = onnxspec.nothing
