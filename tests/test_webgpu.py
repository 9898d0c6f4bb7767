"""A provider that comes in a package of its own, on a GPU with memory of its own: WebGPU's, on Chromium's software one.

onnxruntime-ep-webgpu is the real one; the GPU is SwiftShader, which computes what a Vulkan driver would on the processor.
Its speed says nothing.
"""

import importlib.util
import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import helper

import onnxspec
from model import build

pytestmark = pytest.mark.slow

WEBGPU = "WebGpuExecutionProvider"
SWIFTSHADER = Path("/usr/lib/chromium/vk_swiftshader_icd.json")
"""Where Debian's package chromium has it."""
SCALARS = ("slope_prob", "slope_logit", "power_prob", "power_logit")


@dataclass(frozen=True)
class Place:
    """A folder with networks and images, from which commands run with the software GPU."""

    folder: Path

    def command(self, *arguments: object) -> subprocess.CompletedProcess[str]:
        """A command, to its end."""
        return self.python("-m", "onnxspec", *map(str, arguments))

    def python(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Python, to its end."""
        # SwiftShader is used where the system has no other driver, too; XDG_RUNTIME_DIR keeps Mesa's drivers quiet.
        own = {"ORT_WEBGPU_EP_ALLOW_SOFTWARE_ADAPTER": "1", "XDG_RUNTIME_DIR": str(self.folder)}
        if SWIFTSHADER.exists():
            own["VK_ICD_FILENAMES"] = str(SWIFTSHADER)
        env = own | os.environ
        command = [sys.executable, *arguments]
        return subprocess.run(command, cwd=self.folder, env=env, capture_output=True, text=True, timeout=300)

    def analyze(self, report: str, *options: object) -> onnxspec.Report:
        """The report of a run that must succeed."""
        how = ("--preprocess", "0..1", "--pairs", 12, "--points", 33, "--batch", 64, "--no-resume")
        done = self.command("analyze", "network.onnx", "--data", "images.npz", "-o", report, *how, *options)
        assert done.returncode == 0, done.stderr
        return onnxspec.Report(self.folder / report)


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Place:
    if importlib.util.find_spec("onnxruntime_ep_webgpu") is None:
        pytest.skip("onnxruntime-ep-webgpu is not installed")
    folder = tmp_path_factory.mktemp("webgpu")
    found = Place(folder)
    looked = json.loads(found.command("doctor", "--json").stdout)
    (finding,) = [one for one in looked if one["subject"] == WEBGPU]
    if finding["level"] != "ok":
        pytest.skip(f"WebGPU {finding['text']} (Vulkan's loader is in libvulkan1, a software GPU in chromium)")
    network = build.convnet()
    onnx.save(network, folder / "network.onnx")
    images = np.random.default_rng(0).integers(0, 256, (60, 8, 8, 3), np.uint8)
    batch = np.moveaxis(images, -1, 1).astype(np.float32) / 255
    (scores,) = onnxruntime.InferenceSession(network.SerializeToString()).run(None, {"x": batch})
    np.savez(folder / "images.npz", images=images, labels=(scores - scores.mean(axis=0)).argmax(axis=1))
    return found


@pytest.fixture(scope="module")
def on_cpu(place) -> onnxspec.Report:
    return place.analyze("cpu.h5", "--device", "cpu")


def worst(one: onnxspec.Report, other: onnxspec.Report) -> float:
    """How far any path's figures are apart, relative to the largest of their kind."""
    return max(np.abs(one.paths[n] - other.paths[n]).max() / np.abs(other.paths[n]).max() for n in SCALARS)


@pytest.mark.parametrize(("graph", "form"), [("on", "graph"), ("off", "host"), ("auto", "graph")])
def test_the_report_is_that_of_the_cpu_to_rounding(place, on_cpu, graph, form):
    report = place.analyze(f"{graph}.h5", "--device", "webgpu", "--path-graph", graph)
    assert (report.attributes["provider"], report.attributes["path_form"]) == (WEBGPU, form)
    assert worst(report, on_cpu) < 1e-4
    assert report.attributes["digest"] != on_cpu.attributes["digest"]


def test_the_same_run_gives_the_same_report(place):
    first, again = (place.analyze(f"{name}.h5", "--device", "webgpu", "--threads", 2) for name in ("first", "again"))
    assert first.attributes["digest"] == again.attributes["digest"]


def test_nodes_that_run_on_the_cpu_are_counted(place):
    network = build.convnet()
    network.graph.node[-1].output[0] = "before"
    network.graph.node.append(helper.make_node("Celu", ["before"], ["y"]))  # WebGPU has no kernel for it
    onnx.save(network, place.folder / "mixed.onnx")
    done = place.command(
        "analyze", "mixed.onnx", "--data", "images.npz", "--preprocess", "0..1", "--device", "webgpu", "--dry-run"
    )
    assert done.returncode == 0, done.stderr
    # How many there are in all is a matter of the provider's optimisations.
    assert re.search(r"; 1 of \d+ nodes run on the CPU\)", " ".join(done.stdout.split()))


def test_an_option_that_the_provider_refuses_is_said(place):
    done = place.command("analyze", "network.onnx", "--data", "images.npz", "--device", "webgpu:enableGraphCapture=1")
    assert done.returncode == onnxspec.ExitCode.UNAVAILABLE
    assert "--device webgpu:enableGraphCapture=1 cannot run here: WebGPU graph capture requires" in done.stderr


THREADS = """
import threading
from onnxspec.model.session import OnnxModel
import numpy as np

def work():
    for _ in range(6):
        OnnxModel.open("network.onnx", device="webgpu").run(np.zeros((4, 3, 8, 8)))

threads = [threading.Thread(target=work) for _ in range(4)]
for thread in threads:
    thread.start()
"""


def test_several_threads_may_open_models_at_once(place):
    """Where one tried the device while another ran on it, the process ended in a segmentation fault.

    And they go on when the main thread has ended, as threads do.
    """
    done = place.python("-c", THREADS)
    assert (done.returncode, done.stderr) == (0, "")
