"""ONNX models that run: every input kind, fixed batches, threads, digests and refusals."""

import hashlib
import threading
import weakref
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto, helper

from model import build
from onnxspec.errors import DeviceError, ModelError, ResourceError, UsageError
from onnxspec.model import providers, session
from onnxspec.model.session import OnnxModel
from onnxspec.model.spread import Spread

RNG = np.random.default_rng(0)
IMAGES = RNG.uniform(0, 255, (7, 3, 8, 8)).astype(np.float32)


def opened(proto, tmp_path, name="m", **settings) -> OnnxModel:
    return OnnxModel.open(build.save(proto, tmp_path / f"{name}.onnx"), device="cpu", **settings)


def test_a_linear_model_computes_what_numpy_does(tmp_path):
    x = RNG.normal(size=(7, 12))
    expected = x @ build.linear_weights(12, build.CLASSES)
    np.testing.assert_allclose(opened(build.mlp(), tmp_path).run(x), expected, atol=1e-5)
    double = opened(build.mlp(dtype=TensorProto.DOUBLE), tmp_path).run(x)
    assert double.dtype == np.float64
    np.testing.assert_allclose(double, expected, rtol=1e-13)


@pytest.mark.parametrize(
    "proto",
    [build.convnet(), build.convnet(squeezed=False), build.convnet(batch=4), build.convnet(batch=1)],
    ids=["open", "squeezed", "batch 4", "batch 1"],
)
def test_forms_of_one_network_give_the_same_bits(tmp_path, proto):
    expected = opened(build.convnet(), tmp_path, "reference").run(IMAGES)
    scores = opened(proto, tmp_path).run(IMAGES)
    assert scores.dtype == np.float32
    np.testing.assert_array_equal(scores, expected)


def test_channels_last_gives_the_same_bits(tmp_path):
    expected = opened(build.convnet(), tmp_path, "reference").run(IMAGES)
    np.testing.assert_array_equal(opened(build.convnet("NHWC"), tmp_path).run(IMAGES.transpose(0, 2, 3, 1)), expected)


@pytest.mark.parametrize("batch", [1, 3, 7])
def test_bits_do_not_depend_on_the_batch(tmp_path, batch):
    model = opened(build.convnet(), tmp_path)
    parts = [model.run(IMAGES[i : i + batch]) for i in range(0, 7, batch)]
    np.testing.assert_array_equal(np.concatenate(parts), model.run(IMAGES))


def test_float16_and_uint8_inputs_are_cast(tmp_path):
    reference = opened(build.convnet(), tmp_path, "reference").run(np.rint(IMAGES) / 255)
    half = opened(build.convnet(dtype=TensorProto.FLOAT16), tmp_path).run(np.rint(IMAGES) / 255)
    assert half.dtype == np.float32
    np.testing.assert_allclose(half, reference, atol=0.02)
    rounded = opened(build.convnet(uint8=True), tmp_path).run(IMAGES)
    np.testing.assert_allclose(rounded, reference, atol=1e-5)


@pytest.mark.parametrize("whole", [TensorProto.UINT8, TensorProto.INT32])
def test_whole_inputs_are_clipped_not_wrapped(tmp_path, whole):
    model = opened(build.convnet(uint8=True, whole=whole), tmp_path)
    np.testing.assert_array_equal(model.run(np.full((1, 3, 8, 8), 300.0)), model.run(np.full((1, 3, 8, 8), 255.0)))


def test_attributes(tmp_path):
    model = opened(build.convnet(batch=4, head="Softmax"), tmp_path, "net.v2")
    assert (model.name, model.outputs, model.fixed_batch, model.final_op) == ("net.v2", 5, 4, "Softmax")
    assert (model.provider, model.device_note) == (providers.CPU, "cpu (asked for)")
    assert model.threads_allowed
    assert model.spec is model.info.spec


def test_open_output_widths_are_measured(tmp_path):
    nodes = [helper.make_node("Slice", ["x", "from", "to", "axis"], ["y"])]
    shape = {"from": np.array([0]), "axis": np.array([1])}
    inputs = [build.tensor("x", TensorProto.FLOAT, ["n", 12])]
    weights = {**shape, "to": np.array([100])}
    proto = build.model(nodes, inputs, [build.tensor("y", TensorProto.FLOAT, ["n", "k"])], weights)
    proto.graph.node.insert(0, helper.make_node("NonZero", ["to"], ["nz"]))
    proto.graph.node.insert(1, helper.make_node("ReduceSum", ["nz", "from"], ["zero"], keepdims=0))
    proto.graph.node.insert(2, helper.make_node("Add", ["zero", "seven"], ["seven_"]))
    proto.graph.initializer.append(helper.make_tensor("seven", TensorProto.INT64, [1], [7]))
    proto.graph.node[-1].input[2] = "seven_"
    model = opened(proto, tmp_path)
    assert model.info.classes is None
    assert model.outputs == 7


