"""The path inside the graph: the same scores as the host path for every kind of model, or the host path and a reason."""

import gc
import threading
import weakref
from dataclasses import replace

import numpy as np
import onnx
import pytest
from onnx import TensorProto

from conftest import FASHION
from model import build
from onnxspec.engine import graphs
from onnxspec.engine.graphs import GraphPaths, sized_for_device
from onnxspec.engine.local import LocalEngine
from onnxspec.errors import ResourceError
from onnxspec.images.cache import PixelCache
from onnxspec.images.inputspec import InputSpec
from onnxspec.images.opening import open_images
from onnxspec.images.preprocess import Preprocess, fit
from onnxspec.model import onnxfile, providers, runtime, session
from onnxspec.model.binding import Binding
from onnxspec.model.callable import CallableModel
from onnxspec.model.pathmodel import PathModel
from onnxspec.model.session import OnnxModel
from onnxspec.paths import families
from onnxspec.paths.ellipse import ellipses

RNG = np.random.default_rng(0)
IMAGES = RNG.integers(0, 256, (12, build.SIDE, build.SIDE, 3), np.uint8)
SMALL = RNG.integers(0, 256, (12, 2, 2, 3), np.uint8)
A, B = np.array([0, 3, 7, 5]), np.array([1, 4, 7, 2])
IMAGENET = {"mean": (0.485, 0.456, 0.406), "std": (0.229, 0.224, 0.225)}


def of_opset(version, **kind):
    proto = build.convnet(**kind)
    proto.opset_import[0].version = version
    return proto


def as_old_exporters_write():
    """Initializers among the inputs, as before IR version 4."""
    proto = of_opset(9)
    proto.ir_version = 3
    for tensor in proto.graph.initializer:
        proto.graph.input.append(onnx.helper.make_tensor_value_info(tensor.name, tensor.data_type, tensor.dims))
    return proto


MODELS = {
    "NCHW": (build.convnet(), IMAGES, IMAGENET),
    "NHWC": (build.convnet(layout="NHWC"), IMAGES, IMAGENET),
    "BGR": (build.convnet(), IMAGES, IMAGENET | {"order": "BGR"}),
    "unscaled": (build.convnet(), IMAGES, {"scale": 1.0}),
    "flat": (build.mlp(), SMALL, IMAGENET),
    "flat, channels first": (build.mlp(), SMALL, IMAGENET | {"layout": "CHW"}),
    "grey": (build.convnet(channels=1), IMAGES[..., :1], {"mean": 0.3, "std": 0.2}),
    "float16": (build.convnet(dtype=TensorProto.FLOAT16), IMAGES, IMAGENET),
    "float64": (build.mlp(dtype=TensorProto.DOUBLE), SMALL, IMAGENET),
    "uint8": (build.convnet(uint8=True), IMAGES, {}),
    "uint8, NHWC": (build.convnet(layout="NHWC", uint8=True), IMAGES, {}),
    "int32": (build.convnet(uint8=True, whole=TensorProto.INT32), IMAGES, {}),
    "int64, NHWC": (build.convnet(layout="NHWC", uint8=True, whole=TensorProto.INT64), IMAGES, {}),
    "uint16": (build.convnet(uint8=True, whole=TensorProto.UINT16), IMAGES, {}),
    "int16, floating images": (build.convnet(uint8=True, whole=TensorProto.INT16), IMAGES.astype(np.float32), {}),
    "fixed batch": (build.convnet(batch=4), IMAGES, IMAGENET),
    "open batch as -1": (build.convnet(batch=-1), IMAGES, IMAGENET),
    "probabilities": (build.convnet(head="Softmax", squeezed=False), IMAGES, IMAGENET),
    "opset 9": (of_opset(9), IMAGES, IMAGENET),
    "opset 11, uint8": (of_opset(11, uint8=True), IMAGES, {}),
    "newest opset": (of_opset(runtime.limits().opset), IMAGES, IMAGENET),
    "initializers among the inputs": (as_old_exporters_write(), IMAGES, IMAGENET),
    "another input": (build.two_inputs(), SMALL, IMAGENET),
    "floating images": (build.convnet(), (IMAGES / 255).astype(np.float32), IMAGENET),
}


