"""Providers: what keeps one from running here is named, and TF32 is off."""

import os

from onnxspec.model import providers, runtime


def test_hints_fit_what_is_missing():
    assert providers.INSTALL_CUDA not in providers.missing_hint([providers.DRIVER])
    assert providers.DRIVER not in providers.missing_hint(["libcudnn.so.9"])


def test_missing_files_are_named():
    assert providers.missing_for("libsurely_not_here.so.3") == "libsurely_not_here.so.3"
    assert providers.missing_for(loadable()) is None


def test_missing_files_are_named_in_every_system_s_words(monkeypatch):
    def fails(library):
        raise OSError(f"dlopen({library}, 0x0006): tried: 'libcuda.so.1' (no such file)")

    monkeypatch.setattr(providers.ctypes, "CDLL", fails)
    assert providers.missing_for("libcuda.so.1") == "libcuda.so.1"
    monkeypatch.setattr(providers, "_WINDOWS", True)
    assert providers.missing_for(__file__) == "test_providers.py"


def test_onnx_runtime_is_the_first_to_load_cuda_s_library(monkeypatch):
    asked = []
    monkeypatch.setattr(providers.onnxruntime, "get_available_providers", lambda: [providers.CUDA])
    monkeypatch.setattr(providers, "_trial", lambda *what: asked.append("trial"))
    monkeypatch.setattr(providers, "missing_for", lambda library: asked.append("library"))
    assert providers.obstacle(providers.cuda_choice()) is None
    assert asked == ["trial", "library", "library", "library"]


def test_cuda_s_libraries_are_looked_for_wherever_packages_lie(monkeypatch, tmp_path):
    """ONNX Runtime looks beside itself: not where a --target or a virtual environment leaves them with another Python's."""
    for package in ("cu13", "cudnn", "beside"):
        (tmp_path / "other" / "nvidia" / package / "lib").mkdir(parents=True)
    (tmp_path / "own" / "nvidia" / "beside" / "lib").mkdir(parents=True)
    monkeypatch.syspath_prepend(str(tmp_path / "other"))
    monkeypatch.setattr(providers.onnxruntime, "__file__", str(tmp_path / "own" / "onnxruntime" / "__init__.py"))
    asked = []
    monkeypatch.setattr(providers.onnxruntime, "preload_dlls", lambda **of: asked.append(of), raising=False)
    providers._preload()
    folders = [str(tmp_path / "other" / "nvidia" / package / "lib") for package in ("cu13", "cudnn")]
    assert asked == [
        {"cuda": True, "cudnn": False, "directory": folders[0]},
        {"cuda": False, "cudnn": True, "directory": folders[1]},
        {},
    ]


def test_tf32_is_off_unless_asked_for(monkeypatch):
    monkeypatch.delenv("NVIDIA_TF32_OVERRIDE", raising=False)
    assert providers.cuda_choice(tf32=True).provider_options["use_tf32"] == "1"
    assert "NVIDIA_TF32_OVERRIDE" not in os.environ
    choice = providers.cuda_choice(2)
    assert choice.device == "cuda:2"
    assert choice.provider_options == {
        "device_id": "2",
        "use_tf32": "0",
        "cudnn_conv_algo_search": "HEURISTIC",
        "arena_extend_strategy": "kSameAsRequested",
    }
    assert os.environ["NVIDIA_TF32_OVERRIDE"] == "0"


def test_what_the_environment_says_of_tf32_is_what_was_asked_for_last(monkeypatch):
    monkeypatch.setenv("NVIDIA_TF32_OVERRIDE", "1")
    providers.cuda_choice()
    assert os.environ["NVIDIA_TF32_OVERRIDE"] == "0"
    providers.cuda_choice(tf32=True)
    assert "NVIDIA_TF32_OVERRIDE" not in os.environ


def loadable() -> str:
    """A library that is loaded already."""
    return runtime._binding.__file__