def test_the_sklearn_pattern_runs(tmp_path):
    scores = opened(build.labelled(), tmp_path).run(RNG.normal(size=(3, 12)))
    np.testing.assert_allclose(scores.sum(1), 1, rtol=1e-6)


def test_other_inputs_are_fed_where_they_do_not_matter(tmp_path):
    x = RNG.normal(size=(3, 12)).astype(np.float32)
    scores = opened(build.two_inputs(), tmp_path, input="x").run(x)
    np.testing.assert_array_equal(scores, opened(build.mlp(), tmp_path, "single").run(x))


def test_threads_share_a_session(tmp_path):
    model = opened(build.convnet(), tmp_path)
    expected = model.run(IMAGES)
    results, start = [], threading.Barrier(4)

    def work():
        start.wait()
        results.extend(model.run(IMAGES) for _ in range(20))

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len(results) == 80
    assert all(np.array_equal(result, expected) for result in results)


def test_more_threads_inside_give_the_same_bits(tmp_path):
    model = opened(build.convnet(), tmp_path)
    np.testing.assert_array_equal(model.with_threads(2).run(IMAGES), model.run(IMAGES))
    assert model.with_threads(2).info is model.info


def test_digest_is_the_files_and_covers_external_weights(tmp_path):
    path = build.save(build.mlp(), tmp_path / "m.onnx")
    assert OnnxModel.open(path, device="cpu").digest == hashlib.sha256(path.read_bytes()).hexdigest()
    split = build.save_external(build.mlp(), tmp_path / "split.onnx")
    before = OnnxModel.open(split, device="cpu").digest
    weights = tmp_path / "model.weights"
    weights.write_bytes(weights.read_bytes()[::-1])
    assert OnnxModel.open(split, device="cpu").digest != before


def test_external_weights_load_from_any_folder_and_through_symlinks(tmp_path, monkeypatch):
    blobs, snapshot = tmp_path / "blobs", tmp_path / "snapshot"
    blobs.mkdir()
    snapshot.mkdir()
    build.save_external(build.mlp(), blobs / "m", "w")
    for name in "mw":
        (snapshot / (name + ".onnx" * (name == "m"))).symlink_to(blobs / name)
    x = RNG.normal(size=(2, 12))
    monkeypatch.chdir(tmp_path)
    expected = opened(build.mlp(), tmp_path).run(x)
    np.testing.assert_array_equal(OnnxModel.open("snapshot/m.onnx", device="cpu").run(x), expected)


def test_another_shape_is_refused(tmp_path):
    model = opened(build.convnet(), tmp_path)
    for shape in [(2, 3, 9, 8), (2, 8, 8, 3), (2, 192), (3, 8, 8)]:
        with pytest.raises(ModelError, match=r"takes \(n, 3, 8, 8\); it was given"):
            model.run(np.zeros(shape))


def test_a_batch_size_hidden_in_the_graph_is_reported(tmp_path):
    nodes = [helper.make_node("Reshape", ["x", "shape"], ["y"])]
    image, scores = build.tensor("x", TensorProto.FLOAT, ["n", 12]), build.tensor("y", TensorProto.FLOAT, ["n", 12])
    model = opened(build.model(nodes, [image], [scores], {"shape": np.array([1, 12])}), tmp_path)
    assert model.run(np.zeros((1, 12))).shape == (1, 12)
    with pytest.raises(ModelError, match=r"fails on a batch of 2 images: .*cannot be reshaped") as error:
        model.run(np.zeros((2, 12)))
    assert "onnxruntime_src" not in str(error.value)


def test_one_row_for_several_images_is_refused(tmp_path):
    nodes = [helper.make_node("ReduceMean", ["x"], ["y"], axes=[0], keepdims=1)]
    image, scores = build.tensor("x", TensorProto.FLOAT, ["n", 12]), build.tensor("y", TensorProto.FLOAT, ["m", 12])
    with pytest.raises(ModelError, match="1 rows for 3 images"):
        opened(build.model(nodes, [image], [scores]), tmp_path).run(np.zeros((3, 12)))


def test_a_graph_that_the_runtime_refuses(tmp_path):
    image, scores = (build.tensor(name, TensorProto.FLOAT, ["n", 5]) for name in "xy")
    with pytest.raises(ModelError, match=r"refuses .*m\.onnx: .*No Op registered for Foo") as error:
        opened(build.model([helper.make_node("Foo", ["x"], ["y"])], [image], [scores]), tmp_path)
    assert "\n" not in str(error.value)
    assert "standard operators" in error.value.hint