def engine(path, images, output=None, device="cpu", tf32=False, **preprocess):
    chosen = {"output": output, "input": "x"} if output else {}
    model = OnnxModel.open(path, device=device, tf32=tf32, **chosen)
    spec, made = fit(model.spec, Preprocess(**preprocess), images.shape[1:])
    pixels = PixelCache(open_images((images, np.arange(len(images)) % 3)), made, spec)
    return LocalEngine(model, pixels, made, spec, tile=5)


def both(path, images, output=None, **preprocess):
    """The engine with paths formed on the host, and with them formed in the graph."""
    host = engine(path, images, output, **preprocess)
    graph = replace(host)
    assert graph.form_in_graph("on", [0, 1, 2]) == ""
    assert (host.path_form, graph.path_form) == ("host", "graph")
    return host, graph


@pytest.mark.parametrize("kind", MODELS)
def test_the_scores_are_those_of_the_host_path(kind, tmp_path):
    proto, images, preprocess = MODELS[kind]
    path = build.save(proto, tmp_path / "m.onnx")
    host, graph = both(path, images, "y" if kind == "another input" else None, **preprocess)
    expected = host.outputs(A, B, families.line(9))
    # The model sees the same numbers, but for float16: the CPU provider computes in float32, and may skip the rounding.
    tolerance = 2e-3 if kind == "float16" else 0
    np.testing.assert_allclose(graph.outputs(A, B, families.line(9)), expected, rtol=tolerance, atol=tolerance)
    assert np.ptp(expected, axis=1).max() > 0


def test_points_may_be_few_or_many_or_everywhere(tmp_path):
    host, graph = both(build.save(build.convnet(), tmp_path / "m.onnx"), IMAGES)
    for weights in (families.line_at(np.zeros(1)), families.line(33), families.line_at(RNG.random((4, 3)))):
        np.testing.assert_array_equal(graph.outputs(A, B, weights), host.outputs(A, B, weights))


@pytest.mark.parametrize("uint8", [False, True])
def test_an_ellipse_has_three_anchors_and_leaves_the_range_of_pixels(tmp_path, uint8):
    host, graph = both(build.save(build.convnet(uint8=uint8), tmp_path / "m.onnx"), IMAGES)
    ends = np.array([[0, 1, 2], [5, 3, 9]])

    def walk():
        return ellipses(lambda path: host.anchors(ends[path]), 16, 2, images=ends)

    np.testing.assert_array_equal(graph.walk(walk()), host.walk(walk()))


def test_dithered_walks_and_other_anchors_stay_on_the_host(tmp_path, monkeypatch):
    _, graph = both(build.save(build.convnet(), tmp_path / "m.onnx"), IMAGES)
    monkeypatch.setattr(GraphPaths, "scores", lambda *_: pytest.fail("the graph was used"))
    graph.outputs(A, B, families.line(9), lambda batch: batch)
    graph.walk(families.Frames(lambda path: graph.anchors([0, 1]), families.line(9), 1))


def test_external_weights_stay_where_they_are(tmp_path, monkeypatch):
    folder = tmp_path / "model"
    folder.mkdir()
    build.save_external(build.convnet(), folder / "m.onnx")
    before = {file.name: file.stat().st_mtime_ns for file in folder.iterdir()}
    monkeypatch.chdir(folder)
    host, graph = both("m.onnx", IMAGES)  # a path without a folder
    np.testing.assert_array_equal(graph.outputs(A, B, families.line(9)), host.outputs(A, B, families.line(9)))
    assert {file.name: file.stat().st_mtime_ns for file in folder.iterdir()} == before


