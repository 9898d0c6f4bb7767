"""`--device`: strict where asked for, honest where chosen, quiet on standard output."""

import contextlib
import platform
import subprocess
import sys

import onnxruntime
import pytest

from onnxspec.errors import DeviceError, ExitCode, UsageError
from onnxspec.model import devices, providers, runtime
from onnxspec.model.session import OnnxModel

CUDA_WORKS = providers.obstacle(providers.cuda_choice()) is None
without_cuda = pytest.mark.skipif(CUDA_WORKS, reason="CUDA works here")
with_cuda = pytest.mark.skipif(not CUDA_WORKS, reason="no CUDA device here")


def test_cpu():
    (choice,) = devices.choose("cpu")
    assert (choice.provider, choice.device, choice.provider_options) == (providers.CPU, "cpu", {})
    assert providers.obstacle(choice) is None


@pytest.mark.parametrize(
    "device",
    [
        "tpu",
        "cuda:",
        "cuda:x",
        "cuda:-1",
        "cuda:0,0",
        "cuda:all,1",
        "cuda:99",
        "cpu:0",
        "auto:1",
        "openvino:GPU",
        "gpu0",
        "",
    ],
)
def test_unknown_devices_are_usage_errors(device):
    with pytest.raises(UsageError, match="Known: auto, cpu, cuda, cuda:N"):
        devices.choose(device)


@without_cuda
@pytest.mark.parametrize("device", ["cuda", "cuda:1", "CUDA"])
def test_cuda_is_strict(device):
    with pytest.raises(DeviceError) as error:
        devices.choose(device)
    assert error.value.exit_code == ExitCode.UNAVAILABLE
    assert f"--device {device.lower()} cannot run here" in error.value.message


@pytest.mark.skipif(platform.system() != "Linux", reason="library names are Linux's")
@without_cuda
def test_missing_libraries_are_named_with_what_mends_them():
    if providers.CUDA not in onnxruntime.get_available_providers():
        pytest.skip("a CPU build of onnxruntime")
    missing = providers.diagnose_cuda()
    assert all(".so" in name for name in missing)
    with pytest.raises(DeviceError) as error:
        devices.choose("cuda")
    for name in missing:
        assert name in error.value.message
    assert 'pip install "onnxruntime-gpu[cuda,cudnn]"' in error.value.hint


def test_a_build_without_cuda_says_so(monkeypatch):
    monkeypatch.setattr(providers.onnxruntime, "get_available_providers", lambda: [providers.CPU])
    with pytest.raises(DeviceError, match=r"has no CUDAExecutionProvider.*pip uninstall onnxruntime"):
        devices.choose("cuda")


@without_cuda
def test_auto_takes_the_cpu_and_says_why():
    (choice,) = devices.choose("auto")
    assert choice.provider == providers.CPU
    assert choice.reason.startswith("auto: ")


def test_auto_names_what_is_missing_beside_a_driver(monkeypatch):
    monkeypatch.setattr(providers, "DRIVER", runtime._binding.__file__)
    monkeypatch.setattr(providers.onnxruntime, "get_available_providers", lambda: [providers.CUDA, providers.CPU])
    monkeypatch.setattr(providers, "diagnose_cuda", lambda: ["libcublasLt.so.13"])
    (choice,) = devices.choose("auto")
    assert "libcublasLt.so.13" in choice.reason
    assert providers.INSTALL_CUDA in choice.reason


@without_cuda
def test_libraries_that_load_do_not_prove_a_device(monkeypatch):
    """Where everything loads, only a session that really ran counts."""
    monkeypatch.setattr(providers, "diagnose_cuda", list)
    monkeypatch.setattr(providers.onnxruntime, "get_available_providers", lambda: [providers.CUDA, providers.CPU])
    with pytest.raises(DeviceError, match="onnxspec doctor"):
        devices.choose("cuda")


