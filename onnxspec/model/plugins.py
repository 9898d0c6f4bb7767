"""Execution providers that come in packages of their own, beside ONNX Runtime, which loads them when it is told to.

Such a package (onnxruntime-ep-webgpu, onnxruntime-ep-openvino) has a module with `get_library_path` and `get_ep_name`,
as ONNX Runtime's packaging guidance has it, or the same without `get_`. Its library says which of the machine's devices
it runs on.
https://onnxruntime.ai/docs/execution-providers/plugin-ep-libraries/packaging.html
"""

import importlib
import pkgutil
from importlib import metadata
from types import ModuleType
from typing import Any

import onnxruntime

from onnxspec.errors import DeviceError
from onnxspec.model import runtime

PACKAGES = {
    "OpenVINOExecutionProvider": "onnxruntime-ep-openvino",
    "WebGpuExecutionProvider": "onnxruntime-ep-webgpu",
    "MLXExecutionProvider": "onnxruntime-ep-mlx",
    "NvTensorRTRTXExecutionProvider": "onnxruntime-ep-nv-tensorrt-rtx",
    "QNNExecutionProvider": "onnxruntime-qnn",
}
"""What to install for a provider, of those that were on PyPI in November 2026; others are found as well."""
_MODULES = "onnxruntime_ep_"
_OTHER_MODULES = ("onnxruntime_qnn",)
_LIBRARY = "library_path"
_REGISTERED = "already registered"


def installed() -> dict[str, str]:
    """Providers of the packages that are installed, by ONNX Runtime's name, each with its package's module."""
    return _look()[0]


def broken() -> list[DeviceError]:
    """What is wrong with packages that are installed and do not say what providers they have."""
    return list(_look()[1].values())


def plugged(provider: str) -> bool:
    """Whether a provider is none of this build's own, which go by their names: a session is given its devices."""
    # Once a library is registered, its providers count as available, and a session asked for them by name takes the CPU.
    registered = any(_LIBRARY in device.ep_metadata for device in _devices_of(provider))
    return registered or provider not in onnxruntime.get_available_providers()


def hardware(provider: str) -> list[Any]:
    """The devices of this machine on which `provider` runs, as ONNX Runtime's `OrtEpDevice`, in its order.

    Raises DeviceError where no package has it, where its library does not load, and where it finds no device.
    """
    if found := _devices_of(provider):  # somebody else may have registered it
        return found
    found_in, failed = _look()
    module, package = found_in.get(provider), PACKAGES.get(provider)
    if module is None and package is not None and (problem := failed.get(package.replace("-", "_"))) is not None:
        raise problem
    if module is None:
        raise DeviceError(
            f"this onnxruntime has no {provider}; it has {', '.join(onnxruntime.get_available_providers())}.",
            f"Install it: pip install {package}."
            if package is not None
            else "Install a build of ONNX Runtime that has it, in place of this one.",
        )
    _register(provider, module)
    if found := _devices_of(provider):
        return found
    raise DeviceError(
        f"{package_of(module)} finds no device that it can use; ONNX Runtime sees {_seen()}.",
        "It may be for those of another maker, as OpenVINO's is for Intel's, or need a driver (for a GPU under Linux, say, "
        "Vulkan's or OpenCL's). Use --device cpu.",
    )


def device(provider: str, number: int) -> Any:
    """The device of this `number`, as `hardware`."""
    found = hardware(provider)
    if number < len(found):
        return found[number]
    raise DeviceError(f"there is no device {number}; {provider} has {listing(found)}.", "Name one of these.")


def listing(found: list[Any]) -> str:
    """Devices with their numbers, for people: "0: GPU (NVIDIA), 1: CPU (Intel)"."""
    return ", ".join(f"{number}: {text_of(one)}" for number, one in enumerate(found))


def text_of(device: Any) -> str:
    """A device for people: "GPU (NVIDIA)"."""
    return f"{device.device.type.name} ({device.device.vendor or 'of no known maker'})"


def version_of(device: Any) -> str:
    """The version of the plugin whose device this is, "" where it does not say."""
    return str(device.ep_metadata.get("version", ""))


def package_of(module: str) -> str:
    """The package, with its version, that a plugin's module belongs to."""
    name = module.replace("_", "-")
    try:
        return f"{name} {metadata.version(name)}"
    except metadata.PackageNotFoundError:  # unpacked beside others, as pip's --target may leave it
        return name


def _look() -> tuple[dict[str, str], dict[str, DeviceError]]:
    """Modules by provider, and what is wrong with the others."""
    found: dict[str, str] = {}
    failed: dict[str, DeviceError] = {}
    for name in [one.name for one in pkgutil.iter_modules()]:
        if name.startswith(_MODULES) or name in _OTHER_MODULES:
            try:
                found |= dict.fromkeys(_providers(importlib.import_module(name)), name)
            except Exception as error:  # whatever a package raises
                failed[name] = DeviceError(f"{package_of(name)} is broken: {error}.", f"Try {_again(name)}.")
    return found, failed


def _providers(module: ModuleType) -> list[str]:
    if hasattr(module, "get_ep_names"):
        return list(module.get_ep_names())
    return [_said(module, "ep_name")]


def _said(module: ModuleType, what: str) -> str:
    return str(getattr(module, f"get_{what}" if hasattr(module, f"get_{what}") else what)())


def _devices_of(provider: str) -> list[Any]:
    return [device for device in _every_device() if device.ep_name == provider]


def _every_device() -> list[Any]:
    ask = getattr(onnxruntime, "get_ep_devices", None)  # from 1.23 on
    return [] if ask is None else list(ask())


def _register(provider: str, module: str) -> None:
    register = getattr(onnxruntime, "register_execution_provider_library", None)
    if register is None:
        have = onnxruntime.__version__
        raise DeviceError(f"{package_of(module)} needs ONNX Runtime 1.23; this is {have}.", "Install a newer one.")
    try:
        with runtime.quiet():
            register(provider, _said(importlib.import_module(module), "library_path"))
    except Exception as error:  # whatever the package and its library raise
        # Of one that was, there are no devices, which the caller says better.
        if _REGISTERED not in str(error):
            raise DeviceError(
                f"ONNX Runtime {onnxruntime.__version__} refuses {package_of(module)}: {runtime.sentence(error)}",
                f"Install versions that fit each other: {_again(module)}.",
            ) from None


def _again(module: str) -> str:
    return f"pip install --upgrade --force-reinstall --no-deps {module.replace('_', '-')}"


def _seen() -> str:
    """What ONNX Runtime finds in the machine, as far as any provider of its own runs there."""
    return ", ".join(dict.fromkeys(text_of(one) for one in _every_device())) or "none"