def test_a_size_that_the_file_leaves_open_and_the_network_does_not(tmp_path):
    """As of transformers, exported with open height and width: their position embeddings have one length."""
    nodes = [
        helper.make_node("Add", ["x", "positions"], ["z"]),
        helper.make_node("GlobalAveragePool", ["z"], ["y"]),
    ]
    ports = (
        build.tensor("x", TensorProto.FLOAT, ["n", 3, "h", "w"]),
        build.tensor("y", TensorProto.FLOAT, ["n", 3, 1, 1]),
    )
    proto = build.model(nodes, ports[:1], ports[1:], {"positions": np.zeros((1, 3, 8, 8), np.float32)})
    model = opened(proto, tmp_path)
    assert model.run(np.zeros((2, 3, 8, 8))).shape == (2, 3)
    with pytest.raises(ModelError) as error:
        model.run(np.zeros((2, 3, 6, 6)))
    assert "size of the images open" in error.value.hint and "crop=HEIGHT,WIDTH" in error.value.hint


@pytest.mark.parametrize("kind", [TensorProto.DOUBLE, TensorProto.BFLOAT16])
def test_a_type_that_the_runtime_has_no_kernel_for(tmp_path, kind):
    ports = build.tensor("x", TensorProto.FLOAT, ["n", 3, 8, 8]), build.tensor("y", TensorProto.FLOAT, ["n", 5, 1, 1])
    nodes = [
        helper.make_node("Cast", ["x"], ["in"], to=kind),
        helper.make_node("Cast", ["w"], ["weights"], to=kind),
        helper.make_node("Conv", ["in", "weights"], ["out"]),
        helper.make_node("Cast", ["out"], ["y"], to=TensorProto.FLOAT),
    ]
    proto = build.model(nodes, ports[:1], ports[1:], {"w": np.ones((5, 3, 8, 8), np.float32)})
    with pytest.raises(ModelError, match="Conv") as error:
        opened(proto, tmp_path)
    assert "float32" in error.value.hint


def test_an_opset_that_the_runtime_has_no_kernels_of(tmp_path):
    ports = [build.tensor(name, TensorProto.FLOAT, ["n", 5]) for name in "xy"]
    with pytest.raises(ModelError, match=r"Relu\(1\)") as error:
        opened(build.model([helper.make_node("Relu", ["x"], ["y"])], ports[:1], ports[1:], opset=3), tmp_path)
    assert "Opset 3 is too old" in error.value.hint and "convert_version" in error.value.hint


def test_what_inspection_refuses_is_not_opened(tmp_path):
    with pytest.raises(ModelError, match="--output"):
        opened(build.two_outputs(), tmp_path)
    assert opened(build.two_outputs(), tmp_path, output="fine").outputs == 7
    with pytest.raises(UsageError, match="--device has no 'tpu'"):
        OnnxModel.open(tmp_path / "m.onnx", device="tpu", output="fine")


@pytest.mark.parametrize(
    "words",
    [
        "Failed to allocate memory for requested buffer of size 99999999999",
        "WebGPU validation failed. Buffer size (1258291200) exceeds the max buffer size limit (1073741824).",
        "WebGPU validation failed. [Invalid Buffer (unlabeled)] is invalid due to a previous error.",
    ],
)
def test_memory_that_runs_out_is_no_fault_of_the_model(tmp_path, words):
    model = opened(build.convnet(), tmp_path)

    class Full:
        def run(self, *_):
            raise RuntimeError(words)

    object.__setattr__(model, "sessions", Spread([Full]))
    with pytest.raises(ResourceError, match="smaller --batch"):
        model.run(IMAGES)


def test_a_provider_that_was_not_taken_is_an_error(tmp_path, monkeypatch):
    """ONNX Runtime leaves a provider that cannot start out without a word."""
    info = opened(build.mlp(), tmp_path).info
    real = session.runtime.make_session
    monkeypatch.setattr(providers.onnxruntime, "get_available_providers", lambda: [providers.CUDA, providers.CPU])
    monkeypatch.setattr(session.runtime, "make_session", lambda model, *_, **__: real(model, [(providers.CPU, {})]))
    with pytest.raises(DeviceError, match=r"CUDAExecutionProvider was asked for and .* took CPUExecutionProvider"):
        session.start_session(info, providers.cuda_choice())


@pytest.mark.parametrize("captures", [False, True])
def test_memory_is_asked_for_in_one_piece_unless_a_graph_is_captured(tmp_path, captures):
    """Where there was none that large, CUDA's provider asked again during the capture: CUDA failure 901, and no halving."""
    info = opened(build.mlp(), tmp_path).info
    choice = providers.Choice(providers.CPU, "cpu", "asked for", {providers.GRAPH_OPTION: str(int(captures))})
    assert session.start_session(info, choice).get_session_options().enable_mem_pattern is not captures


