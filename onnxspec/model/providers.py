"""Execution providers: what a session is given for one, and whether it really runs here."""

import contextlib
import ctypes
import importlib.util
import io
import os
import platform
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import onnxruntime

from onnxspec.errors import DeviceError
from onnxspec.model import plugins, runtime

CPU = runtime.CPU
CUDA = "CUDAExecutionProvider"
TENSORRT = "TensorrtExecutionProvider"
GRAPH_OPTION = "enable_cuda_graph"
DEVICE_ID = "device_id"
INSTALL_CUDA = 'pip install "onnxruntime-gpu[cuda,cudnn]"'
_TF32_OVERRIDE = "NVIDIA_TF32_OVERRIDE"

_BEAR_SEVERAL_THREADS = (CPU, CUDA, TENSORRT)
# Options of theirs with which TensorRT and OpenVINO compute more coarsely than in float32.
_COARSE = ("trt_fp16_enable", "trt_bf16_enable", "trt_int8_enable", "trt_fp8_enable")
_COARSE_PRECISIONS = ("FP16", "BF16", "INT8")

_WINDOWS = platform.system() == "Windows"
DRIVER = "nvcuda.dll" if _WINDOWS else "libcuda.so.1"
_CUDNN = "cudnn64_9.dll" if _WINDOWS else "libcudnn.so.9"
_PROVIDER_LIBRARY = "onnxruntime_providers_cuda.dll" if _WINDOWS else "libonnxruntime_providers_cuda.so"


@dataclass(frozen=True)
class Choice:
    """A provider by ONNX Runtime's name, its options, `device` as the user would write it, and why it was taken.

    plugin : of one that comes in a package of its own, its version and the kind of its device: by them bits may differ
    """

    provider: str
    device: str
    reason: str
    provider_options: dict[str, str] = field(default_factory=dict)
    plugin: str = ""

    @property
    def session_providers(self) -> list[runtime.Asked]:
        """What a session is given: TensorRT leaves to CUDA what it cannot run itself.

        Raises DeviceError where a plugin's device is not there.
        """
        if plugins.plugged(self.provider):
            options = {name: value for name, value in self.provider_options.items() if name != DEVICE_ID}
            return [(plugins.device(self.provider, int(self.provider_options.get(DEVICE_ID, "0"))), options)]
        own: list[runtime.Asked] = [(self.provider, self.provider_options)]
        if self.provider == TENSORRT:
            own.append((CUDA, {DEVICE_ID: self.provider_options.get(DEVICE_ID, "0"), "use_tf32": "0"}))
        return own

    @property
    def coarse(self) -> bool:
        """Whether an option has it compute more coarsely than in float32."""
        options = self.provider_options
        switched_on = any(options.get(name, "0").lower() in ("1", "true") for name in _COARSE)
        return switched_on or options.get("precision", "").upper() in _COARSE_PRECISIONS

    @property
    def captures(self) -> bool:
        """Whether CUDA graphs are captured, which only `Binding` knows how to replay."""
        return self.provider_options.get(GRAPH_OPTION, "0").lower() in ("1", "true")

    @property
    def needs_one_thread(self) -> bool:
        """Whether all that is done on the device must be done by one thread, as `alone` has it."""
        return self.captures or self.provider not in _BEAR_SEVERAL_THREADS

    @property
    def without_graphs(self) -> "Choice":
        """The same provider for sessions that are run otherwise."""
        kept = {name: value for name, value in self.provider_options.items() if name != GRAPH_OPTION}
        return replace(self, provider_options=kept)

    @property
    def memory(self) -> tuple[str, int] | None:
        """Where its buffers lie, by ONNX Runtime's name of a device and its number; None where that has none."""
        if self.provider in (CUDA, TENSORRT):
            return "cuda", int(self.provider_options.get(DEVICE_ID, "0"))
        return None


def override_tf32(wanted: bool) -> None:
    """Says in the environment whether TF32 may be used: cuDNN may retry with it whatever a session's option says.

    CUDA's libraries read it when they start, so that the first session of a process settles it.
    """
    if not wanted:
        os.environ[_TF32_OVERRIDE] = "0"
    elif os.environ.get(_TF32_OVERRIDE) == "0":
        del os.environ[_TF32_OVERRIDE]


def cuda_choice(
    index: int = 0, tf32: bool = False, reason: str = "", options: Mapping[str, str] | None = None
) -> Choice:
    """CUDA on the GPU `index`, with TF32 off everywhere unless asked for; whether it works is not looked at.

    options : of the provider, over those that are chosen here
    """
    override_tf32(tf32)
    chosen = {
        DEVICE_ID: str(index),
        "use_tf32": "1" if tf32 else "0",
        # EXHAUSTIVE is slow and not repeatable, DEFAULT a slow path (performance.md).
        "cudnn_conv_algo_search": "HEURISTIC",
        # The default doubles what it holds every time it grows, so that half of the device may lie idle.
        "arena_extend_strategy": "kSameAsRequested",
    }
    return Choice(CUDA, f"cuda:{index}", reason, chosen | dict(options or {}))