def test_external_weights_are_found_through_the_symlinks_of_a_model_cache(tmp_path):
    blobs, snapshot = tmp_path / "blobs", tmp_path / "snapshot"
    blobs.mkdir()
    snapshot.mkdir()
    build.save_external(build.convnet(), blobs / "m.onnx")
    for name in ("m.onnx", "model.weights"):
        (blobs / name).rename(blobs / f"{name}-digest")
        (snapshot / name).symlink_to(blobs / f"{name}-digest")
    host = engine(snapshot / "m.onnx", IMAGES)
    graph = replace(host)
    reason = graph.form_in_graph("on", [0, 1])
    assert reason == ""
    np.testing.assert_array_equal(graph.outputs(A, B, families.line(9)), host.outputs(A, B, families.line(9)))


@pytest.mark.parametrize("name", [path.name for path in sorted(FASHION.glob("*.onnx"))])
def test_bundled_models_give_the_same_scores(name):
    with np.load(FASHION / "test.npz") as data:
        images = data["images"][:12]
    host, graph = both(FASHION / name, images, mean=0.286, std=0.353)
    expected = host.outputs(A, B, families.line(33))
    scale = np.abs(expected).max()
    assert np.abs(graph.outputs(A, B, families.line(33)) - expected).max() <= 1e-6 * scale


def refused(proto, tmp_path, images=IMAGES):
    one = engine(build.save(proto, tmp_path / "m.onnx"), images)
    reason = one.form_in_graph("on", [0, 1])
    assert one.path_form == "host"
    return reason


def test_old_opsets_resist(tmp_path):
    assert "opset 8" in refused(of_opset(8), tmp_path)
    assert "opset 10, and the path in its graph needs at least 11" in refused(of_opset(10, uint8=True), tmp_path)


def test_what_passes_two_gigabytes_resists(tmp_path, monkeypatch):
    path = build.save(build.convnet(), tmp_path / "m.onnx")
    one = engine(path, IMAGES)
    monkeypatch.setattr(onnxfile, "read", lambda path: path.read_bytes())
    monkeypatch.setattr(onnxfile, "PROTOBUF_LIMIT", 100)
    assert one.form_in_graph("on", [0, 1]).startswith("With the path in its graph the model would be larger than 2 GB")


def test_a_second_session_that_does_not_fit_resists(tmp_path):
    one = engine(build.save(build.convnet(), tmp_path / "m.onnx"), IMAGES)
    object.__setattr__(one.model, "limit", replace(one.model.limit, size=1000))
    assert "no room for a second session" in one.form_in_graph("on", [0, 1])
    assert one.path_form == "host"


def test_other_scores_than_the_host_s_are_noticed(tmp_path, monkeypatch):
    real = PathModel.scores
    monkeypatch.setattr(PathModel, "scores", lambda self, *given: real(self, *given) + 1)
    assert "gives other scores" in refused(build.convnet(), tmp_path)


def test_a_function_has_no_graph():
    spec, made = fit(InputSpec("NHWC"), Preprocess(), IMAGES.shape[1:])
    pixels = PixelCache(open_images((IMAGES, np.arange(12) % 3)), made, spec)
    one = LocalEngine(CallableModel(len, spec), pixels, made, spec)
    assert one.form_in_graph("auto", [0]) == ""
    assert one.form_in_graph("on", [0]) == "A Python function has no graph."


def test_auto_and_off_leave_the_cpu_to_the_host(tmp_path):
    one = engine(build.save(build.convnet(), tmp_path / "m.onnx"), IMAGES)
    for when in ("auto", "off"):
        assert one.form_in_graph(when, [0, 1]) == ""
        assert one.path_form == "host"


def padded(graph: LocalEngine, monkeypatch):
    """As on a device: batches of one shape."""
    monkeypatch.setattr(PathModel, "one_shape", True)
    return recorded(monkeypatch)


def recorded(monkeypatch):
    """The shapes of what a path model is given."""
    shapes = set()
    real = PathModel.scores

    def record(self, anchors, index, weights):
        shapes.add((anchors.shape, index.shape, weights.shape))
        return real(self, anchors, index, weights)

    monkeypatch.setattr(PathModel, "scores", record)
    return shapes


