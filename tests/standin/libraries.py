"""Builds the libraries that stand for CUDA's, and says why not where that makes no sense."""

import importlib.util
import platform
import re
import shutil
import subprocess
from importlib import metadata
from pathlib import Path

from onnxspec.model import devices

C = Path(__file__).parent / "c"
KNOWN = "1.31.1"
"""The version of ONNX Runtime whose kernels `arithmetic.c` knows by name and by their parameters."""
SOURCES = {
    "libcuda.so.1": ("log.c", "driver.c"),
    "libcudart.so.13": ("log.c", "devices.c", "streams.c", "capture.c", "kernels.c", "arithmetic.c"),
    "libcublas.so.13": ("cublas.c",),
    "libcublasLt.so.13": ("cublaslt.c",),
    "libcurand.so.10": (),
    "libcudnn.so.9": ("cudnn.c",),
}
"""In an order in which none needs a later one."""
_RUNTIME = "libcudart.so.13"
_DRIVER = "libcuda.so.1"


def obstacle() -> str | None:
    """Why the stand-in is of no use here; None where it is."""
    if (platform.system(), platform.machine()) != ("Linux", "x86_64"):
        return "the stand-in for CUDA is for Linux on x86-64"
    try:
        installed = metadata.version("onnxruntime-gpu")
    except metadata.PackageNotFoundError:
        return "the stand-in for CUDA needs onnxruntime-gpu, which is not installed"
    if installed != KNOWN:
        return f"the stand-in for CUDA knows the kernels of onnxruntime-gpu {KNOWN}, and {installed} is installed"
    if importlib.util.find_spec("nvidia") is not None:
        return "CUDA's own libraries are installed, which ONNX Runtime would load in place of the stand-in's"
    if devices.gpu_count():
        return "there is a GPU, and no need for a stand-in"
    missing = [tool for tool in ("cc", "nm") if shutil.which(tool) is None]
    return f"the stand-in for CUDA needs a C compiler: there is no {' and no '.join(missing)}" if missing else None


def build(folder: Path) -> None:
    """All of them, into a folder that the loader is to search before others."""
    wanted = _wanted()
    for library, sources in SOURCES.items():
        stubs, versions = folder / "stubs.c", folder / "versions"
        stubs.write_text(_stubs(wanted.get(library, [])))
        # The provider asks for versions of names, and the loader complains on stderr where a library has none.
        versions.write_text(f"{library} {{ global: cu*; __cuda*; standin_*; local: *; }};\n")
        command = ["cc", "-std=gnu11", "-O2", "-Wall", "-shared", "-fPIC", f"-I{C}", "-o", folder / library, stubs]
        command += [C / source for source in sources]
        command += [f"-Wl,-soname,{library}", f"-Wl,--version-script={versions}"]
        command += [folder / _RUNTIME] if library not in (_RUNTIME, _DRIVER) else []
        subprocess.run(command, check=True)


def _stubs(names: list[str]) -> str:
    """Functions that end the process, weak: those that the sources have take their place."""
    lines = [f'__attribute__((weak)) void {name}(void) {{ standin_unknown("{name}"); }}' for name in names]
    return "\n".join(["void standin_unknown(const char *);", *lines, ""])


def _wanted() -> dict[str, list[str]]:
    """What the provider's library asks of each of CUDA's, by that library's name."""
    spec = importlib.util.find_spec("onnxruntime")
    assert spec is not None and spec.origin is not None
    provider = Path(spec.origin).parent / "capi" / "libonnxruntime_providers_cuda.so"
    listed = subprocess.run(["nm", "-D", "-u", provider], check=True, capture_output=True, text=True).stdout
    wanted: dict[str, list[str]] = {}
    for name, library in re.findall(r"^ +U ((?:__)?cu\w+)(?:@(\S+))?$", listed, re.MULTILINE):
        wanted.setdefault(library or _DRIVER, []).append(name)  # the driver's names have no versions
    return wanted
