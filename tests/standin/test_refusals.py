"""What cannot run on CUDA is refused in words, and never run on the CPU in its place."""

from dataclasses import replace

import pytest

from onnxspec.model import providers
from standin.running import analyze

pytestmark = pytest.mark.slow

# A session for the model, past all that looks at the device before.
SESSION = """
from onnxspec.model import providers
from onnxspec.model.inspection import inspect
from onnxspec.model.session import start_session

try:
    print(start_session(inspect("model.onnx"), providers.cuda_choice()).get_providers()[0])
except Exception as error:
    print(f"{type(error).__name__}: {error}")
"""


@pytest.mark.parametrize(
    ("gpus", "device", "found"),
    [
        (2, "cuda:5", "Invalid device ID: 5, must be between 0 (inclusive) and 2 (exclusive)"),
        (2, "cuda:1,5", "cuda:5: Failed to parse"),
        (0, "cuda", "no CUDA-capable device is detected"),
        (0, "cuda:all", "there is no GPU"),
    ],
)
def test_a_gpu_that_is_not_there_is_refused_with_what_was_found(machine, gpus, device, found):
    done = analyze(replace(machine, gpus=gpus), "--device", device)
    assert (done.code, done.out) == (4, "")
    (said,) = done.err.splitlines()
    assert said.startswith(f"onnxspec: --device {device} cannot run here: ")
    assert found in said


def test_auto_takes_the_cpu_where_a_driver_has_no_gpu_and_says_so(machine):
    done = analyze(replace(machine, gpus=0))
    assert done.code == 0, done.err
    assert "auto: CUDA does not work here: " in done.out


@pytest.mark.parametrize("library", ["libcuda.so.1", "libcublas.so.13", "libcudnn.so.9"])
def test_a_library_that_is_missing_is_named(machine, library):
    if providers.missing_for(library) is None:
        pytest.skip(f"this machine has a {library} of its own")
    done = analyze(machine.without(library), "--device", "cuda")
    assert (done.code, done.out) == (4, "")
    (said,) = done.err.splitlines()
    assert said.startswith(f"onnxspec: --device cuda cannot run here: {library} cannot be loaded.")


def test_a_session_that_onnx_runtime_would_have_on_the_cpu_is_refused(machine):
    assert machine.python(SESSION).out == "CUDAExecutionProvider\n"
    if providers.missing_for("libcublas.so.13") is None:
        pytest.skip("this machine has a libcublas.so.13 of its own")
    said = machine.without("libcublas.so.13").python(SESSION).out
    assert said.startswith(
        "DeviceError: CUDAExecutionProvider was asked for and ONNX Runtime took CPUExecutionProvider."
    )
