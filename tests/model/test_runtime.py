"""ONNX Runtime's limits and its errors, put into one sentence."""

import subprocess
import sys

import onnxruntime
import pytest

from conftest import ROOT
from onnxspec.errors import ModelError
from onnxspec.model import runtime


def test_limits_are_those_that_sessions_keep():
    limits = runtime.limits()
    assert runtime.make_session(runtime.tiny_model(limits.ir_version, limits.opset), [("CPUExecutionProvider", {})])
    for version, opset in ((limits.ir_version + 1, 13), (8, limits.opset + 1)):
        with pytest.raises(runtime.ERRORS):
            runtime.make_session(runtime.tiny_model(version, opset), [("CPUExecutionProvider", {})])


def test_a_tiny_model_runs():
    session = runtime.make_session(runtime.tiny_model(), [("CPUExecutionProvider", {})])
    (y,) = session.run(None, {"x": runtime.tiny_input()})
    assert y.ravel().tolist() == [0, 0, 1, 2]


def test_a_provider_says_nothing_past_its_session():
    """Where it is missing as where it is there: the error, or `get_providers()`, says it."""
    program = (
        "from onnxspec.model import runtime\n"
        "try: runtime.make_session(runtime.tiny_model(), [('CUDAExecutionProvider', {})])\n"
        "except runtime.ERRORS: pass\n"
    )
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", program], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("", "")


def test_every_exception_of_the_runtime_is_known():
    binding = onnxruntime.capi.onnxruntime_pybind11_state
    assert {binding.Fail, binding.InvalidGraph, binding.NoSuchFile, binding.EPFail} <= set(runtime.ERRORS)


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (
            "[ONNXRuntimeError] : 1 : FAIL : Load model from m.onnx failed:/onnxruntime_src/onnxruntime/core/graph/"
            "model.cc:256 onnxruntime::Model::Model(onnx::ModelProto&&, const PathString&, const std::unordered_map<"
            "std::__cxx11::basic_string<char>, int>&) Unsupported model IR version: 14, max supported IR version: 13\n",
            "Unsupported model IR version: 14, max supported IR version: 13.",
        ),
        (
            "[ONNXRuntimeError] : 1 : FAIL : Deserialize tensor w failed.tensorprotoutils.cc:1876 "
            "GetExtDataFromTensorProto External initializer: w offset: 0 out of bounds",
            "Deserialize tensor w External initializer: w offset: 0 out of bounds.",
        ),
        (
            "[ONNXRuntimeError] : 2 : INVALID_ARGUMENT : Invalid rank for input: x Got: 2 Expected: 4",
            "Invalid rank for input: x Got: 2 Expected: 4.",
        ),
        (
            2
            * (
                "/onnxruntime_src/onnxruntime/core/providers/cuda/cuda_call.cc:154 std::conditional_t<THRW, void, onnxruntime::"
                "common::Status> onnxruntime::CudaCall(ERRTYPE, const char*, const char*, SUCCTYPE, const char*, const char*, "
                "int) [with ERRTYPE = cudaError; bool THRW = true; std::conditional_t<THRW, void, common::Status> = void] "
            )
            + "CUDA failure 700: an illegal memory access was encountered ; GPU=0 ; hostname=vm ; file=/onnxruntime_src/"
            "onnxruntime/core/providers/cuda/cuda_provider_factory.cc ; line=140 ; expr=cudaMemcpy(dst, src); \n\n",
            "CUDA failure 700: an illegal memory access was encountered ; GPU=0 ; expr=cudaMemcpy(dst, src).",
        ),
        (
            '[ONNXRuntimeError] : 10 : INVALID_GRAPH : Load model from m.onnx failed:This is an invalid model. In Node, ("n", '
            f'Random, "", -1) : ("{"a" * 300}": tensor(int32),) -> ("b",) , Error No Op registered for Random',
            'This is an invalid model. In Node, ("n", Random, "", -1): No Op registered for Random.',
        ),
        (
            "/onnxruntime_src/onnxruntime/core/providers/cuda/cuda_execution_provider_info.cc:63 static onnxruntime::"
            "CUDAExecutionProviderInfo onnxruntime::CUDAExecutionProviderInfo::FromProviderOptions(const onnxruntime::"
            "ProviderOptions&) [ONNXRuntimeError] : 1 : FAIL : provider_options_utils.h:187 Parse Failed to parse provider "
            'option "device_id": cuda_execution_provider_info.cc:71 operator() Invalid device ID: 5, must be between 0 '
            "(inclusive) and 2 (exclusive).\n",
            'Failed to parse provider option "device_id": Invalid device ID: 5, must be between 0 (inclusive) and 2 '
            "(exclusive).",
        ),
        (
            "Error in execution: Non-zero status code returned while running MatMul node. Name:'a' Status Message: no",
            "Non-zero status code returned while running MatMul node. Name:'a' no.",
        ),
        ("", "RuntimeError."),
    ],
)
def test_sentences(raw, said):
    assert runtime.sentence(RuntimeError(raw)) == said


def test_sentences_end():
    # A million characters without a space took minutes once: every one might begin the name of a source file.
    assert len(runtime.sentence(RuntimeError("x" * 10**6))) < 310


def test_a_name_that_is_no_text_is_refused(tmp_path):
    with pytest.raises(ModelError, match="no UTF-8"):
        runtime.make_session(str(tmp_path / "\udcff.onnx"), [("CPUExecutionProvider", {})])


@pytest.mark.parametrize("first", ["", "import onnxruntime\n"])
def test_nobody_is_told_of_a_model_and_nothing_is_left_behind(tmp_path, first):
    """ONNX Runtime's telemetry keeps a number of the machine and a queue in the home folder, and stays quiet under CI."""
    for name in ("home", "scratch"):
        (tmp_path / name).mkdir()
    program = (
        f"{first}import onnxspec, os\n"
        "from onnxspec.model import runtime\n"
        "runtime.make_session(runtime.tiny_model(), [('CPUExecutionProvider', {})])\n"
        "assert os.environ['ORT_DISABLE_TELEMETRY'] == '1'\n"
    )
    environment = {"HOME": tmp_path / "home", "TMPDIR": tmp_path / "scratch", "PYTHONPATH": ROOT}
    subprocess.run([sys.executable, "-c", program], env=environment, check=True)
    left = [path for name in ("home", "scratch") for path in (tmp_path / name).rglob("*")]
    assert first or left == []


def test_who_wants_to_tell_may():
    program = "import onnxspec, os; print(os.environ['ORT_DISABLE_TELEMETRY'])"
    environment = {"ORT_DISABLE_TELEMETRY": "0", "PYTHONPATH": ROOT}
    said = subprocess.run([sys.executable, "-c", program], env=environment, check=True, capture_output=True, text=True)
    assert said.stdout == "0\n"