def test_on_a_device_batches_have_one_shape(tmp_path, monkeypatch):
    host, graph = both(build.save(build.convnet(), tmp_path / "m.onnx"), IMAGES)
    shapes = padded(graph, monkeypatch)
    graph.tile = 7
    ends = RNG.integers(0, 12, (10, 2)).T
    np.testing.assert_array_equal(graph.outputs(*ends, families.line(9)), host.outputs(*ends, families.line(9)))
    assert shapes == {((4, build.SIDE, build.SIDE, 3), (2, 7), (2, 7))}


@pytest.mark.parametrize(("tile", "sizes"), [(7, {7, 2}), (2, {2}), (1, {1})])
def test_no_image_is_evaluated_alone_where_batches_are_larger(tmp_path, monkeypatch, tile, sizes):
    host, graph = both(build.save(build.convnet(), tmp_path / "m.onnx"), IMAGES)
    shapes = recorded(monkeypatch)
    graph.tile = tile
    weights = families.line(5)  # fifteen points: seven, seven and one
    np.testing.assert_array_equal(graph.outputs(A[:3], B[:3], weights), host.outputs(A[:3], B[:3], weights))
    assert {index[1] for _, index, _ in shapes} == sizes


def test_a_device_s_batches_are_made_to_fill_a_shard(tmp_path, monkeypatch):
    for one in both(build.save(build.convnet(), tmp_path / "m.onnx"), IMAGES):
        one.tile = 32
        one.even(66)
        assert one.tile == 32  # on the CPU the last batch of a shard is a smaller one
        with monkeypatch.context() as on_a_device:
            on_a_device.setattr(OnnxModel, "in_flight", 2)
            one.even(66)
        assert one.tile == 22


def test_where_memory_runs_out_the_batch_is_halved_in_fresh_sessions(tmp_path, monkeypatch):
    host, graph = both(build.save(build.convnet(), tmp_path / "m.onnx"), IMAGES)
    sizes, before = [], graph.graph.model._spread(2).start()
    real = PathModel.scores

    def small(self, anchors, index, weights):
        sizes.append(index.shape[1])
        if index.shape[1] > 3:
            raise ResourceError("Memory ran out.")
        return real(self, anchors, index, weights)

    monkeypatch.setattr(PathModel, "scores", small)
    graph.tile = 16
    np.testing.assert_array_equal(graph.outputs(A, B, families.line(9)), host.outputs(A, B, families.line(9)))
    assert sizes[:4] == [16, 8, 4, 2]
    assert graph.tile == 2
    assert graph.graph.model._spread(2).start() != before


def test_a_device_s_batch_is_a_matter_of_size_and_memory(tmp_path, monkeypatch):
    _, graph = both(build.save(build.convnet(), tmp_path / "m.onnx"), IMAGES)
    padded(graph, monkeypatch)
    assert sized_for_device(graph.graph, 0, None)[0] == graphs.MOST
    monkeypatch.setattr(graphs, "VALUES_PER_BATCH", 30 * IMAGES[0].size)
    tile, seconds = sized_for_device(graph.graph, 0, None)
    assert tile == 30 and 0 < seconds < 1
    monkeypatch.setattr(graphs, "VALUES_PER_BATCH", 1)
    assert sized_for_device(graph.graph, 0, None)[0] == graphs.LEAST
    assert sized_for_device(graph.graph, 0, 24)[0] == 24
    real = PathModel.scores

    def small(self, anchors, index, weights):
        if index.shape[1] > 7:
            raise ResourceError("Memory ran out.")
        return real(self, anchors, index, weights)

    monkeypatch.setattr(PathModel, "scores", small)
    assert sized_for_device(graph.graph, 0, 24)[0] == 6


