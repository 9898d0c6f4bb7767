"""The stand-in says why where it is of no use, and takes no kernel that it does not compute for done."""

from importlib import metadata

import pytest

from onnxspec.model import devices
from standin import libraries

UNKNOWN = """
import numpy as np
from onnx import TensorProto, helper
from model import build
from onnxspec.model import providers, runtime

ports = [build.tensor(name, TensorProto.FLOAT, [4]) for name in "xy"]
proto = build.model([helper.make_node("Exp", ["x"], ["y"])], ports[:1], ports[1:])
session = runtime.make_session(proto.SerializeToString(), providers.cuda_choice().session_providers, strict=True)
session.run(None, {"x": np.zeros(4, np.float32)})
"""


def not_installed(_):
    raise metadata.PackageNotFoundError


@pytest.mark.parametrize(
    ("where", "name", "found", "reason"),
    [
        (libraries.platform, "system", lambda: "Darwin", "Linux on x86-64"),
        (libraries.metadata, "version", not_installed, "not installed"),
        (libraries.metadata, "version", lambda _: "1.30.0", "1.30.0 is installed"),
        (libraries.importlib.util, "find_spec", lambda _: "nvidia", "would load in place"),
        (devices, "gpu_count", lambda: 1, "there is a GPU"),
        (libraries.shutil, "which", lambda tool: None if tool == "cc" else tool, "there is no cc"),
    ],
)
def test_it_says_why_it_is_of_no_use(monkeypatch, where, name, found, reason):
    monkeypatch.setattr(libraries.platform, "system", lambda: "Linux")
    monkeypatch.setattr(libraries.platform, "machine", lambda: "x86_64")
    monkeypatch.setattr(libraries.metadata, "version", lambda _: libraries.KNOWN)
    monkeypatch.setattr(libraries.importlib.util, "find_spec", lambda _: None)
    monkeypatch.setattr(devices, "gpu_count", lambda: 0)
    monkeypatch.setattr(libraries.shutil, "which", lambda tool: tool)
    assert libraries.obstacle() is None
    monkeypatch.setattr(where, name, found)
    assert reason in libraries.obstacle()


@pytest.mark.slow
def test_a_kernel_that_is_not_computed_ends_the_process(machine):
    done = machine.python(UNKNOWN)
    assert done.code < 0
    assert "The stand-in for CUDA has no " in done.err
    assert "OP_Exp" in done.err