def test_nothing_is_printed():
    """Python's prints and C's: the answer to `--json` shares standard output."""
    program = (
        "from onnxspec.model import devices, providers\n"
        "for device in ('auto', 'cuda'):\n"
        "    try: devices.choose(device)\n"
        "    except providers.DeviceError: pass\n"
        "providers.diagnose_cuda = list\n"
        "providers.obstacle(providers.cuda_choice())\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("", "")


@pytest.mark.gpu
@with_cuda
def test_cuda_is_taken_where_it_works():
    assert devices.choose("auto")[0].provider == providers.CUDA
    assert devices.choose("cuda:0")[0].device == "cuda:0"
    with contextlib.suppress(DeviceError):
        devices.choose("cuda:63")  # the last number that is no mistake by itself
        pytest.fail("a GPU that is not there was taken")


def works(monkeypatch, *names):
    """As if these providers, beside the CPU's, were there and ran."""
    monkeypatch.setattr(providers.onnxruntime, "get_available_providers", lambda: [*names, providers.CPU])
    monkeypatch.setattr(providers, "obstacle", lambda choice: None)


def test_several_gpus(monkeypatch):
    works(monkeypatch, providers.CUDA)
    assert [one.device for one in devices.choose("cuda:0,2")] == ["cuda:0", "cuda:2"]
    assert [one.memory for one in devices.choose("cuda:0,2")] == [("cuda", 0), ("cuda", 2)]
    monkeypatch.setattr(devices, "gpu_count", lambda: 3)
    assert [one.provider_options["device_id"] for one in devices.choose("cuda:all")] == ["0", "1", "2"]


def test_all_of_no_gpus(monkeypatch):
    monkeypatch.setattr(providers, "DRIVER", "libsurely_not_here.so.3")
    with pytest.raises(DeviceError, match=r"cuda:all cannot run here: there is no GPU"):
        devices.choose("cuda:all")


def test_which_of_several_gpus_fails_is_said(monkeypatch):
    works(monkeypatch, providers.CUDA)
    monkeypatch.setattr(providers, "obstacle", lambda one: DeviceError("it is busy.") if "1" in one.device else None)
    with pytest.raises(DeviceError, match=r"--device cuda:0,1 cannot run here: cuda:1: it is busy"):
        devices.choose("cuda:0,1")


@pytest.mark.parametrize("name", ["openvino", "OpenVINO", "OpenVINOExecutionProvider"])
def test_any_provider_takes_options(monkeypatch, name):
    works(monkeypatch, "OpenVINOExecutionProvider")
    (choice,) = devices.choose(f"{name}:device_type=CPU,num_streams=1")
    assert (choice.provider, choice.device) == ("OpenVINOExecutionProvider", "openvino")
    assert choice.provider_options == {"device_type": "CPU", "num_streams": "1"}
    assert choice.memory is None


def test_options_of_cuda_go_over_its_own(monkeypatch):
    works(monkeypatch, providers.CUDA)
    (choice,) = devices.choose("cuda:1,gpu_mem_limit=1000,cudnn_conv_algo_search=DEFAULT")
    assert choice.device == "cuda:1"
    assert choice.provider_options["gpu_mem_limit"] == "1000"
    assert choice.provider_options["cudnn_conv_algo_search"] == "DEFAULT"
    assert choice.provider_options["use_tf32"] == "0"


def test_tensorrt_leaves_to_cuda_what_it_cannot_run(monkeypatch):
    works(monkeypatch, providers.TENSORRT, providers.CUDA)
    (choice,) = devices.choose("tensorrt:1")
    assert [name for name, _ in choice.session_providers] == [providers.TENSORRT, providers.CUDA]
    assert choice.memory == ("cuda", 1)


def test_a_provider_that_this_build_lacks(monkeypatch):
    monkeypatch.setattr(providers.onnxruntime, "get_available_providers", lambda: [providers.CPU])
    with pytest.raises(DeviceError, match=r"has no CoreMLExecutionProvider; it has CPUExecutionProvider"):
        devices.choose("coreml")


def test_a_provider_that_leaves_work_to_the_cpu_is_an_obstacle(monkeypatch):
    """ONNX Runtime goes on without a provider that it cannot start: what counts is what it took."""
    real = runtime.make_session
    monkeypatch.setattr(providers.onnxruntime, "get_available_providers", lambda: ["XnnpackExecutionProvider"])
    monkeypatch.setattr(providers.runtime, "make_session", lambda model, *_, **__: real(model, [(providers.CPU, {})]))
    with pytest.raises(DeviceError, match=r"--device xnnpack cannot run here: ONNX Runtime took CPUExecutionProvider"):
        devices.choose("xnnpack")


def test_the_cpu_takes_no_options():
    with pytest.raises(UsageError, match="takes no options"):
        devices.choose("cpu:threads=2")


@pytest.mark.parametrize("device", ["tensorrt:trt_cuda_graph_enable=1", "tensorrt:enable_cuda_graph=1"])
def test_graphs_that_a_plain_run_would_replay_are_refused(device):
    with pytest.raises(UsageError, match="a captured graph may give the answers of its first batch"):
        devices.choose(device)


@pytest.mark.parametrize("value", ["yes", "TRUE", "2", ""])
def test_a_switch_that_would_only_fail_later_is_refused_at_once(monkeypatch, value):
    monkeypatch.setattr(providers, "obstacle", lambda choice: None)
    with pytest.raises(UsageError, match=rf"takes no enable_cuda_graph={value}: it is 0 or 1\. Write cuda:enable_cud"):
        devices.choose(f"cuda:enable_cuda_graph={value}")


def test_cuda_graphs_are_for_sessions_that_bind_their_buffers(monkeypatch):
    works(monkeypatch, providers.CUDA)
    (choice,) = devices.choose("cuda:1,enable_cuda_graph=1")
    assert choice.captures and not choice.without_graphs.captures
    assert choice.without_graphs == providers.cuda_choice(1, reason="asked for")
    (plain,) = devices.choose("cuda:1,enable_cuda_graph=0")
    assert not plain.captures


def test_graphs_are_captured_on_one_gpu_at_a_time(monkeypatch):
    works(monkeypatch, providers.CUDA)
    with pytest.raises(UsageError, match="takes no enable_cuda_graph on several GPUs"):
        devices.choose("cuda:0,1,enable_cuda_graph=1")
    assert len(devices.choose("cuda:0,1,enable_cuda_graph=0")) == 2


def test_gpus_are_counted():
    assert devices.gpu_count() >= (1 if CUDA_WORKS else 0)


@pytest.mark.gpu
@with_cuda
def test_every_gpu_is_taken(tmp_path):
    from model import build

    path = build.save(build.convnet(), tmp_path / "m.onnx")
    assert len(OnnxModel.open(path, device="cuda:all").choices) == devices.gpu_count()


@pytest.mark.parametrize(
    ("device", "instead"),
    [("cuda:0,1,device_id=0", "cuda:1"), ("tensorrt:device_id=1", "tensorrt:1"), ("cuda:0,use_tf32=1", "--tf32")],
)
def test_options_that_flags_stand_for_are_refused(device, instead):
    with pytest.raises(UsageError, match=rf"takes no (device_id|use_tf32)\. Write .*{instead}"):
        devices.choose(device)


@pytest.mark.parametrize(
    ("options", "coarse"),
    [({}, False), ({"trt_fp16_enable": "1"}, True), ({"trt_fp16_enable": "False"}, False), ({"precision": "FP16"}, True),
     ({"precision": "ACCURACY"}, False), ({"precision": "FP32"}, False)],
)  # fmt: skip
def test_a_device_that_is_told_to_compute_coarsely_is_known(options, coarse):
    assert providers.Choice(providers.TENSORRT, "tensorrt", "asked for", options).coarse is coarse