@pytest.mark.parametrize("form", ["host", "graph"])
def test_several_devices_give_the_same_rows_in_the_same_order(tmp_path, monkeypatch, form):
    """Two sessions on the CPU stand for two GPUs."""
    path = build.save(build.convnet(), tmp_path / "m.onnx")
    alone = engine(path, IMAGES)
    pair = tuple(providers.Choice(providers.CPU, f"cpu:{number}", "asked for") for number in range(2))
    monkeypatch.setattr(session.devices, "choose", lambda *_: pair)
    together = engine(path, IMAGES)
    together.workers = 4
    together.form_in_graph("on" if form == "graph" else "off", [0, 1])
    assert together.path_form == form
    shards = [np.array(some) for some in ((0, 1), (2, 3), (4, 5), (6, 7), (8, 9), (10, 11))]
    walked = [
        list(one.map(lambda ends, one=one: one.outputs(ends[:1], ends[1:], families.line(17)), shards))
        for one in (alone, together)
    ]
    np.testing.assert_array_equal(*walked)


def test_captured_graphs_are_run_by_one_thread(tmp_path, monkeypatch):
    """The CPU's sessions stand for CUDA's: they ignore that a graph is to be captured."""
    path = build.save(build.convnet(), tmp_path / "m.onnx")
    alone = engine(path, IMAGES)
    choice = providers.Choice(providers.CPU, "cuda:0", "asked for", {providers.GRAPH_OPTION: "1"})
    monkeypatch.setattr(session.devices, "choose", lambda *_: (choice,))
    monkeypatch.setattr(runtime, "make_session", without_options(runtime.make_session))
    captured = engine(path, IMAGES)
    captured.workers = 4
    assert captured.form_in_graph("on", [0, 1]) == ""
    threads, real = set(), Binding.run
    monkeypatch.setattr(Binding, "run", lambda self, feed: (threads.add(threading.get_ident()), real(self, feed))[1])
    ends = [np.array(some) for some in ((0, 1), (2, 3), (4, 5), (6, 7), (8, 9))]
    walked = [
        list(one.map(lambda pair, one=one: one.outputs(pair[:1], pair[1:], families.line(17)), ends))
        for one in (alone, captured, captured)
    ]
    np.testing.assert_array_equal(*walked[:2])
    (seats,) = captured.graph.model._spread(2).start()
    assert (len(seats._made), len(threads)) == (1, 1)


def out_of_memory(*_):
    raise RuntimeError("CUDA failure 2: out of memory")


def test_an_error_does_not_hold_on_to_the_session_whose_memory_ran_out(tmp_path):
    """The next session is made while other workers still have theirs."""
    host, graph = both(build.save(build.mlp(), tmp_path / "m.onnx"), SMALL, **IMAGENET)
    for one, spread, run in ((host, host.model.sessions, "run"), (graph, graph.graph.model._spread(2), "_run")):
        member = spread.start()[0]
        setattr(member, run, out_of_memory)
        held = weakref.ref(member)
        del member
        gc.disable()
        try:
            with pytest.raises(ResourceError) as error:
                one.model.run(np.zeros((1, 12))) if one is host else one.graph.scores(
                    graphs._between([0, 1], 3), 0, 3, 3
                )
            spread.renew()
            assert held() is None, error.value
        finally:
            gc.enable()


@pytest.mark.parametrize("images", [IMAGES, (IMAGES / 255).astype(np.float32)], ids=["uint8", "float32"])
def test_sessions_end_with_the_engine(tmp_path, images):
    """Not when the garbage collector comes to it: it knows nothing of the memory of a device."""
    _, graph = both(build.save(build.convnet(), tmp_path / "m.onnx"), images)
    other = replace(graph, tile=7)
    other.outputs(A, B, families.line(9))
    held = weakref.ref(graph.graph.model._spread(2).start()[0])
    gc.disable()
    try:
        del graph, other
        assert held() is None
    finally:
        gc.enable()


def without_options(make):
    return lambda model, asked, *rest, **more: make(model, [(name, {}) for name, _ in asked], *rest, **more)


def test_a_graph_that_gives_the_first_batch_s_scores_is_noticed(tmp_path, monkeypatch):
    first = []
    real = PathModel.scores
    monkeypatch.setattr(PathModel, "scores", lambda self, *given: first.append(real(self, *given)) or first[0])
    assert "gives other scores" in refused(build.convnet(), tmp_path)
