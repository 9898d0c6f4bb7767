"""What is installed, what works, and what stands in its way."""

import platform
from dataclasses import dataclass
from importlib import metadata
from typing import Literal

# Distributions that all install the one package `onnxruntime`, over each other.
_DISTRIBUTIONS = (
    *("onnxruntime", "onnxruntime-gpu", "onnxruntime-directml", "onnxruntime-openvino", "onnxruntime-qnn"),
    *("onnxruntime-training", "onnxruntime-rocm", "ort-nightly", "ort-nightly-gpu"),
)
_LIBRARIES = ("onnxspec", "onnx", "numpy", "scipy", "h5py", "Pillow", "click", "rich")


@dataclass(frozen=True)
class Finding:
    """One thing looked at: `level` says how bad it is, `hint` what to do about it ("" where nothing is to do)."""

    level: Literal["ok", "note", "warning", "error"]
    subject: str
    text: str
    hint: str = ""


def examine() -> list[Finding]:
    """Everything: versions, clashes, a real session on each available provider, CUDA's libraries.

    ONNX Runtime is imported only here, so that a broken installation is a finding too.
    """
    findings = [*_versions(), *_distributions()]
    try:
        import onnxruntime

        available = onnxruntime.get_available_providers()
    except (ImportError, AttributeError) as error:
        hint = "Install it again: pip install --force-reinstall onnxspec"
        return [*findings, Finding("error", "onnxruntime", f"cannot be imported: {error}", hint)]
    return [*findings, *_unused_gpu(available), *_providers(available)]


def quick() -> list[Finding]:
    """The warnings that cost next to nothing to find: onnxruntime distributions that overwrite each other."""
    return [finding for finding in _distributions() if finding.level != "ok"]


def installed() -> list[str]:
    """The distributions of onnxruntime, as `name version`."""
    return [f"{name} {version}" for name in _DISTRIBUTIONS if (version := _version(name)) is not None]


def _versions() -> list[Finding]:
    python = Finding("ok", "python", f"{platform.python_version()} on {platform.system()} {platform.machine()}")
    listed = ((name, _version(name)) for name in _LIBRARIES)
    return [python, *(Finding("ok", name, version) for name, version in listed if version is not None)]


def _distributions() -> list[Finding]:
    found = installed()
    names = " ".join(line.split()[0] for line in found)
    if len(found) < 2:
        return [Finding("ok", "onnxruntime", line) for line in found]
    return [
        Finding(
            "warning",
            "onnxruntime",
            f"{' and '.join(found)} are installed together and overwrite each other's files",
            f"pip uninstall -y {names}, then pip install onnxspec again",
        )
    ]


def _unused_gpu(available: list[str]) -> list[Finding]:
    from onnxspec.model import providers

    if providers.CUDA in available or providers.missing_for(providers.DRIVER) is not None:
        return []
    return [
        Finding(
            "warning",
            providers.CUDA,
            "an NVIDIA driver is installed, and this onnxruntime is built without CUDA",
            f"pip uninstall -y onnxruntime, then {providers.INSTALL_CUDA}",
        )
    ]


def _provider(name: str) -> Finding:
    from onnxspec.model import providers

    choice = providers.cuda_choice() if name == providers.CUDA else providers.Choice(name, name, "")
    problem = providers.obstacle(choice)
    if problem is None:
        return Finding("ok", name, "runs a model here")
    level: Literal["error", "note"] = "error" if name == providers.CPU else "note"
    return Finding(level, name, f"does not run here: {problem.message.rstrip('.')}", problem.hint)


def _providers(available: list[str]) -> list[Finding]:
    """This build's own, then plugins, which ONNX Runtime calls available, too, once one was used."""
    from onnxspec.model import plugins

    own = [_provider(name) for name in available if not plugins.plugged(name)]
    found = [(name, module) for name, module in plugins.installed().items() if plugins.plugged(name)]
    broken = [Finding("warning", "plugins", problem.message, problem.hint) for problem in plugins.broken()]
    return [*own, *(_plugin(name, plugins.package_of(module)) for name, module in found), *broken]


def _plugin(name: str, package: str) -> Finding:
    from onnxspec.model import plugins

    tried = _provider(name)
    if tried.level != "ok":
        return tried
    return Finding("ok", name, f"{tried.text} ({package}; devices {plugins.listing(plugins.hardware(name))})")


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None