def obstacle(choice: Choice) -> DeviceError | None:
    """Why `choice` cannot run here, and what to do; None where a tiny model really ran on it."""
    try:
        asked = choice.without_graphs.session_providers
    except DeviceError as error:
        build = f"Install the GPU build: pip uninstall onnxruntime, then {INSTALL_CUDA}."
        return DeviceError(error.message, build) if choice.provider == CUDA else error
    on_cuda = choice.provider in (CUDA, TENSORRT)
    if on_cuda:
        _preload()
    reason = _trial(choice.provider, asked)
    # Whatever the trial says: without cuDNN a tiny model runs, and no convolution.
    if on_cuda and (missing := diagnose_cuda()):
        return DeviceError(f"{', '.join(missing)} cannot be loaded.", missing_hint(missing))
    return None if reason is None else DeviceError(reason)


def diagnose_cuda() -> list[str]:
    """The libraries that CUDA needs and that cannot be loaded, by file name; empty where all can.

    To be asked once ONNX Runtime has tried: Windows ends the process that loads the provider's library before it does.
    """
    _preload()
    provider = Path(onnxruntime.__file__).parent / "capi" / _PROVIDER_LIBRARY
    missing = (missing_for(library) for library in (DRIVER, provider, _CUDNN))
    return list(dict.fromkeys(name for name in missing if name is not None))


def missing_hint(missing: list[str]) -> str:
    """What to do about the libraries that `diagnose_cuda` found missing."""
    driver = f"{DRIVER} comes with NVIDIA's driver for the GPU." if DRIVER in missing else ""
    libraries = f"Install CUDA's libraries: {INSTALL_CUDA}." if set(missing) - {DRIVER} else ""
    return f"{driver} {libraries}".strip()


def missing_for(library: str | Path) -> str | None:
    """The file that is missing when `library` is loaded: itself, or one it depends on; None where it loads."""
    try:
        ctypes.CDLL(str(library))
    except OSError as error:
        found = re.match(r"(\S+): cannot open shared object file", str(error))
        if found is not None:
            return Path(found.group(1)).name
        # Windows does not say which file it missed. Elsewhere a file that is there lacks something else: a session
        # will tell what.
        return None if Path(library).is_file() and not _WINDOWS else Path(library).name
    return None


def _trial(provider: str, asked: Sequence[runtime.Asked]) -> str | None:
    try:
        session = runtime.make_session(runtime.tiny_model(), asked, strict=provider != CPU)
        if (taken := session.get_providers()[0]) != provider:
            return f"ONNX Runtime took {taken} in its place."
        with runtime.quiet():  # the exception says it, stderr need not
            session.run(None, {"x": runtime.tiny_input()})
    except runtime.ERRORS as error:
        return runtime.sentence(error)
    return None


def best(tf32: bool = False) -> Choice:
    """CUDA where it really works, else the CPU, and why."""
    if missing_for(DRIVER) is not None:  # the usual case, told without looking for CUDA's libraries
        return Choice(CPU, "cpu", f"auto: there is no NVIDIA driver ({DRIVER})")
    choice = cuda_choice(tf32=tf32, reason="auto: it works here")
    problem = obstacle(choice)
    return choice if problem is None else Choice(CPU, "cpu", f"auto: CUDA does not work here: {problem}")


def _preload() -> None:
    preload = getattr(onnxruntime, "preload_dlls", None)
    if preload is None:
        return
    with contextlib.redirect_stdout(io.StringIO()):  # it prints what is missing; `diagnose_cuda` says it better
        for folder in _library_folders():
            of_cudnn = folder.parent.name == "cudnn"
            preload(cuda=not of_cudnn, cudnn=of_cudnn, directory=str(folder))
        preload()


def _library_folders() -> list[Path]:
    """Where NVIDIA's packages keep their libraries that lie elsewhere than beside ONNX Runtime, where it looks itself.

    So they do where it was installed with --target, or a virtual environment has the packages of another Python.
    """
    spec = importlib.util.find_spec("nvidia")
    places = (spec.submodule_search_locations if spec is not None else None) or ()
    folders = [folder for place in places for folder in sorted(Path(place).glob("*/lib"))]  # on Windows */bin
    beside = Path(onnxruntime.__file__).parents[1] / "nvidia"
    return [folder for folder in folders if not (beside / folder.parent.name).exists()]
