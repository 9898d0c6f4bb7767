"""ONNX files that mean harm, through the real command line: one line that names what is wrong, and an exit code."""

import os

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from conftest import FASHION
from model import build
from model.test_hazards import calling
from model.test_wire import field, model
from onnxspec.cli import main
from onnxspec.model import machine, runtime, session, wire

DATA = str(FASHION / "test.npz")


@pytest.fixture(autouse=True)
def empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def refused(capsys, tmp_path):
    """What analyze and inspect say of a model that both refuse, its exit code checked."""

    def call(content, code=3, *arguments):
        if content is not None:
            raw = content if isinstance(content, bytes) else content.SerializeToString()
            (tmp_path / "m.onnx").write_bytes(raw)
        assert main(["inspect", "m.onnx"]) == 3
        inspected = capsys.readouterr()
        assert main(["analyze", "m.onnx", "--data", DATA, *arguments]) == code
        out, err = capsys.readouterr()
        assert out == ""
        assert err.count("\n") == 1, err
        assert "Traceback" not in err + inspected.err
        assert not (tmp_path / "m.h5").exists()
        assert "".join(err.split())[len("onnxspec:") :][:40] in "".join((inspected.out + inspected.err).split())
        return err

    return call


def external(tmp_path, **entries):
    """A model whose weights are outside the file, at `entries`."""
    proto = onnx.load(build.save_external(build.mlp(), tmp_path / "m.onnx"), load_external_data=False)
    (tensor,) = proto.graph.initializer
    values = {entry.key: entry.value for entry in tensor.external_data} | entries
    del tensor.external_data[:]
    for key, value in values.items():
        tensor.external_data.add(key=key, value=value)
    return proto


@pytest.mark.parametrize(
    ("entries", "said"),
    [
        ({"location": "/etc/passwd"}, "'/etc/passwd', outside the model's folder"),
        ({"location": "../../secret"}, "'../../secret', outside the model's folder"),
        ({"location": "*/_ORT_MEM_ADDR_/*"}, "no file; refused"),
        ({"location": "nowhere.bin"}, "weights are missing: 'nowhere.bin'"),
        ({"offset": "1000000"}, "240 bytes, and the tensor 'w' ends at 1,000,240"),
        ({"offset": "-8"}, "no valid offset"),
        ({"basepath": "/"}, "more of its external weights than ONNX defines, or says it twice: 'basepath'"),
        ({"\x1b[31m": "x"}, "'\\x1b[31m'"),
    ],
)
def test_external_weights(refused, tmp_path, entries, said):
    assert said in refused(external(tmp_path, **entries))


@pytest.mark.skipif(os.name == "nt", reason="symlinks need a privilege there")
def test_a_symlink_to_weights_elsewhere(refused, tmp_path):
    proto = external(tmp_path)
    (tmp_path / "model.weights").unlink()
    (tmp_path / "model.weights").symlink_to(DATA)
    assert "outside the model's folder" in refused(proto)


def giant(dims=(100_000, 100_000)):
    proto = build.mlp()
    proto.graph.initializer.append(TensorProto(name="giant", data_type=1, dims=dims))
    return proto


def nested(depth):
    graph = b""
    for _ in range(depth):
        graph = field(1, field(5, field(6, graph)))  # a node's attribute's graph
    return model(graph)


def custom(domain="evil.ops"):
    ports = [build.tensor(name, 1, ["n", 5]) for name in "xy"]
    proto = build.model([helper.make_node("RunMe", ["x"], ["y"], domain=domain)], ports[:1], ports[1:])
    proto.opset_import.append(helper.make_opsetid(domain, 1))
    return proto


def changed(proto, **fields):
    for name, value in fields.items():
        setattr(proto, name, value)
    return proto


def looping(equation="......->..."):
    ports = [build.tensor("x", 1, ["n", 5]), build.tensor("y", 1, ["n", 5])]
    return build.model([helper.make_node("Einsum", ["x"], ["y"], equation=equation)], ports[:1], ports[1:])