def test_configuration_inside_a_model_stays_off(tmp_path, monkeypatch):
    proto = build.mlp()
    helper.set_model_props(proto, {"ort_config": '{"session_options": {"intra_op_num_threads": "nonsense"}}'})
    monkeypatch.setenv("ORT_LOAD_CONFIG_FROM_MODEL", "1")
    assert opened(proto, tmp_path).run(np.zeros((1, 12))).shape == (1, 5)


@pytest.mark.gpu
def test_cuda_gives_the_cpus_scores(tmp_path):
    if providers.obstacle(providers.cuda_choice()) is not None:
        pytest.skip("no CUDA device here")
    path = build.save(build.convnet(), tmp_path / "m.onnx")
    model = OnnxModel.open(path, device="cuda")
    assert model.provider == providers.CUDA
    expected = OnnxModel.open(path, device="cpu").run(IMAGES)
    # Other kernels sum in another order: a small score is as far off as the largest of what is summed.
    np.testing.assert_allclose(model.run(IMAGES), expected, rtol=1e-4, atol=1e-4 * np.abs(expected).max())
    assert OnnxModel.open(path).provider == providers.CUDA


def test_several_devices_share_the_work_behind_one_model(tmp_path, monkeypatch):
    """Two sessions on the CPU stand for two GPUs."""
    pair = tuple(providers.Choice(providers.CPU, f"cpu:{number}", "asked for") for number in range(2))
    monkeypatch.setattr(session.devices, "choose", lambda *_: pair)
    model = opened(build.convnet(), tmp_path)
    assert model.device_note == "cpu:0, cpu:1 (asked for)"
    one, other = model.sessions.start()
    assert one is not other
    used = []
    for own in (one, other):
        monkeypatch.setattr(own, "run", lambda *given, real=own.run, own=own: used.append(own) or real(*given))
    with model.sessions.one() as busy:
        model.run(IMAGES)
        assert used == [one if busy is other else other]


def test_what_a_device_leaves_to_the_cpu_is_said_without_room_for_a_session(tmp_path, monkeypatch):
    """At the end of a run whose batches were halved for want of memory, none may be left for one."""
    monkeypatch.setattr(session, "CPU", "another")
    monkeypatch.setattr(session.runtime, "nodes_on_cpu", lambda session: (1, 1234))
    model = opened(build.convnet(), tmp_path)
    model.renew()
    monkeypatch.setattr(session.runtime, "make_session", lambda *_, **__: pytest.fail("a session is made"))
    assert model.device_note == "cpu (asked for; 1 of 1,234 nodes run on the CPU)"


def test_what_a_device_holds_is_given_back(tmp_path, monkeypatch):
    model = opened(build.convnet(), tmp_path)
    (before,) = model.sessions.start()
    model.renew()
    assert model.sessions.start() == [before]  # on the CPU there is nothing to gain
    monkeypatch.setattr(OnnxModel, "provider", providers.CUDA)
    model.renew()
    assert model.sessions.start() != [before]
    assert (model.in_flight, model.affordable(1 << 20, 4)) == (2, 1 << 20)


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="memory is read from /proc")
def test_what_a_large_batch_took_is_given_back(tmp_path):
    def megabytes():
        return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 2**20

    side = 128
    model = opened(build.convnet(side=side), tmp_path)
    images = np.zeros((256, 3, side, side), np.float32)
    small = model.run(images[:2])
    before = megabytes()
    model.run(images)
    grown = megabytes() - before
    assert grown > 64, "a batch takes 64 MB at the first of its convolutions"
    model.trim(images[:2])
    assert megabytes() - before < grown / 4
    np.testing.assert_array_equal(model.run(images[:2]), small)


def test_a_plugin_is_known_by_its_version_and_its_device(tmp_path):
    """Of OpenVINO a processor and a GPU have one provider, and not one way to round."""
    model = opened(build.mlp(), tmp_path)
    assert session.computed_by(model) == providers.CPU
    plugged = replace(model, choices=(replace(model.choices[0], plugin="0.4.0 on GPU (Fakes)"),))
    assert session.computed_by(plugged) == f"{providers.CPU} 0.4.0 on GPU (Fakes)"


def test_a_session_that_failed_is_gone_when_another_may_be_made(tmp_path):
    """Its error held on to it, and its successor found no memory on the device: in one of four runs near its end."""
    model, made, alive = opened(build.convnet(), tmp_path), [], []

    class Full:
        def run(self, *_):
            sessions.renew().clear()
            raise RuntimeError("Failed to allocate memory")

    def make():
        full = Full()
        made.append(weakref.ref(full))
        return full

    sessions = Spread([make])
    told = sessions._changed.notify
    sessions._changed.notify = lambda *given: (alive.append(bool(made) and made[-1]() is not None), told(*given))
    object.__setattr__(model, "sessions", sessions)
    with pytest.raises(ResourceError):
        model.run(IMAGES)
    assert alive[-1:] == [False]