def circular():
    ports = [build.tensor(name, 1, ["n", 5]) for name in "xy"]
    return build.model([helper.make_node("Identity", ["y"], ["y"])], ports[:1], ports[1:])


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (giant(), "'giant' should be (100000, 100000) of float, and the file holds only 0 values"),
        (giant([2**62] * 1000), "'giant' has 1,000 axes"),
        (nested(5000), "truncated or damaged"),
        (model(field(1, field(1, b"\xff"))), "no text in UTF-8"),
        (custom(), "needs custom operators: 'evil.ops:RunMe'. onnxspec loads no operator libraries"),
        (changed(build.mlp(), ir_version=999), "IR version 999; the installed ONNX Runtime reads up to"),
        (calling(9, 10), "1,111,111,111 nodes"),
        (looping(), "the equation '......->...', which is none"),
        (circular(), "does not depend on the input 'x'"),
    ],
    ids=["tensor", "axes", "nesting", "text", "operators", "version", "functions", "equation", "circle"],
)
def test_graphs(refused, content, said):
    assert said in refused(content)


def test_opsets_from_the_future(refused):
    proto = build.mlp()
    proto.opset_import[0].version = 999
    assert f"opset 999; the installed ONNX Runtime reads up to {runtime.limits().opset}" in refused(proto)


def test_more_pieces_than_any_model_has(refused, monkeypatch):
    monkeypatch.setattr(wire, "MOST_PIECES", 1000)
    assert "more than 1,000 pieces" in refused(model(b"\x0a\0" * 2000))


def test_names_as_long_as_a_book(refused):
    proto = build.two_outputs()
    proto.graph.output[0].name = proto.graph.node[0].output[0] = "n" * 1_000_000
    assert len(refused(proto)) < 1000


def huge_activations(side=10**6):
    nodes = [
        helper.make_node("MatMul", ["x", "w"], ["z"]),
        helper.make_node("Expand", ["z", "s"], ["wide"]),
        helper.make_node("ReduceMean", ["wide"], ["y"], axes=[0, 1], keepdims=0),
    ]
    ports = [build.tensor("x", 1, ["n", 784]), build.tensor("y", 1, ["n", 10])]
    weights = {"w": np.ones((784, 10), np.float32), "s": np.array([side, side, 1, 10])}
    return build.model(nodes, ports[:1], ports[1:], weights)


def test_more_memory_than_the_machine_has(refused, monkeypatch):
    monkeypatch.setattr(session, "start_session", lambda *_: pytest.fail("a session was made"))
    said = refused(huge_activations(), 6)
    assert "about 80 TB of memory" in said
    assert "this machine's memory allows" in said or "control group allows" in said
    assert "--max-memory" in said


def test_a_limit_of_one_s_own(capsys):
    model = str(FASHION / "pytorch.onnx")
    assert main(["analyze", model, "--data", DATA, "--max-memory", "1MB"]) == 6
    assert "--max-memory allows 1 MB" in capsys.readouterr().err
    assert main(["analyze", model, "--data", DATA, "--max-memory", "4 apples"]) == 2
    assert "a size such as 4GB, 512MB or 2GiB was expected" in capsys.readouterr().err


def test_configuration_inside_a_model_is_ignored(capsys, monkeypatch, tmp_path):
    proto = onnx.load(FASHION / "pytorch.onnx")
    kept = {entry.key: entry.value for entry in proto.metadata_props}
    helper.set_model_props(proto, kept | {"ort_config": '{"session_options": {"intra_op_num_threads": "nonsense"}}'})
    build.save(proto, tmp_path / "m.onnx")
    monkeypatch.setenv("ORT_LOAD_CONFIG_FROM_MODEL", "1")
    assert main(["analyze", "m.onnx", "--data", DATA, "--pairs", "20", "--max-memory", "4GB"]) == 0, (
        capsys.readouterr().err
    )


def test_no_operator_library_is_ever_loaded(monkeypatch, refused):
    import onnxruntime

    def never(*_):
        pytest.fail("a library was loaded")

    monkeypatch.setattr(onnxruntime.SessionOptions, "register_custom_ops_library", never)
    for domain in ("ai.onnx.contrib", "com.example"):
        assert f"'{domain}:RunMe'" in refused(custom(domain))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes with names")
def test_pipes_are_no_models(refused, tmp_path):
    os.mkfifo(tmp_path / "m.onnx")
    assert "no file but a pipe or a device" in refused(None)


def test_a_process_with_little_memory(refused, monkeypatch):
    monkeypatch.setattr(machine, "_address_space", lambda: 8 * 10**9)
    said = refused(huge_activations(20_000), 6)
    assert "about 32 GB" in said
    assert "this process's limit (ulimit -v) allows 8 GB" in said
